/**
 * Changing a customer. What the rules need to know is read first, and the write goes through only while that is still
 * so; if it is not, everything is read and decided anew.
 */

import {
  type CustomerChange,
  type CustomerRefusal,
  fixedFields,
  type SettledChange,
  settle,
} from "../core/customers.ts";
import { type Customer, emailKey } from "../core/directory.ts";
import { LatchkeyError } from "../core/errors.ts";
import { requireRoom } from "../core/kept.ts";
import { findCustomer, MAX_ROUNDS, selectCustomers, whatIsTaken } from "./customer-reads.ts";
import { type Statement, UniqueViolation } from "./database.ts";
import { hasRoom, merged, type Size, selectSize } from "./kept.ts";
import { type CustomerRow, toCustomer } from "./rows.ts";
import type { StoreContext } from "./session-store.ts";

const COLUMNS = {
  name: "name",
  billingName: "billing_name",
  billingAddress: "billing_address",
  taxId: "tax_id",
  locale: "locale",
  metadata: "metadata",
  externalId: "external_id",
  type: "type",
  slug: "slug",
  logoUrl: "logo_url",
  domainRoles: "domain_roles",
  trustedMetadata: "trusted_metadata",
  signInSettings: "sign_in_settings",
} satisfies Record<Exclude<keyof SettledChange, "email">, string>;

/** What is changed key by key. */
const MERGED: readonly string[] = [COLUMNS.trustedMetadata, COLUMNS.signInSettings];

/** ?1 to ?8: the customer is as it was read, and has room for what its metadata shall hold. */
const MAY_BE_CHANGED = `id = ?1 AND organization_id = ?2 AND deleted_at IS NULL
  AND type = ?3 AND email IS ?4 AND external_id IS ?5
  AND billing_address ->> '$.country' IS ?6 AND tax_id ->> '$[0]' IS ?7
  AND ${hasRoom("trusted_metadata", "?8")}`;

const condition = (
  { id, organizationId, type, email, externalId, billingAddress, taxId }: Customer,
  { trustedMetadata }: SettledChange,
) => [
  id,
  organizationId,
  type,
  email,
  externalId,
  billingAddress?.country ?? null,
  taxId?.[0] ?? null,
  trustedMetadata === undefined ? null : JSON.stringify(trustedMetadata),
];

const METADATA_SIZE = `${selectSize("trusted_metadata", "?3")} FROM customers WHERE id = ?1 AND organization_id = ?2`;

export function customerChanges({ database, clock }: StoreContext) {
  async function refusal(customer: Customer, change: CustomerChange): Promise<CustomerRefusal | null> {
    const { id, organizationId } = customer;
    const fixed = fixedFields(customer, change);
    const { email = null, slug = null } = change;
    const firstExternalId = customer.externalId === null ? (change.externalId ?? null) : null;
    const externalId = change.newExternalId ?? firstExternalId;
    const taken = await whatIsTaken(database, { id, organizationId, email, externalId, slug });
    return Object.keys({ ...fixed, ...taken }).length > 0 ? { fixed, taken } : null;
  }

  /**
   * null: the customer is no longer as it was read, or what it asks for has just been taken.
   * @throws {LatchkeyError} metadata_too_large, metadata_too_many_keys
   */
  async function write(customer: Customer, change: SettledChange): Promise<Customer | null> {
    const now = clock.now();
    const { id, organizationId } = customer;
    const size: Statement[] =
      change.trustedMetadata === undefined
        ? []
        : [[METADATA_SIZE, id, organizationId, JSON.stringify(change.trustedMetadata)]];
    const select: Statement = [selectCustomers("c.id = ?2"), organizationId, id];
    const writes = [...mirrorToOwner(customer, change, now), updateCustomer(customer, change, now)];
    try {
      const results = await database.transactRepeatable(...size, ...writes, select);
      if (size.length > 0) for (const row of results[0] as Size[]) requireRoom(row);
      const [selected, updated] = results.reverse();
      return (updated as unknown[]).length === 0 ? null : toCustomer((selected as [CustomerRow])[0]);
    } catch (error) {
      if (error instanceof UniqueViolation) return null;
      throw error;
    }
  }

  return {
    /**
     * The new e-mail of an individual becomes its owner's too. Sessions go on.
     * @param customer as it was read.
     * @returns null: it is gone.
     * @throws {LatchkeyError} customer_refused, tax_country_required, tax_id_invalid, metadata_too_large,
     * metadata_too_many_keys, unavailable
     */
    async change(customer: Customer, change: CustomerChange): Promise<Customer | null> {
      let current: Customer | null = customer;
      for (let round = 0; round < MAX_ROUNDS && current !== null; round++) {
        const wanted = withoutSameEmail(current, change);
        const facts = await refusal(current, wanted);
        if (facts !== null) throw new LatchkeyError("customer_refused", { facts: { ...facts } });
        if (Object.keys(wanted).length === 0) return current;
        const changed = await write(current, settle(current, wanted));
        if (changed !== null) return changed;
        current = await findCustomer(database, customer.organizationId, customer);
      }
      if (current === null) return null;
      throw new LatchkeyError("unavailable", { reason: "others kept changing the customer" });
    },
  };
}

/** An address that differs by case only is the same one, and stays verified. */
function withoutSameEmail({ email }: Customer, change: CustomerChange): CustomerChange {
  const { email: wanted, ...rest } = change;
  const isSame = wanted !== undefined && email !== null && emailKey(wanted) === emailKey(email);
  return isSame ? rest : change;
}

function updateCustomer(customer: Customer, change: SettledChange, now: number): Statement {
  const { email, ...rest } = change;
  const values: [column: string, value: unknown][] = [["modified_at", now]];
  if (email !== undefined) values.push(["email", email], ["email_key", emailKey(email)], ["email_verified", 0]);
  for (const [field, value] of Object.entries(rest) as [keyof typeof COLUMNS, unknown][]) {
    values.push([COLUMNS[field], typeof value === "object" && value !== null ? JSON.stringify(value) : value]);
  }
  const assignments = values.map(([column], index) => {
    const parameter = `?${index + 9}`;
    return `${column} = ${MERGED.includes(column) ? merged(column, parameter) : parameter}`;
  });
  return [
    `UPDATE customers SET ${assignments.join(", ")} WHERE ${MAY_BE_CHANGED} RETURNING id`,
    ...condition(customer, change),
    ...values.map(([, value]) => value),
  ];
}

/** The members of a team have addresses of their own. */
function mirrorToOwner(customer: Customer, change: SettledChange, now: number): Statement[] {
  const { email, type = customer.type } = change;
  if (email === undefined || type === "team") return [];
  return [
    [
      `UPDATE members SET email = ?9, email_key = ?10, email_verified = 0, modified_at = ?11
       WHERE customer_id = (SELECT id FROM customers WHERE ${MAY_BE_CHANGED})
         AND role = 'owner' AND deleted_at IS NULL AND email_key <> ?10`,
      ...condition(customer, change),
      email,
      emailKey(email),
      now,
    ],
  ];
}
