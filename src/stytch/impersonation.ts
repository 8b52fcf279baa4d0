/**
 * Where an operator signs in as a member, with a token of `npm run admin -- impersonate`. The session lasts an hour,
 * cannot be changed, and says in its factors who it is.
 */

import { Hono } from "hono/quick";
import * as z from "zod/mini";
import type { AppEnv } from "../http/env.ts";
import { project } from "./authenticate.ts";
import { authenticated } from "./authenticated.ts";
import { answer } from "./envelope.ts";
import { StytchError } from "./errors.ts";
import { isMemberSession } from "./present.ts";
import { jsonBody } from "./validate.ts";

const Authenticate = z.object({ impersonation_token: z.string() });

export const impersonation = new Hono<AppEnv>().post(
  "/v1/b2b/impersonation/authenticate",
  project("member_sessions:write"),
  jsonBody(Authenticate),
  async (c) => {
    const { impersonation_token: token } = c.req.valid("json");
    const made = await c.var.services.impersonations.begin(c.var.project, token);
    if (!isMemberSession(made.session)) throw new StytchError("impersonation_token_not_found");
    return answer(c, await authenticated(c, { session: made.session, token: made.token }));
  },
);
