/**
 * Searching among an organization's customers: for exact values, or for parts of texts without regard to case.
 */

import type { CustomerSearchFilter, PartFilter, ValueFilter } from "../core/customers.ts";
import { type Customer, emailKey } from "../core/directory.ts";
import type { Found, Search } from "../core/search.ts";
import { foldFor } from "./letter-case.ts";
import { CUSTOMER_COLUMNS, toCustomer } from "./rows.ts";
import { type Bind, isOneOf, readFound } from "./searching.ts";
import type { StoreContext } from "./session-store.ts";

/** What a customer is called: by what it has first of these. */
const NAME = "COALESCE(c.name, c.billing_name, c.email, c.id)";
const SLUG = "IFNULL(c.slug, c.id)";

export function customerSearch({ database }: StoreContext) {
  return {
    /** @throws {LatchkeyError} unavailable */
    search: (organizationId: string, search: Search<CustomerSearchFilter>): Promise<Found<Customer>> =>
      readFound(
        database,
        {
          columns: CUSTOMER_COLUMNS,
          alias: "c",
          from: "customers c WHERE c.organization_id = ?1 AND c.deleted_at IS NULL",
          parameters: [organizationId],
          condition,
        },
        search,
        toCustomer,
      ),
  };
}

function condition(filter: CustomerSearchFilter, bind: Bind): string {
  if ("among" in filter) return hasValue(filter, bind);
  return "part" in filter ? hasPart(filter, bind) : String(filter.everybody);
}

function hasValue({ by, among }: ValueFilter, bind: Bind): string {
  if (by === "id") return isOneOf("c.id", among, bind);
  if (by === "slug") return isOneOf(SLUG, among, bind);
  if (by === "memberEmail") return hasMember(isOneOf("m.email_key", among.map(emailKey), bind));
  return lists(by, among, bind, (wanted) => `t.value IN (SELECT value FROM json_each(${wanted}))`);
}

function hasPart({ by, part }: PartFilter, bind: Bind): string {
  if (by === "memberEmail") return hasMember(`instr(m.email_key, ${bind(emailKey(part))})`);
  if (by !== "name" && by !== "slug") {
    return lists(by, part.toLowerCase(), bind, (wanted) => `instr(lower(t.value), ${wanted} ->> '$')`);
  }
  const { wanted, folded } = foldFor(part, bind);
  return `instr(${folded(by === "name" ? NAME : SLUG)}, ${wanted})`;
}

/** By the members' index, once for all customers. */
const hasMember = (is: string) => `c.id IN (
  SELECT m.customer_id FROM members m WHERE m.organization_id = ?1 AND m.deleted_at IS NULL AND ${is})`;

/** Whether a setting, which is a list of texts, has one such text (t). */
function lists(
  { setting }: { setting: string },
  wanted: string | string[],
  bind: Bind,
  is: (wanted: string) => string,
): string {
  const both = bind(JSON.stringify([`$.${setting}`, wanted]));
  return `EXISTS (SELECT 1 FROM json_each(c.sign_in_settings, ${both} ->> 0) t WHERE ${is(`(${both} -> 1)`)})`;
}
