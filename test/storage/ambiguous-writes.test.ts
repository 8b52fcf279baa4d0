/**
 * A write whose answer D1 owes: it may have been committed or not. Creating and redeeming read back, ending and
 * prolonging are repeated; nothing happens twice, nothing is lost. What is refused writes nothing, and KV that fails
 * after the commit fails nobody.
 */

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fakeClock } from "../support/clock.ts";
import { markDeleted } from "../support/directory-changes.ts";
import { codeDraft, memberOf, randomLookupKey, sessionDraft } from "../support/drafts.ts";
import { D1_ERRORS } from "../support/fault-d1.ts";
import { makeScene, parseRecord } from "../support/scene.ts";

const UNAVAILABLE = { name: "LatchkeyError", code: "unavailable" };
const AFTER_COMMIT = { when: "after", times: 1 } as const;
const BEFORE_COMMIT = { when: "before", times: 1 } as const;
const START = fakeClock().now();

const TABLES_OF = { member: "members", customer: "customers", organization: "organizations" } as const;

async function rowsOf(memberId: string): Promise<{ id: string; revoked_at: number | null }[]> {
  const found = await env.DB.prepare("SELECT id, revoked_at FROM sessions WHERE member_id = ?1").bind(memberId).all();
  return found.results as { id: string; revoked_at: number | null }[];
}

describe("create", () => {
  test("that was committed without an answer yields its session, and one row", async () => {
    const { world, home, tenant, clock } = await makeScene();
    const draft = sessionDraft({ ...memberOf(tenant), memberId: tenant.team.owner.id }, clock.now());
    home.db.fail("batch", AFTER_COMMIT);
    expect(await home.store.insert(draft)).toMatchObject({ id: draft.id });
    expect(await rowsOf(tenant.team.owner.id)).toEqual([{ id: draft.id, revoked_at: null }]);
    await home.settle();
    expect(parseRecord(world.kv.versions(`s:${draft.lookupKey}`).at(-1)?.value).facts).toMatchObject({ id: draft.id });
    expect(await world.isolate().store.checkAtEdge(draft.lookupKey)).toMatchObject({ id: draft.id });
  });

  test("that was not committed is unavailable, and leaves no row and no copy in KV", async () => {
    const { world, home, tenant, clock } = await makeScene();
    const draft = sessionDraft({ ...memberOf(tenant), memberId: tenant.team.owner.id }, clock.now());
    home.db.fail("batch", BEFORE_COMMIT);
    await expect(home.store.insert(draft)).rejects.toMatchObject(UNAVAILABLE);
    await home.settle();
    expect(await rowsOf(tenant.team.owner.id)).toEqual([]);
    expect(world.kv.versions(`s:${draft.lookupKey}`)).toEqual([]);
  });

  test("whose reading back fails too is unavailable, and was never made twice", async () => {
    const { home, tenant, clock } = await makeScene();
    const draft = sessionDraft({ ...memberOf(tenant), memberId: tenant.team.owner.id }, clock.now());
    home.db.fail("batch", AFTER_COMMIT);
    home.db.fail("read", { times: 1 });
    await expect(home.store.insert(draft)).rejects.toMatchObject(UNAVAILABLE);
    expect(await rowsOf(tenant.team.owner.id)).toHaveLength(1);
    expect(home.db.count(/INSERT INTO sessions/)).toBe(2);
  });
});

describe("what is refused", () => {
  for (const gone of ["member", "customer", "organization"] as const) {
    test(`writes nothing: neither a session nor a spent code, when the ${gone} is deleted`, async () => {
      const { home, tenant, draft, clock } = await makeScene({ code: codeDraft(START) });
      const ids = { member: tenant.team.member.id, customer: tenant.team.id, organization: tenant.id };
      await markDeleted(TABLES_OF[gone], ids[gone], clock);
      expect(await home.store.insert(sessionDraft(memberOf(tenant), clock.now()))).toBeNull();
      expect(await home.store.redeemCode(draft.code?.lookupKey ?? "", "browser", { id: tenant.id })).toBeNull();
      const written = home.db.log.slice(1).flatMap(({ meta }) => meta.map(({ rows_written }) => rows_written));
      expect(Math.max(...written)).toBe(0);
      expect(await rowsOf(tenant.team.member.id)).toHaveLength(1);
    });
  }
});

