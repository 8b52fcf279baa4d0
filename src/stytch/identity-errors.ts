/**
 * Errors about identities from outside: tokens of trusted issuers, sessions of earlier identity providers, operators
 * who sign in as members. The status and the words of each type, and which of them the core's codes mean.
 */

import { LatchkeyError } from "../core/errors.ts";

type Facts = Readonly<Record<string, unknown>>;

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

/** Of ID tokens and their like; access tokens have words of their own (exchange-access-token.ts). */
export const IDENTITY_WORDS = {
  outside_url_refused: "invalid_userinfo_url",
  outside_answer_unusable: "migrate_from_external_unexpected_response",
  foreign_token_invalid: "invalid_trusted_auth_token",
  foreign_token_issuer_wrong: "jwt_invalid_issuer",
  foreign_token_audience_wrong: "jwt_invalid_audience",
  foreign_token_claims_wrong: ({ claim, problem }: Facts) =>
    ["jwt_invalid_claims", `The claim ${claim} ${problem}.`] as const,
  foreign_token_expired: () => ["jwt_invalid_claims", "The token has expired."] as const,
  foreign_token_too_old: ({ maxAgeSeconds }: Facts) =>
    ["jwt_invalid_claims", `The token was issued more than ${maxAgeSeconds} seconds ago.`] as const,
  foreign_token_spent: "invalid_trusted_auth_token",
  foreign_member_ambiguous: "trusted_token_profile_incorrect_external_id_mapping",
  issuer_not_found: "trusted_token_profile_not_found",
  access_token_issuer_unknown: "idp_access_token_not_found",
  access_token_scope_missing: "oauth_access_token_exchange_missing_full_access",
  userinfo_not_set_up: "migrate_from_external_missing_userinfo",
  role_unknown: ({ requested }: Facts) => ["invalid_rbac_role_id", `There is no role ${requested}.`] as const,
  impersonation_not_live: "impersonation_token_not_found",
} as const;

/**
 * The reason is for the log: mostly a profile has to be put right, or keys have changed at somebody else's, and the
 * answer says too little to see which.
 */
export const isAboutIdentity = (error: unknown): error is LatchkeyError =>
  error instanceof LatchkeyError && Object.hasOwn(IDENTITY_WORDS, error.code);
