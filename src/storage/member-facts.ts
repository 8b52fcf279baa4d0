/**
 * The facts that a decision about a member rests on, read before it is taken, and the conditions under which the
 * statement that carries it out still finds them so.
 */

import type { CustomerRef, CustomerType, MemberRef, MemberRole } from "../core/directory.ts";
import { MANAGERS, type MemberFacts } from "../core/member-roles.ts";
import type { Database } from "./database.ts";
import { MEMBER_COLUMNS, type MemberRow, toMember } from "./rows.ts";

/** Live members of live customers. */
export const MEMBERS =
  "members m JOIN customers c ON c.id = m.customer_id AND m.deleted_at IS NULL AND c.deleted_at IS NULL";

/**
 * Members of one customer of the organization ?1. It names the customer's columns only: by those of the member, SQLite
 * would walk through all members of the organization.
 */
export const customerIs = (ref: CustomerRef, parameter: string): [condition: string, value: string] => {
  const [column, value] = "id" in ref ? ["c.id", ref.id] : ["c.external_id", ref.externalId];
  return [`c.organization_id = ?1 AND ${column} = ${parameter}`, value];
};

/** Whether a member of this customer may still manage it; true where none asks. */
export const mayManage = (actor: string, customer: string) => `(${actor} IS NULL OR EXISTS (
  SELECT 1 FROM members a WHERE a.id = ${actor} AND a.customer_id = ${customer} AND a.deleted_at IS NULL
    AND a.role IN (${MANAGERS.map((role) => `'${role}'`).join(", ")})))`;

/** Whether an address was another member's of this customer, who has kept it. */
export const isRetired = (emailKey: string, customer: string, member: string) => `EXISTS (
  SELECT 1 FROM members r JOIN json_each(r.retired_emails) e ON e.value ->> 'key' = ${emailKey}
  WHERE r.customer_id = ${customer} AND r.id <> ${member} AND r.deleted_at IS NULL AND r.retired_emails <> '[]')`;

type FactsRow = MemberRow & { customer_type: CustomerType; actor_role: MemberRole | null };

/** @returns null: no such member, or its customer is gone. */
export async function readMemberFacts(
  database: Database,
  organizationId: string,
  ref: MemberRef,
  actorId: string | null,
): Promise<MemberFacts | null> {
  const [ofMember, member] = "id" in ref ? ["m.id = ?3", ref.id] : ["m.external_id = ?3", ref.externalId];
  const [ofCustomer, customer] = ref.of ? customerIs(ref.of, "?4") : ["m.organization_id = ?1 AND ?4 IS NULL", null];
  const [row] = await database.read<FactsRow>(
    `SELECT ${MEMBER_COLUMNS}, c.type AS customer_type, a.role AS actor_role FROM ${MEMBERS}
     LEFT JOIN members a ON a.id = ?2 AND a.customer_id = m.customer_id AND a.deleted_at IS NULL
     WHERE ${ofMember} AND ${ofCustomer}`,
    organizationId,
    actorId,
    member,
    customer,
  );
  if (row === undefined) return null;
  return {
    member: toMember(row),
    customerType: row.customer_type,
    actor: actorId === null ? null : { id: actorId, role: row.actor_role },
  };
}
