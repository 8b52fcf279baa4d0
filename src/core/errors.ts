/**
 * The one error that use cases throw. Codes are closed: each dialect maps every one of them, checked by the compiler.
 * `facts` may be shown to the caller; `reason` and `cause` are for the log, never for the wire.
 */

export type ErrorCode = CommonErrorCode | PortalErrorCode | IdentityErrorCode;

/** Of use cases that every dialect has. */
export type CommonErrorCode =
  /** A presented credential is malformed, unknown, expired or revoked; outsiders are not told which. */
  | "credential_not_live"
  /** D1 is away or its answer is in doubt. Never to be shown as "signed out". */
  | "unavailable"
  /** The caller has made more calls, or more attempts, than it may. */
  | "rate_limited"
  | "session_not_found"
  | "customer_not_found"
  | "member_not_found"
  | "ttl_out_of_range"
  | "spared_session_not_found"
  | "single_member_only"
  | "customer_refused"
  | "member_external_id_taken"
  | "member_email_taken"
  /** Another member's, who does not use it any more. */
  | "member_email_retired"
  /** The rules of member-roles.ts. */
  | "role_insufficient"
  | "second_owner"
  | "own_role_fixed"
  | "own_removal"
  | "ownership_not_held"
  | "only_owner_demoted"
  | "only_owner_removed"
  | "owner_email_fixed";

/** Of links, mail, billing details, and what members do in the portal. */
export type PortalErrorCode =
  | "code_not_redeemable"
  | "return_url_not_allowed"
  | "member_required"
  | "owner_email_required"
  | "tax_country_required"
  | "tax_id_invalid"
  /** Unknown, expired, used up or guessed wrong too often; outsiders are not told which. */
  | "sign_in_code_invalid"
  | "customer_selection_required"
  | "email_change_not_allowed"
  | "email_change_not_live"
  | "email_of_team"
  | "email_unchanged"
  | "email_taken";

/** Of what sessions claim, what is kept with people, and identities from outside. */
export type IdentityErrorCode =
  | "custom_claims_too_large"
  | "metadata_too_large"
  | "metadata_too_many_keys"
  /** An address in the settings that this Worker does not call (outside-url.ts). */
  | "outside_url_refused"
  /** Somebody else's server answered, with nothing that we can use. */
  | "outside_answer_unusable"
  /** Tokens that others signed: not to be read, or nobody whom we trust signed it. */
  | "foreign_token_invalid"
  | "foreign_token_issuer_wrong"
  | "foreign_token_audience_wrong"
  | "foreign_token_claims_wrong"
  | "foreign_token_expired"
  | "foreign_token_too_old"
  /** Each is good once. */
  | "foreign_token_spent"
  /** Its address and its external id are of two members. */
  | "foreign_member_ambiguous"
  | "issuer_not_found"
  | "access_token_issuer_unknown"
  | "access_token_scope_missing"
  | "userinfo_not_set_up"
  /** Neither the policy nor the customer has a role of this id. */
  | "role_unknown"
  | "impersonation_not_live";

interface ErrorDetails {
  reason?: string;
  cause?: unknown;
  facts?: Record<string, unknown>;
}

export class LatchkeyError extends Error {
  readonly code: ErrorCode;
  /**
   * What was asked and what is allowed. ttl_out_of_range: `requested`, `min`, `max` in seconds. customer_refused: a
   * CustomerRefusal. return_url_not_allowed, member_not_found, customer_not_found, tax_id_invalid, member_email_taken, member_email_retired,
   * email_of_team, email_unchanged and the rules about members: `requested`. customer_selection_required: `customers`,
   * each with `id` and `name`. rate_limited: `retryAfterSeconds`. foreign_token_claims_wrong: `claim`, and `problem`
   * with it, as the rest of a sentence. role_unknown: `requested`. foreign_token_too_old: `maxAgeSeconds`.
   */
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, { reason, cause, facts = {} }: ErrorDetails = {}) {
    super(reason === undefined ? code : `${code}: ${reason}`, cause === undefined ? undefined : { cause });
    this.name = "LatchkeyError";
    this.code = code;
    this.facts = facts;
  }
}
