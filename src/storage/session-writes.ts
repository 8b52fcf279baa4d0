/**
 * Making, prolonging and ending sessions. Each is one D1 transaction, then KV after the answer. Ids are made by the
 * Worker, so that a write whose answer was lost is read back instead of repeated.
 */

import { LatchkeyError } from "../core/errors.ts";
import type { RevocationTarget, SessionStore } from "../core/ports.ts";
import type { LiveSession, SessionDraft } from "../core/session.ts";
import type { Statement } from "./database.ts";
import { followUpInKv } from "./kv-follow-up.ts";
import { IS_LIVE, type LiveSessionRow, SELECT_LIVE_BY_ID, SESSIONS, toLiveSession } from "./live-sessions.ts";
import { toFacts } from "./session-checks.ts";
import { putRecord, putTombstone } from "./session-records.ts";
import type { StoreContext } from "./session-store.ts";

/** One call ends any number of sessions; this many of them also get tombstones, to end sooner at the edge. */
const MAX_TOMBSTONES = 40;

/**
 * From live parents only, with their epochs as they are in this transaction: a concurrent revoke-all wins or loses as
 * a whole. ?12 is the member, or NULL for a customer session.
 */
const INSERT_SESSION = `INSERT INTO sessions (id, lookup_key, token_key, token_sealed, kind, return_url, created_at,
    expires_at, absolute_expires_at, organization_id, customer_id, member_id,
    organization_epoch, customer_epoch, member_epoch)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, o.id, c.id, m.id, o.session_epoch, c.session_epoch, m.session_epoch
  FROM organizations o
  JOIN customers c ON c.id = ?11 AND c.organization_id = o.id AND c.deleted_at IS NULL
  LEFT JOIN members m ON m.id = ?12 AND m.customer_id = c.id AND m.deleted_at IS NULL
  WHERE o.id = ?10 AND o.deleted_at IS NULL AND (?12 IS NULL OR m.id IS NOT NULL)`;

const INSERT_CODE = `INSERT INTO portal_codes (lookup_key, token_key, session_id, door, created_at, expires_at)
  SELECT ?2, ?3, s.id, ?4, ?5, ?6 FROM sessions s WHERE s.id = ?1`;

/** The new session counts, but is never the one to go, even if another was made in the same millisecond. */
const END_OLDEST_BEYOND_CAP = `UPDATE sessions SET revoked_at = ?1 WHERE lookup_key IN (
    SELECT s.lookup_key FROM ${SESSIONS}
    WHERE s.customer_id = ?2 AND s.member_id IS ?3 AND s.organization_id = ?5 AND ${IS_LIVE}
    ORDER BY (s.id = ?4) DESC, s.created_at DESC, s.id
    LIMIT -1 OFFSET IFNULL((SELECT max_sessions_per_member FROM organizations WHERE id = ?5), 0))
  RETURNING lookup_key, expires_at`;

const EXTEND = `UPDATE sessions SET expires_at = MIN(?4, absolute_expires_at), modified_at = ?1
  WHERE id = (SELECT s.id FROM ${SESSIONS} WHERE s.id = ?2 AND s.organization_id = ?3 AND ${IS_LIVE})
  RETURNING lookup_key`;

const REVOKE = `UPDATE sessions SET revoked_at = COALESCE(revoked_at, ?1) WHERE id = ?2 AND organization_id = ?3
  RETURNING lookup_key, expires_at`;

interface EndedRow {
  lookup_key: string;
  expires_at: number;
}

type Writes = Pick<SessionStore, "insert" | "extend" | "revoke" | "revokeAll">;

