/**
 * The errors of this dialect: the status and the words of each type, and what each code of the core means here; a code
 * without an entry does not compile.
 */

import type { Context } from "hono";
import { type CommonErrorCode, type IdentityErrorCode, LatchkeyError } from "../core/errors.ts";
import type { AppEnv } from "../http/env.ts";
import { RETRY_AFTER_SECONDS } from "../http/retry.ts";
import { IDENTITY_ERRORS, IDENTITY_WORDS } from "./identity-errors.ts";
import { MEMBER_ERRORS } from "./member-errors.ts";
import { ORGANIZATION_ERRORS } from "./organization-errors.ts";
import { POLICY_ERRORS } from "./policy-errors.ts";
import { SEARCH_ERRORS } from "./search-errors.ts";

const ERRORS = {
  ...IDENTITY_ERRORS,

  // Of every call.
  unauthorized_credentials: [401, "Unauthorized credentials."],
  invalid_authorization_header: [401, "The Authorization header must be Basic, with project_id and secret."],
  unauthorized_action: [403, "The secret lacks the scope for this call."],
  bad_request: [400, "The submitted request is invalid."],
  test_id_used_in_live_environment: [400, "Ids of a test environment do not exist here."],
  route_not_found: [404, "There is no such route."],
  method_not_allowed: [405, "The route does not take this method."],
  request_too_large: [413, "The request body is larger than 64 KiB."],
  too_many_requests: [429, "Too many requests have been made."],
  internal_server_error: [500, "Oops, something seems to have gone wrong. Its reason stands in the Worker's log."],
  server_unavailable: [503, "The service cannot answer right now. Please try again."],

  // Sessions.
  no_session_arguments: [400, "Please include one of session_token and session_jwt."],
  too_many_session_arguments: [
    400,
    "Please include at most one of session_token, session_jwt, or intermediate_session_token in an authenticate request, not multiple.",
  ],
  invalid_session_token: [400, "Session token format is invalid."],
  session_not_found: [404, "Session could not be found."],
  invalid_session_id: [400, "Session id format is invalid."],
  unable_to_parse_session_jwt: [400, "Session JWT could not be parsed."],
  invalid_session_jwt: [401, "Session JWT could not be verified."],
  jwt_invalid_issuer: [401, "The JWT is of another issuer."],
  jwt_invalid_audience: [401, "The JWT is for another audience."],
  jwt_invalid_claims: [401, "The JWT lacks a claim, or has one that cannot be."],
  invalid_session_duration_minutes: [
    400,
    "session_duration_minutes is invalid, should be between 5 to 527040 minutes.",
  ],
  invalid_session_duration: [
    400,
    "The submitted session duration exceeds the maximum session duration allowed for this project.",
  ],
  session_not_mutable: [403, "An impersonated session cannot be changed."],
  custom_claims_too_large: [400, "Custom claims must not exceed 4 KB altogether."],
  stytch_claims_in_custom_claims: [400, "Custom claims must not begin with https://stytch.com/."],
  session_authorization_error: [403, "The Member is not authorized to perform the requested action on that resource."],
  session_authorization_tenancy_error: [403, "The session is of another organization."],
  insufficient_factors_for_session_exchange: [
    403,
    "The session does not prove the member's email address, so it cannot be exchanged.",
  ],
  operation_restricted_by_organization_auth_methods: [
    403,
    "The organization does not admit the authentication factors of this session.",
  ],
  operation_restricted_by_organization_mfa_methods: [
    403,
    "The organization requires multi-factor authentication, which is not offered here.",
  ],
  no_session_revoke_arguments: [
    400,
    "Please include one of member_session_id, session_token, session_jwt and member_id.",
  ],
  too_many_session_revoke_arguments: [
    400,
    "Please include only one of member_session_id, session_token, session_jwt and member_id.",
  ],
  invalid_project_id: [400, "Project id format is invalid."],

  // Organizations and members.
  organization_not_found: [404, "Organization could not be found."],
  member_not_found: [404, "Member could not be found."],
  member_does_not_exist_in_organization: [404, "The person is no member of that organization."],
  invalid_organization_id: [400, "Organization id format is invalid."],

  // Members who ask for themselves.
  cannot_update_trusted_metadata: [401, "Trusted metadata cannot be changed by a Member."],
  member_cannot_update_their_email_address: [400, "Members cannot change their own email address."],

  ...MEMBER_ERRORS,
  ...ORGANIZATION_ERRORS,
  ...POLICY_ERRORS,
  ...SEARCH_ERRORS,
} as const satisfies Record<string, readonly [status: number, message: string]>;

