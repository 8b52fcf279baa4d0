/** What lies in KV: for how long, what it holds and what it must not hold, and what a reader makes of garbage. */

import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createOrganizationCache, createOrganizationStore } from "../../src/storage/organization-store.ts";
import { leaseMilliseconds, recordTtlSeconds } from "../../src/storage/session-records.ts";
import { memberOf, sessionDraft } from "../support/drafts.ts";
import { makeTenant } from "../support/fixtures.ts";
import { makeScene, parseRecord } from "../support/scene.ts";
import { makeWorld } from "../support/world.ts";

describe("a record's life in KV", () => {
  /** What KV itself says of the remaining life of a key. It keeps its own time, not the test's. */
  async function secondsLeft(key: string): Promise<number> {
    const { keys } = await env.SESSIONS.list({ prefix: key });
    const now = Date.now() / 1000;
    return (keys[0]?.expiration ?? Number.NaN) - now;
  }

  test("is the session's remaining life and ten seconds, for every life from 60 to 120 s", async () => {
    const tenant = await makeTenant();
    const world = makeWorld();
    const { store, kv, settle } = world.isolate();
    const now = world.clock.now();
    for (let seconds = 60; seconds <= 120; seconds++) {
      const draft = sessionDraft(memberOf(tenant), now, { expiresAt: now + seconds * 1000 });
      expect(await store.insert(draft)).not.toBeNull();
      await settle();
      expect(kv.log.filter(({ kind }) => kind === "put").at(-1)?.expirationTtl).toBe(seconds + 10);
      const left = await secondsLeft(`s:${draft.lookupKey}`);
      expect(Math.abs(left - (seconds + 10)), `${left} s for ${seconds} s`).toBeLessThan(3);
    }
  });

  test("is never below what KV takes: a session in its last second still gets its record and its tombstone", async () => {
    const { world, home, tenant, draft, lookupKey, key, clock } = await makeScene();
    const other = world.isolate();
    clock.advance(draft.expiresAt - clock.now() - 1000);
    expect(await other.store.checkAtEdge(lookupKey)).not.toBeNull();
    await other.settle();
    await home.store.revoke(tenant.id, draft.id);
    await home.settle();
    const ttls = world.kv.versions(key).map(({ expirationTtl }) => expirationTtl);
    expect(ttls).toEqual([3610, 60, 60]);
    expect(Math.abs((await secondsLeft(key)) - 60)).toBeLessThan(3);
    expect([...home.warnings, ...other.warnings]).toEqual([]);
  });

  test("follows the session's new expiry when it is prolonged or shortened", async () => {
    const { world, home, tenant, draft, key, clock } = await makeScene();
    await home.store.change(tenant.id, draft.id, { expiresAt: clock.now() + 7_200_000 });
    await home.store.change(tenant.id, draft.id, { expiresAt: clock.now() + 90_500 });
    await home.settle();
    expect(world.kv.versions(key).map(({ expirationTtl }) => expirationTtl)).toEqual([3610, 7210, 101]);
  });

  test("never ends before the session and never asks for less than KV's floor", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: -1e9, max: 4e10 }), (now, remaining) => {
        const ttl = recordTtlSeconds(now + remaining, now);
        expect(Number.isInteger(ttl)).toBe(true);
        expect(ttl).toBeGreaterThanOrEqual(60);
        expect(ttl * 1000).toBeGreaterThanOrEqual(remaining + 10_000);
      }),
    );
  });

  test("a lease is 240 to 300 s, differs between sessions, and is the same each time", () => {
    const hex = fc.stringMatching(/^[0-9a-f]{46}$/);
    fc.assert(
      fc.property(hex, (lookupKey) => {
        const lease = leaseMilliseconds(lookupKey);
        expect(lease).toBeGreaterThanOrEqual(240_000);
        expect(lease).toBeLessThanOrEqual(300_000);
        expect(leaseMilliseconds(lookupKey)).toBe(lease);
      }),
    );
    const leases = fc.sample(hex, 200).map(leaseMilliseconds);
    expect(new Set(leases).size).toBeGreaterThan(150);
  });
});

describe("a tombstone", () => {
  test("is put, not deleted, and lives as long as the session would have", async () => {
    const { world, home, tenant, draft, key, clock } = await makeScene();
    clock.advance(600_000);
    await home.store.revoke(tenant.id, draft.id);
    await home.settle();
    const tombstone = world.kv.versions(key).at(-1);
    expect(parseRecord(tombstone?.value)).toEqual({ v: 1, tombstone: true });
    expect(tombstone?.expirationTtl).toBe(3000 + 10);
    expect(await env.SESSIONS.get(key, "json")).toEqual({ v: 1, tombstone: true });
  });
});

