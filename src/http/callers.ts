/**
 * Recognising who calls, and counting the call. A credential is counted for its owner once it is known to be good. All
 * else (none, forged, dead) is counted for the address that it comes from: counted by itself, every invented token
 * would bring an allowance of its own.
 */

import type { Context } from "hono";
import type { LiveApiKey } from "../core/api-keys.ts";
import { LatchkeyError } from "../core/errors.ts";
import type { LiveSession, SessionFacts } from "../core/session.ts";
import { clientNetwork } from "./client-address.ts";
import type { AppEnv } from "./env.ts";

/** What of a context it takes to know the caller. */
export type Asked = Pick<Context<AppEnv>, "req" | "var">;

/** For a call that shows no credential. @throws {LatchkeyError} rate_limited */
export function countAnonymous({ req, var: { services } }: Asked): Promise<void> {
  return services.rateLimits.addresses(clientNetwork(req));
}

/**
 * Counted before D1 is asked, so that a flood of calls costs no reads.
 * @throws {LatchkeyError} credential_not_live, rate_limited, unavailable
 */
export function identifyApiKey(c: Asked, token: string): Promise<LiveApiKey> {
  const { credentials, apiKeys, rateLimits } = c.var.services;
  return orAnonymous(c, async () => {
    const credential = await credentials.verify(token);
    if (credential === null) throw new LatchkeyError("credential_not_live");
    await rateLimits.apiKeys(credential.lookupKey);
    const apiKey = await apiKeys.find(credential.lookupKey);
    if (apiKey === null) throw new LatchkeyError("credential_not_live");
    return apiKey;
  });
}

/**
 * The holder of a session, recognised at the edge: one count on this machine, after a check that seldom asks D1.
 * @throws {LatchkeyError} credential_not_live, rate_limited, unavailable
 */
export function identifyHolderAtEdge(c: Asked, token: string): Promise<SessionFacts> {
  const { sessions } = c.var.services;
  return orAnonymous(c, async () => counted(c, await sessions.check(token)));
}

/**
 * The holder of a session, recognised by D1. The token is counted before D1 is asked, for the reason that API keys
 * are; its holder afterwards, so that a second session brings no second allowance.
 * @throws {LatchkeyError} credential_not_live, rate_limited, unavailable
 */
export function identifyHolder(c: Asked, token: string): Promise<LiveSession> {
  const { sessions, rateLimits } = c.var.services;
  return orAnonymous(c, async () => counted(c, await sessions.checkStrictly(token, rateLimits.holders)));
}

/**
 * For pages, some of which never ask who is signed in: counts whoever opens one, before anything is looked up.
 * @param token from the cookie, or null. @throws {LatchkeyError} rate_limited
 */
export async function countVisitor(c: Asked, token: string | null): Promise<void> {
  const { credentials, rateLimits } = c.var.services;
  const credential = token === null ? null : await credentials.verify(token);
  await (credential === null ? countAnonymous(c) : rateLimits.holders(credential.lookupKey));
}

/** The holder of a session, as above, for a call that `countVisitor` has counted. */
export function identifyVisitor(c: Asked, token: string): Promise<LiveSession> {
  return orAnonymous(c, async () => counted(c, await c.var.services.sessions.checkStrictly(token)));
}

async function counted<Session extends SessionFacts>(c: Asked, session: Session): Promise<Session> {
  await c.var.services.rateLimits.holders(session.memberId ?? session.customerId);
  return session;
}

async function orAnonymous<Caller>(c: Asked, identify: () => Promise<Caller>): Promise<Caller> {
  try {
    return await identify();
  } catch (error) {
    if (error instanceof LatchkeyError && error.code === "credential_not_live") await countAnonymous(c);
    throw error;
  }
}
