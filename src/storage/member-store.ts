/**
 * Members in D1. Every statement names the organization; uniqueness is the database's word, not a look before the leap.
 * Adding and finding are here, changing and removing in member-changes.ts, lists in member-lists.ts.
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
import { MEMBERS, mayManage, readMemberFacts } from "./member-facts.ts";
import { memberLists } from "./member-lists.ts";
import { MEMBER_COLUMNS, type MemberRow, toMember } from "./rows.ts";
import type { StoreContext } from "./session-store.ts";

export type MemberStore = ReturnType<typeof createMemberStore>;

/** An individual has one member, its owner; a team any number. */
const INSERT_MEMBER = `INSERT INTO members (id, organization_id, customer_id, email, email_key, name, external_id, role,
    created_at)
  SELECT ?1, c.organization_id, c.id, ?4, ?5, ?6, ?7, ?8, ?9 FROM customers c
  WHERE c.id = ?3 AND c.organization_id = ?2 AND c.deleted_at IS NULL AND ${mayManage("?10", "c.id")}
    AND (c.type = 'team' OR NOT EXISTS (SELECT 1 FROM members m WHERE m.customer_id = c.id AND m.deleted_at IS NULL))`;

const SELECT_OWNER = `SELECT ${MEMBER_COLUMNS} FROM ${MEMBERS}
  WHERE m.organization_id = ?1 AND m.customer_id = ?2 AND m.role = 'owner'`;
const SELECT_BY_EMAIL = `SELECT ${MEMBER_COLUMNS} FROM ${MEMBERS}
  WHERE m.organization_id = ?1 AND m.customer_id = ?2 AND m.email_key = ?3`;

const SELECT_NAMED = `SELECT ${MEMBER_COLUMNS} FROM ${MEMBERS}
  WHERE m.organization_id = ?1 AND m.customer_id = ?2 AND (m.id = ?3 OR m.external_id = ?4)
  ORDER BY m.id IS ?3 DESC LIMIT 1`;

/** ?2 is the customer, ?3 the member who asks. */
const SELECT_ACTOR_ROLE = `SELECT a.role FROM customers c
  LEFT JOIN members a ON a.id = ?3 AND a.customer_id = c.id AND a.deleted_at IS NULL
  WHERE c.organization_id = ?1 AND c.id = ?2 AND c.deleted_at IS NULL`;

export function createMemberStore(context: StoreContext) {
  const { database } = context;

  async function selectOne(sql: string, ...parameters: (string | null)[]): Promise<Member | null> {
    const [row] = await database.read<MemberRow>(sql, ...parameters);
    return row === undefined ? null : toMember(row);
  }

  /** Why the guard of INSERT_MEMBER let nothing in. */
  async function refusalToAdd(organizationId: string, customerId: string, actorId: string | null) {
    const [row] = await database.read<{ role: MemberRole | null }>(
      SELECT_ACTOR_ROLE,
      organizationId,
      customerId,
      actorId,
    );
    if (row === undefined) return new LatchkeyError("customer_not_found", { facts: { requested: customerId } });
    requireManager(actorId === null ? null : { id: actorId, role: row.role });
    return new LatchkeyError("single_member_only");
  }

  return {
    ...memberChanges(context),
    ...memberLists(context),

    find: async (organizationId: string, ref: MemberRef): Promise<Member | null> =>
      (await readMemberFacts(database, organizationId, ref, null))?.member ?? null,

    /** Of this customer; of two that are called so, the one whose id it is. */
    findNamed: (organizationId: string, customerId: string, { id, name }: Named) =>
      selectOne(SELECT_NAMED, organizationId, customerId, id, name),

    findByEmail: (organizationId: string, customerId: string, email: string) =>
      selectOne(SELECT_BY_EMAIL, organizationId, customerId, emailKey(email)),

    findOwner: (organizationId: string, customerId: string) => selectOne(SELECT_OWNER, organizationId, customerId),

    /**
     * Adds a member, or returns the one that already has this e-mail, unchanged.
     * @param actorId the member who asks; null: the organization's backend.
     * @throws {LatchkeyError} customer_not_found, single_member_only, member_external_id_taken, credential_not_live,
     * role_insufficient, unavailable
     */
    async add(organizationId: string, member: NewMember, actorId: string | null = null): Promise<Member> {
      const byEmail = [organizationId, member.customerId, emailKey(member.email)] as const;
      try {
        const [, selected] = await database.transact(insertMember(organizationId, member, actorId), [
          SELECT_BY_EMAIL,
          ...byEmail,
        ]);
        const [row] = selected as MemberRow[];
        if (row !== undefined) return toMember(row);
      } catch (error) {
        const existing = await selectOne(SELECT_BY_EMAIL, ...byEmail);
        if (existing !== null) return existing;
        throw error instanceof UniqueViolation && error.columns.includes("external_id")
          ? new LatchkeyError("member_external_id_taken")
          : error;
      }
      throw await refusalToAdd(organizationId, member.customerId, actorId);
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
  ];
}
