/**
 * Keys that somebody else publishes at an address: fetched when needed, believed for a while, remembered by the
 * isolate. Neither strangers' calls nor a source that fails make us ask more often, and those who want the same list at
 * the same time share one answer. What cannot be fetched or read is an outage, never "there is no such key".
 */

import { LatchkeyError } from "./core/errors.ts";
import type { Outside } from "./core/identity-ports.ts";
import type { Clock } from "./core/ports.ts";
import { OUTBOUND_DEADLINE_MS } from "./outbound.ts";
import { withinDeadline } from "./storage/deadline.ts";

/** Its owner may have a new key: one that is not in the list is looked for again, but not for every stranger's call. */
const SEARCH_INTERVAL_MS = 60_000;
const RETRY_INTERVAL_MS = 5000;
/** Lists, the oldest forgotten first. */
const MAX_LISTS = 100;

interface Entry<Keys> {
  keys: Keys | null;
  fetchedAt: number;
  failedAt: number;
  /** The fetch that is on its way, whoever began it. */
  underway: Promise<void> | null;
}

/** One per isolate and kind of list, by address. */
export type PublishedKeyCache<Keys> = Map<string, Entry<Keys>>;

/** What a kind of list has to be asked for with. */
export interface Surroundings<Keys> {
  cache: PublishedKeyCache<Keys>;
  outside: Outside;
  clock: Clock;
  waitUntil(work: Promise<unknown>): void;
}

interface Kind<Keys> {
  /** @throws {Error} the answer is no list of keys. */
  parse(json: unknown): Keys;
  /** How long a key that the list has is believed: its owner may have withdrawn it. */
  believedMs: number;
}

export interface PublishedKeys<Keys> {
  /**
   * The list that is published there.
   * @param hasKey whether it has the key that is looked for; if not, it may be fetched once more.
   * @throws {LatchkeyError} unavailable
   */
  read(url: string, hasKey: (keys: Keys) => boolean): Promise<Keys>;
}

export function createPublishedKeys<Keys>(
  { parse, believedMs }: Kind<Keys>,
  { cache, outside, clock, waitUntil }: Surroundings<Keys>,
): PublishedKeys<Keys> {
  /** A clock that has gone back proves nothing about how long ago something was. */
  const isWithin = (milliseconds: number, since: number) => {
    const age = clock.now() - since;
    return age >= 0 && age < milliseconds;
  };

  async function fetchInto(entry: Entry<Keys>, url: string): Promise<void> {
    try {
      entry.keys = parse(await outside.getJson(url));
      entry.fetchedAt = clock.now();
    } catch (error) {
      entry.failedAt = clock.now();
      throw error;
    } finally {
      entry.underway = null;
    }
  }

  async function refresh(entry: Entry<Keys>, url: string): Promise<void> {
    if (isWithin(RETRY_INTERVAL_MS, entry.failedAt)) throw new Error("the last attempt failed a moment ago");
    if (entry.underway === null) {
      entry.underway = fetchInto(entry, url);
      // Whoever began it may hang up; the others still wait for it.
      waitUntil(entry.underway.catch(() => {}));
    }
    const { underway } = entry;
    try {
      // Nor does anybody wait for a fetch that was cut off with the request that began it.
      await withinDeadline("the source", OUTBOUND_DEADLINE_MS + 500, underway);
    } finally {
      if (entry.underway === underway) entry.underway = null;
    }
  }

  return {
    async read(url, hasKey) {
      const entry = entryOf(cache, url);
      const isKnown = entry.keys !== null && hasKey(entry.keys);
      const isRecent = isWithin(isKnown ? believedMs : SEARCH_INTERVAL_MS, entry.fetchedAt);
      try {
        if (!isRecent) await refresh(entry, url);
        if (entry.keys === null) throw new Error("there is no list");
        return entry.keys;
      } catch (cause) {
        throw new LatchkeyError("unavailable", { reason: `the public keys at ${url}`, cause });
      }
    },
  };
}

function entryOf<Keys>(cache: PublishedKeyCache<Keys>, url: string): Entry<Keys> {
  const known = cache.get(url);
  if (known !== undefined) return known;
  const never = Number.NEGATIVE_INFINITY;
  const entry: Entry<Keys> = { keys: null, fetchedAt: never, failedAt: never, underway: null };
  cache.set(url, entry);
  if (cache.size > MAX_LISTS) cache.delete(cache.keys().next().value as string);
  return entry;
}
