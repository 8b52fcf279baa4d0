/**
 * The status and the words of each type of error about identities from outside: tokens of trusted issuers, sessions of
 * earlier identity providers, operators who sign in as members.
 */

export const IDENTITY_ERRORS = {
  trusted_token_profile_not_found: [404, "Trusted token profile could not be found."],
  invalid_trusted_auth_token: [401, "The token could not be verified, or it has been used before."],
  token_missing_organization_id_claim: [400, "The token names no organization, and neither does the request."],
  invalid_token_organization_id_claim: [400, "The organization of the token is not that of the request."],
  trusted_token_profile_incorrect_external_id_mapping: [
    400,
    "The token's external member id and its email address are not of the same member.",
  ],
  member_session_member_id_mismatch: [400, "The session is of another member than the token."],
  migrate_from_external_missing_userinfo: [400, "The project has no UserInfo URL."],
  migrate_from_external_unexpected_response: [400, "The UserInfo URL gave no answer that names an email address."],
  migrate_from_external_email_does_not_exist: [404, "No member of the organization has that email address."],
  invalid_userinfo_url: [400, "The project's UserInfo URL cannot be called."],
  idp_access_token_not_found: [404, "The access token could not be found."],
  idp_access_token_could_not_be_exchanged: [404, "The access token could not be exchanged."],
  idp_access_token_expired: [401, "The access token has expired."],
  oauth_access_token_exchange_token_invalid_grant: [400, "The access token could not be verified."],
  oauth_access_token_exchange_token_too_old: [400, "The access token was issued more than five minutes ago."],
  oauth_access_token_exchange_missing_full_access: [403, "The access token lacks the scope full_access."],
  impersonation_token_not_found: [404, "Impersonation token could not be found."],
} as const;
