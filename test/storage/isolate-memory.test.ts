/** What an isolate remembers: it saves operations for five seconds, and never prolongs anything. */

import { describe, expect, test } from "vitest";
import { fakeClock } from "../support/clock.ts";
import { randomLookupKey } from "../support/drafts.ts";
import { makeScene } from "../support/scene.ts";
import type { Isolate } from "../support/world.ts";

const operations = ({ kv, db }: Isolate) => ({ kv: kv.count(), db: db.count() });

describe("memory of a live session", () => {
  test("serves five seconds of checks without any KV or D1 operation", async () => {
    const { world, lookupKey, draft, at } = await makeScene();
    const isolate = world.isolate();
    await isolate.store.checkAtEdge(lookupKey);
    expect(operations(isolate)).toEqual({ kv: 1, db: 0 });
    for (const milliseconds of [0, 1, 2500, 4999]) {
      at(milliseconds);
      expect(await isolate.store.checkAtEdge(lookupKey)).toMatchObject({ id: draft.id });
    }
    expect(operations(isolate)).toEqual({ kv: 1, db: 0 });
    at(5000);
    await isolate.store.checkAtEdge(lookupKey);
    expect(operations(isolate)).toEqual({ kv: 2, db: 0 });
  });

  test("does not outlive the session", async () => {
    const { world, lookupKey, at } = await makeScene({ expiresAt: fakeClock().now() + 60_000 });
    const { store } = world.isolate();
    at(59_000);
    expect(await store.checkAtEdge(lookupKey)).not.toBeNull();
    at(59_999);
    expect(await store.checkAtEdge(lookupKey)).not.toBeNull();
    at(60_000);
    expect(await store.checkAtEdge(lookupKey)).toBeNull();
  });

  test("does not outlive the lease", async () => {
    const { world, home, tenant, draft, lookupKey, lease, at } = await makeScene();
    const { store, kv } = world.isolate();
    kv.freeze();
    await home.store.revoke(tenant.id, draft.id);
    await home.settle();
    at(lease - 2000);
    expect(await store.checkAtEdge(lookupKey)).not.toBeNull();
    at(lease - 1);
    expect(await store.checkAtEdge(lookupKey)).not.toBeNull();
    at(lease);
    expect(await store.checkAtEdge(lookupKey)).toBeNull();
  });

  test("is gone at once where the session is revoked, whatever KV still says", async () => {
    const { home, tenant, draft, lookupKey } = await makeScene();
    home.kv.freeze();
    expect(await home.store.checkAtEdge(lookupKey)).not.toBeNull();
    const before = operations(home);
    await home.store.revoke(tenant.id, draft.id);
    expect(await home.store.checkAtEdge(lookupKey)).toBeNull();
    expect(operations(home), "one batch, one tombstone, and no look-up").toEqual({
      kv: before.kv + 1,
      db: before.db + 1,
    });
  });

  test("is gone at once where everything is revoked", async () => {
    const { home, tenant, lookupKey, key } = await makeScene();
    await home.store.checkAtEdge(lookupKey);
    await home.store.revokeAll(tenant.id, { scope: "customer", customerId: tenant.team.id });
    home.kv.pin(key, null);
    expect(await home.store.checkAtEdge(lookupKey)).toBeNull();
  });

  for (const [how, options] of [
    ["is deleted", null],
    ["is deleted without an answer from D1", { when: "after", times: 1 } as const],
  ] as const) {
    test(`is gone at once where the session's customer ${how}, whatever KV still says`, async () => {
      const { home, tenant, draft, lookupKey, key } = await makeScene();
      expect(await home.store.checkAtEdge(lookupKey)).toMatchObject({ id: draft.id });
      if (options !== null) home.db.fail("batch", options);
      expect(await home.customers.delete(tenant.id, tenant.team.id, false)).toBe(true);
      home.kv.pin(key, null);
      expect(await home.store.checkAtEdge(lookupKey)).toBeNull();
    });
  }

  test("follows no clock that has gone back", async () => {
    const { world, lookupKey, at } = await makeScene();
    const isolate = world.isolate();
    at(10_000);
    await isolate.store.checkAtEdge(lookupKey);
    at(9999);
    await isolate.store.checkAtEdge(lookupKey);
    expect(operations(isolate)).toEqual({ kv: 2, db: 0 });
  });
});

