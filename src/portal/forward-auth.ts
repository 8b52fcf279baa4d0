/**
 * Answers a reverse proxy's sub-request: is this request a member's, and whose? By an edge check, so in about the time
 * of one KV read, and without a name or an address in the answer.
 */

import type { Context } from "hono";
import { Hono } from "hono/quick";
import { routePath } from "hono/route";
import { LatchkeyError } from "../core/errors.ts";
import type { SessionFacts } from "../core/session.ts";
import { bearerToken } from "../http/bearer.ts";
import { asksForStrict } from "../http/consistency.ts";
import type { AppEnv } from "../http/env.ts";
import { RETRY_AFTER_SECONDS } from "../http/retry.ts";
import { sessionCookie } from "./cookie.ts";

export const forwardAuth = new Hono<AppEnv>();

forwardAuth.onError((error, c) => {
  c.header("Cache-Control", "private, no-store");
  if (error instanceof LatchkeyError && error.code === "credential_not_live") return notSignedIn(c);
  c.var.services.log.error("request_failed", { method: c.req.method, route: routePath(c), error });
  if (error instanceof LatchkeyError && error.code === "unavailable") {
    c.header("Retry-After", String(RETRY_AFTER_SECONDS));
    return c.json({ error: "ServiceUnavailable", detail: "The service cannot answer right now." }, 503);
  }
  return c.json({ error: "InternalServerError", detail: "Internal Server Error" }, 500);
});

/**
 * Calls are not counted: every request of an application asks here, and from the proxy's own address, so one
 * visitor's junk would shut out all the others. A forged token costs nothing, a dead one two reads in five seconds.
 *
 * Whatever the method: some proxies repeat the visitor's, and none of them may be answered by anyone else.
 */
forwardAuth.all("/v1/forward-auth", async (c) => {
  c.header("Cache-Control", "private, no-store");
  const organization = c.req.query("organization");
  if (organization === undefined || organization === "") {
    const detail = "Add ?organization=<id or slug> to the address that your proxy asks.";
    return c.json({ error: "RequestValidationError", detail }, 422);
  }
  const token = presentedToken(c);
  if (token === null) return notSignedIn(c);
  const { sessions } = c.var.services;
  const strictly = asksForStrict(c.req.header("Session-Consistency"));
  const session = await (strictly ? sessions.checkStrictly(token) : sessions.check(token));
  const isTheirs = organization.toLowerCase() === session.organizationId || organization === session.organizationSlug;
  if (!isTheirs) return notSignedIn(c);
  return c.body(null, 204, identityHeaders(session));
});

/** A bearer of ours decides alone, dead or alive; any other Authorization is the application's own business. */
function presentedToken(c: Context<AppEnv>): string | null {
  const bearer = bearerToken(c.req.header("Authorization"));
  const isOurs = bearer !== null && c.var.services.credentials.claimedKind(bearer) !== null;
  return isOurs ? bearer : sessionCookie(c.req.header("Cookie"));
}

/** Ids and a role only: they are ASCII. A customer session has no member, so it sends no member headers. */
function identityHeaders(session: SessionFacts): Record<string, string> {
  return {
    "X-Customer-Id": session.customerId,
    "X-Organization-Id": session.organizationId,
    ...(session.memberId !== null && { "X-Member-Id": session.memberId }),
    ...(session.role !== null && { "X-Member-Role": session.role }),
  };
}

function notSignedIn(c: Context): Response {
  return c.json({ error: "Unauthorized", detail: "Unauthorized" }, 401, { "WWW-Authenticate": "Bearer" });
}
