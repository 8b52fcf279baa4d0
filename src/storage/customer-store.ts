/**
 * Customers in D1. Every statement names the organization; uniqueness is the database's word, not a look before the
 * leap.
 */

import { type Customer, type CustomerRef, emailKey, type NewCustomer, type NewMember } from "../core/directory.ts";
import { LatchkeyError } from "../core/errors.ts";
import { type Database, type Statement, UniqueViolation } from "./database.ts";
import { insertMember } from "./member-store.ts";
import { CUSTOMER_COLUMNS, type CustomerRow, toCustomer } from "./rows.ts";

export type CustomerStore = ReturnType<typeof createCustomerStore>;

const INSERT_CUSTOMER = `INSERT INTO customers (id, organization_id, type, external_id, email, email_key, name,
    billing_address, tax_id, locale, metadata, created_at)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)`;

const selectCustomer = (condition: string) => `SELECT ${CUSTOMER_COLUMNS} FROM customers c
  WHERE c.organization_id = ?1 AND c.deleted_at IS NULL AND ${condition}`;

export function createCustomerStore(database: Database) {
  async function find(organizationId: string, ref: CustomerRef): Promise<Customer | null> {
    const [condition, value] = "id" in ref ? ["c.id = ?2", ref.id] : ["c.external_id = ?2", ref.externalId];
    const [row] = await database.read<CustomerRow>(selectCustomer(condition), organizationId, value);
    return row === undefined ? null : toCustomer(row);
  }

  /** Both may clash at once, and the caller is told of both. */
  async function whatIsTaken(customer: NewCustomer, violation: UniqueViolation): Promise<LatchkeyError> {
    const { organizationId, email, externalId } = customer;
    const isTaken = async (column: string, value: string | null) =>
      value !== null && (await database.read(selectCustomer(`c.${column} = ?2`), organizationId, value)).length > 0;
    const facts = {
      ...(email !== null && (await isTaken("email_key", emailKey(email))) && { email }),
      ...((await isTaken("external_id", externalId)) && { externalId }),
    };
    return Object.keys(facts).length > 0
      ? new LatchkeyError("customer_taken", { facts })
      : new LatchkeyError("unavailable", { reason: "a clash was gone before it could be named", cause: violation });
  }

  return {
    find,

    /**
     * Adds a customer and, in the same transaction, its owner.
     * @throws {LatchkeyError} customer_taken, unavailable
     */
    async create(customer: NewCustomer, owner: NewMember | null): Promise<Customer> {
      const { organizationId } = customer;
      const owners = owner ? [insertMember(organizationId, owner)] : [];
      const select: Statement = [selectCustomer("c.id = ?2"), organizationId, customer.id];
      try {
        const results = await database.transact(insertCustomer(customer), ...owners, select);
        return toCustomer((results.at(-1) as [CustomerRow])[0]);
      } catch (error) {
        if (error instanceof UniqueViolation) throw await whatIsTaken(customer, error);
        const stored = await find(organizationId, customer);
        if (stored === null) throw error;
        return stored;
      }
    },
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
  ];
}
