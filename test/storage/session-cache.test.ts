/** The isolate's memory by itself: bounded, short, and closed to what began before a revocation. */

import { describe, expect, test } from "vitest";
import type { SessionFacts } from "../../src/core/session.ts";
import { createSessionCache, NOT_LIVE } from "../../src/storage/session-cache.ts";

const record = { provedAt: 0, facts: { id: "a session" } as SessionFacts };

describe("a remembered session", () => {
  test("is there for five seconds, to the millisecond, and never before it was remembered", () => {
    const cache = createSessionCache();
    cache.remember(cache.ticket(), "key", record, 1000);
    expect(cache.get("key", 999)).toBeUndefined();
    expect(cache.get("key", 1000)).toBe(record);
    expect(cache.get("key", 5999)).toBe(record);
    expect(cache.get("key", 6000)).toBeUndefined();
    expect(cache.get("other", 1000)).toBeUndefined();
  });

  test("gives way to a refusal, and the refusal to time", () => {
    const cache = createSessionCache();
    cache.remember(cache.ticket(), "key", record, 0);
    cache.rememberNotLive("key", 1000);
    expect(cache.get("key", 5999)).toBe(NOT_LIVE);
    expect(cache.get("key", 6000)).toBeUndefined();
  });

  test("does not take the place of a refusal before that one's time is over", () => {
    const cache = createSessionCache();
    cache.rememberNotLive("key", 0);
    cache.remember(cache.ticket(), "key", record, 4999);
    expect(cache.get("key", 4999)).toBe(NOT_LIVE);
    cache.remember(cache.ticket(), "key", record, 5000);
    expect(cache.get("key", 5000)).toBe(record);
  });

  test("is pushed out by the ten thousandth after it; the one used again last stays longest", () => {
    const cache = createSessionCache();
    for (let i = 0; i < 10_000; i++) cache.remember(cache.ticket(), `key ${i}`, record, 0);
    expect(cache.get("key 0", 0)).toBe(record);
    cache.remember(cache.ticket(), "key 0", record, 0);
    for (let i = 0; i < 5000; i++) cache.rememberNotLive(`unknown ${i}`, 0);
    expect(cache.get("key 0", 0)).toBe(record);
    expect(cache.get("key 1", 0)).toBeUndefined();
    expect(cache.get("key 5000", 0)).toBeUndefined();
    expect(cache.get("key 5001", 0)).toBe(record);
  });
});

describe("after a revocation", () => {
  test("of the session, its key is refused, and an older ticket remembers nothing", () => {
    const cache = createSessionCache();
    const ticket = cache.ticket();
    cache.remember(ticket, "key", record, 0);
    cache.evict("key", 0);
    expect(cache.isCurrent(ticket)).toBe(false);
    cache.remember(ticket, "key", record, 0);
    expect(cache.get("key", 0)).toBe(NOT_LIVE);
    cache.remember(ticket, "other", record, 0);
    expect(cache.get("other", 0)).toBeUndefined();
    cache.remember(cache.ticket(), "other", record, 0);
    expect(cache.get("other", 0)).toBe(record);
  });

  test("of everything, nothing is known, and an older ticket remembers nothing", () => {
    const cache = createSessionCache();
    const ticket = cache.ticket();
    cache.remember(ticket, "key", record, 0);
    cache.evictAll();
    cache.remember(ticket, "key", record, 0);
    expect(cache.get("key", 0)).toBeUndefined();
  });
});

describe("renewals", () => {
  test("run one at a time for a session, side by side for two", async () => {
    const cache = createSessionCache();
    const gate = Promise.withResolvers<void>();
    const runs: string[] = [];
    const renew = (key: string, now: number) =>
      cache.renewOnce(key, now, () => {
        runs.push(key);
        return gate.promise;
      });
    const all = [renew("a", 0), renew("a", 1), renew("b", 1), renew("a", 29_999)];
    expect(runs).toEqual(["a", "b"]);
    gate.resolve();
    await Promise.all(all);
    await renew("a", 29_999);
    expect(runs).toEqual(["a", "b", "a"]);
  });

  test("that hang are given up after half a minute; one that fails is over at once", async () => {
    const cache = createSessionCache();
    const runs: number[] = [];
    const hang = (now: number) => {
      void cache.renewOnce("a", now, () => {
        runs.push(now);
        return new Promise(() => {});
      });
    };
    for (const now of [0, 29_999, 30_000]) hang(now);
    expect(runs).toEqual([0, 30_000]);
    const fail = () => cache.renewOnce("b", 0, () => Promise.reject(new Error("KV is away")));
    await expect(fail()).rejects.toThrow("KV is away");
    await expect(fail()).rejects.toThrow("KV is away");
  });
});
