/**
 * Customers and members in D1. Every statement names the organization; uniqueness is the database's word, not a look
 * before the leap.
 */

import {
  type Customer,
  type CustomerRef,
  emailKey,
  type Member,
  type MemberRef,
  type NewCustomer,
  type NewMember,
  type Organization,
} from "../core/directory.ts";
import { LatchkeyError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import { type Database, type Statement, UniqueViolation } from "./database.ts";
import { createExpiringCache, type ExpiringCache } from "./expiring-cache.ts";
import {
  CUSTOMER_COLUMNS,
  type CustomerRow,
  MEMBER_COLUMNS,
  type MemberRow,
  ORGANIZATION_COLUMNS,
  type OrganizationRow,
  toCustomer,
  toMember,
  toOrganization,
} from "./rows.ts";

/** One per isolate. Pages that need no session show the organization's name; anybody may ask for them, often. */
export type OrganizationCache = ExpiringCache<Organization | null>;
export const createOrganizationCache = (): OrganizationCache => createExpiringCache(30_000, 1000);

export type DirectoryStore = ReturnType<typeof createDirectoryStore>;

const INSERT_CUSTOMER = `INSERT INTO customers (id, organization_id, type, external_id, email, email_key, name,
    billing_address, locale, metadata, created_at)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)`;

/** An individual has one member, its owner; a team any number. */
const INSERT_MEMBER = `INSERT INTO members (id, organization_id, customer_id, email, email_key, name, external_id, role,
    created_at)
  SELECT ?1, c.organization_id, c.id, ?4, ?5, ?6, ?7, ?8, ?9 FROM customers c
  WHERE c.id = ?3 AND c.organization_id = ?2 AND c.deleted_at IS NULL
    AND (c.type = 'team' OR NOT EXISTS (SELECT 1 FROM members m WHERE m.customer_id = c.id AND m.deleted_at IS NULL))`;

const selectCustomer = (condition: string) => `SELECT ${CUSTOMER_COLUMNS} FROM customers c
  WHERE c.organization_id = ?1 AND c.deleted_at IS NULL AND ${condition}`;

const selectMember = (condition: string) => `SELECT ${MEMBER_COLUMNS} FROM members m
  JOIN customers c ON c.id = m.customer_id AND c.deleted_at IS NULL
  WHERE m.organization_id = ?1 AND m.deleted_at IS NULL AND ${condition}`;

const HAS_EMAIL = "m.customer_id = ?2 AND m.email_key = ?3";

export function createDirectoryStore(database: Database, organizations: OrganizationCache, clock: Clock) {
  async function selectOneMember(condition: string, ...parameters: unknown[]): Promise<Member | null> {
    const [row] = await database.read<MemberRow>(selectMember(condition), ...parameters);
    return row === undefined ? null : toMember(row);
  }

  async function findCustomer(organizationId: string, ref: CustomerRef): Promise<Customer | null> {
    const [condition, value] = "id" in ref ? ["c.id = ?2", ref.id] : ["c.external_id = ?2", ref.externalId];
    const [row] = await database.read<CustomerRow>(selectCustomer(condition), organizationId, value);
    return row === undefined ? null : toCustomer(row);
  }

  const findMember = (organizationId: string, customerId: string, ref: MemberRef) =>
    "id" in ref
      ? selectOneMember("m.id = ?3 AND m.customer_id = ?2", organizationId, customerId, ref.id)
      : selectOneMember("m.customer_id = ?2 AND m.external_id = ?3", organizationId, customerId, ref.externalId);

  return {
    findCustomer,
    findMember,

    /** As it was up to 30 s ago. */
    async findOrganization(slug: string): Promise<Organization | null> {
      const now = clock.now();
      const cached = organizations.get(slug, now);
      if (cached !== undefined) return cached;
      const [row] = await database.read<OrganizationRow>(
        `SELECT ${ORGANIZATION_COLUMNS} FROM organizations o WHERE o.slug = ?1 AND o.deleted_at IS NULL`,
        slug,
      );
      const organization = row === undefined ? null : toOrganization(row);
      organizations.set(slug, organization, now);
      return organization;
    },

    /** A member of whichever customer. */
    findMemberById: (organizationId: string, memberId: string) =>
      selectOneMember("m.id = ?2", organizationId, memberId),

    findOwner: (organizationId: string, customerId: string) =>
      selectOneMember("m.customer_id = ?2 AND m.role = 'owner'", organizationId, customerId),

    /**
     * Adds a customer and, in the same transaction, its owner.
     * @throws {LatchkeyError} customer_taken, unavailable
     */
    async createCustomer(customer: NewCustomer, owner: NewMember | null): Promise<Customer> {
      const insert: Statement = [
        INSERT_CUSTOMER,
        customer.id,
        customer.organizationId,
        customer.type,
        customer.externalId,
        customer.email,
        customer.email === null ? null : emailKey(customer.email),
        customer.name,
        customer.billingAddress === null ? null : JSON.stringify(customer.billingAddress),
        customer.locale,
        JSON.stringify(customer.metadata),
        customer.createdAt,
      ];
      const owners = owner ? [memberStatement(customer.organizationId, owner)] : [];
      const select: Statement = [selectCustomer("c.id = ?2"), customer.organizationId, customer.id];
      try {
        const results = await database.transact(insert, ...owners, select);
        return toCustomer((results.at(-1) as [CustomerRow])[0]);
      } catch (error) {
        if (error instanceof UniqueViolation) throw await whatIsTaken(customer, error);
        const stored = await findCustomer(customer.organizationId, customer);
        if (stored === null) throw error;
        return stored;
      }
    },

    /**
     * Adds a member, or returns the one that already has this e-mail, unchanged.
     * @throws {LatchkeyError} single_member_only, member_external_id_taken, unavailable
     */
    async addMember(organizationId: string, member: NewMember): Promise<Member> {
      const byEmail = [organizationId, member.customerId, emailKey(member.email)] as const;
      try {
        const [, selected] = await database.transact(memberStatement(organizationId, member), [
          selectMember(HAS_EMAIL),
          ...byEmail,
        ]);
        const [row] = selected as MemberRow[];
        if (row !== undefined) return toMember(row);
      } catch (error) {
        const existing = await selectOneMember(HAS_EMAIL, ...byEmail);
        if (existing !== null) return existing;
        throw error instanceof UniqueViolation && error.columns.includes("external_id")
          ? new LatchkeyError("member_external_id_taken")
          : error;
      }
      throw new LatchkeyError("single_member_only");
    },
  };

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
}

function memberStatement(organizationId: string, member: NewMember): Statement {
  return [
    INSERT_MEMBER,
    member.id,
    organizationId,
    member.customerId,
    member.email,
    emailKey(member.email),
    member.name,
    member.externalId,
    member.role,
    member.createdAt,
  ];
}
