/**
 * `/v1/customer-portal/customers/me`: the customer as its own people see it, and what they may change of it. Every
 * member may look; billing is for those who manage the customer.
 */

import { Hono } from "hono/quick";
import * as z from "zod/mini";
import type { CustomerChange } from "../core/customers.ts";
import { LatchkeyError } from "../core/errors.ts";
import type { AppEnv } from "../http/env.ts";
import { billingManagersOnly, holder } from "./authenticate.ts";
import { billingAddress, taxNumber } from "./customer-fields.ts";
import { ruleBroken } from "./errors.ts";
import { trimmedString, uuid } from "./fields.ts";
import { presentPortalCustomer } from "./present.ts";
import { jsonBody } from "./validate.ts";

const CustomerPortalCustomerUpdate = z.object({
  billing_name: z.nullish(trimmedString(1000)),
  billing_address: z.nullish(billingAddress),
  tax_id: z.nullish(taxNumber),
  default_payment_method_id: z.nullish(uuid(4)),
});

const PATH = "/v1/customer-portal/customers/me";

export const portalCustomer = new Hono<AppEnv>()
  .get(PATH, holder, (c) => c.json(presentPortalCustomer(c.var.session.customer)))

  .patch(PATH, holder, billingManagersOnly, jsonBody(CustomerPortalCustomerUpdate), async (c) => {
    const change = toChange(c.req.valid("json"));
    const changed = await c.var.services.customers.change(c.var.session.customer, change);
    // It was deleted just now, and the session with it.
    if (changed === null) throw new LatchkeyError("credential_not_live");
    return c.json(presentPortalCustomer(changed));
  });

/** null clears a tax id and says nothing of a name. No payment method is known here, so none can be the default. */
function toChange(update: z.infer<typeof CustomerPortalCustomerUpdate>): CustomerChange {
  const { billing_name, billing_address, tax_id, default_payment_method_id } = update;
  if (billing_address === null) {
    throw refused("missing", "billing_address", "Customer billing address cannot be reset to null once set.", null);
  }
  if (default_payment_method_id === null) {
    throw refused("missing", "default_payment_method_id", "Default payment method cannot be reset to null.", null);
  }
  if (default_payment_method_id !== undefined) {
    throw refused("invalid", "default_payment_method_id", "Payment method not found.", default_payment_method_id);
  }
  return {
    ...(billing_name != null && { billingName: billing_name }),
    ...(billing_address !== undefined && { billingAddress: billing_address }),
    ...(tax_id !== undefined && { taxNumber: tax_id }),
  };
}

const refused = (type: string, field: string, msg: string, input: string | null) =>
  ruleBroken({ type, loc: ["body", field], msg, input });
