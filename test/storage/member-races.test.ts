/**
 * Changes of members that meet each other, or lose their answer: a customer that had an owner has exactly one after
 * them, and who was removed stays removed.
 */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { LatchkeyError } from "../../src/core/errors.ts";
import type { MemberChange } from "../../src/core/member-roles.ts";
import { memberOf, sessionDraft } from "../support/drafts.ts";
import { makeMember, makeTenant, type Tenant } from "../support/fixtures.ts";
import { ownerIn, rolesIn } from "../support/roles.ts";
import { makeScene, parseRecord } from "../support/scene.ts";
import { makeWorld } from "../support/world.ts";

const UNAVAILABLE = { name: "LatchkeyError", code: "unavailable" };
const AFTER_COMMIT = { when: "after", times: 1 } as const;
const BEFORE_COMMIT = { when: "before", times: 1 } as const;

const promotion: MemberChange = { role: "owner" };

/** How each attempt ended: "done", "not found", or the code of its refusal. */
async function outcomes(attempts: Promise<unknown>[]): Promise<string[]> {
  const settled = await Promise.allSettled(attempts);
  return settled.map((attempt) => {
    if (attempt.status === "fulfilled") return attempt.value === null ? "not found" : "done";
    if (attempt.reason instanceof LatchkeyError) return attempt.reason.code;
    throw attempt.reason;
  });
}

/** A team of 50 besides those of the tenant, and an isolate of its own for each request. */
async function crowd() {
  const tenant = await makeTenant();
  const ids = await Promise.all(
    Array.from({ length: 50 }, async () => (await makeMember(tenant.id, tenant.team.id, "member", tenant.slug)).id),
  );
  const world = makeWorld();
  return { tenant, ids, members: () => world.isolate().members };
}

describe("50 at once", () => {
  test("who are each to become the owner leave one owner, and demote no one else", async () => {
    const { tenant, ids, members } = await crowd();
    const attempts = ids.map((id) => members().update(tenant.id, { id }, promotion));
    expect(await outcomes(attempts)).toEqual(Array(50).fill("done"));
    const roles = await rolesIn(tenant.team.id);
    expect(ids).toContain(await ownerIn(tenant.team.id));
    expect(Object.values(roles).filter((role) => role === "member")).toHaveLength(1);
  });

  test("to whom the owner hands its place over leave one owner, the one who was told so", async () => {
    const { tenant, ids, members } = await crowd();
    const attempts = ids.map((id) => members().update(tenant.id, { id }, promotion, tenant.team.owner.id));
    const ended = await outcomes(attempts);
    expect(ended.filter((outcome) => outcome !== "ownership_not_held")).toEqual(["done"]);
    expect(await ownerIn(tenant.team.id)).toBe(ids[ended.indexOf("done")]);
  });

  test("promotions and demotions of one member leave one owner", async () => {
    const { tenant, members } = await crowd();
    const { id } = tenant.team.member;
    const attempts = Array.from({ length: 50 }, (_, i) =>
      members().update(tenant.id, { id }, i % 2 === 0 ? promotion : { role: "billing_manager" }),
    );
    const ended = await outcomes(attempts);
    expect(ended.filter((outcome) => !["done", "only_owner_demoted"].includes(outcome))).toEqual([]);
    expect(await ownerIn(tenant.team.id)).toBe(id);
  });

  test("promotions and removals of one member leave one owner, who is live", async () => {
    const { tenant, members } = await crowd();
    const { id } = tenant.team.member;
    const attempts = Array.from({ length: 50 }, (_, i) =>
      i % 2 === 0 ? members().update(tenant.id, { id }, promotion) : members().remove(tenant.id, { id }),
    );
    const ended = await outcomes(attempts);
    const isRemoved = !(id in (await rolesIn(tenant.team.id)));
    expect(await ownerIn(tenant.team.id)).toBe(isRemoved ? tenant.team.owner.id : id);
    const possible = isRemoved ? ["done", "not found"] : ["done", "only_owner_removed"];
    expect(ended.filter((outcome) => !possible.includes(outcome))).toEqual([]);
  });

  test("with one e-mail make one member of it", async () => {
    const { tenant, ids, members } = await crowd();
    const attempts = ids.map((id) => members().update(tenant.id, { id }, { email: "same@example.com" }));
    expect((await outcomes(attempts)).toSorted()).toEqual(["done", ...Array(49).fill("member_email_taken")]);
  });

  test("removals of one member are one removal", async () => {
    const { tenant, members } = await crowd();
    const attempts = Array.from({ length: 50 }, () => members().remove(tenant.id, { id: tenant.team.member.id }));
    const ended = await outcomes(attempts);
    expect(ended).toContain("done");
    expect(ended.filter((outcome) => !["done", "not found"].includes(outcome))).toEqual([]);
    expect(Object.keys(await rolesIn(tenant.team.id))).toHaveLength(52);
  });
});

