/**
 * A customer's own change of e-mail address: asked for with a session, checked and done with the token of a mailed
 * link, which is all that those two ask for.
 */

import { Hono } from "hono/quick";
import * as z from "zod/mini";
import { countAddressChange, countConfirmation } from "../http/attempts.ts";
import type { AppEnv } from "../http/env.ts";
import { anybody, billingManagersOnly, holder } from "./authenticate.ts";
import { email } from "./email-field.ts";
import { string } from "./fields.ts";
import { jsonBody, queryParameters } from "./validate.ts";

const EmailUpdateRequest = z.object({ email });
const ByToken = z.object({ token: string });

export const emailUpdate = new Hono<AppEnv>()
  .post(
    "/v1/customer-portal/customers/me/email-update/request",
    holder,
    billingManagersOnly,
    jsonBody(EmailUpdateRequest),
    async (c) => {
      const { email } = c.req.valid("json");
      await countAddressChange(c, c.var.session, email);
      await c.var.services.emailChanges.ask(c.var.session, email);
      return c.json(null, 202);
    },
  )

  .get("/v1/customer-portal/customers/me/email-update/check", anybody, queryParameters(ByToken), async (c) => {
    const { token } = c.req.valid("query");
    await countConfirmation(c, token);
    await c.var.services.emailChanges.peek(token);
    return c.body(null, 204);
  })

  .post("/v1/customer-portal/customers/me/email-update/verify", anybody, jsonBody(ByToken), async (c) => {
    const change = c.req.valid("json").token;
    await countConfirmation(c, change);
    const { token } = await c.var.services.emailChanges.confirm(change);
    return c.json({ token });
  });
