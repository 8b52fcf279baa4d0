/**
 * What a dialect keeps with members, and what several do to them at once: whatever is unique stays so, what one changes
 * is not lost to another, and a write whose answer is lost happens once. Roles and ownership: member-races.test.ts.
 */

import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Kept, NewMember } from "../../src/core/directory.ts";
import type { MemberChange } from "../../src/core/member-roles.ts";
import type { MemberCriterion } from "../../src/core/member-search.ts";
import { makeCustomer, makeTenant } from "../support/fixtures.ts";
import { makeScene } from "../support/scene.ts";
import { makeWorld } from "../support/world.ts";

const memberIn = (customerId: string, fields: Partial<NewMember> = {}): NewMember => ({
  id: crypto.randomUUID(),
  customerId,
  email: `${crypto.randomUUID()}@example.com`,
  name: null,
  externalId: null,
  role: "member",
  createdAt: 1,
  ...fields,
});

/** A new member of a new tenant's team, and isolates to change it from. */
async function makeOne(fields: Partial<NewMember> = {}) {
  const tenant = await makeTenant();
  const world = makeWorld();
  const { members, db } = world.isolate();
  const of = (more: Partial<NewMember> = {}) => members.create(tenant.id, memberIn(tenant.team.id, more));
  const member = await of(fields);
  const { id } = member;
  return {
    tenant,
    world,
    members,
    db,
    member,
    /** Makes another member of the team. */
    of,
    again: () => members.find(tenant.id, { id }),
    update: (change: MemberChange) => members.update(tenant.id, { id }, change),
    remove: () => members.remove(tenant.id, { id }),
    reactivate: () => members.reactivate(tenant.id, id),
    /** Each from an isolate of its own, all at once. */
    updateAll: (changes: MemberChange[]) =>
      Promise.allSettled(changes.map((change) => world.isolate().members.update(tenant.id, { id }, change))),
  };
}

const codesOf = (outcomes: PromiseSettledResult<unknown>[]) =>
  outcomes.map((outcome) => (outcome.status === "fulfilled" ? "done" : outcome.reason.code));

