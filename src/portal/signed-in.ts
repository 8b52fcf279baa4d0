/**
 * Whose pages these are, and who this browser is signed in as on them. Another organization's session counts as none,
 * and its cookie is left alone.
 */

import type { Context } from "hono";
import type { Organization } from "../core/directory.ts";
import { LatchkeyError } from "../core/errors.ts";
import type { LiveSession } from "../core/session.ts";
import { identifyVisitor } from "../http/callers.ts";
import type { AppEnv } from "../http/env.ts";
import { sessionCookie } from "./cookie.ts";
import { UnknownPage } from "./errors.tsx";

/** @throws {UnknownPage} @throws {LatchkeyError} unavailable */
export async function organizationAt(c: Context<AppEnv>, slug: string): Promise<Organization> {
  const organization = await c.var.services.organizations.findBySlug(slug);
  if (organization === null) throw new UnknownPage();
  return organization;
}

/** The session in the cookie, proved by D1, of whichever organization. @throws {LatchkeyError} rate_limited, unavailable */
export async function cookieSession(c: Context<AppEnv>): Promise<LiveSession | null> {
  const token = sessionCookie(c.req.header("Cookie"));
  return token === null ? null : sessionOf(c, token);
}

/** The same, if it is this organization's. */
export async function signedIn(c: Context<AppEnv>, slug: string): Promise<LiveSession | null> {
  return ifOf(slug, await cookieSession(c));
}

/** The session of a token that came in a link, if it is this organization's. @throws {LatchkeyError} rate_limited, unavailable */
export async function liveSession(c: Context<AppEnv>, slug: string, token: string): Promise<LiveSession | null> {
  return ifOf(slug, await sessionOf(c, token));
}

function ifOf(slug: string, session: LiveSession | null): LiveSession | null {
  return session?.organizationSlug === slug ? session : null;
}

async function sessionOf(c: Context<AppEnv>, token: string): Promise<LiveSession | null> {
  try {
    return await identifyVisitor(c, token);
  } catch (error) {
    if (error instanceof LatchkeyError && error.code === "credential_not_live") return null;
    throw error;
  }
}
