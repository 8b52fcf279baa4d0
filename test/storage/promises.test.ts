/**
 * The promise table of the design, over real D1 and KV: how soon each change shows in each check, at best and when KV
 * never converges. Outages have their own file (outages.test.ts), renewals too (lease-renewal.test.ts).
 */

import { describe, expect, test } from "vitest";
import { changeRole, markDeleted } from "../support/directory-changes.ts";
import { HOUR_MS, memberOf, sessionDraft } from "../support/drafts.ts";
import { makeTenant } from "../support/fixtures.ts";
import { makeScene } from "../support/scene.ts";
import { makeWorld } from "../support/world.ts";

describe("a new session", () => {
  test("works at once in every location, KV or no KV", async () => {
    const tenant = await makeTenant();
    const world = makeWorld();
    const [home, deaf] = [world.isolate(), world.isolate()];
    const draft = sessionDraft(memberOf(tenant), world.clock.now());
    deaf.kv.freeze();
    await home.store.insert(draft);
    expect(await home.store.checkAtEdge(draft.lookupKey)).toMatchObject({ id: draft.id });
    expect(await deaf.store.checkAtEdge(draft.lookupKey)).toMatchObject({ id: draft.id });
    expect(await deaf.store.checkStrictly(draft.lookupKey)).toMatchObject({ id: draft.id });
  });

  test("works on for its whole life where KV answers null forever", async () => {
    const { world, clock, lookupKey, draft } = await makeScene();
    const deaf = world.isolate();
    deaf.kv.pin(`s:${lookupKey}`, null);
    while (clock.now() < draft.expiresAt) {
      expect(await deaf.store.checkAtEdge(lookupKey)).toMatchObject({ id: draft.id });
      await deaf.settle();
      clock.advance(97_000);
    }
    expect(await deaf.store.checkAtEdge(lookupKey)).toBeNull();
  });

  test("works where its absence has been cached", async () => {
    const tenant = await makeTenant();
    const world = makeWorld();
    const [home, early] = [world.isolate(), world.isolate()];
    const draft = sessionDraft(memberOf(tenant), world.clock.now());
    early.kv.cacheReads();
    expect(await early.kv.binding.get(`s:${draft.lookupKey}`, { type: "text", cacheTtl: 30 })).toBeNull();
    await home.store.insert(draft);
    await home.settle();
    expect(await early.store.checkAtEdge(draft.lookupKey)).toMatchObject({ id: draft.id });
    expect(early.db.count("read")).toBe(1);
  });
});

type Scene = Awaited<ReturnType<typeof makeScene>>;

/** Every way for a session to end before its time. */
const ENDINGS: Record<string, (scene: Scene) => Promise<unknown>> = {
  "the session was revoked": ({ home, tenant, draft }) => home.store.revoke(tenant.id, draft.id),
  "all of the member were revoked": ({ home, tenant }) =>
    home.store.revokeAll(tenant.id, { scope: "member", memberId: tenant.team.member.id, exceptSessionId: null }),
  "all of the customer were revoked": ({ home, tenant }) =>
    home.store.revokeAll(tenant.id, { scope: "customer", customerId: tenant.team.id }),
  "all of the organization were revoked": ({ home, tenant }) =>
    home.store.revokeAll(tenant.id, { scope: "organization" }),
  "the member was deleted": ({ tenant, clock }) => markDeleted("members", tenant.team.member.id, clock),
  "the customer was deleted": ({ tenant, clock }) => markDeleted("customers", tenant.team.id, clock),
  "the organization was deleted": ({ tenant, clock }) => markDeleted("organizations", tenant.id, clock),
  "the cap pushed it out": async ({ home, tenant, clock }) => {
    for (let i = 0; i < 2; i++) await home.store.insert(sessionDraft(memberOf(tenant), clock.now() + 1 + i));
  },
};

describe.each(Object.entries(ENDINGS))("after %s", (_, end) => {
  /** Another isolate, in a location that has the session's record and from now on hears of nothing. */
  async function makeDeafScene() {
    const scene = await makeScene({}, { max_sessions_per_member: 2 });
    const deaf = scene.world.isolate();
    deaf.kv.freeze();
    expect(await deaf.store.checkAtEdge(scene.lookupKey)).not.toBeNull();
    expect(deaf.db.count()).toBe(0);
    await end(scene);
    await scene.home.settle();
    return { ...scene, deaf };
  }

  test("a strict check refuses at once, everywhere", async () => {
    const { home, deaf, lookupKey } = await makeDeafScene();
    expect(await deaf.store.checkStrictly(lookupKey)).toBeNull();
    expect(await home.store.checkStrictly(lookupKey)).toBeNull();
  });

  test("an edge check refuses once the lease is over, even if KV never converges", async () => {
    const { deaf, lookupKey, lease, at } = await makeDeafScene();
    at(lease - 1);
    expect(await deaf.store.checkAtEdge(lookupKey), "still within the lease").not.toBeNull();
    at(lease);
    expect(await deaf.store.checkAtEdge(lookupKey)).toBeNull();
    await deaf.settle();
    at(lease + HOUR_MS / 2);
    expect(await deaf.store.checkAtEdge(lookupKey)).toBeNull();
  });

  test("an edge check that never asked before refuses no later, however old the copy it finds", async () => {
    const { world, lookupKey, key, lease, at } = await makeDeafScene();
    const late = world.isolate();
    late.kv.serve(key, 1);
    at(lease);
    expect(await late.store.checkAtEdge(lookupKey)).toBeNull();
  });
});