describe("a new member", () => {
  test("has what a caller keeps with it, and without that nothing", async () => {
    const kept = {
      status: "pending",
      assignedRoles: ["editor"],
      trustedMetadata: { plan: "pro", nested: { n: null } },
      untrustedMetadata: { theme: "dark" },
      signInSettings: { mfa_enrolled: true },
    } as const satisfies Partial<NewMember>;
    expect((await makeOne(kept as Partial<NewMember>)).member).toMatchObject(kept);
    expect((await makeOne()).member).toMatchObject({
      status: "active",
      emailVerified: false,
      assignedRoles: [],
      trustedMetadata: {},
      untrustedMetadata: {},
      signInSettings: {},
      retiredEmails: [],
      deletedAt: null,
    });
  });

  test("is refused the address of another, in whatever case, where Polar's callers get that other one", async () => {
    const { tenant, members, member, of } = await makeOne({ email: "ann@example.com" });
    await expect(of({ email: "ANN@example.com" })).rejects.toMatchObject({
      code: "member_email_taken",
      facts: { requested: "ANN@example.com" },
    });
    expect(await members.add(tenant.id, memberIn(tenant.team.id, { email: "ANN@example.com" }))).toEqual(member);
  });

  test("is refused the external id of another, and neither writes anything", async () => {
    const { tenant, members, of } = await makeOne({ externalId: "ext" });
    const second = memberIn(tenant.team.id, { externalId: "ext" });
    await expect(of(second)).rejects.toMatchObject({ code: "member_external_id_taken" });
    await expect(members.add(tenant.id, second)).rejects.toMatchObject({ code: "member_external_id_taken" });
    expect(await members.find(tenant.id, { id: second.id })).toBeNull();
  });

  test("may have the address and the external id that somebody has in another customer", async () => {
    const { tenant, members, member } = await makeOne({ externalId: "ext" });
    const other = await makeCustomer(tenant.id, { type: "team" });
    const { email, externalId } = member;
    expect(await members.create(tenant.id, memberIn(other, { email, externalId }))).toMatchObject({
      email,
      externalId,
    });
  });

  test("is one, of 20 of the same address that are made at once", async () => {
    const { tenant, world } = await makeOne();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, () =>
        world.isolate().members.create(tenant.id, memberIn(tenant.team.id, { email: "one@example.com" })),
      ),
    );
    expect(codesOf(outcomes).sort()).toEqual(["done", ...Array(19).fill("member_email_taken")]);
  });

  test("of an individual is its only one", async () => {
    const { tenant, members } = await makeOne();
    await expect(members.create(tenant.id, memberIn(tenant.individual.id))).rejects.toMatchObject({
      code: "single_member_only",
    });
  });

  test("of another organization's customer, or of none, is not made", async () => {
    const { members, tenant } = await makeOne();
    for (const customerId of [(await makeTenant()).team.id, crypto.randomUUID()]) {
      await expect(members.create(tenant.id, memberIn(customerId))).rejects.toMatchObject({
        code: "customer_not_found",
        facts: { requested: customerId },
      });
    }
  });

  test("is answered for when the answer of D1 was lost, and not made twice", async () => {
    const { db, of, tenant } = await makeOne();
    db.fail("batch", { when: "after", times: 1 });
    const { id } = await of({ email: "lost@example.com" });
    const rows = env.DB.prepare("SELECT id FROM members WHERE customer_id = ?1 AND email = 'lost@example.com'");
    expect((await rows.bind(tenant.team.id).all()).results).toEqual([{ id }]);
    db.fail("batch", { when: "before", times: 1 });
    await expect(of()).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("metadata", () => {
  test("is changed at the top level only: what is not named stays, a null takes away, objects are replaced", async () => {
    const { update, again } = await makeOne({ trustedMetadata: { a: { x: 1, y: 2 }, b: [1], c: "c", d: 0.1 } });
    const changed = await update({ trustedMetadata: { a: { x: { n: null } }, b: null, e: false, "k.\"e'y": "€" } });
    expect(changed?.trustedMetadata).toEqual({ a: { x: { n: null } }, c: "c", d: 0.1, e: false, "k.\"e'y": "€" });
    expect(changed?.untrustedMetadata).toEqual({});
    expect(await again()).toEqual(changed);
  });

  test("becomes what the merging of two objects in JavaScript becomes, whatever is in them", {
    timeout: 30_000,
  }, async () => {
    const { update } = await makeOne();
    const property = fc.asyncProperty(jsonObject, jsonObject, async (first, second) => {
      await update({ untrustedMetadata: emptied(await update({ untrustedMetadata: first })) });
      await update({ untrustedMetadata: first });
      const changed = await update({ untrustedMetadata: second });
      const merged = Object.entries({ ...first, ...second }).filter(([, value]) => value !== null);
      expect(changed?.untrustedMetadata).toEqual(Object.fromEntries(merged));
    });
    await fc.assert(property, { numRuns: 25 });
  });

  test("keeps all of 50 changes that are made at once, each of its own key or taking one away", async () => {
    const numbers = Array.from({ length: 50 }, (_, i) => i);
    const first = Object.fromEntries(numbers.slice(0, 15).map((i) => [`old${i}`, i]));
    const { updateAll, again } = await makeOne({ trustedMetadata: first });
    const removals = numbers.slice(0, 15).map((i) => ({ trustedMetadata: { [`old${i}`]: null } }));
    const additions = numbers.slice(15, 20).map((i) => ({ trustedMetadata: { [`new${i}`]: i } }));
    const others = numbers.slice(20, 35).map((i) => ({ untrustedMetadata: { [`u${i}`]: i } }));
    const settings = numbers.slice(35).map((i) => ({ signInSettings: { [`s${i}`]: i } }));
    const outcomes = await updateAll([...removals, ...additions, ...others, ...settings]);
    expect(new Set(codesOf(outcomes))).toEqual(new Set(["done"]));
    const after = await again();
    expect(Object.keys(after?.trustedMetadata ?? {}).sort()).toEqual(["new15", "new16", "new17", "new18", "new19"]);
    expect(Object.keys(after?.untrustedMetadata ?? {})).toHaveLength(15);
    expect(Object.keys(after?.signInSettings ?? {})).toHaveLength(15);
  });

  test("has 20 keys at most, whoever of 30 adds one first", async () => {
    const { updateAll, again } = await makeOne();
    const keys = Array.from({ length: 30 }, (_, i) => ({ untrustedMetadata: { [`k${i}`]: i } }));
    const codes = codesOf(await updateAll(keys)).sort();
    expect(codes).toEqual([...Array(20).fill("done"), ...Array(10).fill("metadata_too_many_keys")]);
    expect(Object.keys((await again())?.untrustedMetadata ?? {})).toHaveLength(20);
  });

  test("has 4 KB at most, of what it is after the change, and nothing of a change that makes it larger", async () => {
    const { update, again } = await makeOne();
    const filled = { k: "x".repeat(4096 - '{"k":""}'.length) };
    expect((await update({ trustedMetadata: filled }))?.trustedMetadata).toEqual(filled);
    const tooMuch = { trustedMetadata: { l: 1 }, name: "Never", untrustedMetadata: { u: 1 } };
    await expect(update(tooMuch)).rejects.toMatchObject({ code: "metadata_too_large" });
    expect(await again()).toMatchObject({ name: null, trustedMetadata: filled, untrustedMetadata: {} });
    expect((await update({ trustedMetadata: { k: null, l: 1 } }))?.trustedMetadata).toEqual({ l: 1 });
  });

  test("that is too large demotes no owner for whom it was to make room", async () => {
    const { update, members, tenant } = await makeOne();
    const change: MemberChange = { role: "owner", trustedMetadata: { k: "x".repeat(5000) } };
    await expect(update(change)).rejects.toMatchObject({ code: "metadata_too_large" });
    expect((await members.findOwner(tenant.id, tenant.team.id))?.id).toBe(tenant.team.owner.id);
  });
});

describe("a change", () => {
  test("of one thing leaves the others as they are", async () => {
    const { member, update } = await makeOne({ name: "Ann", externalId: "ext", trustedMetadata: { a: 1 } });
    const changes: MemberChange[] = [
      { assignedRoles: ["editor", "viewer"] },
      { assignedRoles: [] },
      { signInSettings: { is_breakglass: true } },
      { externalId: "other" },
      { externalId: null },
      { name: null },
    ];
    let expected = { ...member, modifiedAt: expect.any(Number) };
    for (const change of changes) {
      expected = { ...expected, ...change } as typeof expected;
      expect(await update(change)).toEqual(expected);
    }
  });

  test("takes a setting away by null, and merges the rest", async () => {
    const { update } = await makeOne({ signInSettings: { mfa_phone_number: "+15005550006", mfa_enrolled: true } });
    const changed = await update({ signInSettings: { mfa_phone_number: null, is_breakglass: false } });
    expect(changed?.signInSettings).toEqual({ mfa_enrolled: true, is_breakglass: false });
  });

  test("is refused the external id of another, whoever of two comes first, and may have it once it is free", async () => {
    const { tenant, world, members, member, of } = await makeOne();
    const other = await of();
    const wanted = { externalId: "wanted" };
    const outcomes = await Promise.allSettled(
      [member, other].map(({ id }) => world.isolate().members.update(tenant.id, { id }, wanted)),
    );
    expect(codesOf(outcomes).sort()).toEqual(["done", "member_external_id_taken"]);
    const [first, second] = codesOf(outcomes)[0] === "done" ? [member, other] : [other, member];
    await members.update(tenant.id, { id: first.id }, { externalId: null });
    expect(await members.update(tenant.id, { id: second.id }, wanted)).toMatchObject(wanted);
  });

  test("of the address has to be proved anew, but not one of its case", async () => {
    const { member, update } = await makeOne({ email: "ann@example.com" });
    await env.DB.prepare("UPDATE members SET email_verified = 1 WHERE id = ?1").bind(member.id).run();
    expect(await update({ email: "ANN@example.com" })).toMatchObject({ email: "ANN@example.com", emailVerified: true });
    expect(await update({ email: "ben@example.com" })).toMatchObject({ emailVerified: false });
  });

  test("ends no session", async () => {
    const { home, tenant, lookupKey } = await makeScene();
    const change: MemberChange = {
      email: "new@example.com",
      assignedRoles: [],
      signInSettings: { mfa_enrolled: true },
    };
    await home.members.update(tenant.id, { id: tenant.team.member.id }, change);
    expect(await home.store.checkStrictly(lookupKey)).toMatchObject({ member: { email: "new@example.com" } });
  });
});

describe("a retired address", () => {
  const FIRST = "first@example.com";
  const emailsOf = ({ retiredEmails }: { retiredEmails: { email: string }[] }) =>
    retiredEmails.map(({ email }) => email);

  test("stays its member's own: no other member of the customer has it by any way, whoever asks", async () => {
    const { tenant, members, update, of } = await makeOne({ email: FIRST });
    const changed = await update({ email: "second@example.com", retiresEmail: true });
    expect(changed?.retiredEmails).toEqual([{ id: expect.stringMatching(/^[0-9a-f-]{36}$/), email: FIRST }]);
    const refused = { code: "member_email_retired", facts: { requested: "First@example.com" } };
    const other = await of();
    const email = "First@example.com";
    await expect(of({ email })).rejects.toMatchObject(refused);
    await expect(members.add(tenant.id, memberIn(tenant.team.id, { email }))).rejects.toMatchObject(refused);
    await expect(members.update(tenant.id, { id: other.id }, { email })).rejects.toMatchObject(refused);
    const elsewhere = await makeCustomer(tenant.id, { type: "team" });
    expect(await members.create(tenant.id, memberIn(elsewhere, { email }))).toMatchObject({ email });
  });

  test("costs no owner its place when who is to follow may not have it", async () => {
    const { tenant, members, update, of } = await makeOne({ email: FIRST });
    await update({ email: "second@example.com", retiresEmail: true });
    const { id } = await of();
    const both: MemberChange = { role: "owner", email: FIRST };
    await expect(members.update(tenant.id, { id }, both)).rejects.toMatchObject({ code: "member_email_retired" });
    expect((await members.findOwner(tenant.id, tenant.team.id))?.id).toBe(tenant.team.owner.id);
  });

  test("is one that its member may come back to, and then the later one is retired", async () => {
    const { update } = await makeOne({ email: FIRST });
    await update({ email: "second@example.com", retiresEmail: true });
    const back = await update({ email: "FIRST@example.com", retiresEmail: true });
    expect(back).toMatchObject({ email: "FIRST@example.com", retiredEmails: [{ email: "second@example.com" }] });
  });

  test("is none where the change keeps none, or changes its case only", async () => {
    const { update, of } = await makeOne({ email: FIRST });
    expect(await update({ email: "FIRST@example.com", retiresEmail: true })).toMatchObject({ retiredEmails: [] });
    expect(await update({ email: "second@example.com" })).toMatchObject({ retiredEmails: [] });
    expect(await of({ email: FIRST })).toMatchObject({ email: FIRST });
  });

  test("is released by its id, and others may have it again", async () => {
    const { update, of } = await makeOne({ email: FIRST });
    await update({ email: "second@example.com", retiresEmail: true });
    const third = await update({ email: "third@example.com", retiresEmail: true });
    const [first] = third?.retiredEmails ?? [];
    const released = await update({ releasedEmail: first?.id ?? "" });
    expect(released && emailsOf(released)).toEqual(["second@example.com"]);
    expect(await of({ email: FIRST })).toMatchObject({ email: FIRST });
    await expect(of({ email: "second@example.com" })).rejects.toMatchObject({ code: "member_email_retired" });
  });

  test("is free once its member is removed", async () => {
    const { update, remove, of } = await makeOne({ email: FIRST });
    await update({ email: "second@example.com", retiresEmail: true });
    await remove();
    expect(await of({ email: FIRST })).toMatchObject({ email: FIRST });
  });

  test("is retired once when the answer to the change was lost", async () => {
    const { db, update } = await makeOne({ email: FIRST });
    db.fail("batch", { when: "after", times: 1 });
    const changed = await update({ email: "second@example.com", retiresEmail: true });
    expect(changed && emailsOf(changed)).toEqual([FIRST]);
  });

  test("and a new member's address are never the same, whoever of two comes first", async () => {
    for (let round = 0; round < 10; round++) {
      const { tenant, world, update, member } = await makeOne({ email: FIRST });
      await update({ email: "second@example.com" });
      const [back, added] = codesOf(
        await Promise.allSettled([
          update({ email: FIRST }).then(() => update({ email: "third@example.com", retiresEmail: true })),
          world.isolate().members.create(tenant.id, memberIn(tenant.team.id, { email: FIRST })),
        ]),
      );
      const { results } = await env.DB.prepare("SELECT email FROM members WHERE customer_id = ?1 AND email = ?2")
        .bind(tenant.team.id, FIRST)
        .all();
      const retired = (await world.isolate().members.find(tenant.id, { id: member.id }))?.retiredEmails ?? [];
      expect(results.length + retired.length, `${back} ${added}`).toBe(1);
    }
  });
});

describe("a removed member", () => {
  test("is found where it is asked for, and comes back with all it had, active, and without its sessions", async () => {
    const { home, tenant, lookupKey, clock } = await makeScene();
    const { id } = tenant.team.member;
    const kept: MemberChange = { assignedRoles: ["editor"], trustedMetadata: { a: 1 }, externalId: "ext" };
    const before = await home.members.update(tenant.id, { id }, kept);
    await env.DB.prepare("UPDATE members SET status = 'invited' WHERE id = ?1").bind(id).run();
    await home.members.remove(tenant.id, { id });
    expect(await home.members.find(tenant.id, { id })).toBeNull();
    expect(await home.members.findEver(tenant.id, id)).toMatchObject({ id, deletedAt: clock.now() });
    clock.advance(1000);
    const back = await home.members.reactivate(tenant.id, id);
    expect(back).toEqual({ ...before, status: "active", modifiedAt: clock.now() });
    expect(await home.members.find(tenant.id, { id })).toEqual(back);
    expect(await home.store.checkStrictly(lookupKey)).toBeNull();
    expect(await home.sessions.list(tenant.id, { memberId: id }, { offset: 0, limit: 1 })).toMatchObject({ total: 0 });
  });

  test("comes back once: who lives, or never was, or is another organization's, is not found", async () => {
    const { members, member, tenant, remove, reactivate } = await makeOne();
    expect(await reactivate()).toBeNull();
    await remove();
    const stranger = await makeTenant();
    expect(await members.reactivate(stranger.id, member.id)).toBeNull();
    expect(await members.findEver(stranger.id, member.id)).toBeNull();
    expect(await reactivate()).toMatchObject({ id: member.id });
    expect(await reactivate()).toBeNull();
    expect(await members.reactivate(tenant.id, crypto.randomUUID())).toBeNull();
  });

  test.each([
    ["its address is another's", { email: "wanted@example.com" }, "member_email_taken"],
    ["its external id is another's", { externalId: "wanted" }, "member_external_id_taken"],
  ] as const)("stays removed while %s", async (_, wanted, code) => {
    const { members, tenant, of, remove, reactivate, again } = await makeOne(wanted);
    await remove();
    const other = await of(wanted);
    await expect(reactivate()).rejects.toMatchObject({ code });
    expect(await again()).toBeNull();
    await members.remove(tenant.id, { id: other.id });
    expect(await reactivate()).toMatchObject(wanted);
  });

  test("stays removed while its address is retired of another, or the customer has another owner", async () => {
    const { members, tenant, member, of, remove, reactivate } = await makeOne({ email: "wanted@example.com" });
    await remove();
    const other = await of({ email: "wanted@example.com" });
    await members.update(tenant.id, { id: other.id }, { email: "other@example.com", retiresEmail: true });
    await expect(reactivate()).rejects.toMatchObject({ code: "member_email_retired" });
    await members.remove(tenant.id, { id: other.id });
    await env.DB.prepare("UPDATE members SET role = 'owner' WHERE id = ?1").bind(member.id).run();
    await expect(reactivate()).rejects.toMatchObject({ code: "second_owner" });
  });

  test("of an individual stays removed while there is another, and of a deleted customer for ever", async () => {
    const { members, tenant } = await makeOne();
    const { id: soloId, owner } = tenant.individual;
    const removal = env.DB.prepare("UPDATE members SET deleted_at = 1, role = 'member' WHERE id = ?1");
    await removal.bind(owner.id).run();
    const { id } = await members.create(tenant.id, memberIn(soloId));
    await expect(members.reactivate(tenant.id, owner.id)).rejects.toMatchObject({ code: "single_member_only" });
    await members.remove(tenant.id, { id });
    expect(await members.reactivate(tenant.id, owner.id)).toMatchObject({ id: owner.id });
    await removal.bind(owner.id).run();
    await env.DB.prepare("UPDATE customers SET deleted_at = 1 WHERE id = ?1").bind(soloId).run();
    expect(await members.findEver(tenant.id, owner.id)).toBeNull();
    expect(await members.reactivate(tenant.id, owner.id)).toBeNull();
  });

  test("comes back alone, of two with one address whom 20 ask for at once", async () => {
    const { world, tenant, member, of, remove, members } = await makeOne({ email: "wanted@example.com" });
    await remove();
    const other = await of({ email: "wanted@example.com" });
    await members.remove(tenant.id, { id: other.id });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        world.isolate().members.reactivate(tenant.id, i % 2 === 0 ? member.id : other.id),
      ),
    );
    const found = await members.findByEmail(tenant.id, tenant.team.id, "wanted@example.com");
    expect(codesOf(outcomes).filter((code) => code === "member_email_taken").length).toBeGreaterThan(0);
    expect([member.id, other.id]).toContain(found?.id);
  });

  test.each(["after", "before"] as const)("comes back when D1 fails once %s the commit", async (when) => {
    const { db, member, remove, reactivate } = await makeOne();
    await remove();
    db.fail("batch", { when, times: 1 });
    expect(await reactivate()).toMatchObject({ id: member.id, deletedAt: null });
  });
});

