/**
 * Customers in D1. Every statement names the organization; uniqueness is the database's word, not a look before the
 * leap.
 */

import {
  type Customer,
  type CustomerRef,
  emailKey,
  type Named,
  type NewCustomer,
  type NewMember,
} from "../core/directory.ts";
import { LatchkeyError } from "../core/errors.ts";
import { customerChanges } from "./customer-changes.ts";
import { customerDeletion } from "./customer-deletion.ts";
import { customerLists } from "./customer-lists.ts";
import { findCustomer, findNamedCustomers, MAX_ROUNDS, selectCustomers, whatIsTaken } from "./customer-reads.ts";
import { customerSearch } from "./customer-search.ts";
import { type Statement, UniqueViolation } from "./database.ts";
import { insertMember } from "./member-store.ts";
import { type CustomerRow, toCustomer } from "./rows.ts";
import type { StoreContext } from "./session-store.ts";

export type CustomerStore = ReturnType<typeof createCustomerStore>;

const INSERT_CUSTOMER = `INSERT INTO customers (id, organization_id, type, external_id, email, email_key, name,
    billing_address, tax_id, locale, metadata, created_at, slug, logo_url, trusted_metadata, domain_roles,
    sign_in_settings)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)`;

export function createCustomerStore(context: StoreContext) {
  const { database } = context;
  const find = (organizationId: string, ref: CustomerRef) => findCustomer(database, organizationId, ref);

  /** null: somebody has its e-mail, its external id or its slug. */
  async function insert(customer: NewCustomer, owner: NewMember | null): Promise<Customer | null> {
    const { organizationId } = customer;
    const owners = owner ? [insertMember(organizationId, owner)] : [];
    const select: Statement = [selectCustomers("c.id = ?2"), organizationId, customer.id];
    try {
      const results = await database.transact(insertCustomer(customer), ...owners, select);
      return toCustomer((results.at(-1) as [CustomerRow])[0]);
    } catch (error) {
      if (error instanceof UniqueViolation) return null;
      const stored = await find(organizationId, customer);
      if (stored === null) throw error;
      return stored;
    }
  }

  return {
    find,
    findAllNamed: (organizationId: string, names: readonly Named[]) =>
      findNamedCustomers(database, organizationId, names),
    findNamed: async (organizationId: string, named: Named) =>
      (await findNamedCustomers(database, organizationId, [named]))[0] ?? null,

    /**
     * Adds a customer and, in the same transaction, its owner.
     * @throws {LatchkeyError} customer_refused, unavailable
     */
    async create(customer: NewCustomer, owner: NewMember | null): Promise<Customer> {
      for (let round = 0; round < MAX_ROUNDS; round++) {
        const created = await insert(customer, owner);
        if (created !== null) return created;
        const taken = await whatIsTaken(database, customer);
        if (Object.keys(taken).length > 0) throw new LatchkeyError("customer_refused", { facts: { taken } });
      }
      throw new LatchkeyError("unavailable", { reason: "each clash was gone before it could be named" });
    },

    ...customerChanges(context),
    ...customerDeletion(context),
    ...customerLists(context),
    ...customerSearch(context),
  };
}

function insertCustomer(customer: NewCustomer): Statement {
  return [
    INSERT_CUSTOMER,
    customer.id,
    customer.organizationId,
    customer.type,
    customer.externalId,
    customer.email,
    customer.email === null ? null : emailKey(customer.email),
    customer.name,
    customer.billingAddress === null ? null : JSON.stringify(customer.billingAddress),
    customer.taxId === null ? null : JSON.stringify(customer.taxId),
    customer.locale,
    JSON.stringify(customer.metadata),
    customer.createdAt,
    customer.slug ?? null,
    customer.logoUrl ?? null,
    JSON.stringify(customer.trustedMetadata ?? {}),
    JSON.stringify(customer.domainRoles ?? []),
    JSON.stringify(customer.signInSettings ?? {}),
  ];
}