describe("once KV has converged", () => {
  const all = (memberId: string) => ({ scope: "member", memberId, exceptSessionId: null }) as const;

  test("a revoked session's tombstone refuses it without asking D1", async () => {
    const { world, home, tenant, draft, lookupKey } = await makeScene();
    await home.store.revoke(tenant.id, draft.id);
    await home.settle();
    const other = world.isolate();
    expect(await other.store.checkAtEdge(lookupKey)).toBeNull();
    expect(other.db.count()).toBe(0);
  });

  test("a location that is a minute behind refuses after that minute", async () => {
    const { world, home, tenant, draft, lookupKey, at } = await makeScene();
    const behind = world.isolate();
    behind.kv.lag(60_000);
    at(60_000);
    await home.store.revoke(tenant.id, draft.id);
    await home.settle();
    at(119_999);
    expect(await behind.store.checkAtEdge(lookupKey)).not.toBeNull();
    at(125_000);
    expect(await behind.store.checkAtEdge(lookupKey)).toBeNull();
    expect(behind.db.count()).toBe(0);
  });

  test("tombstones refuse the newest 40 of a member; what is older goes at the end of its lease", async () => {
    const tenant = await makeTenant();
    const world = makeWorld();
    const home = world.isolate();
    const drafts = Array.from({ length: 42 }, (_, i) => sessionDraft(memberOf(tenant), world.clock.now() + i));
    for (const draft of drafts) await home.store.insert(draft);
    world.clock.advance(100);
    await home.settle();
    await home.store.revokeAll(tenant.id, all(tenant.team.member.id));
    await home.settle();
    const other = world.isolate();
    const accepted: boolean[] = [];
    for (const { lookupKey } of drafts) accepted.push((await other.store.checkAtEdge(lookupKey)) !== null);
    expect(accepted).toEqual(drafts.map((_, index) => index < 2));
    expect(other.db.count()).toBe(0);
    world.clock.advance(300_000);
    for (const { lookupKey } of drafts) expect(await other.store.checkAtEdge(lookupKey)).toBeNull();
  });

  test("the session that was spared has no tombstone", async () => {
    const { world, home, tenant, draft, lookupKey, clock, lease } = await makeScene();
    const second = sessionDraft(memberOf(tenant), clock.now());
    await home.store.insert(second);
    await home.store.revokeAll(tenant.id, { ...all(tenant.team.member.id), exceptSessionId: draft.id });
    await home.settle();
    const other = world.isolate();
    expect(await other.store.checkAtEdge(second.lookupKey)).toBeNull();
    expect(await other.store.checkAtEdge(lookupKey)).toMatchObject({ id: draft.id });
    clock.advance(lease);
    expect(await other.store.checkAtEdge(lookupKey)).toMatchObject({ id: draft.id });
  });
});

describe("a changed role", () => {
  test("shows in a strict check at once and in an edge check when the lease is over", async () => {
    const { world, tenant, lookupKey, lease, at } = await makeScene();
    const other = world.isolate();
    expect(await other.store.checkAtEdge(lookupKey)).toMatchObject({ role: "member" });
    await changeRole(tenant.team.member.id, "billing_manager");
    expect(await other.store.checkStrictly(lookupKey)).toMatchObject({ role: "billing_manager" });
    await other.settle();
    at(lease - 1);
    expect(await other.store.checkAtEdge(lookupKey)).toMatchObject({ role: "member" });
    at(lease);
    expect(await other.store.checkAtEdge(lookupKey)).toMatchObject({ role: "billing_manager" });
  });
});

describe("a changed lifetime", () => {
  test("shortened, ends the session at once for a strict check, and by the end of the lease at the edge", async () => {
    const { world, home, tenant, draft, lookupKey, createdAt, lease, at } = await makeScene();
    const deaf = world.isolate();
    deaf.kv.freeze();
    await home.store.change(tenant.id, draft.id, { expiresAt: createdAt + 60_000 });
    await home.settle();
    at(60_000);
    expect(await deaf.store.checkStrictly(lookupKey)).toBeNull();
    const another = world.isolate();
    expect(await another.store.checkAtEdge(lookupKey)).toBeNull();
    at(lease - 1);
    expect(await deaf.store.checkAtEdge(lookupKey)).not.toBeNull();
    at(lease);
    expect(await deaf.store.checkAtEdge(lookupKey)).toBeNull();
  });

  test("extended, keeps the session working past its old expiry where KV took none of it", async () => {
    const { world, home, tenant, draft, lookupKey, clock } = await makeScene();
    const other = world.isolate();
    for (const { kv } of [home, other]) kv.fail("put", { message: "KV PUT failed: 429 Too Many Requests" });
    expect(await other.store.checkAtEdge(lookupKey)).toMatchObject({ expiresAt: draft.expiresAt });
    const expiresAt = clock.now() + 2 * HOUR_MS;
    await home.store.change(tenant.id, draft.id, { expiresAt });
    await home.settle();
    for (const later of [HOUR_MS - 1, 1, HOUR_MS - 1]) {
      clock.advance(later);
      for (const { store, settle } of [home, other]) {
        expect(await store.checkAtEdge(lookupKey)).not.toBeNull();
        await settle();
      }
    }
    clock.advance(1);
    for (const { store } of [home, other]) expect(await store.checkAtEdge(lookupKey)).toBeNull();
  });

  test("extended, shows its new expiry at once where KV has it", async () => {
    const { world, home, tenant, draft, lookupKey, clock } = await makeScene();
    const expiresAt = clock.now() + 2 * HOUR_MS;
    await home.store.change(tenant.id, draft.id, { expiresAt });
    await home.settle();
    const other = world.isolate();
    expect(await other.store.checkAtEdge(lookupKey)).toMatchObject({ expiresAt });
    expect(other.db.count()).toBe(0);
  });
});