test("a search finds nobody of another organization's customers, whatever is asked for", async () => {
  const { tenant, members, member } = await makeOne();
  const stranger = await makeTenant();
  const search = { match: "any", after: null, limit: 10 } as const;
  const filters: MemberCriterion[][] = [
    [],
    [{ kind: "named", names: [{ id: member.id, name: "" }] }],
    [{ kind: "status", statuses: ["active", "deleted"] }],
  ];
  for (const some of filters) {
    const found = await members.search(stranger.id, [tenant.team.id], { ...search, filters: some });
    expect(found).toEqual({ items: [], total: 0, next: null });
    expect((await members.search(tenant.id, [tenant.team.id], { ...search, filters: some })).total).toBeGreaterThan(0);
  }
});

/** What a body can hold: JSON with keys and texts of any kind. */
const jsonObject = fc.dictionary(
  fc.string({ unit: "grapheme", maxLength: 8 }),
  fc.oneof(fc.constant(null), fc.jsonValue({ maxDepth: 2, stringUnit: "grapheme" })),
  { maxKeys: 6, noNullPrototype: true },
) as fc.Arbitrary<Kept>;

/** A change that takes all keys away. */
const emptied = (member: { untrustedMetadata: Kept } | null): Kept =>
  Object.fromEntries(Object.keys(member?.untrustedMetadata ?? {}).map((key) => [key, null]));
