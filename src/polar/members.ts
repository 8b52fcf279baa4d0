/**
 * Members of a customer: create and read, by our ids or by the organization's own.
 */

import type { Context } from "hono";
import { Hono } from "hono/quick";
import * as z from "zod/mini";
import { type Customer, type CustomerRef, hasMembers, type MemberRef, type Organization } from "../core/directory.ts";
import type { AppEnv } from "../http/env.ts";
import { merchant } from "./authenticate.ts";
import { email } from "./email-field.ts";
import { notPermitted, resourceNotFound } from "./errors.ts";
import { oneOf, trimmedString, uuid } from "./fields.ts";
import { presentMember } from "./present.ts";
import { jsonBody, pathParameters } from "./validate.ts";

const MemberCreate = z.object({
  email,
  name: z.nullish(trimmedString(256)),
  external_id: z.nullish(trimmedString(1024)),
  role: z._default(oneOf("member", "billing_manager"), "member"),
});

const ById = z.object({ id: uuid(4) });
const MemberById = z.object({ id: uuid(4), member_id: uuid("any") });

type Organizational = Context<AppEnv & { Variables: { organization: Organization } }>;

async function requireCustomer(c: Organizational, ref: CustomerRef): Promise<Customer> {
  const customer = await c.var.services.customers.find(c.var.organization.id, ref);
  if (customer === null) throw resourceNotFound("Customer not found");
  return customer;
}

async function addMember(c: Organizational, ref: CustomerRef, body: z.infer<typeof MemberCreate>) {
  const { organization } = c.var;
  const customer = await requireCustomer(c, ref);
  if (!hasMembers(organization)) throw notPermitted("Member management is not enabled for this organization");
  const member = await c.var.services.members.add(organization.id, {
    id: crypto.randomUUID(),
    customerId: customer.id,
    email: body.email,
    name: body.name ?? null,
    externalId: body.external_id ?? null,
    role: body.role,
    createdAt: c.var.services.clock.now(),
  });
  return c.json(presentMember(member), 201);
}

async function readMember(c: Organizational, ref: CustomerRef, member: MemberRef) {
  const customer = await requireCustomer(c, ref);
  const found = await c.var.services.members.find(c.var.organization.id, customer.id, member);
  if (found === null) throw resourceNotFound("Member not found");
  return c.json(presentMember(found));
}

const writes = merchant("members:write");
const reads = merchant("members:read", "members:write");

/** `{.+}`: an external id may hold a slash, and not every client encodes it. */
export const members = new Hono<AppEnv>()
  .post("/v1/customers/external/:external_id{.+}/members", writes, jsonBody(MemberCreate), (c) =>
    addMember(c, { externalId: c.req.param("external_id") }, c.req.valid("json")),
  )
  .get("/v1/customers/external/:external_id{.+}/members/:member_external_id", reads, (c) =>
    readMember(c, { externalId: c.req.param("external_id") }, { externalId: c.req.param("member_external_id") }),
  )
  .post("/v1/customers/:id/members", writes, pathParameters(ById), jsonBody(MemberCreate), (c) =>
    addMember(c, c.req.valid("param"), c.req.valid("json")),
  )
  .get("/v1/customers/:id/members/:member_id", reads, pathParameters(MemberById), (c) => {
    const { id, member_id } = c.req.valid("param");
    return readMember(c, { id }, { id: member_id });
  });
