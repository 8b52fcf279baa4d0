/**
 * The errors of this dialect: statuses, bodies and headers, byte for byte as Polar sends them, and what each code of
 * the core means here; a code without an entry does not compile. What a single route forbids is worded at that route.
 */

import type { Context } from "hono";
import type { CustomerRefusal } from "../core/customers.ts";
import { type CommonErrorCode, LatchkeyError, type PortalErrorCode } from "../core/errors.ts";
import { RETRY_AFTER_SECONDS } from "../http/retry.ts";

/** One entry of a 422, in pydantic's words. */
export interface WireIssue {
  type: string;
  loc: (string | number)[];
  msg: string;
  input: unknown;
  ctx?: Record<string, unknown>;
}

/** Thrown anywhere in the dialect; answered by `respondTo`. */
export class PolarError extends Error {
  readonly status: number;
  readonly body: string;
  readonly headers: Record<string, string>;

  constructor(status: number, body: unknown, headers: Record<string, string> = {}) {
    super(`Polar ${status}`);
    this.status = status;
    this.body = typeof body === "string" ? body : JSON.stringify(body);
    this.headers = headers;
  }
}

const INVALID_TOKEN_DESCRIPTION =
  "The access token provided is expired, revoked, malformed, or invalid for other reasons.";
const SCOPE_DESCRIPTION = "The request requires higher privileges than provided by the access token.";

/** No credential, or a live one of a kind that means nothing here. */
export const unauthorized = () =>
  new PolarError(
    401,
    { error: "Unauthorized", detail: "Unauthorized" },
    { "WWW-Authenticate": 'Bearer realm="polar"' },
  );

/** Polar's library writes these two bodies with blanks after the separators; some clients compare them as text. */
const invalidToken = () =>
  new PolarError(401, `{"error": "invalid_token", "error_description": "${INVALID_TOKEN_DESCRIPTION}"}`, {
    "WWW-Authenticate": `Bearer realm="polar", error="invalid_token", error_description="${INVALID_TOKEN_DESCRIPTION}"`,
    "Cache-Control": "no-store",
    Pragma: "no-cache",
  });

export const insufficientScope = (anyOf: readonly string[]) =>
  new PolarError(403, `{"error": "insufficient_scope", "error_description": "${SCOPE_DESCRIPTION}"}`, {
    "WWW-Authenticate": `Bearer realm="polar", scope="${anyOf.join(" ")}", error="insufficient_scope", error_description="${SCOPE_DESCRIPTION}"`,
  });

export const notPermitted = (detail: string) => new PolarError(403, { error: "NotPermitted", detail });

export const resourceNotFound = (detail = "Not found") => new PolarError(404, { error: "ResourceNotFound", detail });

export const routeNotFound = () => new PolarError(404, { detail: "Not Found" });

export const methodNotAllowed = (allowed: string) =>
  new PolarError(405, { detail: "Method Not Allowed" }, { Allow: allowed });

export const bodyTooLarge = () =>
  new PolarError(413, { error: "RequestBodyTooLarge", detail: "The request body is larger than 64 KiB." });

/** The request does not have the shape that the schema asks for. */
export const invalidRequest = (detail: WireIssue[]) => new PolarError(422, { error: "RequestValidationError", detail });

/** The request is well formed, but a rule forbids it. */
export const ruleBroken = (...detail: WireIssue[]) =>
  new PolarError(422, { error: "PolarRequestValidationError", detail });

/** The usual case of it: a value that is not allowed, at one place. */
export const brokenAt = (loc: string[], msg: string, input: unknown = null) =>
  ruleBroken({ type: "value_error", loc, msg, input });

const customerRefused = ({ taken = {}, fixed = {} }: CustomerRefusal) => {
  const issue = (field: string, msg: string, input: unknown): WireIssue[] =>
    input === undefined ? [] : [{ type: "value_error", loc: ["body", field], msg, input }];
  return ruleBroken(
    ...issue("email", "A customer with this email address already exists.", taken.email),
    ...issue("billing_address", "Customer billing address cannot be reset to null once set.", fixed.billingAddress),
    ...issue("external_id", "Customer external ID cannot be updated.", fixed.externalId),
    ...issue("external_id", "A customer with this external ID already exists.", taken.externalId),
    ...issue("type", "Customer type cannot be downgraded from 'team' to 'individual'.", fixed.type),
  );
};