describe("a change whose facts are no longer true when it writes", () => {
  /** What happens to the member between reading and writing. */
  async function meanwhile(act: (tenant: Tenant) => Promise<unknown>, ask: "update" | "remove") {
    const tenant = await makeTenant();
    const world = makeWorld();
    const { members, db } = world.isolate();
    const { id } = tenant.team.member;
    const gate = db.hold(/UPDATE members/);
    const asked = ask === "update" ? members.update(tenant.id, { id }, promotion) : members.remove(tenant.id, { id });
    const ended = outcomes([asked]);
    await gate.reached;
    await act(tenant);
    gate.release();
    return { tenant, ended: (await ended)[0] };
  }
  const other = () => makeWorld().isolate().members;
  const remove = ({ id, team }: Tenant) => other().remove(id, { id: team.member.id });
  const promote = ({ id, team }: Tenant) => other().update(id, { id: team.member.id }, promotion);

  test("promotes nobody who was removed meanwhile, and leaves the owner its place", async () => {
    const { tenant, ended } = await meanwhile(remove, "update");
    expect(ended).toBe("not found");
    expect(await ownerIn(tenant.team.id)).toBe(tenant.team.owner.id);
  });

  test("removes nobody who became the owner meanwhile", async () => {
    const { tenant, ended } = await meanwhile(promote, "remove");
    expect(ended).toBe("only_owner_removed");
    expect(await ownerIn(tenant.team.id)).toBe(tenant.team.member.id);
  });

  test("is judged again, and done if it may be", async () => {
    const rename = ({ id, team }: Tenant) => other().update(id, { id: team.member.id }, { role: "billing_manager" });
    const { tenant, ended } = await meanwhile(rename, "update");
    expect(ended).toBe("done");
    expect(await rolesIn(tenant.team.id)).toMatchObject({
      [tenant.team.member.id]: "owner",
      [tenant.team.owner.id]: "billing_manager",
    });
  });

  test("adds nobody to a customer that was deleted meanwhile", async () => {
    const { id, team } = await makeTenant();
    const { members, db } = makeWorld().isolate();
    const gate = db.hold(/INSERT INTO members/);
    const member = { ...team.member, id: crypto.randomUUID(), customerId: team.id, name: null, createdAt: 0 };
    const ended = outcomes([
      members.add(id, { ...member, email: "late@example.com", externalId: null, role: "member" }),
    ]);
    await gate.reached;
    await env.DB.prepare("UPDATE customers SET deleted_at = 1 WHERE id = ?1").bind(team.id).run();
    gate.release();
    expect(await ended).toEqual(["customer_not_found"]);
    expect(Object.keys(await rolesIn(team.id))).toHaveLength(3);
  });

  test("changes and removes nobody whose customer was deleted meanwhile", async () => {
    for (const ask of ["update", "remove"] as const) {
      const { tenant, ended } = await meanwhile(
        ({ team }) => env.DB.prepare("UPDATE customers SET deleted_at = 1 WHERE id = ?1").bind(team.id).run(),
        ask,
      );
      expect(ended).toBe("not found");
      expect(await rolesIn(tenant.team.id)).toMatchObject({ [tenant.team.member.id]: "member" });
    }
  });

  test("does not write over a change of another thing", async () => {
    const rename = ({ id, team }: Tenant) => other().update(id, { id: team.member.id }, { name: "Renamed" });
    const { tenant } = await meanwhile(rename, "update");
    const renamed = await other().find(tenant.id, { id: tenant.team.member.id });
    expect(renamed).toMatchObject({ name: "Renamed", role: "owner" });
  });
});

