/** Writes of one isolate that overtake each other between D1's answer and KV: the revocation must have the last word. */

import { describe, expect, test } from "vitest";
import { HOUR_MS, memberOf, sessionDraft } from "../support/drafts.ts";
import { makeTenant } from "../support/fixtures.ts";
import { makeScene } from "../support/scene.ts";
import { makeWorld } from "../support/world.ts";

describe("the tombstone of a session that was revoked meanwhile is not written over", () => {
  test("by an extension whose answer came late", async () => {
    const { world, home, tenant, draft, lookupKey, clock } = await makeScene();
    const gate = home.db.hold(/SET expires_at/, { when: "after" });
    const extending = home.store.change(tenant.id, draft.id, { expiresAt: clock.now() + 2 * HOUR_MS });
    await gate.reached;
    await home.store.revoke(tenant.id, draft.id);
    clock.advance(2000);
    gate.release();
    await extending;
    await home.settle();
    const other = world.isolate();
    expect(await other.store.checkAtEdge(lookupKey)).toBeNull();
    expect(other.db.count()).toBe(0);
  });

  test("by a creation whose answer came late", async () => {
    const tenant = await makeTenant();
    const world = makeWorld();
    const home = world.isolate();
    const draft = sessionDraft(memberOf(tenant), world.clock.now());
    const gate = home.db.hold(/INSERT INTO sessions/, { when: "after" });
    const creating = home.store.insert(draft);
    await gate.reached;
    const all = { scope: "member", memberId: tenant.team.member.id, exceptSessionId: null } as const;
    await home.store.revokeAll(tenant.id, all);
    world.clock.advance(2000);
    gate.release();
    await creating;
    await home.settle();
    expect(await world.isolate().store.checkAtEdge(draft.lookupKey)).toBeNull();
  });
});

test("a creation that pushes an old session out puts its own record all the same", async () => {
  const { world, home, tenant, clock, lookupKey } = await makeScene({}, { max_sessions_per_member: 1 });
  const next = sessionDraft(memberOf(tenant), clock.now() + 1);
  await home.store.insert(next);
  await home.settle();
  const other = world.isolate();
  expect(await other.store.checkAtEdge(next.lookupKey)).toMatchObject({ id: next.id });
  expect(await other.store.checkAtEdge(lookupKey)).toBeNull();
  expect(other.db.count()).toBe(0);
});

test("a cap that was lowered by hundreds ends them all in D1, and burdens KV with no more than 40 tombstones", async () => {
  const { world, home, tenant, clock } = await makeScene();
  const drafts = Array.from({ length: 60 }, (_, i) => sessionDraft(memberOf(tenant), clock.now() + i + 1));
  for (const draft of drafts) await home.store.insert(draft);
  await home.settle();
  await home.database.transact(["UPDATE organizations SET max_sessions_per_member = 1 WHERE id = ?1", tenant.id]);
  const before = home.kv.count("put");
  clock.advance(1000);
  const last = sessionDraft(memberOf(tenant), clock.now());
  await home.store.insert(last);
  await home.settle();
  expect(home.kv.count("put") - before).toBe(41);
  const page = await world.isolate().store.list(tenant.id, {}, { offset: 0, limit: 100 });
  expect(page.items.map(({ id }) => id)).toEqual([last.id]);
});

test("what D1 has refused is not forgotten over an older answer of KV's", async () => {
  const { world, home, tenant, draft, lookupKey } = await makeScene();
  const here = world.isolate();
  const gate = here.kv.hold("get", { when: "after" });
  const early = here.store.checkAtEdge(lookupKey);
  await gate.reached;
  await home.store.revoke(tenant.id, draft.id);
  here.kv.freeze();
  expect(await here.store.checkStrictly(lookupKey)).toBeNull();
  gate.release();
  await early;
  expect(await here.store.checkAtEdge(lookupKey)).toBeNull();
});
