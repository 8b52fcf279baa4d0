/**
 * `POST /v1/customer-sessions/`: named by Polar after the customer, but a member session wherever the organization has
 * the member model on.
 */

import { Hono } from "hono/quick";
import * as z from "zod/mini";
import { type Customer, type Member, type Organization, ownerFor } from "../core/directory.ts";
import { LatchkeyError } from "../core/errors.ts";
import type { AppEnv } from "../http/env.ts";
import type { Services } from "../services.ts";
import { merchant } from "./authenticate.ts";
import { brokenAt, invalidRequest } from "./errors.ts";
import { expiresIn, httpUrl, string, uuid } from "./fields.ts";
import { portalLink } from "./portal-link.ts";
import { presentCustomerSession } from "./present.ts";
import { jsonBody, toWireIssues } from "./validate.ts";

const shared = {
  member_id: z.nullish(uuid(4)),
  external_member_id: z.nullish(string),
  return_url: z.nullish(httpUrl),
  expires_in: z.nullish(expiresIn),
};
const ByCustomerId = z.object({ customer_id: uuid(4), ...shared });
const ByExternalId = z.object({ external_customer_id: string, ...shared });

type Request = z.infer<typeof ByCustomerId> | z.infer<typeof ByExternalId>;

export const customerSessions = new Hono<AppEnv>().post(
  "/v1/customer-sessions/",
  merchant("customer_sessions:write"),
  jsonBody(z.record(z.string(), z.unknown())),
  async (c) => {
    const { organization, services } = c.var;
    const body = parseEitherShape(c.req.valid("json"));
    const customer = await findCustomer(services, organization, body);
    const member = organization.memberModelEnabled ? await findMember(services, organization, customer, body) : null;
    const issued = await services.sessions.create({
      organization,
      customerId: customer.id,
      memberId: member?.id ?? null,
      returnUrl: body.return_url ?? null,
      ttlSeconds: body.expires_in ?? null,
    });
    const url = portalLink(issued, organization, services.config.portalOrigin, "customer_session_token");
    return c.json(await presentCustomerSession(issued.session, issued.token, url), 201);
  },
);

/** Polar's union: the external id wins if both fit; if neither does, the faults of both arms are told. */
function parseEitherShape(body: Record<string, unknown>): Request {
  const aliased =
    "customer_external_id" in body ? { external_customer_id: body["customer_external_id"], ...body } : body;
  const byExternalId = z.safeParse(ByExternalId, aliased);
  if (byExternalId.success) return byExternalId.data;
  const byCustomerId = z.safeParse(ByCustomerId, body);
  if (byCustomerId.success) return byCustomerId.data;
  throw invalidRequest([
    ...toWireIssues(byCustomerId.error.issues, body, ["body", "CustomerSessionCustomerIDCreate"]),
    ...toWireIssues(byExternalId.error.issues, aliased, ["body", "CustomerSessionCustomerExternalIDCreate"]),
  ]);
}

async function findCustomer(services: Services, organization: Organization, body: Request): Promise<Customer> {
  const [field, input, ref] =
    "customer_id" in body
      ? (["customer_id", body.customer_id, { id: body.customer_id }] as const)
      : (["external_customer_id", body.external_customer_id, { externalId: body.external_customer_id }] as const);
  const customer = await services.customers.find(organization.id, ref);
  if (customer !== null) return customer;
  throw brokenAt(["body", field], "Customer does not exist.", input);
}

async function findMember(
  { members }: Services,
  organization: Organization,
  customer: Customer,
  { member_id, external_member_id }: Request,
): Promise<Member> {
  const named =
    member_id != null
      ? (["member_id", member_id, { id: member_id }] as const)
      : external_member_id != null
        ? (["external_member_id", external_member_id, { externalId: external_member_id }] as const)
        : null;
  if (named !== null) {
    const [field, input, ref] = named;
    const member = await members.find(organization.id, { ...ref, of: { id: customer.id } });
    if (member !== null) return member;
    throw brokenAt(["body", field], "Member does not exist for this customer.", input);
  }
  if (customer.type === "team") throw new LatchkeyError("member_required");
  const owner = await members.findOwner(organization.id, customer.id);
  if (owner !== null) return owner;
  const newOwner = ownerFor(customer);
  if (newOwner === null) throw new LatchkeyError("owner_email_required");
  return members.add(organization.id, newOwner);
}
