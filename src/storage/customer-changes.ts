/**
 * Changing a customer. What the rules need to know is read first, and the write goes through only while that is still
 * so; if it is not, everything is read and decided anew.
 */

import {
  type CustomerChange,
  type CustomerRefusal,
  fixedFields,
  type SettledChange,
  settleTaxId,
} from "../core/customers.ts";
import { type Customer, emailKey } from "../core/directory.ts";
import { LatchkeyError } from "../core/errors.ts";
import { findCustomer, MAX_ROUNDS, selectCustomers, whatIsTaken } from "./customer-reads.ts";
import { type Statement, UniqueViolation } from "./database.ts";
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
} satisfies Record<Exclude<keyof SettledChange, "email">, string>;

/** ?1 to ?7. */
const IS_AS_READ = `id = ?1 AND organization_id = ?2 AND deleted_at IS NULL
  AND type = ?3 AND email IS ?4 AND external_id IS ?5
  AND billing_address ->> '$.country' IS ?6 AND tax_id ->> '$[0]' IS ?7`;

const asRead = ({ id, organizationId, type, email, externalId, billingAddress, taxId }: Customer) => [
  id,
  organizationId,
  type,
  email,
  externalId,
  billingAddress?.country ?? null,
  taxId?.[0] ?? null,
];

export function customerChanges({ database, clock }: StoreContext) {
  async function refusal(customer: Customer, change: CustomerChange): Promise<CustomerRefusal | null> {
    const { id, organizationId } = customer;
    const fixed = fixedFields(customer, change);
    const email = change.email ?? null;
    const externalId = customer.externalId === null ? (change.externalId ?? null) : null;
    const taken = await whatIsTaken(database, { id, organizationId, email, externalId });
    return Object.keys({ ...fixed, ...taken }).length > 0 ? { fixed, taken } : null;
  }

  /** null: the customer is no longer as it was read, or what it asks for has just been taken. */
  async function write(customer: Customer, change: SettledChange): Promise<Customer | null> {
    const now = clock.now();
    const select: Statement = [selectCustomers("c.id = ?2"), customer.organizationId, customer.id];
    const statements = [...mirrorToOwner(customer, change, now), updateCustomer(customer, change, now), select];
    try {
      const [selected, updated] = (await database.transactRepeatable(...statements)).reverse();
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
     * @throws {LatchkeyError} customer_refused, tax_country_required, tax_id_invalid, unavailable
     */
    async change(customer: Customer, change: CustomerChange): Promise<Customer | null> {
      let current: Customer | null = customer;
      for (let round = 0; round < MAX_ROUNDS && current !== null; round++) {
        const wanted = withoutSameEmail(current, change);
        const facts = await refusal(current, wanted);
        if (facts !== null) throw new LatchkeyError("customer_refused", { facts: { ...facts } });
        if (Object.keys(wanted).length === 0) return current;
        const changed = await write(current, settleTaxId(current, wanted));
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
  const assignments = values.map(([column], index) => `${column} = ?${index + 8}`);
  return [
    `UPDATE customers SET ${assignments.join(", ")} WHERE ${IS_AS_READ} RETURNING id`,
    ...asRead(customer),
    ...values.map(([, value]) => value),
  ];
}

/** The members of a team have addresses of their own. */
function mirrorToOwner(customer: Customer, { email, type = customer.type }: SettledChange, now: number): Statement[] {
  if (email === undefined || type === "team") return [];
  return [
    [
      `UPDATE members SET email = ?8, email_key = ?9, email_verified = 0, modified_at = ?10
       WHERE customer_id = (SELECT id FROM customers WHERE ${IS_AS_READ})
         AND role = 'owner' AND deleted_at IS NULL AND email_key <> ?9`,
      ...asRead(customer),
      email,
      emailKey(email),
      now,
    ],
  ];
}
