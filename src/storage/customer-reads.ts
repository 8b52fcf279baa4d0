/**
 * Finding one customer, and who already has an address, an external id or a slug. Every statement names the organization.
 */

import type { CustomerRefusal } from "../core/customers.ts";
import { type Customer, type CustomerRef, emailKey, type Named } from "../core/directory.ts";
import type { Database } from "./database.ts";
import { CUSTOMER_COLUMNS, type CustomerRow, toCustomer } from "./rows.ts";

/** How often a write is decided anew: each round that failed has seen another request succeed. */
export const MAX_ROUNDS = 5;

/** ?1 organization id. */
export const selectCustomers = (condition: string) => `SELECT ${CUSTOMER_COLUMNS} FROM customers c
  WHERE c.organization_id = ?1 AND c.deleted_at IS NULL AND ${condition}`;

export async function findCustomer(
  database: Database,
  organizationId: string,
  ref: CustomerRef,
): Promise<Customer | null> {
  const [condition, value] = "id" in ref ? ["c.id = ?2", ref.id] : ["c.external_id = ?2", ref.externalId];
  const [row] = await database.read<CustomerRow>(selectCustomers(condition), organizationId, value);
  return row === undefined ? null : toCustomer(row);
}

/**
 * ?2 JSON array of {id, name}. Of several that are called so, the one whose id it is, then the one whose external id it
 * is: only a backend gives those, while a customer's own people may choose its slug, and must not be taken for another
 * customer by it.
 */
const SELECT_NAMED = `SELECT n.key AS at, ${CUSTOMER_COLUMNS} FROM json_each(?2) n CROSS JOIN customers c ON c.id = (
    SELECT x.id FROM customers x WHERE x.organization_id = ?1 AND x.deleted_at IS NULL
      AND (x.id = n.value ->> 'id' OR x.slug = n.value ->> 'name' OR x.external_id = n.value ->> 'name')
    ORDER BY x.id IS n.value ->> 'id' DESC, x.external_id IS n.value ->> 'name' DESC LIMIT 1)`;

/** In the order of their names; null where nobody is called so. */
export async function findNamedCustomers(
  database: Database,
  organizationId: string,
  names: readonly Named[],
): Promise<(Customer | null)[]> {
  const rows = await database.read<CustomerRow & { at: number }>(SELECT_NAMED, organizationId, JSON.stringify(names));
  const found = new Map(rows.map((row) => [row.at, toCustomer(row)]));
  return names.map((_, at) => found.get(at) ?? null);
}

type Wanted = Pick<Customer, "id" | "organizationId" | "email" | "externalId"> & Partial<Pick<Customer, "slug">>;

/** What another customer has of this. All may clash at once, and the caller is told of all. */
export async function whatIsTaken(database: Database, wanted: Wanted): Promise<NonNullable<CustomerRefusal["taken"]>> {
  const { id, organizationId, email, externalId, slug = null } = wanted;
  const isTaken = async (column: string, value: string | null) =>
    value !== null &&
    (await database.read(selectCustomers(`c.${column} = ?2 AND c.id <> ?3`), organizationId, value, id)).length > 0;
  const [emailTaken, externalIdTaken, slugTaken] = await Promise.all([
    isTaken("email_key", email === null ? null : emailKey(email)),
    isTaken("external_id", externalId),
    isTaken("slug", slug),
  ]);
  return {
    ...(emailTaken && email !== null && { email }),
    ...(externalIdTaken && externalId !== null && { externalId }),
    ...(slugTaken && slug !== null && { slug }),
  };
}