describe("what KV holds of a session", () => {
  test("is what an edge check answers: no name, no address, and nothing that can be presented", async () => {
    const tenant = await makeTenant();
    const { sessions, database, kv, settle } = makeWorld().isolate();
    const organization = await createOrganizationStore(database, createOrganizationCache(), {
      now: () => 0,
    }).findBySlug(tenant.slug);
    if (organization === null) throw new Error("no organization");
    const { team } = tenant;
    const issued = await sessions.create({
      organization,
      customerId: team.id,
      memberId: team.member.id,
      returnUrl: null,
      ttlSeconds: null,
    });
    await sessions.change(organization, issued.session.id, { ttlSeconds: 7200, claims: null });
    await sessions.revoke(tenant.id, issued.session.id);
    await settle();
    const puts = kv.log.filter(({ kind }) => kind === "put");
    expect(puts).toHaveLength(3);
    const secret = issued.token.slice(-56);
    for (const { key, value } of puts) {
      expect(key).toMatch(/^s:[0-9a-f]{46}$/);
      for (const canary of [
        secret,
        secret.slice(0, 20),
        secret.slice(-12),
        issued.code?.slice(-56) ?? "no code",
        team.member.email,
        team.owner.email,
        "@",
        "A member",
        "Team & Sons",
        organization.name,
        "sealed",
      ]) {
        expect(`${key} ${value}`.includes(canary), canary).toBe(false);
      }
    }
    const [record] = puts;
    expect(Object.keys(parseRecord(record?.value ?? "").facts ?? {}).sort()).toEqual(
      [
        "customerId",
        "expiresAt",
        "id",
        "kind",
        "memberId",
        "organizationId",
        "organizationSlug",
        "returnUrl",
        "role",
      ].sort(),
    );
  });
});

describe("a record that is not one", () => {
  test("of an unknown version, or garbled, is a miss: D1 decides for the living and for the dead", async () => {
    const { world, home, tenant, draft, lookupKey, key, clock } = await makeScene();
    const dead = sessionDraft(memberOf(tenant), clock.now());
    await home.store.insert(dead);
    const record = parseRecord(world.kv.versions(key)[0]?.value);
    const facts = record.facts as Record<string, unknown>;
    const without = (field: string) => Object.fromEntries(Object.entries(facts).filter(([name]) => name !== field));
    const texts = [
      "",
      "null",
      "5",
      "true",
      '"x"',
      "[]",
      "{}",
      "{",
      "\u0000",
      "<html>502 Bad Gateway</html>",
      JSON.stringify({ ...record, v: 2 }),
      JSON.stringify({ ...record, v: "1" }),
      JSON.stringify({ ...record, v: undefined }),
      JSON.stringify({ v: 2, tombstone: true }),
      JSON.stringify({ v: 1, tombstone: "true" }),
      JSON.stringify({ v: 1, tombstone: 1 }),
      JSON.stringify({ ...record, provedAt: String(record.provedAt) }),
      JSON.stringify({ ...record, provedAt: undefined }),
      JSON.stringify({ ...record, provedAt: null }),
      JSON.stringify({ ...record, facts: null }),
      JSON.stringify({ ...record, facts: [] }),
      JSON.stringify({ ...record, facts: { ...facts, kind: "robot" } }),
      JSON.stringify({ ...record, facts: { ...facts, expiresAt: "9999999999999" } }),
      ...Object.keys(facts).map((field) => JSON.stringify({ ...record, facts: without(field) })),
      JSON.stringify(record).slice(0, -5),
    ];
    await home.store.revoke(tenant.id, dead.id);
    for (const text of texts) {
      const { store, db, kv } = world.isolate();
      for (const lookup of [lookupKey, dead.lookupKey]) kv.pin(`s:${lookup}`, text);
      expect(await store.checkAtEdge(lookupKey), text).toMatchObject({ id: draft.id, role: "member" });
      expect(await store.checkAtEdge(dead.lookupKey), text).toBeNull();
      expect(db.count("read"), text).toBe(2);
    }
  });

  test("with fields that a later version added is still read", async () => {
    const { world, lookupKey, key, draft } = await makeScene();
    const { store, db, kv } = world.isolate();
    kv.pin(key, JSON.stringify({ ...parseRecord(world.kv.versions(key)[0]?.value), added: "later" }));
    expect(await store.checkAtEdge(lookupKey)).toMatchObject({ id: draft.id });
    expect(db.count()).toBe(0);
  });
});
