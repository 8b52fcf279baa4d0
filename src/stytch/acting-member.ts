/**
 * Calls that a backend makes in the name of a member, whose session it shows in a header beside its own credentials:
 * that member has to be of the organization in question, and its roles have to permit what is asked. The session is
 * not prolonged by it.
 */

import type { Context } from "hono";
import { RESERVED_RESOURCES } from "../core/default-policy.ts";
import { decide, sessionRoles } from "../core/rbac.ts";
import type { ProjectEnv } from "./authenticate.ts";
import { StytchError } from "./errors.ts";
import { FORBIDDEN, NEW_ADDRESS } from "./permissions.ts";
import type { MemberSession } from "./present.ts";
import { presentedSession } from "./presented-session.ts";

/** What a member does with its own record, the permission over itself allows as well. */
const OWN_ACTIONS = new Set(RESERVED_RESOURCES.find(({ id }) => id === "stytch.self")?.actions);

/**
 * Refuses what the acting member may not do, by the policies of this moment. Asks for nothing where the backend acts by
 * itself: that may do everything.
 * @param customerId of the organization in question.
 * @param actions all of which it takes (permissions.ts has those of fields).
 * @param memberId whose record or sessions it is about.
 * @returns the acting member's session; null: there is none.
 * @throws {StytchError} what `presentedSession` throws, session_authorization_tenancy_error,
 * session_authorization_error, cannot_update_trusted_metadata, member_cannot_update_their_email_address
 * @throws {LatchkeyError} unavailable
 */
export async function permit(
  c: Context<ProjectEnv>,
  customerId: string,
  resource: "stytch.organization" | "stytch.member",
  actions: readonly string[],
  memberId: string | null = null,
): Promise<MemberSession | null> {
  const session = await actingSession(c);
  if (session === null) return null;
  const { member, customer } = session;
  if (customer.id !== customerId) throw new StytchError("session_authorization_tenancy_error");
  const isOwn = member.id === memberId;
  if (actions.includes(FORBIDDEN)) throw new StytchError("cannot_update_trusted_metadata");
  if (isOwn && actions.includes(NEW_ADDRESS)) throw new StytchError("member_cannot_update_their_email_address");
  const policy = await c.var.services.policies.find(c.var.project.id);
  const held = sessionRoles(member, customer);
  const may = (resource: string, action: string) =>
    decide(policy, customer.ownRoles, held, { resource, action }).length > 0;
  for (const action of actions) {
    if (may(resource, action) || (isOwn && OWN_ACTIONS.has(action) && may("stytch.self", action))) continue;
    throw new StytchError("session_authorization_error");
  }
  return session;
}

/** A header that is there and empty is refused: the call was meant to be a member's. */
async function actingSession(c: Context<ProjectEnv>): Promise<MemberSession | null> {
  const session_token = c.req.header("X-Stytch-Member-Session");
  const session_jwt = c.req.header("X-Stytch-Member-SessionJWT");
  if (session_token === undefined && session_jwt === undefined) return null;
  return (await presentedSession(c, { session_token, session_jwt })).session;
}
