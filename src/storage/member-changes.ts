/**
 * Changing and removing members. The rules are the core's; here they are asked with the facts of the moment, and the
 * write happens only if these are still the same. If not, they are read and judged again.
 */

import type { Member, MemberRef } from "../core/directory.ts";
import { LatchkeyError } from "../core/errors.ts";
import { allowsChange, type MemberChange, type MemberFacts, requireRemovable } from "../core/member-roles.ts";
import { UniqueViolation } from "./database.ts";
import { readMemberFacts } from "./member-facts.ts";
import { clashOf, demoteOwner, IS_UNCHANGED, obstaclesTo, updateMember } from "./member-updates.ts";
import { MEMBER_COLUMNS, type MemberRow, toMember } from "./rows.ts";
import { bury, type EndedRow, newestSessions } from "./session-endings.ts";
import type { StoreContext } from "./session-store.ts";

/** Facts that change more often than this between reading and writing are nobody's honest doing. */
const MAX_ATTEMPTS = 10;

const SELECT = `SELECT ${MEMBER_COLUMNS} FROM members m WHERE m.id = ?1 AND m.organization_id = ?2`;

/** Repeated when the answer to it was lost, it finds its own doing, which must not look as if there were no member. */
const REMOVE = `UPDATE members AS m SET deleted_at = ?5, session_epoch = session_epoch + 1
  WHERE ${IS_UNCHANGED} AND IFNULL(m.deleted_at, ?5) = ?5 RETURNING id`;

export function memberChanges(context: StoreContext) {
  const { database, cache, clock } = context;

  /** @param carryOut null: the facts are no longer what they were. */
  async function decide<Done>(
    organizationId: string,
    ref: MemberRef,
    actorId: string | null,
    carryOut: (facts: MemberFacts, unchanged: unknown[]) => Promise<Done | null>,
  ): Promise<Done | null> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const facts = await readMemberFacts(database, organizationId, ref, actorId);
      if (facts === null) return null;
      const { id, role } = facts.member;
      const done = await carryOut(facts, [id, organizationId, role, actorId, clock.now()]);
      if (done !== null) return done;
    }
    throw new LatchkeyError("unavailable", { reason: "the facts about a member changed again and again" });
  }

  return {
    /**
     * Changes a member; one that becomes the owner takes the place of whoever was.
     * @param actorId the member who asks; null: the organization's backend.
     * @returns null: no such member.
     * @throws {LatchkeyError} member_email_taken, member_email_retired, member_external_id_taken, metadata_too_large,
     * metadata_too_many_keys, unavailable, and what allowsChange throws
     */
    update: (organizationId: string, ref: MemberRef, change: MemberChange, actorId: string | null = null) =>
      decide(organizationId, ref, actorId, async (facts, unchanged): Promise<Member | null> => {
        if (!allowsChange(facts, change)) return facts.member;
        const { id, role } = facts.member;
        const becomesOwner = change.role === "owner" && role !== "owner";
        const obstacles = obstaclesTo(change, organizationId, id);
        try {
          const results = await database.transactRepeatable(
            ...obstacles.statements,
            ...(becomesOwner ? [demoteOwner(change, unchanged)] : []),
            updateMember(change, unchanged),
            [SELECT, id, organizationId],
          );
          obstacles.judge(results);
          const [updated, [row]] = results.slice(-2) as [unknown[], [MemberRow]];
          return updated.length === 0 ? null : toMember(row);
        } catch (error) {
          if (!(error instanceof UniqueViolation)) throw error;
          const clash = clashOf(error, change.email);
          if (clash === null) return null;
          throw clash;
        }
      }),

    /**
     * Removes a member and ends its sessions.
     * @param actorId the member who asks; null: the organization's backend.
     * @returns null: no such member.
     * @throws {LatchkeyError} unavailable, and what requireRemovable throws
     */
    remove: (organizationId: string, ref: MemberRef, actorId: string | null = null) =>
      decide(organizationId, ref, actorId, async (facts, unchanged) => {
        requireRemovable(facts);
        const [newest, removed] = await database.transactRepeatable(
          newestSessions(clock.now(), organizationId, facts.member.id),
          [REMOVE, ...unchanged],
        );
        if ((removed as unknown[]).length === 0) return null;
        cache.evictAll();
        bury(context, newest as EndedRow[]);
        return facts.member;
      }),
  };
}