describe("memory of what is not live", () => {
  test("refuses for five seconds without any KV or D1 operation, after a check of either sort", async () => {
    for (const sort of ["checkAtEdge", "checkStrictly"] as const) {
      const { world, at } = await makeScene();
      const isolate = world.isolate();
      const unknown = randomLookupKey();
      expect(await isolate.store[sort](unknown)).toBeNull();
      const once = operations(isolate);
      at(4999);
      expect(await isolate.store.checkAtEdge(unknown)).toBeNull();
      expect(operations(isolate)).toEqual(once);
      at(5000);
      expect(await isolate.store.checkAtEdge(unknown)).toBeNull();
      expect(isolate.db.count("read")).toBe(2);
    }
  });

  test("is kept of a tombstone too", async () => {
    const { world, home, tenant, draft, lookupKey } = await makeScene();
    await home.store.revoke(tenant.id, draft.id);
    await home.settle();
    const isolate = world.isolate();
    for (let i = 0; i < 3; i++) expect(await isolate.store.checkAtEdge(lookupKey)).toBeNull();
    expect(operations(isolate)).toEqual({ kv: 1, db: 0 });
  });

  test("is not kept of an outage", async () => {
    const { world, lookupKey, key, draft } = await makeScene();
    const { store, db, kv } = world.isolate();
    kv.pin(key, null);
    db.fail("read", { times: 1 });
    await expect(store.checkAtEdge(lookupKey)).rejects.toMatchObject({ code: "unavailable" });
    expect(await store.checkAtEdge(lookupKey)).toMatchObject({ id: draft.id });
  });

  test("does not answer a strict check", async () => {
    const { world } = await makeScene();
    const { store, db } = world.isolate();
    const unknown = randomLookupKey();
    await store.checkStrictly(unknown);
    await store.checkStrictly(unknown);
    expect(db.count("read")).toBe(2);
  });
});

describe("the note of the last access", () => {
  const TOUCH = /SET last_accessed_at/;
  const written = ({ db }: Isolate) =>
    db.log
      .filter(({ statements }) => statements.some(({ sql }) => TOUCH.test(sql)))
      .reduce((rows, { meta }) => rows + (meta[0]?.rows_written ?? 0), 0);

  test("is written once for a minute of strict checks, and KV is left alone", async () => {
    const { world, lookupKey, at } = await makeScene();
    const isolate = world.isolate();
    for (let second = 0; second < 60; second++) {
      at(second * 1000);
      await isolate.store.checkStrictly(lookupKey);
      await isolate.settle();
    }
    expect(isolate.db.count(TOUCH)).toBe(1);
    at(60_000);
    await isolate.store.checkStrictly(lookupKey);
    await isolate.settle();
    expect(isolate.db.count(TOUCH)).toBe(2);
    expect(isolate.kv.count()).toBe(0);
  });

  test("is one row for many checks at the same moment, in any number of isolates", async () => {
    const { world, lookupKey } = await makeScene();
    const isolates = Array.from({ length: 5 }, () => world.isolate());
    await Promise.all(
      isolates.flatMap(({ store }) => [store.checkStrictly(lookupKey), store.checkStrictly(lookupKey)]),
    );
    for (const { settle } of isolates) await settle();
    expect(isolates.reduce((rows, isolate) => rows + written(isolate), 0)).toBe(1);
  });

  test("is not written by checks that memory or KV can answer", async () => {
    const { world, lookupKey, lease, at } = await makeScene();
    const isolate = world.isolate();
    for (let milliseconds = 0; milliseconds < lease; milliseconds += 1000) {
      at(milliseconds);
      await isolate.store.checkAtEdge(lookupKey);
    }
    await isolate.settle();
    expect(isolate.db.count()).toBe(0);
    expect(isolate.kv.count("put")).toBe(0);
    at(lease);
    await isolate.store.checkAtEdge(lookupKey);
    await isolate.settle();
    expect(isolate.db.count(TOUCH)).toBe(1);
  });
});
