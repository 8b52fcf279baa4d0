/**
 * A customer's own change of e-mail address: asked for with a session, checked and done with the token of a mailed
 * link, which is all that those two ask for.
 */

import { Hono } from "hono/quick";
import * as z from "zod/mini";
import type { AppEnv } from "../http/env.ts";
import { anybody, holder, managersOnly } from "./authenticate.ts";
import { email } from "./email-field.ts";
import { string } from "./fields.ts";
import { jsonBody, queryParameters } from "./validate.ts";

const EmailUpdateRequest = z.object({ email });
const ByToken = z.object({ token: string });

export const emailUpdate = new Hono<AppEnv>()
  .post(
    "/v1/customer-portal/customers/me/email-update/request",
    holder,
    managersOnly("Only owners and billing managers can access billing features."),
    jsonBody(EmailUpdateRequest),
    async (c) => {
      await c.var.services.emailChanges.ask(c.var.session, c.req.valid("json").email);
      return c.json(null, 202);
    },
  )

  .get("/v1/customer-portal/customers/me/email-update/check", anybody, queryParameters(ByToken), async (c) => {
    await c.var.services.emailChanges.peek(c.req.valid("query").token);
    return c.body(null, 204);
  })

  .post("/v1/customer-portal/customers/me/email-update/verify", anybody, jsonBody(ByToken), async (c) => {
    const { token } = await c.var.services.emailChanges.confirm(c.req.valid("json").token);
    return c.json({ token });
  });
