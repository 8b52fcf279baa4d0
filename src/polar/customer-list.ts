/**
 * `GET /v1/customers/`: pages of an organization's customers, filtered and sorted.
 */

import { Hono } from "hono/quick";
import * as z from "zod/mini";
import type { CustomerFilter } from "../core/customers.ts";
import type { AppEnv } from "../http/env.ts";
import { merchant } from "./authenticate.ts";
import { string, uuid } from "./fields.ts";
import { presentPage } from "./pages.ts";
import { presentCustomer } from "./present.ts";
import { pagination, queryBoolean, sorting } from "./query-fields.ts";
import { queryParameters } from "./validate.ts";

const CustomerQuery = z.object({
  ...pagination,
  sorting: sorting({ created_at: "createdAt", email: "email", name: "name" }, { by: "createdAt", descending: true }),
  organization_id: z.optional(z.array(uuid(4))),
  email: z.optional(string),
  query: z.optional(string),
  active: z.optional(queryBoolean),
});

/**
 * `active` asks for active subscriptions, of which nobody has any here: true lists nobody, false everybody. An
 * organization's key sees no other organization: asked for others only, the list is empty.
 */
export const customerList = new Hono<AppEnv>().get(
  "/v1/customers/",
  merchant("customers:read", "customers:write"),
  queryParameters(CustomerQuery, "sorting", "organization_id"),
  async (c) => {
    const { organization, services } = c.var;
    const query = c.req.valid("query");
    const nobody = query.active === true || query.organization_id?.includes(organization.id) === false;
    const filter: CustomerFilter = {
      ...(query.email !== undefined && { email: query.email }),
      ...(query.query !== undefined && { query: query.query }),
      ...metadataFilter(c.req.queries()),
    };
    return c.json(
      await presentPage(query, presentCustomer, async (page) =>
        nobody ? { items: [], total: 0 } : services.customers.list(organization.id, filter, query.sorting, page),
      ),
    );
  },
);

/** `metadata[key]=value`, as often as one pleases. */
function metadataFilter(queries: Record<string, string[]>): Pick<CustomerFilter, "metadata"> {
  const wanted = Object.entries(queries).flatMap(([name, values]) => {
    const key = /^metadata\[(.+)\]$/s.exec(name)?.[1];
    return key === undefined ? [] : [[key, values] as const];
  });
  return wanted.length > 0 ? { metadata: Object.fromEntries(wanted) } : {};
}
