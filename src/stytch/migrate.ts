/**
 * Taking over a session of an earlier identity provider: its UserInfo endpoint says whose it is.
 */

import { Hono } from "hono/quick";
import * as z from "zod/mini";
import { addressByUserinfo } from "../core/userinfo.ts";
import type { AppEnv } from "../http/env.ts";
import { project } from "./authenticate.ts";
import { authenticated } from "./authenticated.ts";
import { namedOrganization } from "./directory.ts";
import { answer } from "./envelope.ts";
import { StytchError } from "./errors.ts";
import { lifeAndClaims, lifeAndClaimsOf } from "./fields.ts";
import { isMemberSession } from "./present.ts";
import { jsonBody } from "./validate.ts";

const Migrate = z.object({
  ...lifeAndClaims,
  // What can stand in a header, and no more than servers take there.
  session_token: z.string().check(z.regex(/^[\x21-\x7e]{1,8192}$/, { error: "invalid_session_token" })),
  organization_id: z.string(),
});

export const migrate = new Hono<AppEnv>().post(
  "/v1/b2b/sessions/migrate",
  project("member_sessions:write"),
  jsonBody(Migrate),
  async (c) => {
    const body = c.req.valid("json");
    const { outside, members, sessions, clock } = c.var.services;
    const customer = await namedOrganization(c, body.organization_id);
    const email = await addressByUserinfo(outside, c.var.project, body.session_token);
    const member = await members.findByEmail(c.var.project.id, customer.id, email);
    if (member === null) throw new StytchError("migrate_from_external_email_does_not_exist");
    const { ttlSeconds, claims } = lifeAndClaimsOf(body);
    const factors = [{ kind: "imported" as const, email, at: clock.now() }];
    const made = await sessions.createOf(
      { proof: null, factors, provedEmail: email, ttlSeconds, claims: claims ?? {} },
      { organization: c.var.project, customerId: customer.id, memberId: member.id },
    );
    if (made === null || !isMemberSession(made.session)) {
      throw new StytchError("migrate_from_external_email_does_not_exist");
    }
    return answer(c, await authenticated(c, { session: made.session, token: made.token }));
  },
);
