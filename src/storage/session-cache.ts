/**
 * What this isolate has just learnt about sessions: believed for five seconds at most, bounded in size, and never
 * refilled by a check that began before a revocation. It extends neither expiry nor lease.
 */

import { createExpiringCache } from "./expiring-cache.ts";
import type { SessionRecord } from "./session-records.ts";

const CACHE_TTL_MS = 5000;
const MAX_ENTRIES = 10_000;
/** What runs after an answer is cut off by the platform at 30 s, without a word: such a renewal blocks no other. */
const RENEWAL_LIMIT_MS = 30_000;

export const NOT_LIVE = "not live";

export interface SessionCache {
  /** To be taken before a check reads anything; lets `remember` tell whether a revocation came in between. */
  ticket(): number;
  get(lookupKey: string, now: number): SessionRecord | typeof NOT_LIVE | undefined;
  remember(ticket: number, lookupKey: string, record: SessionRecord, now: number): void;
  rememberNotLive(lookupKey: string, now: number): void;
  /** Whether anything was revoked by this isolate since the ticket was taken. */
  isCurrent(ticket: number): boolean;
  evict(lookupKey: string, now: number): void;
  evictAll(): void;
  /** Runs one renewal per session at a time; a second one is not started. */
  renewOnce(lookupKey: string, now: number, renewal: () => Promise<void>): Promise<void>;
}

export function createSessionCache(): SessionCache {
  const entries = createExpiringCache<SessionRecord | typeof NOT_LIVE>(CACHE_TTL_MS, MAX_ENTRIES);
  const renewing = new Map<string, number>();
  let revocations = 0;

  return {
    ticket: () => revocations,
    isCurrent: (ticket) => ticket === revocations,

    get: entries.get,

    remember(ticket, lookupKey, record, now) {
      // What D1 has just refused is not forgotten over an older answer of KV's.
      const isRefused = entries.get(lookupKey, now) === NOT_LIVE;
      if (ticket === revocations && !isRefused) entries.set(lookupKey, record, now);
    },

    rememberNotLive: (lookupKey, now) => entries.set(lookupKey, NOT_LIVE, now),

    evict(lookupKey, now) {
      revocations++;
      entries.set(lookupKey, NOT_LIVE, now);
    },

    evictAll() {
      revocations++;
      entries.clear();
    },

    async renewOnce(lookupKey, now, renewal) {
      if (now - (renewing.get(lookupKey) ?? Number.NEGATIVE_INFINITY) < RENEWAL_LIMIT_MS) return;
      if (renewing.size >= MAX_ENTRIES) renewing.clear();
      renewing.set(lookupKey, now);
      try {
        await renewal();
      } finally {
        renewing.delete(lookupKey);
      }
    },
  };
}