/** Ids that come in a path are looked up by the route, which answers 404 itself; here they came in a body. */
const WIRE = {
  credential_not_live: invalidToken,
  unavailable: () =>
    new PolarError(
      503,
      { error: "ServiceUnavailable", detail: "The service cannot answer right now. Please try again." },
      { "Retry-After": String(RETRY_AFTER_SECONDS) },
    ),
  rate_limited: ({ retryAfterSeconds }) => new PolarError(429, "", { "Retry-After": String(retryAfterSeconds) }),
  session_not_found: () => resourceNotFound(),
  customer_not_found: ({ requested }) => brokenAt(["body", "customer_id"], "Customer does not exist.", requested),
  member_not_found: ({ requested }) => brokenAt(["body", "member_id"], "Member does not exist.", requested),
  code_not_redeemable: () => brokenAt(["body", "code"], "This code is invalid or has expired."),
  ttl_out_of_range: ({ requested, min, max }) =>
    brokenAt(["body", "expires_in"], `expires_in must be between ${min} and ${max} seconds.`, requested),
  return_url_not_allowed: ({ requested }) =>
    brokenAt(["body", "return_url"], "This return_url is not allowed for this organization.", requested),
  spared_session_not_found: () => brokenAt(["body", "except"], "Session does not exist for this member."),
  member_required: () => brokenAt(["body", "member_id"], "member_id is required for team customers."),
  owner_email_required: () => brokenAt(["body", "email"], "An email is required to create an owner member."),
  single_member_only: () =>
    notPermitted(
      "Individual customers can only have one member (the owner). Upgrade to a team customer to add more members.",
    ),
  customer_refused: (facts) => customerRefused(facts as CustomerRefusal),
  tax_country_required: () => {
    const msg = "Country is required to validate tax ID.";
    return ruleBroken({ type: "missing", loc: ["body", "billing_address"], msg, input: null });
  },
  tax_id_invalid: ({ requested: input }) =>
    ruleBroken({ type: "invalid", loc: ["body", "tax_id"], msg: "Invalid tax ID.", input }),
  member_external_id_taken: () =>
    brokenAt(["body", "external_id"], "A member with this external ID already exists for this customer."),
  member_email_taken: ({ requested }) =>
    brokenAt(["body", "email"], "A member with this email already exists for this customer.", requested),
  member_email_retired: ({ requested }) =>
    brokenAt(["body", "email"], "A member of this customer had this email before, and keeps it.", requested),
  role_insufficient: () => notPermitted("Insufficient role for this operation"),
  second_owner: ({ requested }) =>
    brokenAt(["body", "role"], "Cannot add a member as owner. There must be exactly one owner.", requested),
  own_role_fixed: ({ requested }) => brokenAt(["path", "id"], "You cannot modify your own role.", requested),
  own_removal: ({ requested }) => brokenAt(["path", "id"], "You cannot remove yourself from the team.", requested),
  ownership_not_held: ({ requested }) =>
    brokenAt(["body", "role"], "Only the owner can transfer ownership.", requested),
  only_owner_demoted: ({ requested }) =>
    brokenAt(["body", "role"], "Cannot change role. Customer must have exactly one owner.", requested),
  only_owner_removed: ({ requested }) =>
    brokenAt(["body"], "Cannot delete the only owner. Transfer ownership first.", requested),
  owner_email_fixed: ({ requested }) =>
    brokenAt(
      ["body", "email"],
      "Cannot change the email of an individual customer's owner. Update the customer's email instead.",
      requested,
    ),
  sign_in_code_invalid: () =>
    new PolarError(401, {
      error: "CustomerSessionCodeInvalidOrExpired",
      detail: "This customer session code is invalid or has expired.",
    }),
  customer_selection_required: ({ customers }) =>
    new PolarError(409, {
      error: "customer_selection_required",
      detail: "Multiple customers found for this email. Please select one.",
      customers,
    }),
  email_change_not_allowed: () => notPermitted("Email changes are not enabled for this organization."),
  email_change_not_live: () =>
    new PolarError(401, {
      error: "InvalidCustomerEmailUpdate",
      detail: "This email update request is invalid or has expired.",
    }),
  email_of_team: ({ requested }) =>
    brokenAt(["body", "email"], "Only individual customers can change their email.", requested),
  email_unchanged: ({ requested }) =>
    brokenAt(["body", "email"], "New email is the same as your current email.", requested),
  email_taken: () => brokenAt(["body", "token"], "This email address is already in use."),
} satisfies Record<CommonErrorCode | PortalErrorCode, (facts: LatchkeyError["facts"]) => PolarError>;

const isWorded = (code: string): code is keyof typeof WIRE => Object.hasOwn(WIRE, code);

/** The answer to whatever was thrown. An unknown error shows nothing of itself: its message may hold anything. */
export function toPolarError(error: unknown): PolarError {
  if (error instanceof PolarError) return error;
  if (error instanceof LatchkeyError && isWorded(error.code)) return WIRE[error.code](error.facts);
  return new PolarError(500, { error: "InternalServerError", detail: "Internal Server Error" });
}

export function respondTo(error: PolarError, c: Context): Response {
  for (const [name, value] of Object.entries(error.headers)) c.header(name, value);
  if (error.body === "") return c.body(null, error.status as 400);
  c.header("Content-Type", "application/json");
  return c.body(error.body, error.status as 400);
}