describe("revoke", () => {
  for (const [how, options] of [
    ["was committed without an answer", AFTER_COMMIT],
    ["failed once", BEFORE_COMMIT],
  ] as const) {
    test(`that ${how} succeeds, and its tombstone follows`, async () => {
      const { world, home, tenant, draft, lookupKey, key } = await makeScene();
      home.db.fail("batch", options);
      expect(await home.store.revoke(tenant.id, draft.id)).toBe(true);
      await home.settle();
      expect(await home.store.checkStrictly(lookupKey)).toBeNull();
      expect(parseRecord(world.kv.versions(key).at(-1)?.value)).toMatchObject({ tombstone: true });
    });

    test(`of what has leaked that ${how} succeeds, names it, and its tombstone follows`, async () => {
      const { world, home, draft, lookupKey, key } = await makeScene();
      home.db.fail("batch", options);
      expect(await home.store.revokeLeaked([lookupKey])).toMatchObject([{ lookupKey, id: draft.id }]);
      await home.settle();
      expect(await home.store.checkStrictly(lookupKey)).toBeNull();
      expect(parseRecord(world.kv.versions(key).at(-1)?.value)).toMatchObject({ tombstone: true });
    });

    test(`of everything that ${how} succeeds, and spares what was to be spared`, async () => {
      const { home, tenant, draft, lookupKey, clock } = await makeScene();
      const second = sessionDraft(memberOf(tenant), clock.now());
      await home.store.insert(second);
      home.db.fail("batch", options);
      const target = { scope: "member", memberId: tenant.team.member.id, exceptSessionId: draft.id } as const;
      expect(await home.store.revokeAll(tenant.id, target)).toBe(true);
      await home.settle();
      expect(await home.store.checkStrictly(lookupKey)).toMatchObject({ id: draft.id });
      expect(await home.store.checkStrictly(second.lookupKey)).toBeNull();
    });
  }

  test("keeps the moment of the first revocation when it is repeated", async () => {
    const { home, tenant, draft, clock } = await makeScene();
    const first = clock.now();
    await home.store.revoke(tenant.id, draft.id);
    clock.advance(5000);
    await home.store.revoke(tenant.id, draft.id);
    expect(await rowsOf(tenant.team.member.id)).toEqual([{ id: draft.id, revoked_at: first }]);
  });

  test("that fails twice is unavailable; an overloaded D1 is not asked twice", async () => {
    const { home, tenant, draft } = await makeScene();
    home.db.fail("batch", { times: 2 });
    await expect(home.store.revoke(tenant.id, draft.id)).rejects.toMatchObject(UNAVAILABLE);
    const asked = home.db.count("batch");
    home.db.fail("batch", { times: 1, message: D1_ERRORS.overloaded });
    await expect(home.store.revoke(tenant.id, draft.id)).rejects.toMatchObject(UNAVAILABLE);
    expect(home.db.count("batch")).toBe(asked + 1);
  });
});

describe("extend", () => {
  test("that was committed without an answer yields the new expiry", async () => {
    const { home, tenant, draft, clock } = await makeScene();
    home.db.fail("batch", AFTER_COMMIT);
    const expiresAt = clock.now() + 7_200_000;
    expect(await home.store.change(tenant.id, draft.id, { expiresAt })).toMatchObject({ expiresAt });
  });
});

