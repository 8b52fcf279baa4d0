/**
 * `POST /v1/customers/`: an individual or a team, with its owner.
 */

import { Hono } from "hono/quick";
import * as z from "zod/mini";
import { hasMembers, type NewCustomer, type NewMember, type Organization, ownerFor } from "../core/directory.ts";
import { taxIdFor } from "../core/tax-ids.ts";
import type { AppEnv } from "../http/env.ts";
import { merchant } from "./authenticate.ts";
import { billingAddress, locale, metadata, taxNumber } from "./customer-fields.ts";
import { email } from "./email-field.ts";
import { invalidRequest, ruleBroken } from "./errors.ts";
import { trimmedString, uuid } from "./fields.ts";
import { presentCustomer } from "./present.ts";
import { jsonBody, toWireIssues } from "./validate.ts";

const OwnerCreate = z.object(
  { email: z.nullish(email), name: z.nullish(trimmedString(256)), external_id: z.nullish(trimmedString(1024)) },
  { error: "model_attributes_type" },
);

const shared = {
  external_id: z.nullish(trimmedString(1024)),
  name: z.nullish(trimmedString(256)),
  billing_address: z.nullish(billingAddress),
  locale: z.nullish(locale),
  metadata: z._default(metadata, {}),
  organization_id: z.nullish(uuid(4)),
  owner: z.nullish(OwnerCreate),
  tax_id: z.nullish(taxNumber),
};
const IndividualCreate = z.object({ email, ...shared });
const TeamCreate = z.object({ email: z.nullish(email), ...shared });

type CustomerCreate = { type: "individual" | "team" } & z.infer<typeof TeamCreate>;

export const customerCreation = new Hono<AppEnv>().post(
  "/v1/customers/",
  merchant("customers:write"),
  jsonBody(z.record(z.string(), z.unknown())),
  async (c) => {
    const body = parseCustomer(c.req.valid("json"));
    const { organization } = c.var;
    const customer = toNewCustomer(body, organization, c.var.services.clock.now());
    const owner = hasMembers(organization) ? toNewOwner(customer, body.owner) : null;
    const created = await c.var.services.customers.create(customer, owner);
    return c.json(await presentCustomer(created), 201);
  },
);

/** Polar's tagged union: absent means individual, and the tag stands in every `loc`. */
function parseCustomer(body: Record<string, unknown>): CustomerCreate {
  const type = "type" in body ? body["type"] : "individual";
  if (type !== "individual" && type !== "team") {
    // String() of an object would call, or meet, what the caller put under "toString"; of deep lists, overflow.
    const tag = typeof type === "object" && type !== null ? "object" : String(type);
    const ctx = { discriminator: "'type'", tag, expected_tags: "'individual', 'team'" };
    const msg = `Input tag '${tag}' found using 'type' does not match any of the expected tags: 'individual', 'team'`;
    throw invalidRequest([{ type: "union_tag_invalid", loc: ["body"], msg, input: body, ctx }]);
  }
  const parsed = z.safeParse(type === "team" ? TeamCreate : IndividualCreate, body);
  if (!parsed.success) throw invalidRequest(toWireIssues(parsed.error.issues, body, ["body", type]));
  const { email, owner, organization_id } = parsed.data;
  if (type === "team" && email == null && owner?.email == null) {
    const msg = "Value error, An owner with an email address is required when a team customer has no email address.";
    throw invalidRequest([{ type: "value_error", loc: ["body", "team"], msg, input: body, ctx: { error: {} } }]);
  }
  if (organization_id != null) {
    const msg = "Setting organization_id is disallowed when using an organization token.";
    throw ruleBroken({ type: "organization_token", loc: ["body", "organization_id"], msg, input: organization_id });
  }
  return { type, ...parsed.data };
}

function toNewCustomer(body: CustomerCreate, organization: Organization, now: number): NewCustomer {
  const address = body.billing_address ?? null;
  return {
    id: crypto.randomUUID(),
    organizationId: organization.id,
    type: body.type,
    externalId: body.external_id ?? null,
    email: body.email ?? null,
    name: body.name ?? null,
    billingAddress: address,
    taxId: taxIdFor(body.tax_id ?? null, address),
    locale: body.locale ?? null,
    metadata: body.metadata,
    createdAt: now,
  };
}

function toNewOwner(customer: NewCustomer, owner: CustomerCreate["owner"]): NewMember | null {
  return ownerFor(customer, {
    ...(owner?.email != null && { email: owner.email }),
    ...(owner?.name != null && { name: owner.name }),
    ...(owner?.external_id != null && { externalId: owner.external_id }),
  });
}
