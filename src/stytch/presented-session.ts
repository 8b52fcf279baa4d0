/**
 * The session that a call shows, by its token or by a JWT of it. A JWT may have expired: it names a session, and D1
 * says whether that lives.
 */

import type { Context } from "hono";
import type { ProjectEnv } from "./authenticate.ts";
import { StytchError } from "./errors.ts";
import { isMemberSession, type MemberSession } from "./present.ts";
import { sessionIdIn } from "./session-jwt.ts";

export interface SessionArguments {
  session_token?: string | null | undefined;
  session_jwt?: string | null | undefined;
}

/** A live session, proved by D1, with its token. */
export interface PresentedSession {
  session: MemberSession;
  token: string;
}

/**
 * @throws {StytchError} too_many_session_arguments, no_session_arguments, invalid_session_token, session_not_found, and
 * what `sessionIdIn` throws
 * @throws {LatchkeyError} unavailable
 */
export async function presentedSession(
  c: Context<ProjectEnv>,
  { session_token: token, session_jwt: jwt }: SessionArguments,
): Promise<PresentedSession> {
  if (token && jwt) throw new StytchError("too_many_session_arguments");
  if (token) return byToken(c, token);
  if (jwt) return byJwt(c, jwt);
  throw new StytchError("no_session_arguments");
}

async function byToken(c: Context<ProjectEnv>, token: string): Promise<PresentedSession> {
  const { credentials, sessions } = c.var.services;
  const kind = credentials.claimedKind(token);
  if (kind !== "mst" && kind !== "cst") throw new StytchError("invalid_session_token");
  const session = await sessions.findByToken(c.var.project.id, token);
  if (!isMemberSession(session)) throw new StytchError("session_not_found");
  return { session, token };
}

async function byJwt(c: Context<ProjectEnv>, jwt: string): Promise<PresentedSession> {
  const id = await sessionIdIn(c, jwt);
  const found = await c.var.services.sessions.findWithToken(c.var.project.id, id);
  if (!isMemberSession(found?.session ?? null)) throw new StytchError("session_not_found");
  return found as PresentedSession;
}
