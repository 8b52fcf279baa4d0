/**
 * What every response of this dialect is: JSON with an id and its status, whatever happens, kept by no cache unless it
 * says so. Never a redirect and never an empty body: Stytch's SDKs understand neither.
 */

import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../http/env.ts";
import { MAX_BODY_BYTES } from "../http/json-body.ts";
import { requestId, StytchError } from "./errors.ts";

export const neverCached = createMiddleware<AppEnv>(async (c, next) => {
  await next();
  if (!c.res.headers.has("Cache-Control")) c.header("Cache-Control", "private, no-store");
});

export const limitBody = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: () => {
    throw new StytchError("request_too_large");
  },
});

/** The one shape of success: 200, whatever was made or deleted. */
export function answer(c: Context, body: Record<string, unknown>): Response {
  return c.json({ status_code: 200, request_id: requestId(), ...body });
}
