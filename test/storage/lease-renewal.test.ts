/**
 * The lease: when a copy must be proved again, and why `provedAt` is the start of the D1 read. The tests named "slow"
 * fail if it is taken when the copy is put, or when D1's answer arrives.
 */

import { describe, expect, test } from "vitest";
import { HOUR_MS, memberOf, sessionDraft } from "../support/drafts.ts";
import { makeScene, parseRecord } from "../support/scene.ts";

describe("a copy whose lease is over", () => {
  test("is proved by D1 and rewritten with the time at which that read began", async () => {
    const { world, lookupKey, key, draft, lease, createdAt, at } = await makeScene();
    const { store, db, settle } = world.isolate();
    at(lease - 1);
    expect(await store.checkAtEdge(lookupKey)).toMatchObject({ id: draft.id });
    expect(db.count()).toBe(0);
    at(lease);
    expect(await store.checkAtEdge(lookupKey)).toMatchObject({ id: draft.id });
    expect(db.count("read")).toBe(1);
    await settle();
    expect(world.kv.versions(key).map(({ value }) => parseRecord(value).provedAt)).toEqual([
      createdAt,
      createdAt + lease,
    ]);
    const other = world.isolate();
    at(lease + lease - 1);
    expect(await other.store.checkAtEdge(lookupKey)).toMatchObject({ id: draft.id });
    expect(other.db.count()).toBe(0);
  });

  test("is rewritten once however many ask at the same time, and again when the next lease is over", async () => {
    const { world, lookupKey, lease, at } = await makeScene();
    const { store, kv, settle } = world.isolate();
    for (const round of [1, 2]) {
      at(lease * round);
      const gate = kv.hold("put");
      const checks = await Promise.all(Array.from({ length: 10 }, () => store.checkAtEdge(lookupKey)));
      expect(checks.every((facts) => facts !== null)).toBe(true);
      expect(kv.count("put")).toBe(round);
      gate.release();
      await settle();
    }
  });

  test("is rewritten by another check when a renewal has been stuck for half a minute", async () => {
    const { world, lookupKey, lease, at } = await makeScene();
    const { store, kv } = world.isolate();
    kv.pin(`s:${lookupKey}`, null);
    kv.hang("put");
    at(lease);
    await store.checkAtEdge(lookupKey);
    at(lease + 29_999);
    await store.checkAtEdge(lookupKey);
    expect(kv.count("put")).toBe(1);
    at(lease + 35_000);
    await store.checkAtEdge(lookupKey);
    expect(kv.count("put")).toBe(2);
  });

  test("that KV will not take leaves the session working, and is tried again", async () => {
    const { world, lookupKey, key, draft, lease, at } = await makeScene();
    const { store, kv, settle, warnings } = world.isolate();
    kv.fail("put", { times: 1 });
    at(lease);
    expect(await store.checkAtEdge(lookupKey)).toMatchObject({ id: draft.id });
    await settle();
    expect(warnings).toMatchObject([{ event: "kv_write_failed", fields: { what: "renewal" } }]);
    at(lease + 5000);
    expect(await store.checkAtEdge(lookupKey)).toMatchObject({ id: draft.id });
    await settle();
    expect(world.kv.versions(key)).toHaveLength(2);
  });

  test("is not believed when it was proved later than now, by a clock ahead of ours", async () => {
    const { world, lookupKey, key, createdAt, draft, tenant, home } = await makeScene();
    const { store, db, kv } = world.isolate();
    const record = parseRecord(world.kv.versions(key)[0]?.value);
    kv.pin(key, JSON.stringify({ ...record, provedAt: createdAt + 1 }));
    await home.store.revoke(tenant.id, draft.id);
    expect(await store.checkAtEdge(lookupKey)).toBeNull();
    expect(db.count("read")).toBe(1);
  });
});