export function sessionWrites(context: StoreContext): Writes {
  const { database, kv, cache, clock } = context;

  /** @param before taken before D1 was asked: if this isolate has revoked anything since, its tombstones come first. */
  function cacheInKv(lookupKey: string, session: LiveSession, provedAt: number, before: number): void {
    if (!cache.isCurrent(before)) return;
    const ticket = cache.ticket();
    followUpInKv(context, "session", async () => {
      if (cache.isCurrent(ticket)) await putRecord(kv, lookupKey, { provedAt, facts: toFacts(session) }, clock.now());
    });
  }

  function bury(ended: EndedRow[]): void {
    // A cap that was lowered may end hundreds at once; KV operations are limited, and the lease bounds the rest.
    for (const { lookup_key, expires_at } of ended.slice(0, MAX_TOMBSTONES)) {
      cache.evict(lookup_key, clock.now());
      followUpInKv(context, "tombstone", () => putTombstone(kv, lookup_key, expires_at, clock.now()));
    }
  }

  async function insert(draft: SessionDraft): Promise<LiveSession | null> {
    const ticket = cache.ticket();
    const provedAt = clock.now();
    const select: Statement = [SELECT_LIVE_BY_ID, provedAt, draft.id, draft.organizationId];
    let row: LiveSessionRow | undefined;
    let ended: EndedRow[] = [];
    try {
      const results = await database.transact(...insertStatements(draft), select);
      ended = results.at(-2) as EndedRow[];
      row = (results.at(-1) as LiveSessionRow[])[0];
    } catch (error) {
      if (!(error instanceof LatchkeyError)) throw error;
      [row] = await database.read<LiveSessionRow>(...select);
      if (row === undefined) throw error;
    }
    if (row === undefined) return null;
    const session = toLiveSession(row);
    cacheInKv(draft.lookupKey, session, provedAt, ticket);
    bury(ended);
    return session;
  }

  async function extend(organizationId: string, sessionId: string, expiresAt: number): Promise<LiveSession | null> {
    const ticket = cache.ticket();
    const now = clock.now();
    const subject = [now, sessionId, organizationId] as const;
    const [updated, selected] = await database.transactRepeatable(
      [EXTEND, ...subject, expiresAt],
      [SELECT_LIVE_BY_ID, ...subject],
    );
    const [row] = selected as LiveSessionRow[];
    const [touched] = updated as EndedRow[];
    if (row === undefined || touched === undefined) return null;
    const session = toLiveSession(row);
    cacheInKv(touched.lookup_key, session, now, ticket);
    return session;
  }

  async function revoke(organizationId: string, sessionId: string): Promise<boolean> {
    const [ended] = await database.transactRepeatable([REVOKE, clock.now(), sessionId, organizationId]);
    bury(ended as EndedRow[]);
    return (ended as EndedRow[]).length > 0;
  }

  async function revokeAll(organizationId: string, target: RevocationTarget): Promise<boolean> {
    const results = await database.transactRepeatable(...revokeAllStatements(organizationId, target, clock.now()));
    cache.evictAll();
    const raised = (results.at(-1) as unknown[]).length > 0;
    if (raised && target.scope === "member") bury(results[0] as EndedRow[]);
    return raised;
  }

  return { insert, extend, revoke, revokeAll };
}

function insertStatements(draft: SessionDraft): Statement[] {
  const { id, createdAt, customerId, memberId, organizationId, code } = draft;
  const session: Statement = [
    INSERT_SESSION,
    id,
    draft.lookupKey,
    draft.tokenKey,
    draft.tokenSealed,
    draft.kind,
    draft.returnUrl,
    createdAt,
    draft.expiresAt,
    draft.absoluteExpiresAt,
    organizationId,
    customerId,
    memberId,
  ];
  const codes: Statement[] = code
    ? [[INSERT_CODE, id, code.lookupKey, code.tokenKey, code.door, createdAt, code.expiresAt]]
    : [];
  return [session, ...codes, [END_OLDEST_BEYOND_CAP, createdAt, customerId, memberId, id, organizationId]];
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
    [
      `SELECT s.lookup_key, s.expires_at FROM ${SESSIONS}
       WHERE s.customer_id = (SELECT customer_id FROM members WHERE id = ?2) AND s.member_id = ?2
         AND s.organization_id = ?3 AND s.id IS NOT ?4 AND ${IS_LIVE}
       ORDER BY s.created_at DESC LIMIT ${MAX_TOMBSTONES}`,
      now,
      memberId,
      organizationId,
      exceptSessionId,
    ],
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
