/**
 * The public keys of session JWTs, for whoever verifies them: without credentials, D1 or KV. All projects share the keys;
 * a JWT names its project in `iss` and `aud`.
 */

import { Hono } from "hono/quick";
import type { AppEnv } from "../http/env.ts";
import { answer } from "./envelope.ts";
import { StytchError } from "./errors.ts";
import { uuidOf } from "./ids.ts";

export const jwks = new Hono<AppEnv>().get("/v1/b2b/sessions/jwks/:project_id", (c) => {
  if (uuidOf("project", c.req.param("project_id")) === null) throw new StytchError("invalid_project_id");
  const keys = c.var.services.sessionJwts.publicKeys();
  // A new key is published more than an hour before it signs, so nobody needs to ask more often than this. Said last:
  // an error is kept by no cache.
  c.header("Cache-Control", "public, max-age=300");
  return answer(c, { keys });
});
