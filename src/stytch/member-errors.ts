/** The errors of what is asked about members. */

export const MEMBER_ERRORS = {
  invalid_email: [400, "The email address is invalid."],
  invalid_phone_number: [400, "A phone number must be in E.164 format, such as +15005550006."],
  invalid_mfa_default_method: [400, "default_mfa_method is sms_otp or totp."],
  invalid_member_get_fields: [400, "Please include exactly one of member_id and email_address."],
  invalid_role: [400, "There is no such role, neither in the project's policy nor of the organization."],
  duplicate_member_email: [400, "A member of this organization has this email address."],
  duplicate_member_external_id: [400, "A member of this organization has this external id."],
  duplicate_member_phone_number_for_member: [
    400,
    "The member has a phone number. Delete it first to give the member another.",
  ],
  desired_email_deactivated_by_different_member: [
    400,
    "Another member of this organization had this email address, and keeps it until it is unlinked.",
  ],
  no_deleted_member_found_for_reactivation: [404, "There is no deleted member of this id."],
  reactivation_email_belongs_to_another_member: [
    400,
    "The email address belongs to another member of this organization by now.",
  ],
  retired_email_missing_email_identifiers: [400, "Please include email_id, email_address or both."],
  email_not_found: [404, "The member has no such retired email address."],
  member_password_not_found: [404, "There is no such password."],
} as const satisfies Record<string, readonly [status: number, message: string]>;
