/**
 * KV or D1 away: what still works, what answers "unavailable", and that nothing ever answers "not live" in doubt.
 * Timers are faked where a deadline counts, so that a hang is told from slowness to the millisecond.
 */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { SessionStore } from "../../src/core/ports.ts";
import { fakeClock } from "../support/clock.ts";
import { codeDraft, memberOf, randomLookupKey, sessionDraft } from "../support/drafts.ts";
import { D1_ERRORS } from "../support/fault-d1.ts";
import { makeScene } from "../support/scene.ts";

const UNAVAILABLE = { name: "LatchkeyError", code: "unavailable" };

type Scene = Awaited<ReturnType<typeof makeScene>>;

/** Every call of the store that cannot be answered without D1. */
const CALLS: Record<string, (store: SessionStore, scene: Scene) => Promise<unknown>> = {
  "a strict check": (store, { lookupKey }) => store.checkStrictly(lookupKey),
  "an edge check of what KV does not know": (store) => store.checkAtEdge(randomLookupKey()),
  create: (store, { tenant, clock }) => store.insert(sessionDraft(memberOf(tenant), clock.now())),
  extend: (store, { tenant, draft, clock }) => store.change(tenant.id, draft.id, { expiresAt: clock.now() + 60_000 }),
  find: (store, { tenant, draft }) => store.find(tenant.id, draft.id),
  list: (store, { tenant }) => store.list(tenant.id, {}, { offset: 0, limit: 10 }),
  revoke: (store, { tenant, draft }) => store.revoke(tenant.id, draft.id),
  "revoke what has leaked": (store, { lookupKey }) => store.revokeLeaked([lookupKey]),
  "revoke all": (store, { tenant }) => store.revokeAll(tenant.id, { scope: "organization" }),
  redeem: (store, { tenant, draft }) => store.redeemCode(draft.code?.lookupKey ?? "", "browser", { id: tenant.id }),
  "look at a code": (store, { tenant, draft }) => store.findCode(draft.code?.lookupKey ?? "", { id: tenant.id }),
};

const makeSceneWithCode = () => makeScene({ code: codeDraft(fakeClock().now()) });

describe("with KV away", () => {
  for (const [how, strike] of [
    ["throws", (kv) => kv.fail("any")],
    ["throws after it has done its work", (kv) => kv.fail("any", { when: "after" })],
    ["hangs", (kv) => kv.hang("any")],
  ] as [string, (kv: Scene["home"]["kv"]) => void][]) {
    test(`an edge check is answered from D1, rightly, when KV ${how}`, async () => {
      const { world, home, tenant, draft, lookupKey, clock } = await makeScene();
      const ended = sessionDraft(memberOf(tenant), clock.now());
      await home.store.insert(ended);
      await home.store.revoke(tenant.id, ended.id);
      const other = world.isolate();
      strike(other.kv);
      expect(await other.store.checkAtEdge(lookupKey)).toMatchObject({ id: draft.id });
      expect(await other.store.checkAtEdge(ended.lookupKey)).toBeNull();
      expect(await other.store.checkAtEdge(randomLookupKey())).toBeNull();
      expect(other.db.count("read")).toBe(3);
    });
  }

  test("nothing but an edge check, and what follows a write, touches KV at all", async () => {
    const scene = await makeSceneWithCode();
    const { store, kv, settle } = scene.world.isolate();
    kv.fail("any");
    for (const [name, call] of Object.entries(CALLS)) {
      if (name.startsWith("an edge check")) continue;
      await call(store, scene);
      expect(kv.count("get"), name).toBe(0);
    }
    await settle();
  });
});

