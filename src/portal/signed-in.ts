/**
 * Who this browser is signed in as, for one organization's pages. Another organization's session counts as none, and
 * its cookie is left alone.
 */

import type { Context } from "hono";
import { LatchkeyError } from "../core/errors.ts";
import type { LiveSession } from "../core/session.ts";
import type { AppEnv } from "../http/env.ts";
import { sessionCookie } from "./cookie.ts";

/** The session in the cookie, proved by D1, of whichever organization. @throws {LatchkeyError} unavailable */
export async function cookieSession(c: Context<AppEnv>): Promise<LiveSession | null> {
  const token = sessionCookie(c.req.header("Cookie"));
  return token === null ? null : liveSession(c, token);
}

export async function signedIn(c: Context<AppEnv>, slug: string): Promise<LiveSession | null> {
  const session = await cookieSession(c);
  return session?.organizationSlug === slug ? session : null;
}

/** @throws {LatchkeyError} unavailable */
export async function liveSession(c: Context<AppEnv>, token: string): Promise<LiveSession | null> {
  try {
    return await c.var.services.sessions.checkStrictly(token);
  } catch (error) {
    if (error instanceof LatchkeyError && error.code === "credential_not_live") return null;
    throw error;
  }
}
