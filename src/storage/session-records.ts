/**
 * Sessions in KV: the record's shape and version, its key, its TTL, and the tombstone. KV is a copy that may be
 * missing, old or garbled; nothing here decides whether a session lives, except that a tombstone is final.
 */

import type { SessionFacts } from "../core/session.ts";
import { withinDeadline } from "./deadline.ts";

/** KV refuses a shorter expirationTtl with an error. */
const KV_MIN_TTL_SECONDS = 60;
/** Seconds that a record outlives its session: readers check the expiry themselves, so late is harmless, early is not. */
const TTL_MARGIN_SECONDS = 10;
/** The platform's minimum: how long a location may answer from its own copy. */
const KV_CACHE_TTL_SECONDS = 30;
/** A slow KV must not be slower than asking D1. */
const KV_DEADLINE_MS = 250;
const RECORD_VERSION = 1;

const LEASE_MIN_MS = 240_000;
const LEASE_SPREAD_MS = 60_000;

/** What D1 said of a session, and when the read that said so began. */
export interface SessionRecord {
  provedAt: number;
  facts: SessionFacts;
}

export const TOMBSTONE = "tombstone";

/**
 * Whether a record may be believed without asking D1. `provedAt` is taken before the proving read starts, so nothing
 * that was committed before it can be missing from the record; after the lease the record proves nothing, however
 * often it was copied. A `provedAt` ahead of our clock is another clock's word: not believed.
 */
export function isWithinLease(record: SessionRecord, lookupKey: string, now: number): boolean {
  const age = now - record.provedAt;
  return age >= 0 && age < leaseMilliseconds(lookupKey);
}

/** 240…300 s, spread by lookup key so that sessions made together are not proved again together. */
export function leaseMilliseconds(lookupKey: string): number {
  return LEASE_MIN_MS + (Number.parseInt(lookupKey.slice(0, 6), 16) % (LEASE_SPREAD_MS + 1));
}

/** Relative, not absolute, so that an injected clock works; rounded up, since rounding down fell below KV's floor. */
export function recordTtlSeconds(expiresAt: number, now: number): number {
  return Math.max(KV_MIN_TTL_SECONDS, Math.ceil((expiresAt - now) / 1000) + TTL_MARGIN_SECONDS);
}

/** null stands for everything that only D1 can settle: a miss, an error, slowness, an unknown version, garbage. */
export async function readRecord(kv: KVNamespace, lookupKey: string): Promise<SessionRecord | typeof TOMBSTONE | null> {
  try {
    const value = kv.get(recordKey(lookupKey), { type: "text", cacheTtl: KV_CACHE_TTL_SECONDS });
    return decode(await withinDeadline("KV", KV_DEADLINE_MS, value));
  } catch {
    return null;
  }
}

export function putRecord(kv: KVNamespace, lookupKey: string, record: SessionRecord, now: number): Promise<void> {
  const value = JSON.stringify({ v: RECORD_VERSION, ...record });
  return kv.put(recordKey(lookupKey), value, { expirationTtl: recordTtlSeconds(record.facts.expiresAt, now) });
}

/** A put, never a delete: an absent key cannot be told from one that has not arrived yet. */
export function putTombstone(kv: KVNamespace, lookupKey: string, expiresAt: number, now: number): Promise<void> {
  const value = JSON.stringify({ v: RECORD_VERSION, tombstone: true });
  return kv.put(recordKey(lookupKey), value, { expirationTtl: recordTtlSeconds(expiresAt, now) });
}

/** Fixed-form hex only; no text of a user ever becomes part of a key. */
function recordKey(lookupKey: string): string {
  return `s:${lookupKey}`;
}

function decode(text: string | null): SessionRecord | typeof TOMBSTONE | null {
  if (text === null) return null;
  const value = JSON.parse(text) as { v?: unknown; tombstone?: unknown; provedAt?: unknown; facts?: unknown } | null;
  if (value?.v !== RECORD_VERSION) return null;
  if (value.tombstone === true) return TOMBSTONE;
  return typeof value.provedAt === "number" && isFacts(value.facts)
    ? { provedAt: value.provedAt, facts: value.facts }
    : null;
}

function isFacts(value: unknown): value is SessionFacts {
  if (typeof value !== "object" || value === null) return false;
  const { id, kind, organizationId, organizationSlug, customerId, memberId, role, returnUrl, expiresAt } =
    value as Record<keyof SessionFacts, unknown>;
  const isTextOrNull = (field: unknown) => field === null || typeof field === "string";
  return (
    [id, organizationId, organizationSlug, customerId].every((field) => typeof field === "string") &&
    (kind === "member" || kind === "customer") &&
    [memberId, role, returnUrl].every(isTextOrNull) &&
    typeof expiresAt === "number"
  );
}
