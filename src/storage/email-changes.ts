/**
 * E-mail changes in D1. What makes one good is decided anew by every statement: its parents, whose sessions may have
 * been ended since, the organization's setting and the customer's type.
 */

import { emailKey } from "../core/directory.ts";
import type { Clock, EmailChangeStore } from "../core/ports.ts";
import type { Database } from "./database.ts";
import { IS_LIVE, parentsLive, SESSIONS, withParents } from "./live-sessions.ts";
import { ORGANIZATION_COLUMNS, type OrganizationRow, toOrganization } from "./rows.ts";
import type { ProofRule } from "./session-writes.ts";

/** ?2 session id, ?3 organization id. Its row takes the place of the customer's earlier one. */
const ASK = `REPLACE INTO email_changes (lookup_key, token_key, email, email_key, created_at, expires_at,
    organization_id, customer_id, member_id, organization_epoch, customer_epoch, member_epoch)
  SELECT ?4, ?5, ?6, ?7, ?1, ?8,
    s.organization_id, s.customer_id, s.member_id, s.organization_epoch, s.customer_epoch, s.member_epoch
  FROM ${SESSIONS} WHERE s.id = ?2 AND s.organization_id = ?3 AND ${IS_LIVE}
  RETURNING customer_id`;

/** @param now and lookupKey: the parameters that hold them. */
const good = (now: string, lookupKey: string) => `${withParents("email_changes e")}
  WHERE e.lookup_key = ${lookupKey} AND e.used_by IS NULL AND e.expires_at > ${now}
    AND ${parentsLive("e")} AND c.type = 'individual' AND o.allow_email_change = 1`;

const FIND = `SELECT e.email, e.customer_id, ${ORGANIZATION_COLUMNS} FROM ${good("?1", "?2")}`;

const FROM_USED = "FROM email_changes e WHERE e.lookup_key = ?3 AND e.used_by = ?2";

/** Good for a customer session (no ?12) of the customer ?11. The address is the database's to refuse: taken or not. */
export const EMAIL_CHANGE: ProofRule = {
  isGood: `EXISTS (SELECT 1 FROM ${good("?7", "?15")} AND e.customer_id = ?11 AND ?12 IS NULL)`,
  uses: [
    `UPDATE email_changes SET used_by = ?2
      WHERE lookup_key = ?3 AND EXISTS (SELECT 1 FROM sessions WHERE id = ?2)`,
    `UPDATE customers SET email = e.email, email_key = e.email_key, email_verified = 1, modified_at = ?1
      ${FROM_USED} AND customers.id = e.customer_id`,
    `UPDATE members SET email = e.email, email_key = e.email_key, email_verified = 1, modified_at = ?1
      ${FROM_USED} AND members.customer_id = e.customer_id AND members.role = 'owner' AND members.deleted_at IS NULL
        AND members.email_key <> e.email_key`,
  ],
  clash: () => "email_taken",
};

/**
 * Ends the changes that the customers of these sessions wait for: whoever took a session and asked for an address of
 * their own must not get a new session out of it. Signing out ends none.
 * @param sessions condition that names them.
 */
export const endEmailChanges = (sessions: string) =>
  `DELETE FROM email_changes WHERE used_by IS NULL AND customer_id IN (SELECT customer_id FROM sessions WHERE ${sessions})`;

export function createEmailChangeStore(database: Database, clock: Clock): EmailChangeStore {
  return {
    async ask(session, { lookupKey, tokenKey, email, createdAt, expiresAt }) {
      const [asked] = await database.transactRepeatable([
        ASK,
        createdAt,
        session.id,
        session.organizationId,
        lookupKey,
        tokenKey,
        email,
        emailKey(email),
        expiresAt,
      ]);
      return (asked as unknown[]).length > 0;
    },

    async find(lookupKey) {
      const [row] = await database.read<OrganizationRow & { email: string; customer_id: string }>(
        FIND,
        clock.now(),
        lookupKey,
      );
      return row === undefined
        ? null
        : { email: row.email, customerId: row.customer_id, organization: toOrganization(row) };
    },
  };
}
