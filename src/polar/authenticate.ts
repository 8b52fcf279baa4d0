/**
 * Who is calling, in this dialect. A bearer token that does not resolve is `invalid_token` on every route, public and
 * unknown ones included; one that lives but is of the wrong kind counts as no credential at all.
 */

import { createMiddleware } from "hono/factory";
import type { LiveApiKey, Scope } from "../core/api-keys.ts";
import type { Organization } from "../core/directory.ts";
import { LatchkeyError } from "../core/errors.ts";
import type { LiveSession, SessionFacts } from "../core/session.ts";
import { bearerToken } from "../http/bearer.ts";
import { asksForStrict } from "../http/consistency.ts";
import type { AppEnv } from "../http/env.ts";
import type { Services } from "../services.ts";
import { insufficientScope, unauthorized } from "./errors.ts";
import { readJson } from "./validate.ts";

type Caller = { apiKey: LiveApiKey } | { session: SessionFacts } | null;

/**
 * @returns null for an anonymous call.
 * @throws {LatchkeyError} credential_not_live, unavailable
 */
export async function identifyCaller(services: Services, authorization: string | undefined): Promise<Caller> {
  const token = bearerToken(authorization);
  if (token === null) return null;
  return services.credentials.claimedKind(token) === "oat"
    ? { apiKey: await identifyApiKey(services, token) }
    : { session: await services.sessions.check(token) };
}

/** @throws {LatchkeyError} credential_not_live, unavailable */
export async function identifyApiKey({ credentials, apiKeys }: Services, token: string): Promise<LiveApiKey> {
  const credential = await credentials.verify(token);
  const apiKey = credential && (await apiKeys.find(credential.lookupKey));
  if (apiKey === null) throw new LatchkeyError("credential_not_live");
  return apiKey;
}

const CARRIES_BODY = new Set(["POST", "PUT", "PATCH"]);

/** For everybody. A credential is not needed, but one that is dead is told so even here. */
export const anybody = createMiddleware<AppEnv>(async (c, next) => {
  await identifyCaller(c.var.services, c.req.header("Authorization"));
  if (CARRIES_BODY.has(c.req.method)) await readJson(c);
  await next();
});

/** For the organization's backend: an API key that has one of these scopes. */
export function merchant(...anyOf: Scope[]) {
  return createMiddleware<AppEnv & { Variables: { organization: Organization } }>(async (c, next) => {
    const caller = await identifyCaller(c.var.services, c.req.header("Authorization"));
    if (CARRIES_BODY.has(c.req.method)) await readJson(c);
    if (caller === null || !("apiKey" in caller)) throw unauthorized();
    if (!anyOf.some((scope) => caller.apiKey.scopes.has(scope))) throw insufficientScope(anyOf);
    c.set("organization", caller.apiKey.organization);
    await next();
  });
}

/** For the holder of a session, recognised at the edge: only for answers that carry no name, address or role. */
export const holderAtEdge = createMiddleware<AppEnv & { Variables: { session: SessionFacts } }>(async (c, next) => {
  const { services } = c.var;
  const token = await holderToken(services, c.req.header("Authorization"));
  const strictly = asksForStrict(c.req.header("Session-Consistency"));
  c.set("session", await (strictly ? services.sessions.checkStrictly(token) : services.sessions.check(token)));
  await next();
});

/** For the holder of a session, recognised by D1. */
export const holder = createMiddleware<AppEnv & { Variables: { session: LiveSession } }>(async (c, next) => {
  const { services } = c.var;
  const token = await holderToken(services, c.req.header("Authorization"));
  c.set("session", await services.sessions.checkStrictly(token));
  await next();
});

/** The token, unless it is a live API key, which is nobody's session. */
async function holderToken(services: Services, authorization: string | undefined): Promise<string> {
  const token = bearerToken(authorization);
  if (token === null) throw unauthorized();
  if (services.credentials.claimedKind(token) === "oat") {
    await identifyApiKey(services, token);
    throw unauthorized();
  }
  return token;
}
