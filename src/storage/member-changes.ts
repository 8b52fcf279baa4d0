/**
 * Changing and removing members. The rules are the core's; here they are asked with the facts of the moment, and the
 * write happens only if these are still the same. If not, they are read and judged again.
 */

import { emailKey, type Member, type MemberRef } from "../core/directory.ts";
import { LatchkeyError } from "../core/errors.ts";
import {
  allowsChange,
  FORMER_OWNER,
  type MemberChange,
  type MemberFacts,
  requireRemovable,
} from "../core/member-roles.ts";
import { type Statement, UniqueViolation } from "./database.ts";
import { mayManage, readMemberFacts } from "./member-facts.ts";
import { MEMBER_COLUMNS, type MemberRow, toMember } from "./rows.ts";
import { bury, type EndedRow, newestSessions } from "./session-endings.ts";
import type { StoreContext } from "./session-store.ts";

/** Facts that change more often than this between reading and writing are nobody's honest doing. */
const MAX_ATTEMPTS = 10;

/** The member ?1 of the organization ?2 has the role ?3 still, its customer lives, and ?4 may still manage it. */
const IS_UNCHANGED = `m.id = ?1 AND m.organization_id = ?2 AND m.role = ?3
  AND EXISTS (SELECT 1 FROM customers c WHERE c.id = m.customer_id AND c.deleted_at IS NULL)
  AND ${mayManage("?4", "m.customer_id")}`;

/** A member who hands ownership over must have it: where it has gone meanwhile, nobody is demoted. */
const DEMOTE_OWNER = `UPDATE members SET role = '${FORMER_OWNER}', modified_at = ?5
  WHERE role = 'owner' AND deleted_at IS NULL AND (?4 IS NULL OR id = ?4)
    AND customer_id = (SELECT m.customer_id FROM members m WHERE ${IS_UNCHANGED} AND m.deleted_at IS NULL)`;

const UPDATE = `UPDATE members AS m SET modified_at = ?5, name = IFNULL(?6, name), email = IFNULL(?7, email),
    email_key = IFNULL(?8, email_key), role = IFNULL(?9, role),
    email_verified = iif(IFNULL(?8, email_key) = email_key, email_verified, 0)
  WHERE ${IS_UNCHANGED} AND m.deleted_at IS NULL RETURNING id`;
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
     * @throws {LatchkeyError} member_email_taken, unavailable, and what allowsChange throws
     */
    update: (organizationId: string, ref: MemberRef, change: MemberChange, actorId: string | null = null) =>
      decide(organizationId, ref, actorId, async (facts, unchanged): Promise<Member | null> => {
        if (!allowsChange(facts, change)) return facts.member;
        const becomesOwner = change.role === "owner" && facts.member.role !== "owner";
        const { name, email, role } = change;
        const key = email === null ? null : emailKey(email);
        try {
          const results = await database.transactRepeatable(
            ...(becomesOwner ? [[DEMOTE_OWNER, ...unchanged] satisfies Statement] : []),
            [UPDATE, ...unchanged, name, email, key, role],
            [SELECT, facts.member.id, organizationId],
          );
          const [updated, [row]] = results.slice(-2) as [unknown[], [MemberRow]];
          return updated.length === 0 ? null : toMember(row);
        } catch (error) {
          if (!(error instanceof UniqueViolation)) throw error;
          if (!error.columns.includes("email_key")) return null;
          throw new LatchkeyError("member_email_taken", { facts: { requested: email } });
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
