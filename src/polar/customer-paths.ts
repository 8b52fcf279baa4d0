/**
 * How a path names a customer, by our id or by the organization's own, and which customer that is.
 */

import type { Context } from "hono";
import * as z from "zod/mini";
import type { Customer, CustomerRef, Organization } from "../core/directory.ts";
import type { AppEnv } from "../http/env.ts";
import { resourceNotFound } from "./errors.ts";
import { string, uuid } from "./fields.ts";

export const BY_ID = "/v1/customers/:id";
/** `{.+}`: an external id may hold a slash, and not every client encodes it. */
export const BY_EXTERNAL_ID = "/v1/customers/external/:external_id{.+}";

export const customerId = z.object({ id: uuid(4) });
export const customerExternalId = z.pipe(
  z.object({ external_id: string }),
  z.transform(({ external_id }): CustomerRef => ({ externalId: external_id })),
);

/** A call of the organization's backend. */
export type MerchantContext = Context<AppEnv & { Variables: { organization: Organization } }>;

/** @throws {PolarError} 404, in the words of the route group */
export async function requireCustomer(c: MerchantContext, ref: CustomerRef, detail?: string): Promise<Customer> {
  const customer = await c.var.services.customers.find(c.var.organization.id, ref);
  if (customer === null) throw resourceNotFound(detail);
  return customer;
}