describe("a slow renewal", () => {
  const REVOKED_AFTER = 1000;
  const ANSWERED_AFTER = 200_000;

  test("that writes over a revocation's tombstone resurrects nothing beyond the lease of its read", async () => {
    const { world, tenant, draft, lookupKey, key, lease, at } = await makeScene();
    const [slow, revoker, other, late] = [world.isolate(), world.isolate(), world.isolate(), world.isolate()];
    slow.kv.pin(key, null);
    const gate = slow.db.hold("read", { when: "after" });
    const check = slow.store.checkAtEdge(lookupKey);
    await gate.reached;
    at(REVOKED_AFTER);
    await revoker.store.revoke(tenant.id, draft.id);
    await revoker.settle();
    expect(await other.store.checkAtEdge(lookupKey), "the tombstone holds").toBeNull();
    at(ANSWERED_AFTER);
    gate.release();
    await check;
    await slow.settle();
    expect(parseRecord(world.kv.versions(key).at(-1)?.value).facts, "the tombstone is gone").toBeDefined();
    at(lease - 1);
    expect(await other.store.checkAtEdge(lookupKey), "the copy is believed for now").not.toBeNull();
    at(lease);
    expect(await other.store.checkAtEdge(lookupKey)).toBeNull();
    expect(await late.store.checkAtEdge(lookupKey)).toBeNull();
    expect(await slow.store.checkAtEdge(lookupKey)).toBeNull();
  });

  test("whose put is slow resurrects nothing beyond the lease of its read", async () => {
    const { world, tenant, draft, lookupKey, key, lease, at } = await makeScene();
    const [slow, revoker, other] = [world.isolate(), world.isolate(), world.isolate()];
    slow.kv.pin(key, null);
    const gate = slow.kv.hold("put");
    await slow.store.checkAtEdge(lookupKey);
    await gate.reached;
    at(REVOKED_AFTER);
    await revoker.store.revoke(tenant.id, draft.id);
    await revoker.settle();
    at(ANSWERED_AFTER);
    gate.release();
    await slow.settle();
    expect(parseRecord(world.kv.versions(key).at(-1)?.value).facts).toBeDefined();
    at(lease - 1);
    expect(await other.store.checkAtEdge(lookupKey)).not.toBeNull();
    at(lease);
    expect(await other.store.checkAtEdge(lookupKey)).toBeNull();
  });

  test("of a session just made vouches from the start of its creation only", async () => {
    const { world, home, tenant, clock, at } = await makeScene();
    const [revoker, other] = [world.isolate(), world.isolate()];
    const draft = sessionDraft(memberOf(tenant), clock.now());
    const startedAt = clock.now();
    const gate = home.db.hold("batch", { when: "after" });
    const create = home.store.insert(draft);
    await gate.reached;
    at(REVOKED_AFTER);
    await revoker.store.revoke(tenant.id, draft.id);
    await revoker.settle();
    at(ANSWERED_AFTER);
    gate.release();
    expect(await create).toMatchObject({ id: draft.id });
    await home.settle();
    const { provedAt } = parseRecord(world.kv.versions(`s:${draft.lookupKey}`).at(-1)?.value);
    expect(provedAt).toBe(startedAt);
    at(300_000);
    expect(await other.store.checkAtEdge(draft.lookupKey)).toBeNull();
  });

  test("of a session just prolonged vouches from the start of that write only", async () => {
    const { world, home, tenant, draft, lookupKey, key, createdAt, at } = await makeScene();
    const [revoker, other] = [world.isolate(), world.isolate()];
    const gate = home.db.hold("batch", { when: "after" });
    const extend = home.store.change(tenant.id, draft.id, { expiresAt: createdAt + 2 * HOUR_MS });
    await gate.reached;
    at(REVOKED_AFTER);
    await revoker.store.revoke(tenant.id, draft.id);
    await revoker.settle();
    at(ANSWERED_AFTER);
    gate.release();
    await extend;
    await home.settle();
    expect(parseRecord(world.kv.versions(key).at(-1)?.value)).toMatchObject({ provedAt: createdAt });
    at(300_000);
    expect(await other.store.checkAtEdge(lookupKey)).toBeNull();
  });
});

describe("in the isolate that revokes", () => {
  for (const [what, end] of [
    ["the session", ({ home, tenant, draft }) => home.store.revoke(tenant.id, draft.id)],
    ["everything", ({ home, tenant }) => home.store.revokeAll(tenant.id, { scope: "organization" })],
  ] as [string, (scene: Awaited<ReturnType<typeof makeScene>>) => Promise<unknown>][]) {
    test(`a D1 check that began before ${what} was revoked fills neither memory nor KV`, async () => {
      const scene = await makeScene();
      const { world, home, lookupKey, key } = scene;
      home.kv.pin(key, null);
      const gate = home.db.hold("read", { when: "after" });
      const early = home.store.checkAtEdge(lookupKey);
      await gate.reached;
      await end(scene);
      const puts = world.kv.versions(key).length;
      gate.release();
      await early;
      await home.settle();
      expect(await home.store.checkAtEdge(lookupKey)).toBeNull();
      expect(
        world.kv
          .versions(key)
          .slice(puts)
          .filter(({ value }) => !parseRecord(value).tombstone),
      ).toEqual([]);
    });

    test(`a KV check that began before ${what} was revoked does not fill memory`, async () => {
      const scene = await makeScene();
      const { home, lookupKey, key } = scene;
      const gate = home.kv.hold("get", { when: "after" });
      const early = home.store.checkAtEdge(lookupKey);
      await gate.reached;
      await end(scene);
      gate.release();
      expect(await early, "it began before, and may say so").not.toBeNull();
      await home.settle();
      home.kv.pin(key, null);
      expect(await home.store.checkAtEdge(lookupKey)).toBeNull();
    });
  }
});
