/** The errors of what a request says of an organization, and of metadata, which members have too. */

const AUTH_FACTOR_SETTING = [400, "The setting is not one of ALL_ALLOWED, RESTRICTED and NOT_ALLOWED."] as const;
const PROVISIONING_SETTING = [400, "The setting is not one of RESTRICTED and NOT_ALLOWED."] as const;
const INVALID_DOMAIN = [400, "A domain is none."] as const;
const DUPLICATE_DOMAIN = [400, "A domain is there twice."] as const;
const COMMON_DOMAIN = [400, "A domain is one under which anybody can have a mailbox."] as const;

export const ORGANIZATION_ERRORS = {
  organization_name_missing: [400, "An organization_name is required."],
  invalid_organization_name: [400, "The organization_name must have between 1 and 128 characters, and not be blank."],
  invalid_organization_slug: [
    400,
    "The organization_slug must have between 2 and 128 characters, of letters, digits, -, ., _ and ~, and not look like an id.",
  ],
  organization_slug_already_used: [400, "The provided organization_slug is already used in another organization."],
  organization_external_id_already_used: [
    400,
    "The provided organization_external_id is already used in another organization.",
  ],
  organization_logo_url_too_long: [400, "The organization_logo_url must not have more than 2048 characters."],
  invalid_url: [400, "The organization_logo_url is no http(s) URL."],

  metadata_invalid_format: [400, "Metadata must be a JSON object."],
  metadata_too_large: [400, "Metadata must not exceed 4 KB."],
  metadata_too_many_keys: [400, "Metadata must not have more than 20 top-level keys."],

  invalid_organization_auth_factor_setting: AUTH_FACTOR_SETTING,
  invalid_organization_auth_factor_setting_for_email_jit_provisioning: PROVISIONING_SETTING,
  invalid_organization_auth_factor_setting_for_oauth_tenant_jit_provisioning: PROVISIONING_SETTING,
  invalid_organization_auth_method_settings: [400, "auth_methods is not one of ALL_ALLOWED and RESTRICTED."],
  invalid_organization_allowed_auth_methods: [400, "allowed_auth_methods holds what is no authentication method."],
  invalid_organization_mfa_policy: [400, "mfa_policy is not one of REQUIRED_FOR_ALL and OPTIONAL."],
  invalid_organization_mfa_factor_setting: [400, "mfa_methods is not one of ALL_ALLOWED and RESTRICTED."],
  invalid_organization_allowed_mfa_methods: [400, "allowed_mfa_methods holds what is neither sms_otp nor totp."],
  invalid_oauth_allowed_tenants_format: [
    400,
    "allowed_oauth_tenants must map slack, hubspot and github to arrays of strings.",
  ],

  organization_settings_invalid_domain: INVALID_DOMAIN,
  organization_settings_duplicate_domain: DUPLICATE_DOMAIN,
  organization_settings_domain_too_common: COMMON_DOMAIN,
  organization_settings_invalid_claimed_domain: INVALID_DOMAIN,
  organization_settings_duplicate_claimed_domain: DUPLICATE_DOMAIN,
  organization_settings_claimed_domain_too_common: COMMON_DOMAIN,
  cannot_assign_default_rbac_role_id: [400, "Every member has the role stytch_member; it cannot be assigned."],
  rbac_invalid_domain: INVALID_DOMAIN,
  rbac_domain_too_common: COMMON_DOMAIN,
} as const satisfies Record<string, readonly [status: number, message: string]>;
