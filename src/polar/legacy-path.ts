/**
 * Polar's old `/api/v1` paths: the same answers as under `/v1`, with a note that the prefix is deprecated.
 */

import type { Context } from "hono";
import type { AppEnv } from "../http/env.ts";

type Dispatch = (
  request: Request,
  env: Cloudflare.Env,
  context: Context["executionCtx"],
) => Response | Promise<Response>;

/** @param dispatch answers a request as the whole application does. */
export function legacyPath(dispatch: Dispatch) {
  return async (c: Context<AppEnv>): Promise<Response> => {
    const url = new URL(c.req.url);
    url.pathname = url.pathname.slice("/api".length);
    const answer = await dispatch(new Request(url, c.req.raw), c.env, c.executionCtx);
    const response = new Response(answer.body, answer);
    response.headers.set("X-Polar-Deprecation-Notice", "The /api prefix is deprecated: call /v1 instead.");
    return response;
  };
}