describe("redeem", () => {
  const code = () => codeDraft(START);

  test("that was committed without an answer yields the session; the code is spent for all others", async () => {
    const { world, home, tenant, draft } = await makeScene({ code: code() });
    const lookupKey = draft.code?.lookupKey ?? "";
    home.db.fail("batch", AFTER_COMMIT);
    expect(await home.store.redeemCode(lookupKey, "browser", { id: tenant.id })).toMatchObject({
      session: { id: draft.id },
    });
    expect(await world.isolate().store.redeemCode(lookupKey, "browser", { id: tenant.id })).toBeNull();
  });

  test("that was not committed is unavailable, and the code still works", async () => {
    const { home, tenant, draft } = await makeScene({ code: code() });
    const redeem = () => home.store.redeemCode(draft.code?.lookupKey ?? "", "browser", { id: tenant.id });
    home.db.fail("batch", BEFORE_COMMIT);
    await expect(redeem()).rejects.toMatchObject(UNAVAILABLE);
    expect(await redeem()).not.toBeNull();
  });

  test("of an unknown code says unavailable while in doubt, not that there is none", async () => {
    const { home, tenant } = await makeScene();
    home.db.fail("batch", AFTER_COMMIT);
    await expect(home.store.redeemCode(randomLookupKey(), "browser", { id: tenant.id })).rejects.toMatchObject(
      UNAVAILABLE,
    );
  });

  test("by ten at once, none of whom gets D1's answer, hands the session to one of them", async () => {
    const { world, tenant, draft } = await makeScene({ code: code() });
    const attempts = Array.from({ length: 10 }, async () => {
      const { store, db } = world.isolate();
      db.fail("batch", AFTER_COMMIT);
      return store.redeemCode(draft.code?.lookupKey ?? "", "browser", { id: tenant.id }).catch(() => null);
    });
    expect((await Promise.all(attempts)).filter((redeemed) => redeemed !== null)).toHaveLength(1);
  });
});

describe("KV that refuses what follows a commit", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
  afterEach(() => void vi.useRealTimers());

  test("is asked once more, no sooner than KV takes another write of the key", async () => {
    const { world, home, tenant, draft, key } = await makeScene();
    home.kv.fail("put", { times: 1 });
    expect(await home.store.revoke(tenant.id, draft.id)).toBe(true);
    await vi.advanceTimersByTimeAsync(1099);
    expect(home.kv.count("put")).toBe(2);
    expect(world.kv.versions(key)).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    await home.settle();
    expect(world.kv.versions(key).map(({ value }) => parseRecord(value).tombstone)).toEqual([undefined, true]);
  });

  test("and refuses again fails neither create nor revoke, and is asked no third time", async () => {
    const { home, tenant, clock } = await makeScene();
    home.kv.fail("put");
    const before = home.kv.count("put");
    const draft = sessionDraft(memberOf(tenant), clock.now());
    expect(await home.store.insert(draft)).toMatchObject({ id: draft.id });
    expect(await home.store.revoke(tenant.id, draft.id)).toBe(true);
    await vi.advanceTimersByTimeAsync(60_000);
    await home.settle();
    expect(home.kv.count("put") - before).toBe(3);
    expect(home.warnings.map(({ fields }) => [fields["what"], fields["willRetry"]])).toEqual([
      ["session", true],
      ["tombstone", true],
      ["tombstone", false],
    ]);
  });

  test("does not get a session's late copy over the tombstone that was put meanwhile", async () => {
    const { world, home, tenant, clock } = await makeScene();
    const draft = sessionDraft(memberOf(tenant), clock.now());
    home.kv.fail("put", { times: 1 });
    await home.store.insert(draft);
    await home.store.revoke(tenant.id, draft.id);
    await vi.advanceTimersByTimeAsync(5000);
    await home.settle();
    const versions = world.kv.versions(`s:${draft.lookupKey}`);
    expect(versions.map(({ value }) => parseRecord(value).tombstone)).toEqual([true]);
  });

  test("for a second write within a second gets the tombstone in when the second is over", async () => {
    const { world, home, tenant, draft, key, clock } = await makeScene();
    world.kv.limitWrites();
    await home.store.revoke(tenant.id, draft.id);
    clock.advance(1100);
    await vi.advanceTimersByTimeAsync(1100);
    await home.settle();
    expect(home.warnings).toMatchObject([{ fields: { what: "tombstone", willRetry: true } }]);
    expect(parseRecord(world.kv.versions(key).at(-1)?.value)).toMatchObject({ tombstone: true });
  });
});
