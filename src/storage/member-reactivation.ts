/**
 * Bringing a member back that was removed: the same row, with the addresses and ids that nobody else has taken since.
 */

import type { Member } from "../core/directory.ts";
import { LatchkeyError } from "../core/errors.ts";
import { UniqueViolation } from "./database.ts";
import { isRetired } from "./member-facts.ts";
import { clashOf, emailRefusal } from "./member-updates.ts";
import { MEMBER_COLUMNS, type MemberRow, toMember } from "./rows.ts";
import type { StoreContext } from "./session-store.ts";

/** The epoch stays raised: the sessions that it had are over. An individual has one member. */
const REACTIVATE = `UPDATE members AS m SET deleted_at = NULL, status = 'active', modified_at = ?3
  WHERE m.id = ?1 AND m.organization_id = ?2 AND m.deleted_at IS NOT NULL
    AND NOT ${isRetired("m.email_key", "m.customer_id", "m.id")}
    AND EXISTS (SELECT 1 FROM customers c WHERE c.id = m.customer_id AND c.deleted_at IS NULL AND (c.type = 'team'
      OR NOT EXISTS (SELECT 1 FROM members o WHERE o.customer_id = c.id AND o.deleted_at IS NULL)))`;

const SELECT_EVER = `SELECT ${MEMBER_COLUMNS}, c.type = 'team' AS is_of_team
  FROM members m JOIN customers c ON c.id = m.customer_id AND c.deleted_at IS NULL
  WHERE m.id = ?1 AND m.organization_id = ?2`;

export function memberReactivation({ database, clock }: StoreContext) {
  /** Also who was removed, of a customer that lives. */
  async function findEver(organizationId: string, id: string): Promise<Member | null> {
    const [row] = await database.read<MemberRow>(SELECT_EVER, id, organizationId);
    return row === undefined ? null : toMember(row);
  }

  return {
    findEver,

    /**
     * @returns null: nobody of this id was removed.
     * @throws {LatchkeyError} member_email_taken, member_email_retired, member_external_id_taken, second_owner,
     * single_member_only, unavailable
     */
    async reactivate(organizationId: string, id: string): Promise<Member | null> {
      const before = await findEver(organizationId, id);
      if (before === null || before.deletedAt === null) return null;
      let row: (MemberRow & { is_of_team: number }) | undefined;
      try {
        const results = await database.transactRepeatable(
          [REACTIVATE, id, organizationId, clock.now()],
          [SELECT_EVER, id, organizationId],
        );
        [row] = results[1] as [typeof row];
      } catch (error) {
        if (!(error instanceof UniqueViolation)) throw error;
        throw clashOf(error, before.email) ?? new LatchkeyError("second_owner", { facts: { requested: id } });
      }
      if (row === undefined) return null;
      if (row.m_deleted_at === null) return toMember(row);
      throw row.is_of_team
        ? emailRefusal("member_email_retired", before.email)
        : new LatchkeyError("single_member_only");
    },
  };
}
