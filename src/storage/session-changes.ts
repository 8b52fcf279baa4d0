/**
 * Changing sessions: a new expiry, claims, something more that was proved. One D1 transaction that may happen twice,
 * all of it or nothing, then KV after the answer. The dead are never revived.
 */

import { MAX_CLAIMS_BYTES } from "../core/custom-claims.ts";
import { LatchkeyError } from "../core/errors.ts";
import type { SessionStore } from "../core/ports.ts";
import type { LiveSession, SessionChange } from "../core/session.ts";
import { type Statement, UniqueViolation } from "./database.ts";
import { FOREIGN_TOKEN, isSpentFor, noteTestimony, spendFor } from "./foreign-tokens.ts";
import { IS_LIVE, type LiveSessionRow, SELECT_LIVE_BY_ID, SESSIONS, toLiveSession } from "./live-sessions.ts";
import type { StoreContext } from "./session-store.ts";
import { cacheInKv } from "./session-writes.ts";

/** ?2 the session, ?3 its organization, ?5 claims. */
const IS_CHANGEABLE = `id = (SELECT s.id FROM ${SESSIONS} WHERE s.id = ?2 AND s.organization_id = ?3 AND ${IS_LIVE})
    AND octet_length(json_patch(custom_claims, ?5)) <= ${MAX_CLAIMS_BYTES}`;

/** json_patch is RFC 7396, and here it merges with what is there at this very moment: no merge is lost to another. */
const change = (more = "", condition = "") => `UPDATE sessions
  SET expires_at = MIN(IFNULL(?4, expires_at), absolute_expires_at), custom_claims = json_patch(custom_claims, ?5),
    modified_at = ?1, last_accessed_at = ?1 ${more}
  WHERE ${IS_CHANGEABLE} ${condition} RETURNING lookup_key`;

const CHANGE = change();

/** ?6 is the token's lookup key, ?7 names this call, ?8 is the factor; an earlier one of its kind goes. */
const CHANGE_PROVED = change(
  `, factors = (SELECT json_group_array(json(factor)) FROM (
      SELECT value AS factor FROM json_each(factors) WHERE value ->> 'kind' <> ?8 ->> 'kind' UNION ALL SELECT ?8))`,
  `AND ${isSpentFor("?6", "?7")}`,
);

const SPEND = spendFor(IS_CHANGEABLE);
const SELECT_SPENT = "SELECT 1 FROM spent_tokens WHERE lookup_key = ?1";

export function sessionChanges(context: StoreContext): Pick<SessionStore, "change"> {
  const { database, cache, clock } = context;

  /** Why a session that lives was not changed. */
  async function refusal(lookupKey: string | undefined): Promise<LatchkeyError> {
    const isSpent = lookupKey !== undefined && (await database.read(SELECT_SPENT, lookupKey)).length > 0;
    return new LatchkeyError(isSpent ? "foreign_token_spent" : "custom_claims_too_large");
  }

  return {
    async change(organizationId, sessionId, change): Promise<LiveSession | null> {
      const ticket = cache.ticket();
      const now = clock.now();
      const subject: Subject = [now, sessionId, organizationId];
      const results = await clashing(
        database.transactRepeatable(...changeStatements(subject, change), [SELECT_LIVE_BY_ID, ...subject]),
      );
      const [updated, [row]] = results.slice(-2) as [{ lookup_key: string }[], LiveSessionRow[]];
      if (row === undefined) return null;
      const [touched] = updated;
      if (touched === undefined) throw await refusal(change.proved?.proof.lookupKey);
      const session = toLiveSession(row);
      if (change.expiresAt !== undefined) cacheInKv(context, touched.lookup_key, session, now, ticket);
      return session;
    },
  };
}

type Subject = [now: number, sessionId: string, organizationId: string];

/** The last of them says whether the session was changed. */
function changeStatements(subject: Subject, { expiresAt, claims = {}, proved }: SessionChange): Statement[] {
  const values = [...subject, expiresAt ?? null, JSON.stringify(claims)];
  if (proved === undefined) return [[CHANGE, ...values]];
  const [now, sessionId] = subject;
  const { lookupKey, testimony } = proved.proof;
  const user = crypto.randomUUID();
  return [
    [SPEND, ...values, lookupKey, user],
    ...(testimony ? [noteTestimony(now, sessionId, lookupKey, user, testimony)] : []),
    [CHANGE_PROVED, ...values, lookupKey, user, JSON.stringify(proved.factor)],
  ];
}

async function clashing<T>(transaction: Promise<T>): Promise<T> {
  try {
    return await transaction;
  } catch (error) {
    const clash = error instanceof UniqueViolation && FOREIGN_TOKEN.clash?.(error.columns);
    throw clash ? new LatchkeyError(clash) : error;
  }
}