export type ErrorType = keyof typeof ERRORS;

export const isErrorType = (text: string): text is ErrorType => Object.hasOwn(ERRORS, text);

interface Aside {
  headers?: Record<string, string>;
  cause?: unknown;
}

/** Thrown anywhere in the dialect; answered by `respondTo`. */
export class StytchError extends Error {
  readonly type: ErrorType;
  readonly status: number;
  readonly headers: Record<string, string>;

  /**
   * @param message where the usual one says too little.
   * @param cause the error that it words.
   */
  constructor(type: ErrorType, message: string = ERRORS[type][1], { headers = {}, cause }: Aside = {}) {
    super(message, { cause });
    this.name = "StytchError";
    this.type = type;
    [this.status] = ERRORS[type];
    this.headers = headers;
  }
}

const unavailable = (message?: string) =>
  new StytchError("server_unavailable", message, { headers: { "Retry-After": String(RETRY_AFTER_SECONDS) } });

/** Rules about owners and individual customers, which Stytch does not know. */
const forbiddenByRole = (rule: string) => () => new StytchError("bad_request", rule);

type Facts = LatchkeyError["facts"];
/** The words of an error, where they are not always the same, or the error itself. */
type Wording = ErrorType | ((facts: Facts) => StytchError | readonly [ErrorType, message: string]);

const WIRE = {
  credential_not_live: "unauthorized_credentials",
  unavailable: () => unavailable(),
  rate_limited: ({ retryAfterSeconds }) =>
    new StytchError("too_many_requests", undefined, { headers: { "Retry-After": String(retryAfterSeconds) } }),
  session_not_found: "session_not_found",
  customer_not_found: "organization_not_found",
  member_not_found: "member_not_found",
  ttl_out_of_range: "invalid_session_duration",
  custom_claims_too_large: "custom_claims_too_large",
  metadata_too_large: "metadata_too_large",
  metadata_too_many_keys: "metadata_too_many_keys",
  ...IDENTITY_WORDS,
  spared_session_not_found: "session_not_found",
  single_member_only: forbiddenByRole("An organization of type individual has one member only."),
  customer_refused: ({ taken }) =>
    new StytchError(
      (taken as { slug?: string } | undefined)?.slug === undefined
        ? "organization_external_id_already_used"
        : "organization_slug_already_used",
    ),
  member_external_id_taken: "duplicate_member_external_id",
  member_email_taken: "duplicate_member_email",
  member_email_retired: "desired_email_deactivated_by_different_member",
  role_insufficient: "session_authorization_error",
  second_owner: forbiddenByRole("There is one owner already."),
  own_role_fixed: forbiddenByRole("A member cannot change its own role."),
  own_removal: forbiddenByRole("A member cannot remove itself."),
  ownership_not_held: forbiddenByRole("Only the owner can hand over ownership."),
  only_owner_demoted: forbiddenByRole("The owner keeps its role until another member has it."),
  only_owner_removed: forbiddenByRole("The owner cannot be deleted. Hand over ownership first."),
  owner_email_fixed: forbiddenByRole("The owner of an individual customer has the customer's own email address."),
} satisfies Record<CommonErrorCode | IdentityErrorCode, Wording>;

/** The answer to whatever was thrown. An unknown error shows nothing of itself: its message may hold anything. */
export function toStytchError(error: unknown): StytchError {
  if (error instanceof StytchError) return error;
  const wording: Wording | undefined =
    error instanceof LatchkeyError ? (WIRE as Partial<Record<string, Wording>>)[error.code] : undefined;
  if (wording === undefined) return new StytchError("internal_server_error");
  if (typeof wording === "string") return new StytchError(wording);
  const worded = wording((error as LatchkeyError).facts);
  return worded instanceof StytchError ? worded : new StytchError(...worded);
}

/** Stytch's own pages explain the types. Never a key `error`: Stytch's SDKs read such a body as an OAuth error. */
export function respondTo({ type, status, message, headers }: StytchError, c: Context<AppEnv>): Response {
  const body = {
    status_code: status,
    request_id: requestId(),
    error_type: type,
    error_message: message,
    error_url: `https://stytch.com/docs/b2b/api/errors/${status}#${type}`,
  };
  return c.json(body, status as 400, headers);
}

/** For a request that cannot even be given to this dialect. */
export const stytchUnavailable = (c: Context<AppEnv>, message: string) => respondTo(unavailable(message), c);

/** Of one answer, for the caller's records. */
export const requestId = () => `request-id-live-${crypto.randomUUID()}`;
