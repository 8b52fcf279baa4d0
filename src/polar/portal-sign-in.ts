/**
 * Signing in to the customer portal by e-mail: asking for a code, and trading it for a session token. Everybody may
 * call, so no answer tells whether an address is known.
 */

import { createMiddleware } from "hono/factory";
import { Hono } from "hono/quick";
import * as z from "zod/mini";
import { countCodeEntry, countCodeRequest } from "../http/attempts.ts";
import type { AppEnv } from "../http/env.ts";
import { anybody } from "./authenticate.ts";
import { email } from "./email-field.ts";
import { string, uuid } from "./fields.ts";
import { jsonBody } from "./validate.ts";

const CodeRequest = z.object({
  email,
  organization_id: uuid(4),
  customer_id: z.nullish(uuid(4)),
});

/**
 * Polar's has the code alone. Ours is then that of the link; a typed one goes with its address and organization, and
 * whoever has to choose a customer says which.
 */
const CodeAuthentication = z.object({
  code: string,
  email: z.nullish(email),
  organization_id: z.nullish(uuid(4)),
  customer_id: z.nullish(uuid(4)),
});

/** Without mail there is nothing to be had here, whoever asks for whatever. */
const whereMailIsSetUp = createMiddleware<AppEnv>(async (c, next) => {
  c.var.services.signIns.requireMail();
  await next();
});

export const portalSignIn = new Hono<AppEnv>()
  .post("/v1/customer-portal/customer-session/request", whereMailIsSetUp, anybody, jsonBody(CodeRequest), async (c) => {
    const { email, organization_id, customer_id } = c.req.valid("json");
    const { organizations, signIns } = c.var.services;
    await countCodeRequest(c, organization_id, email, customer_id ?? null);
    const organization = await organizations.findById(organization_id);
    if (organization !== null) await signIns.ask(organization, email, customer_id ?? null);
    return c.json(null, 202);
  })

  .post("/v1/customer-portal/customer-session/authenticate", anybody, jsonBody(CodeAuthentication), async (c) => {
    const { code, email, organization_id, customer_id } = c.req.valid("json");
    const { signIns } = c.var.services;
    await countCodeEntry(c, code);
    const organization = organization_id == null ? null : { id: organization_id };
    const proof = await signIns.prove({ code, email: email ?? null, organization }, customer_id ?? null);
    const { token } = await signIns.complete(proof);
    return c.json({ token });
  });
