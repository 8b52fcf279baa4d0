/**
 * Members in D1. Every statement names the organization; uniqueness is the database's word, not a look before the leap.
 * Adding and finding are here, what else can be done with members in the files of that name.
 */

import {
  emailKey,
  type Member,
  type MemberRef,
  type MemberRole,
  type Named,
  type NewMember,
} from "../core/directory.ts";
import { LatchkeyError } from "../core/errors.ts";
import { requireManager } from "../core/member-roles.ts";
import { type Statement, UniqueViolation } from "./database.ts";
import { memberChanges } from "./member-changes.ts";
import { isRetired, MEMBERS, mayManage, readMemberFacts } from "./member-facts.ts";
import { memberLists } from "./member-lists.ts";
import { memberReactivation } from "./member-reactivation.ts";
import { memberSearch } from "./member-search.ts";
import { clashOf, emailRefusal } from "./member-updates.ts";
import { MEMBER_COLUMNS, type MemberRow, toMember } from "./rows.ts";
import type { StoreContext } from "./session-store.ts";

export type MemberStore = ReturnType<typeof createMemberStore>;

/** An individual has one member, its owner; a team any number. */
const INSERT_MEMBER = `INSERT INTO members (id, organization_id, customer_id, email, email_key, name, external_id, role,
    created_at, status, assigned_roles, trusted_metadata, untrusted_metadata, sign_in_settings)
  SELECT ?1, c.organization_id, c.id, ?4, ?5, ?6, ?7, ?8, ?9, ?11, ?12, ?13, ?14, ?15 FROM customers c
  WHERE c.id = ?3 AND c.organization_id = ?2 AND c.deleted_at IS NULL AND ${mayManage("?10", "c.id")}
    AND NOT ${isRetired("?5", "c.id", "?1")}
    AND (c.type = 'team' OR NOT EXISTS (SELECT 1 FROM members m WHERE m.customer_id = c.id AND m.deleted_at IS NULL))`;

const SELECT_OWNER = `SELECT ${MEMBER_COLUMNS} FROM ${MEMBERS}
  WHERE m.organization_id = ?1 AND m.customer_id = ?2 AND m.role = 'owner'`;
const SELECT_BY_EMAIL = `SELECT ${MEMBER_COLUMNS} FROM ${MEMBERS}
  WHERE m.organization_id = ?1 AND m.customer_id = ?2 AND m.email_key = ?3`;

const SELECT_NAMED = `SELECT ${MEMBER_COLUMNS} FROM ${MEMBERS}
  WHERE m.organization_id = ?1 AND m.customer_id = ?2 AND (m.id = ?3 OR m.external_id = ?4)
  ORDER BY m.id IS ?3 DESC LIMIT 1`;

const SELECT_BY_ID = `SELECT ${MEMBER_COLUMNS} FROM members m WHERE m.organization_id = ?1 AND m.id = ?2`;

/** ?2 is the customer, ?3 the member who asks, ?4 the address. */
const SELECT_OBSTACLES = `SELECT a.role, ${isRetired("?4", "c.id", "''")} AS is_retired FROM customers c
  LEFT JOIN members a ON a.id = ?3 AND a.customer_id = c.id AND a.deleted_at IS NULL
  WHERE c.organization_id = ?1 AND c.id = ?2 AND c.deleted_at IS NULL`;

export function createMemberStore(context: StoreContext) {
  const { database } = context;

  async function selectOne(sql: string, ...parameters: (string | null)[]): Promise<Member | null> {
    const [row] = await database.read<MemberRow>(sql, ...parameters);
    return row === undefined ? null : toMember(row);
  }

  const findByEmail = (organizationId: string, customerId: string, email: string) =>
    selectOne(SELECT_BY_EMAIL, organizationId, customerId, emailKey(email));

  /** Why the guard of INSERT_MEMBER let nothing in. */
  async function refusalToAdd(organizationId: string, { customerId, email }: NewMember, actorId: string | null) {
    const [row] = await database.read<{ role: MemberRole | null; is_retired: number }>(
      SELECT_OBSTACLES,
      organizationId,
      customerId,
      actorId,
      emailKey(email),
    );
    if (row === undefined) return new LatchkeyError("customer_not_found", { facts: { requested: customerId } });
    requireManager(actorId === null ? null : { id: actorId, role: row.role });
    return row.is_retired ? emailRefusal("member_email_retired", email) : new LatchkeyError("single_member_only");
  }

  /**
   * Adds a member.
   * @param actorId the member who asks; null: the organization's backend.
   * @throws {LatchkeyError} member_email_taken, member_email_retired, member_external_id_taken, customer_not_found,
   * single_member_only, credential_not_live, role_insufficient, unavailable
   */
  async function create(organizationId: string, member: NewMember, actorId: string | null = null): Promise<Member> {
    try {
      const [, selected] = await database.transact(insertMember(organizationId, member, actorId), [
        SELECT_BY_ID,
        organizationId,
        member.id,
      ]);
      const [row] = selected as MemberRow[];
      if (row !== undefined) return toMember(row);
    } catch (error) {
      if (error instanceof UniqueViolation) throw clashOf(error, member.email) ?? error;
      const stored = await selectOne(SELECT_BY_ID, organizationId, member.id);
      if (stored !== null) return stored;
      throw error;
    }
    throw await refusalToAdd(organizationId, member, actorId);
  }

  return {
    ...memberChanges(context),
    ...memberLists(context),
    ...memberReactivation(context),
    ...memberSearch(context),

    create,
    findByEmail,

    find: async (organizationId: string, ref: MemberRef): Promise<Member | null> =>
      (await readMemberFacts(database, organizationId, ref, null))?.member ?? null,

    /** Of this customer; of two that are called so, the one whose id it is. */
    findNamed: (organizationId: string, customerId: string, { id, name }: Named) =>
      selectOne(SELECT_NAMED, organizationId, customerId, id, name),

    findOwner: (organizationId: string, customerId: string) => selectOne(SELECT_OWNER, organizationId, customerId),

    /**
     * Adds a member, or returns the one that already has this e-mail, unchanged.
     * @throws {LatchkeyError} what `create` throws, but for member_email_taken
     */
    async add(organizationId: string, member: NewMember, actorId: string | null = null): Promise<Member> {
      try {
        return await create(organizationId, member, actorId);
      } catch (error) {
        const existing = await findByEmail(organizationId, member.customerId, member.email);
        if (existing !== null) return existing;
        throw error;
      }
    },
  };
}

/** To stand in a transaction of its own, or in that which makes the customer. */
export function insertMember(organizationId: string, member: NewMember, actorId: string | null = null): Statement {
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
    actorId,
    member.status ?? "active",
    JSON.stringify(member.assignedRoles ?? []),
    JSON.stringify(member.trustedMetadata ?? {}),
    JSON.stringify(member.untrustedMetadata ?? {}),
    JSON.stringify(member.signInSettings ?? {}),
  ];
}
