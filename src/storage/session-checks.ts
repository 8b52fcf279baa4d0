/**
 * Recognising a session. The edge check reads the isolate's memory, then KV, and asks D1 only for what they cannot
 * settle; the strict check asks D1 alone. Never turns an outage into "not live".
 */

import { isExpired } from "../core/lifetimes.ts";
import type { SessionStore } from "../core/ports.ts";
import type { LiveSession, SealedSession, SessionFacts } from "../core/session.ts";
import {
  IS_LIVE,
  type LiveSessionRow,
  SEALED_COLUMNS,
  SESSION_COLUMNS,
  SESSIONS,
  type SealedRow,
  toLiveSession,
  toSealedSession,
} from "./live-sessions.ts";
import { NOT_LIVE } from "./session-cache.ts";
import { isWithinLease, putRecord, readRecord, type SessionRecord, TOMBSTONE } from "./session-records.ts";
import type { StoreContext } from "./session-store.ts";

/** `last_accessed_at` is written at most this often per session. */
const TOUCH_INTERVAL_MS = 60_000;

const CHECK = `SELECT ${SESSION_COLUMNS} FROM ${SESSIONS} WHERE s.lookup_key = ?2 AND ${IS_LIVE}`;
const CHECK_BY_ID = `SELECT ${SEALED_COLUMNS} FROM ${SESSIONS} WHERE s.id = ?2 AND s.organization_id = ?3 AND ${IS_LIVE}`;
const TOUCH = `UPDATE sessions SET last_accessed_at = ?1
  WHERE id = ?2 AND (last_accessed_at IS NULL OR last_accessed_at <= ?1 - ${TOUCH_INTERVAL_MS})`;

export function sessionChecks(
  context: StoreContext,
): Pick<SessionStore, "checkAtEdge" | "checkStrictly" | "checkById"> {
  const { database, kv, cache, clock, waitUntil, log } = context;

  const isBelievable = (record: SessionRecord, lookupKey: string, now: number) =>
    !isExpired(record.facts.expiresAt, now) && isWithinLease(record, lookupKey, now);

  async function checkStrictly(lookupKey: string, organizationId: string | null = null): Promise<LiveSession | null> {
    const now = clock.now();
    const [row] = await database.read<LiveSessionRow>(CHECK, now, lookupKey);
    if (row === undefined) {
      cache.rememberNotLive(lookupKey, clock.now());
      return null;
    }
    // It lives, though not for whoever asks: neither is that remembered as its end, nor is it accessed by it.
    if (organizationId !== null && row.o_id !== organizationId) return null;
    return touched(toLiveSession(row), now);
  }

  async function checkById(organizationId: string, sessionId: string): Promise<SealedSession | null> {
    const now = clock.now();
    const [row] = await database.read<SealedRow>(CHECK_BY_ID, now, sessionId, organizationId);
    if (row === undefined) return null;
    const sealed = toSealedSession(row);
    return { ...sealed, session: touched(sealed.session, now) };
  }

  /** The session as accessed now. That is written after the answer, and seldom. */
  function touched(session: LiveSession, now: number): LiveSession {
    if (session.lastAccessedAt !== null && session.lastAccessedAt > now - TOUCH_INTERVAL_MS) return session;
    waitUntil(
      database
        .transact([TOUCH, now, session.id])
        .catch((error: unknown) => log.warn("touch_failed", { sessionId: session.id, error })),
    );
    return { ...session, lastAccessedAt: now };
  }

  async function checkAtEdge(lookupKey: string): Promise<SessionFacts | null> {
    const ticket = cache.ticket();
    const startedAt = clock.now();
    const cached = cache.get(lookupKey, startedAt);
    if (cached === NOT_LIVE) return null;
    if (cached !== undefined && isBelievable(cached, lookupKey, startedAt)) return cached.facts;

    const record = await readRecord(kv, lookupKey);
    const readAt = clock.now();
    if (record === TOMBSTONE) {
      cache.rememberNotLive(lookupKey, readAt);
      return null;
    }
    if (record !== null && isBelievable(record, lookupKey, readAt)) {
      cache.remember(ticket, lookupKey, record, readAt);
      return record.facts;
    }
    return proveAgain(ticket, lookupKey);
  }

  /** `provedAt` is the time before the D1 read: taken later, it would vouch for what the read could not have seen. */
  async function proveAgain(ticket: number, lookupKey: string): Promise<SessionFacts | null> {
    const provedAt = clock.now();
    const session = await checkStrictly(lookupKey);
    if (session === null) return null;
    const record = { provedAt, facts: toFacts(session) };
    cache.remember(ticket, lookupKey, record, clock.now());
    const renewal = async () => {
      // A revocation that came in meanwhile has put its tombstone, or is about to: do not write over it.
      if (cache.isCurrent(ticket)) await putRecord(kv, lookupKey, record, clock.now());
    };
    waitUntil(
      cache
        .renewOnce(lookupKey, provedAt, renewal)
        .catch((error: unknown) => log.warn("kv_write_failed", { what: "renewal", willRetry: false, error })),
    );
    return record.facts;
  }

  return { checkAtEdge, checkStrictly, checkById };
}

/** Field by field: whatever else a live session carries (names, addresses) stays out of KV. */
export function toFacts(session: LiveSession): SessionFacts {
  return {
    id: session.id,
    kind: session.kind,
    organizationId: session.organizationId,
    organizationSlug: session.organizationSlug,
    customerId: session.customerId,
    memberId: session.memberId,
    role: session.role,
    returnUrl: session.returnUrl,
    expiresAt: session.expiresAt,
  };
}
