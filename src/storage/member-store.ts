/**
 * Members in D1. Every statement names the organization; uniqueness is the database's word, not a look before the leap.
 */

import { emailKey, type Member, type MemberRef, type NewMember } from "../core/directory.ts";
import { LatchkeyError } from "../core/errors.ts";
import { type Database, type Statement, UniqueViolation } from "./database.ts";
import { MEMBER_COLUMNS, type MemberRow, toMember } from "./rows.ts";

export type MemberStore = ReturnType<typeof createMemberStore>;

/** An individual has one member, its owner; a team any number. */
const INSERT_MEMBER = `INSERT INTO members (id, organization_id, customer_id, email, email_key, name, external_id, role,
    created_at)
  SELECT ?1, c.organization_id, c.id, ?4, ?5, ?6, ?7, ?8, ?9 FROM customers c
  WHERE c.id = ?3 AND c.organization_id = ?2 AND c.deleted_at IS NULL
    AND (c.type = 'team' OR NOT EXISTS (SELECT 1 FROM members m WHERE m.customer_id = c.id AND m.deleted_at IS NULL))`;

const selectMember = (condition: string) => `SELECT ${MEMBER_COLUMNS} FROM members m
  JOIN customers c ON c.id = m.customer_id AND c.deleted_at IS NULL
  WHERE m.organization_id = ?1 AND m.deleted_at IS NULL AND ${condition}`;

const HAS_EMAIL = "m.customer_id = ?2 AND m.email_key = ?3";

export function createMemberStore(database: Database) {
  async function selectOne(condition: string, ...parameters: unknown[]): Promise<Member | null> {
    const [row] = await database.read<MemberRow>(selectMember(condition), ...parameters);
    return row === undefined ? null : toMember(row);
  }

  return {
    find: (organizationId: string, customerId: string, ref: MemberRef) =>
      "id" in ref
        ? selectOne("m.id = ?3 AND m.customer_id = ?2", organizationId, customerId, ref.id)
        : selectOne("m.customer_id = ?2 AND m.external_id = ?3", organizationId, customerId, ref.externalId),

    /** A member of whichever customer. */
    findById: (organizationId: string, memberId: string) => selectOne("m.id = ?2", organizationId, memberId),

    findOwner: (organizationId: string, customerId: string) =>
      selectOne("m.customer_id = ?2 AND m.role = 'owner'", organizationId, customerId),

    /**
     * Adds a member, or returns the one that already has this e-mail, unchanged.
     * @throws {LatchkeyError} single_member_only, member_external_id_taken, unavailable
     */
    async add(organizationId: string, member: NewMember): Promise<Member> {
      const byEmail = [organizationId, member.customerId, emailKey(member.email)] as const;
      try {
        const [, selected] = await database.transact(insertMember(organizationId, member), [
          selectMember(HAS_EMAIL),
          ...byEmail,
        ]);
        const [row] = selected as MemberRow[];
        if (row !== undefined) return toMember(row);
      } catch (error) {
        const existing = await selectOne(HAS_EMAIL, ...byEmail);
        if (existing !== null) return existing;
        throw error instanceof UniqueViolation && error.columns.includes("external_id")
          ? new LatchkeyError("member_external_id_taken")
          : error;
      }
      throw new LatchkeyError("single_member_only");
    },
  };
}

/** To stand in a transaction of its own, or in that which makes the customer. */
export function insertMember(organizationId: string, member: NewMember): Statement {
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