describe("a removal", () => {
  test("ends the member's sessions in the transaction that removes it, and tells KV of the newest 40", async () => {
    const { world, home, tenant, draft, key, clock } = await makeScene();
    const { id } = tenant.team.member;
    for (let i = 1; i <= 44; i++) await home.store.insert(sessionDraft(memberOf(tenant), clock.now() + i));
    await home.settle();
    const [batches, puts] = [home.db.count("batch"), home.kv.count("put")];
    await home.members.remove(tenant.id, { id });
    await home.settle();
    expect(home.db.count("batch") - batches).toBe(1);
    expect(home.kv.count("put") - puts).toBe(40);
    // The oldest of the 45 has no tombstone, and is refused by D1 all the same.
    expect(parseRecord(world.kv.versions(key).at(-1)?.value).tombstone).toBeUndefined();
    expect(await world.isolate().store.checkStrictly(draft.lookupKey)).toBeNull();
    const row = await env.DB.prepare("SELECT deleted_at, session_epoch FROM members WHERE id = ?1").bind(id).first();
    expect(row).toEqual({ deleted_at: clock.now(), session_epoch: 1 });
  });

  test("is remembered by this isolate at once, for more sessions than get a tombstone", async () => {
    const { home, tenant, draft, lookupKey, clock } = await makeScene();
    for (let i = 1; i <= 44; i++) await home.store.insert(sessionDraft(memberOf(tenant), clock.now() + i));
    expect(await home.store.checkAtEdge(lookupKey)).toMatchObject({ id: draft.id });
    home.kv.fail("get");
    await home.members.remove(tenant.id, { id: tenant.team.member.id });
    expect(await home.store.checkAtEdge(lookupKey)).toBeNull();
  });

  test("that is refused ends nobody's sessions", async () => {
    const { home, world, tenant, clock } = await makeScene();
    const owned = sessionDraft({ ...memberOf(tenant), memberId: tenant.team.owner.id }, clock.now());
    await home.store.insert(owned);
    await home.settle();
    const puts = home.kv.count("put");
    const removal = home.members.remove(tenant.id, { id: tenant.team.owner.id });
    await expect(removal).rejects.toMatchObject({ code: "only_owner_removed" });
    await home.settle();
    expect(home.kv.count("put")).toBe(puts);
    expect(await world.isolate().store.checkStrictly(owned.lookupKey)).toMatchObject({ id: owned.id });
  });

  for (const [how, options] of [
    ["was committed without an answer", AFTER_COMMIT],
    ["failed once", BEFORE_COMMIT],
  ] as const) {
    test(`that ${how} has removed the member, and says so`, async () => {
      const { home, tenant, lookupKey } = await makeScene();
      const { id } = tenant.team.member;
      home.db.fail("batch", options);
      expect(await home.members.remove(tenant.id, { id })).toMatchObject({ id });
      expect(await rolesIn(tenant.team.id)).not.toHaveProperty(id);
      expect(await home.store.checkStrictly(lookupKey)).toBeNull();
    });

    test(`and a change that ${how} is done, and done once`, async () => {
      const { home, tenant } = await makeScene();
      const { id, owner, member } = tenant.team;
      home.db.fail("batch", options);
      const changed = await home.members.update(tenant.id, { id: member.id }, promotion, owner.id);
      expect(changed).toMatchObject({ id: member.id, role: "owner" });
      expect(await rolesIn(id)).toMatchObject({ [member.id]: "owner", [owner.id]: "billing_manager" });
    });
  }

  test("or a change that fails twice is unavailable", async () => {
    const { home, tenant } = await makeScene();
    const { id } = tenant.team.member;
    home.db.fail("batch", { times: 4 });
    await expect(home.members.remove(tenant.id, { id })).rejects.toMatchObject(UNAVAILABLE);
    await expect(home.members.update(tenant.id, { id }, promotion)).rejects.toMatchObject(UNAVAILABLE);
    expect(await rolesIn(tenant.team.id)).toMatchObject({ [id]: "member" });
  });
});
