/**
 * One customer, named by our id or by the organization's own: read, change, delete, and what Polar hangs on it.
 */

import { Hono } from "hono/quick";
import * as z from "zod/mini";
import type { CustomerChange } from "../core/customers.ts";
import type { CustomerRef } from "../core/directory.ts";
import type { AppEnv } from "../http/env.ts";
import { merchant } from "./authenticate.ts";
import { billingAddress, locale, metadata, taxNumber } from "./customer-fields.ts";
import { BY_EXTERNAL_ID, BY_ID, customerExternalId, customerId, requireCustomer } from "./customer-paths.ts";
import { email } from "./email-field.ts";
import { resourceNotFound } from "./errors.ts";
import { enumOf, trimmedString } from "./fields.ts";
import { presentPage } from "./pages.ts";
import { presentCustomer } from "./present.ts";
import { pagination, queryBoolean } from "./query-fields.ts";
import { jsonBody, pathParameters, queryParameters } from "./validate.ts";

const CustomerUpdateExternalID = z.object({
  email: z.nullish(email),
  name: z.nullish(trimmedString(256)),
  billing_address: z.nullish(billingAddress),
  locale: z.nullish(locale),
  metadata: z.optional(metadata),
  tax_id: z.nullish(taxNumber),
});
const CustomerUpdate = z.extend(CustomerUpdateExternalID, {
  external_id: z.nullish(trimmedString(1024)),
  type: z.nullish(enumOf("individual", "team")),
});

type Update = z.infer<typeof CustomerUpdateExternalID> & Partial<z.infer<typeof CustomerUpdate>>;

interface Form {
  path: string;
  ref: z.ZodMiniType<CustomerRef, { id: string } | { external_id: string }>;
  update: z.ZodMiniType<Update, object>;
}

/** The external form comes first: to the other, "external" would be an id. */
const FORMS: Form[] = [
  { path: BY_EXTERNAL_ID, ref: customerExternalId, update: CustomerUpdateExternalID },
  { path: BY_ID, ref: customerId, update: CustomerUpdate },
];

const Deletion = z.object({ anonymize: z._default(queryBoolean, false) });

const reads = merchant("customers:read", "customers:write");
const writes = merchant("customers:write");

export const customers = new Hono<AppEnv>();

for (const form of FORMS) {
  const named = pathParameters(form.ref);
  // What an external id could end in comes before the id alone.
  customers
    .get(`${form.path}/state`, reads, named, async (c) => {
      const customer = await requireCustomer(c, c.req.valid("param"));
      const nothingSold = { active_subscriptions: [], granted_benefits: [], active_meters: [] };
      return c.json({ ...(await presentCustomer(customer)), ...nothingSold });
    })

    .get(`${form.path}/payment-methods`, reads, named, queryParameters(z.object(pagination)), async (c) => {
      await requireCustomer(c, c.req.valid("param"));
      return c.json(
        await presentPage(
          c.req.valid("query"),
          (none: never) => none,
          async () => ({ items: [], total: 0 }),
        ),
      );
    })

    .get(form.path, reads, named, async (c) =>
      c.json(await presentCustomer(await requireCustomer(c, c.req.valid("param")))),
    )

    .patch(form.path, writes, named, jsonBody(form.update), async (c) => {
      const customer = await requireCustomer(c, c.req.valid("param"));
      const change = toChange(c.req.valid("json"));
      const changed = await c.var.services.customers.change(customer, change);
      if (changed === null) throw resourceNotFound();
      return c.json(await presentCustomer(changed));
    })

    .delete(form.path, writes, named, queryParameters(Deletion), async (c) => {
      const { organization, services } = c.var;
      const { id } = await requireCustomer(c, c.req.valid("param"));
      const { anonymize } = c.req.valid("query");
      const deleted = await services.customers.delete(organization.id, id, anonymize);
      if (!deleted) throw resourceNotFound();
      return c.body(null, 204);
    });
}

/** What is not said stays; null clears a name, a tax id and a locale, and says nothing of an e-mail. */
function toChange({
  email,
  name,
  billing_address,
  locale,
  metadata,
  external_id,
  type,
  tax_id,
}: Update): CustomerChange {
  return {
    ...(email != null && { email }),
    ...(name !== undefined && { name }),
    ...(billing_address !== undefined && { billingAddress: billing_address }),
    ...(tax_id !== undefined && { taxNumber: tax_id }),
    ...(locale !== undefined && { locale }),
    ...(metadata !== undefined && { metadata }),
    ...(external_id !== undefined && { externalId: external_id }),
    ...(type !== undefined && { type: type ?? "individual" }),
  };
}
