/**
 * Session JWTs in Stytch's claims: what the SDKs verify by themselves, and what may be shown here instead of a token.
 * No SDK knows `jti`, and two of them would show any other claim as a custom one.
 */

import type { Context } from "hono";
import { type ClaimsFault, checkSessionClaims } from "../core/session-jwts.ts";
import type { ProjectEnv } from "./authenticate.ts";
import { type ErrorType, StytchError } from "./errors.ts";
import { uuidOf, wireId } from "./ids.ts";
import type { MemberSession, presentMemberSession } from "./present.ts";

const SESSION_CLAIM = "https://stytch.com/session";
const ORGANIZATION_CLAIM = "https://stytch.com/organization";

/** Without a scheme: the one form that every SDK takes, wherever the Worker is. */
const issuerOf = (project: string) => `stytch.com/${project}`;

/** A JWT of the session as it is presented, signed now or less than a minute ago. */
export function signSessionJwt(
  c: Context<ProjectEnv>,
  { id, expiresAt }: MemberSession,
  presented: ReturnType<typeof presentMemberSession>,
): Promise<string> {
  const project = wireId("project", c.var.project.id);
  const { member_session_id, member_id, organization_id, organization_slug, custom_claims, ...session } = presented;
  const claims = {
    ...custom_claims,
    iss: issuerOf(project),
    aud: [project],
    sub: member_id,
    [SESSION_CLAIM]: { id: member_session_id, ...session, attributes: { user_agent: "", ip_address: "" } },
    [ORGANIZATION_CLAIM]: { organization_id, slug: organization_slug },
  };
  return c.var.services.sessionJwts.sign(id, claims, expiresAt);
}

const FAULTS: Record<ClaimsFault, ErrorType> = {
  wrong_issuer: "jwt_invalid_issuer",
  wrong_audience: "jwt_invalid_audience",
  wrong_claims: "jwt_invalid_claims",
};

/**
 * The id of the session that a JWT of ours was made of; whether that session lives is D1's to say. The JWT may have
 * expired, and nothing else may be wrong with it.
 * @throws {StytchError} unable_to_parse_session_jwt, invalid_session_jwt, jwt_invalid_issuer, jwt_invalid_audience,
 * jwt_invalid_claims
 */
export async function sessionIdIn(c: Context<ProjectEnv>, jwt: string): Promise<string> {
  const { sessionJwts, clock } = c.var.services;
  const verified = await sessionJwts.verify(jwt);
  if (verified === "malformed") throw new StytchError("unable_to_parse_session_jwt");
  if (verified === "untrusted") throw new StytchError("invalid_session_jwt");
  const { claims } = verified;
  const project = wireId("project", c.var.project.id);
  const checked = checkSessionClaims(claims, { issuer: issuerOf(project), audience: project, now: clock.now() });
  if (typeof checked === "string") throw new StytchError(FAULTS[checked]);
  const named = (claims[SESSION_CLAIM] as { id?: unknown } | undefined)?.id;
  const id = typeof named === "string" ? uuidOf("session", named) : null;
  if (id === null) throw new StytchError("jwt_invalid_claims");
  return id;
}
