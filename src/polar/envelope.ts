/**
 * What every response of this dialect wears: API version, CORS, cache rules. And what becomes of a request that no
 * route takes: a slash put right, or Polar's 404.
 */

import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../http/env.ts";
import { MAX_BODY_BYTES } from "../http/json-body.ts";
import { identifyCaller } from "./authenticate.ts";
import { bodyTooLarge, respondTo, routeNotFound } from "./errors.ts";

/** The schemas of this area are the same in all three; the first is what a request without the header gets. */
const VERSIONS: readonly [string, ...string[]] = ["2026-10", "2026-04", "2027-01"];

/** Polar's: any origin, never credentials. Members' browsers call with a bearer token, not with our cookie. */
const CORS = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Expose-Headers": "Polar-Version",
} as const;
const PREFLIGHT = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Methods": "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT",
  "Access-Control-Allow-Headers":
    "Accept, Accept-Language, Authorization, Content-Language, Content-Type, Polar-Version, Session-Consistency",
  "Access-Control-Max-Age": "600",
} as const;

export const envelope = createMiddleware<AppEnv>(async (c, next) => {
  const version = c.req.header("Polar-Version") ?? VERSIONS[0];
  if (!VERSIONS.includes(version)) return c.json({ detail: "Not Found" }, 404);
  const isPreflight = c.req.method === "OPTIONS" && c.req.header("Access-Control-Request-Method") !== undefined;
  if (isPreflight) return c.body(null, 204, PREFLIGHT);
  await next();
  c.header("Polar-Version", version);
  for (const [name, value] of Object.entries(CORS)) c.header(name, value);
  // Polar's rate limit stands outside of its cache rules; a 429 is kept by no cache unless it says so.
  if (!c.res.headers.has("Cache-Control") && c.res.status !== 429) c.header("Cache-Control", "private, no-store");
  return undefined;
});

/** By Content-Length, which HTTP framing makes true; where none is announced, by counting what arrives. */
export const limitBody = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: () => {
    throw bodyTooLarge();
  },
});

/**
 * Everything under /v1/ that no route took: a slash put right, or Polar's 404. A dead token is told so even here.
 * Only paths without parameters are put right: a redirect never echoes input.
 * @param paths of the routes, as they are registered.
 */
export function unknownRoute(paths: readonly string[]) {
  const literal = paths.filter((path) => !path.includes(":"));
  const canonicalPaths = new Map(literal.map((path) => [path.endsWith("/") ? path.slice(0, -1) : `${path}/`, path]));
  return createMiddleware<AppEnv>(async (c) => {
    await identifyCaller(c);
    const canonical = canonicalPaths.get(c.req.path);
    if (canonical === undefined) return respondTo(routeNotFound(), c);
    return c.body(null, 307, { Location: `${canonical}${new URL(c.req.url).search}` });
  });
}
