/**
 * Tokens of trusted issuers: used once, in the very transaction that makes a session of them or adds to one; and what
 * they say of the member, which is written down then and at no other time: a token that is shown again says nothing.
 */

import { FOREIGN_TOKEN_KEPT_MS } from "../core/foreign-tokens.ts";
import type { Testimony } from "../core/session.ts";
import type { Statement } from "./database.ts";
import type { ProofRule } from "./session-writes.ts";

const COLUMNS = "spent_tokens (lookup_key, used_by, expires_at)";

/** Good wherever its issuer was believed; the UNIQUE index says whether it was used. */
export const FOREIGN_TOKEN: ProofRule = {
  uses: [`INSERT INTO ${COLUMNS} SELECT ?3, id, ?1 + ${FOREIGN_TOKEN_KEPT_MS} FROM sessions WHERE id = ?2`],
  clash: (columns) => {
    if (columns.includes("spent_tokens")) return "foreign_token_spent";
    return columns.includes("email_key") ? "member_email_taken" : "member_external_id_taken";
  },
};

/**
 * Uses a token up for a call that may be repeated: ?6 is its lookup key, ?7 names the call.
 * @param condition on the session, over ?1 … ?5.
 */
export const spendFor = (condition: string) => `INSERT INTO ${COLUMNS}
  SELECT ?6, ?7, ?1 + ${FOREIGN_TOKEN_KEPT_MS} FROM sessions WHERE ${condition} ON CONFLICT (lookup_key) DO NOTHING`;

export const isSpentFor = (lookupKey: string, user: string) =>
  `EXISTS (SELECT 1 FROM spent_tokens WHERE lookup_key = ${lookupKey} AND used_by = ${user})`;

const NOTE = `UPDATE members SET modified_at = ?1,
    email_verified = MAX(email_verified, email_key = ?5 ->> 'emailKey'),
    external_id = IFNULL(external_id, ?5 ->> 'externalId'),
    assigned_roles = (SELECT json_group_array(value) FROM (
      SELECT value FROM json_each(assigned_roles) UNION SELECT value FROM json_each(?5, '$.roles')))
  WHERE id = (SELECT member_id FROM sessions WHERE id = ?2) AND ${isSpentFor("?3", "?4")}
    AND ((email_verified = 0 AND email_key = ?5 ->> 'emailKey')
      OR (external_id IS NULL AND ?5 ->> 'externalId' IS NOT NULL)
      OR EXISTS (SELECT value FROM json_each(?5, '$.roles') EXCEPT SELECT value FROM json_each(assigned_roles)))`;

/** @param user who has to have used the token, in the same transaction. */
export function noteTestimony(
  now: number,
  sessionId: string,
  lookupKey: string,
  user: string,
  testimony: Testimony,
): Statement {
  return [NOTE, now, sessionId, lookupKey, user, JSON.stringify(testimony)];
}
