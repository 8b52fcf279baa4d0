/**
 * Who is calling, in this dialect. A bearer token that does not resolve is `invalid_token` on every route, public and
 * unknown ones included; one that lives but is of the wrong kind counts as no credential at all.
 */

import { createMiddleware } from "hono/factory";
import type { LiveApiKey, Scope } from "../core/api-keys.ts";
import type { Member, Organization } from "../core/directory.ts";
import { isManager } from "../core/member-roles.ts";
import type { LiveSession, SessionFacts } from "../core/session.ts";
import { bearerToken } from "../http/bearer.ts";
import { type Asked, countAnonymous, identifyApiKey, identifyHolder, identifyHolderAtEdge } from "../http/callers.ts";
import { asksForStrict } from "../http/consistency.ts";
import type { AppEnv } from "../http/env.ts";
import { insufficientScope, notPermitted, unauthorized } from "./errors.ts";
import { readJson } from "./validate.ts";

type Caller = { apiKey: LiveApiKey } | { session: SessionFacts } | null;

/**
 * @returns null for an anonymous call.
 * @throws {LatchkeyError} credential_not_live, rate_limited, unavailable
 */
export async function identifyCaller(c: Asked): Promise<Caller> {
  const token = await presentedToken(c);
  if (token === null) return null;
  return claimsApiKey(c, token)
    ? { apiKey: await identifyApiKey(c, token) }
    : { session: await identifyHolderAtEdge(c, token) };
}

async function presentedToken(c: Asked): Promise<string | null> {
  const token = bearerToken(c.req.header("Authorization"));
  if (token === null) await countAnonymous(c);
  return token;
}

const claimsApiKey = (c: Asked, token: string) => c.var.services.credentials.claimedKind(token) === "oat";

const CARRIES_BODY = new Set(["POST", "PUT", "PATCH"]);

/** Before anything but a dead token is held against the caller. */
async function readBody(c: Asked): Promise<void> {
  if (CARRIES_BODY.has(c.req.method)) await readJson(c);
}

/** For everybody. A credential is not needed, but one that is dead is told so even here. */
export const anybody = createMiddleware<AppEnv>(async (c, next) => {
  await identifyCaller(c);
  await readBody(c);
  await next();
});

/** For the organization's backend: an API key that has one of these scopes. */
export function merchant(...anyOf: Scope[]) {
  return createMiddleware<AppEnv & { Variables: { organization: Organization } }>(async (c, next) => {
    const caller = await identifyCaller(c);
    await readBody(c);
    if (caller === null || !("apiKey" in caller)) throw unauthorized();
    if (!anyOf.some((scope) => caller.apiKey.scopes.has(scope))) throw insufficientScope(anyOf);
    c.set("organization", caller.apiKey.organization);
    await next();
  });
}

/** For the holder of a session, recognised at the edge: only for answers that carry no name, address or role. */
export const holderAtEdge = createMiddleware<AppEnv & { Variables: { session: SessionFacts } }>(async (c, next) => {
  const token = await holderToken(c);
  if (token === null) throw unauthorized();
  const strictly = asksForStrict(c.req.header("Session-Consistency"));
  c.set("session", await (strictly ? identifyHolder(c, token) : identifyHolderAtEdge(c, token)));
  await next();
});

type Held = AppEnv & { Variables: { session: LiveSession } };

/** For the holder of a session, recognised by D1. */
export const holder = createMiddleware<Held>(async (c, next) => {
  const session = await heldSession(c);
  if (session === null) throw unauthorized();
  c.set("session", session);
  await next();
});

/** For the holder of a member session, recognised by D1: a customer session counts as no credential. */
export const memberHolder = createMiddleware<Held & { Variables: { member: Member } }>(async (c, next) => {
  const session = await heldSession(c);
  if (!session?.member) throw unauthorized();
  c.set("session", session);
  c.set("member", session.member);
  await next();
});

/**
 * After either of the two: only for members who manage their customer. A customer session, which acts for the customer
 * itself, has no role that could fall short.
 */
export const managersOnly = (refusal: string) =>
  createMiddleware<Held>(async (c, next) => {
    const { role } = c.var.session;
    if (role !== null && !isManager(role)) throw notPermitted(refusal);
    await next();
  });

export const billingManagersOnly = managersOnly("Only owners and billing managers can access billing features.");

/** @returns null for no credential, and for one that is nobody's session. */
async function heldSession(c: Asked): Promise<LiveSession | null> {
  const token = await holderToken(c);
  const session = token === null ? null : await identifyHolder(c, token);
  await readBody(c);
  return session;
}

/** The token, unless there is none, or it is a live API key. */
async function holderToken(c: Asked): Promise<string | null> {
  const token = await presentedToken(c);
  if (token === null || !claimsApiKey(c, token)) return token;
  await identifyApiKey(c, token);
  return null;
}
