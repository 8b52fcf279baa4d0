/**
 * Ending sessions: one by its row, all of a member, customer or organization by an epoch. D1 first, then tombstones in
 * KV. Both may safely happen twice, so a lost answer is asked for once more.
 */

import type { RevocationTarget, SessionStore } from "../core/ports.ts";
import type { Statement } from "./database.ts";
import { endEmailChanges } from "./email-changes.ts";
import { followUpInKv } from "./kv-follow-up.ts";
import { revokeLeakedRows, toEndedCredential } from "./leaked-rows.ts";
import { IS_LIVE, SESSIONS } from "./live-sessions.ts";
import { putTombstone } from "./session-records.ts";
import type { StoreContext } from "./session-store.ts";

/** One call ends any number of sessions; this many of them also get tombstones, to end sooner at the edge. */
const MAX_TOMBSTONES = 40;

const REVOKE = `UPDATE sessions SET revoked_at = COALESCE(revoked_at, ?1) WHERE id = ?2 AND organization_id = ?3
  RETURNING lookup_key, expires_at`;

const NEWEST_SESSIONS = `SELECT s.lookup_key, s.expires_at FROM ${SESSIONS}
  WHERE s.customer_id = (SELECT customer_id FROM members WHERE id = ?2) AND s.member_id = ?2
    AND s.organization_id = ?3 AND s.id IS NOT ?4 AND ${IS_LIVE}
  ORDER BY s.created_at DESC LIMIT ${MAX_TOMBSTONES}`;

export interface EndedRow {
  lookup_key: string;
  expires_at: number;
}

/** Evicts the sessions from this isolate's memory and puts their tombstones. */
export function bury(context: StoreContext, ended: EndedRow[]): void {
  const { kv, cache, clock } = context;
  // A cap that was lowered may end hundreds at once; KV operations are limited, and the lease bounds the rest.
  for (const { lookup_key, expires_at } of ended.slice(0, MAX_TOMBSTONES)) {
    cache.evict(lookup_key, clock.now());
    followUpInKv(context, "tombstone", () => putTombstone(kv, lookup_key, expires_at, clock.now()));
  }
}

type Ending = "revoke" | "signOut" | "revokeLeaked" | "revokeAll";

export function sessionEndings(context: StoreContext): Pick<SessionStore, Ending> {
  const { database, cache, clock } = context;

  async function end(organizationId: string, sessionId: string, ...also: Statement[]): Promise<boolean> {
    const [ended] = await database.transactRepeatable([REVOKE, clock.now(), sessionId, organizationId], ...also);
    bury(context, ended as EndedRow[]);
    return (ended as EndedRow[]).length > 0;
  }

  const revoke = (organizationId: string, sessionId: string) =>
    end(organizationId, sessionId, [endEmailChanges("id = ?1 AND organization_id = ?2"), sessionId, organizationId]);

  async function signOut(organizationId: string, sessionId: string): Promise<void> {
    await end(organizationId, sessionId);
  }

  async function revokeLeaked(lookupKeys: string[]) {
    const ended = await revokeLeakedRows(database, "sessions", lookupKeys, clock.now());
    bury(context, ended);
    return ended.map(toEndedCredential);
  }

  async function revokeAll(organizationId: string, target: RevocationTarget): Promise<boolean> {
    const results = await database.transactRepeatable(...revokeAllStatements(organizationId, target, clock.now()));
    cache.evictAll();
    const raised = (results.at(-1) as unknown[]).length > 0;
    if (raised && target.scope === "member") bury(context, results[0] as EndedRow[]);
    return raised;
  }

  return { revoke, signOut, revokeLeaked, revokeAll };
}

/** Raising an epoch ends every session that holds the lower one. The last statement returns a row if it was raised. */
function revokeAllStatements(organizationId: string, target: RevocationTarget, now: number): Statement[] {
  const raise = (table: string) =>
    `UPDATE ${table} SET session_epoch = session_epoch + 1 WHERE id = ?1 AND deleted_at IS NULL`;
  if (target.scope === "organization") return [[`${raise("organizations")} RETURNING id`, organizationId]];
  if (target.scope === "customer") {
    return [[`${raise("customers")} AND organization_id = ?2 RETURNING id`, target.customerId, organizationId]];
  }
  const { memberId, exceptSessionId } = target;
  return [
    newestSessions(now, organizationId, memberId, exceptSessionId),
    // The spared session is lifted to the coming epoch first, and only if it is live …
    [
      `UPDATE sessions SET member_epoch = member_epoch + 1 WHERE id = (
         SELECT s.id FROM ${SESSIONS}
         WHERE s.id = ?2 AND s.member_id = ?3 AND s.organization_id = ?4 AND ${IS_LIVE})`,
      now,
      exceptSessionId,
      memberId,
      organizationId,
    ],
    // … and where one was named, the epoch is raised only if that has worked: all of it or nothing.
    [
      `${raise("members")} AND organization_id = ?2 AND (?3 IS NULL OR EXISTS (
         SELECT 1 FROM sessions s
         WHERE s.id = ?3 AND s.member_id = ?1 AND s.member_epoch = members.session_epoch + 1))
       RETURNING id`,
      memberId,
      organizationId,
      exceptSessionId,
    ],
  ];
}

/** To be read in the transaction that ends a member's sessions, before it does: those that are to be buried after it. */
export function newestSessions(
  now: number,
  organizationId: string,
  memberId: string,
  exceptSessionId: string | null = null,
): Statement {
  return [NEWEST_SESSIONS, now, memberId, organizationId, exceptSessionId];
}
