/** Tokens of trusted issuers make one session or add to one, once; and what they say of a member counts only then. */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import type { Factor } from "../../src/core/factors.ts";
import type { SessionProof, Testimony } from "../../src/core/session.ts";
import { memberOf, ownerOf, randomLookupKey, sessionDraft } from "../support/drafts.ts";
import { makeTenant } from "../support/fixtures.ts";
import { makeScene } from "../support/scene.ts";
import { makeWorld } from "../support/world.ts";

async function prepare(testimony: Partial<Testimony> = {}) {
  const tenant = await makeTenant();
  const world = makeWorld();
  const isolate = world.isolate();
  const now = world.clock.now();
  const { member } = tenant.team;
  const proof: SessionProof = {
    kind: "foreign_token",
    lookupKey: randomLookupKey(),
    testimony: { emailKey: member.email.toLowerCase(), externalId: null, roles: [], ...testimony },
  };
  const draft = sessionDraft(memberOf(tenant), now, { proof });
  return { tenant, world, isolate, now, proof, draft, member };
}

const factorOf = (tokenId: string, at: number): Factor => ({
  kind: "trusted_token",
  tokenId,
  email: "x@example.com",
  at,
});
const spent = (lookupKey: string) =>
  env.DB.prepare("SELECT used_by, expires_at FROM spent_tokens WHERE lookup_key = ?1").bind(lookupKey).first();
const setMember = (id: string, column: string, value: unknown) =>
  env.DB.prepare(`UPDATE members SET ${column} = ?1 WHERE id = ?2`).bind(value, id).run();

describe("a session made of a foreign token", () => {
  test("uses it up until it is no good anyway", async () => {
    const { isolate, draft, proof, now } = await prepare();
    expect(await isolate.store.insert(draft)).toMatchObject({ id: draft.id });
    expect(await spent(proof.lookupKey)).toEqual({ used_by: draft.id, expires_at: now + 3_720_000 });
  });

  test("is one, whichever of 20 that try at once, for whichever member", async () => {
    const { isolate, tenant, now, proof } = await prepare();
    const subjects = [memberOf(tenant), ownerOf(tenant)];
    const drafts = Array.from({ length: 20 }, (_, index) =>
      sessionDraft(subjects[index % 2] as (typeof subjects)[0], now, { proof }),
    );
    const outcomes = await Promise.allSettled(drafts.map((draft) => isolate.store.insert(draft)));
    const refused = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason.code] : []));
    expect(refused).toEqual(Array(19).fill("foreign_token_spent"));
    expect((await isolate.store.list(tenant.id, {}, { offset: 0, limit: 100 })).total).toBe(1);
  });

  test("verifies the address, attaches the external id, and adds the roles to those that there are", async () => {
    const { isolate, draft, member, now } = await prepare({ externalId: "auth0|1", roles: ["viewer", "editor"] });
    await setMember(member.id, "external_id", null);
    await setMember(member.id, "assigned_roles", '["editor","auditor"]');
    const session = await isolate.store.insert(draft);
    expect(session?.member).toMatchObject({
      emailVerified: true,
      externalId: "auth0|1",
      assignedRoles: ["auditor", "editor", "viewer"],
      modifiedAt: now,
    });
  });

  test("changes nothing of a member of whom all this is known", async () => {
    const { isolate, draft, member } = await prepare({ externalId: "x", roles: ["editor"] });
    await setMember(member.id, "email_verified", 1);
    await setMember(member.id, "assigned_roles", '["viewer","editor"]');
    expect((await isolate.store.insert(draft))?.member).toMatchObject({
      emailVerified: true,
      externalId: member.externalId,
      assignedRoles: ["viewer", "editor"],
      modifiedAt: null,
    });
  });

  test("verifies no other address than the one that was vouched for", async () => {
    const { isolate, draft } = await prepare({ emailKey: "another@example.com" });
    expect((await isolate.store.insert(draft))?.member?.emailVerified).toBe(false);
  });

  test("is none, and nothing is noted, where another member has the external id", async () => {
    const { isolate, draft, tenant, member, proof } = await prepare({ roles: ["editor"] });
    (proof.testimony as Testimony).externalId = tenant.team.owner.externalId;
    await setMember(member.id, "external_id", null);
    await expect(isolate.store.insert(draft)).rejects.toMatchObject({ code: "member_external_id_taken" });
    expect(await spent(proof.lookupKey)).toBeNull();
    expect(await isolate.members.find(tenant.id, { id: member.id })).toMatchObject({ assignedRoles: [] });
  });

  test("is none where the member is gone, and the token is good as before", async () => {
    const { isolate, draft, member, proof } = await prepare();
    await setMember(member.id, "deleted_at", 1);
    expect(await isolate.store.insert(draft)).toBeNull();
    expect(await spent(proof.lookupKey)).toBeNull();
  });

  test("is there when only the answer to its making was lost, and used the token", async () => {
    const { isolate, draft, proof } = await prepare();
    isolate.db.fail("batch", { times: 1, when: "after" });
    expect(await isolate.store.insert(draft)).toMatchObject({ id: draft.id });
    expect(await spent(proof.lookupKey)).toMatchObject({ used_by: draft.id });
  });
});