describe("with D1 away", () => {
  for (const message of Object.values(D1_ERRORS)) {
    for (const name of Object.keys(CALLS)) {
      test(`${name} is unavailable, never "not live" (${message})`, async () => {
        const scene = await makeSceneWithCode();
        const { store, db, settle } = scene.world.isolate();
        db.fail("any", { message });
        await expect(CALLS[name]?.(store, scene)).rejects.toMatchObject(UNAVAILABLE);
        await settle();
        db.heal();
        expect(await store.checkStrictly(scene.lookupKey), "and nothing has happened").toMatchObject({
          expiresAt: scene.draft.expiresAt,
        });
      });
    }
  }

  test("a session within its lease works at the edge; after that it is unavailable", async () => {
    const { world, lookupKey, draft, lease, at } = await makeScene();
    const { store, db } = world.isolate();
    db.fail("any");
    for (const milliseconds of [0, 4000, 60_000, lease - 1]) {
      at(milliseconds);
      expect(await store.checkAtEdge(lookupKey)).toMatchObject({ id: draft.id });
    }
    at(lease);
    await expect(store.checkAtEdge(lookupKey)).rejects.toMatchObject(UNAVAILABLE);
    db.heal();
    expect(await store.checkAtEdge(lookupKey), "as soon as D1 is back").toMatchObject({ id: draft.id });
  });

  test("a session whose revocation KV knows is refused", async () => {
    const { world, home, tenant, draft, lookupKey } = await makeScene();
    await home.store.revoke(tenant.id, draft.id);
    await home.settle();
    const { store, db } = world.isolate();
    db.fail("any");
    expect(await store.checkAtEdge(lookupKey)).toBeNull();
  });

  test("and KV away too, everything is unavailable", async () => {
    const { world, lookupKey } = await makeScene();
    const { store, db, kv } = world.isolate();
    db.fail("any");
    kv.fail("any");
    await expect(store.checkAtEdge(lookupKey)).rejects.toMatchObject(UNAVAILABLE);
    await expect(store.checkAtEdge(randomLookupKey())).rejects.toMatchObject(UNAVAILABLE);
  });

  test("a note of the last access that fails does not fail the check", async () => {
    const { world, lookupKey, draft } = await makeScene();
    const { store, db, settle, warnings } = world.isolate();
    db.fail(/last_accessed_at = /);
    expect(await store.checkStrictly(lookupKey)).toMatchObject({ id: draft.id });
    await settle();
    expect(warnings.map(({ event }) => event)).toEqual(["touch_failed"]);
  });
});

describe("with D1 or KV hanging", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
  afterEach(() => void vi.useRealTimers());

  /** Whether the promise has settled by the time one asks. */
  function watch(promise: Promise<unknown> | undefined) {
    let settled = false;
    void promise?.finally(() => {
      settled = true;
    });
    return () => settled;
  }

  test("a hanging KV delays an edge check by 250 ms and no more", async () => {
    const { world, lookupKey, draft } = await makeScene();
    const { store, kv, db } = world.isolate();
    kv.hang("get");
    const check = store.checkAtEdge(lookupKey);
    await vi.advanceTimersByTimeAsync(249);
    expect(db.count()).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(await check).toMatchObject({ id: draft.id });
  });

  test("a KV that is slow but in time is believed", async () => {
    const { world, lookupKey, draft } = await makeScene();
    const { store, kv, db } = world.isolate();
    kv.slow("get", 200);
    const check = store.checkAtEdge(lookupKey);
    await vi.advanceTimersByTimeAsync(200);
    expect(await check).toMatchObject({ id: draft.id });
    expect(db.count()).toBe(0);
  });

  test("a hanging KV holds up neither create nor revoke", async () => {
    const { world, tenant, draft, clock } = await makeScene();
    const { store, kv } = world.isolate();
    kv.hang("put");
    expect(await store.insert(sessionDraft(memberOf(tenant), clock.now()))).not.toBeNull();
    expect(await store.revoke(tenant.id, draft.id)).toBe(true);
  });

  for (const name of ["a strict check", "an edge check of what KV does not know", "find", "list", "revoke", "extend"]) {
    test(`${name} is unavailable after 3 s of a hanging D1`, async () => {
      const scene = await makeSceneWithCode();
      const { store, db, kv } = scene.world.isolate();
      kv.fail("any");
      const gate = db.hold("any");
      const call = CALLS[name]?.(store, scene).catch((error: unknown) => error);
      const isSettled = watch(call);
      await gate.reached;
      await vi.advanceTimersByTimeAsync(2999);
      expect(isSettled()).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      expect(await call).toMatchObject(UNAVAILABLE);
      expect(db.count(), "and D1 is not asked again").toBe(1);
      gate.release();
    });
  }

  for (const name of ["create", "redeem"]) {
    test(`${name} reads back for 3 s more before it gives up`, async () => {
      const scene = await makeSceneWithCode();
      const { store, db } = scene.world.isolate();
      db.hang("any");
      const call = CALLS[name]?.(store, scene).catch((error: unknown) => error);
      await vi.advanceTimersByTimeAsync(6000);
      expect(await call).toMatchObject(UNAVAILABLE);
      db.heal();
    });
  }
});