describe("a session that a foreign token adds to", () => {
  const change = (proof: SessionProof, at: number, more = {}) => ({
    proved: { factor: factorOf(proof.lookupKey.slice(0, 5), at), proof },
    ...more,
  });

  async function begin(testimony: Partial<Testimony> = {}) {
    const prepared = await prepare(testimony);
    const { isolate, tenant, now } = prepared;
    const factors: Factor[] = [{ kind: "typed_code", email: "a@example.com", at: now }];
    const existing = sessionDraft(memberOf(tenant), now, { factors });
    await isolate.store.insert(existing);
    return { ...prepared, existing, factors };
  }

  test("has its factor beside the others, and later that of the next token in its place", async () => {
    const { isolate, tenant, existing, factors, proof, now } = await begin({ roles: ["editor"] });
    const more = { expiresAt: now + 60_000, claims: { a: 1 } };
    expect(await isolate.store.change(tenant.id, existing.id, change(proof, now, more))).toMatchObject({
      factors: [...factors, factorOf(proof.lookupKey.slice(0, 5), now)],
      expiresAt: now + 60_000,
      claims: { a: 1 },
      member: { emailVerified: true, assignedRoles: ["editor"] },
    });
    const next = { ...proof, lookupKey: randomLookupKey() };
    const again = await isolate.store.change(tenant.id, existing.id, change(next, now + 1));
    expect(again?.factors).toEqual([...factors, factorOf(next.lookupKey.slice(0, 5), now + 1)]);
    expect(await isolate.store.find(tenant.id, existing.id)).toEqual(again);
  });

  test("uses the token up: neither it nor another can use it again, and a refusal changes nothing", async () => {
    const { isolate, tenant, existing, proof, now, draft } = await begin();
    await isolate.store.change(tenant.id, existing.id, change(proof, now));
    await setMember(tenant.team.member.id, "email_verified", 0);
    const more = { expiresAt: now + 60_000, claims: { a: 1 } };
    const again = isolate.store.change(tenant.id, existing.id, change(proof, now + 1, more));
    await expect(again).rejects.toMatchObject({ code: "foreign_token_spent" });
    await expect(isolate.store.insert(draft)).rejects.toMatchObject({ code: "foreign_token_spent" });
    const found = await isolate.store.find(tenant.id, existing.id);
    expect(found).toMatchObject({ claims: {}, expiresAt: existing.expiresAt, member: { emailVerified: false } });
  });

  test("is one, whichever of 20 that try at once", async () => {
    const { isolate, tenant, existing, proof, now } = await begin();
    const calls = Array.from({ length: 20 }, (_, index) =>
      isolate.store.change(tenant.id, existing.id, change(proof, now, { claims: { [`c${index}`]: 1 } })),
    );
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(Object.keys((await isolate.store.find(tenant.id, existing.id))?.claims ?? {})).toHaveLength(1);
  });

  test("is left alone, and the token too, where claims are too large or the session is over", async () => {
    const { isolate, tenant, existing, proof, now } = await begin({ roles: ["editor"] });
    const large = change(proof, now, { claims: { a: "x".repeat(4097) } });
    const refused = isolate.store.change(tenant.id, existing.id, large);
    await expect(refused).rejects.toMatchObject({ code: "custom_claims_too_large" });
    const other = await makeTenant();
    expect(await isolate.store.change(other.id, existing.id, change(proof, now))).toBeNull();
    await isolate.store.revoke(tenant.id, existing.id);
    expect(await isolate.store.change(tenant.id, existing.id, change(proof, now))).toBeNull();
    expect(await spent(proof.lookupKey)).toBeNull();
    const member = await isolate.members.find(tenant.id, { id: tenant.team.member.id });
    expect(member).toMatchObject({ assignedRoles: [], emailVerified: false });
  });

  test("is changed once when the answer was lost and the call repeated itself", async () => {
    const { isolate, tenant, existing, factors, proof, now } = await begin();
    isolate.db.fail("batch", { times: 1, when: "after" });
    const changed = await isolate.store.change(tenant.id, existing.id, change(proof, now));
    expect(changed?.factors).toEqual([...factors, factorOf(proof.lookupKey.slice(0, 5), now)]);
  });

  test("is left alone where another member has the external id", async () => {
    const { isolate, tenant, existing, proof, now } = await begin();
    (proof.testimony as Testimony).externalId = tenant.team.owner.externalId;
    await setMember(tenant.team.member.id, "external_id", null);
    const refused = isolate.store.change(tenant.id, existing.id, change(proof, now));
    await expect(refused).rejects.toMatchObject({ code: "member_external_id_taken" });
    expect(await spent(proof.lookupKey)).toBeNull();
  });

  test("is told to KV where it lives longer, as with any change", async () => {
    const { home, tenant, draft, clock, key } = await makeScene();
    const proof: SessionProof = { kind: "foreign_token", lookupKey: randomLookupKey() };
    const expiresAt = clock.now() + 7_200_000;
    await home.store.change(tenant.id, draft.id, change(proof, clock.now(), { expiresAt }));
    await home.settle();
    expect(JSON.parse((await env.SESSIONS.get(key)) ?? "{}").facts.expiresAt).toBe(expiresAt);
  });
});
