/**
 * Customers that are made and changed by several at once: whatever is unique stays so, what one keeps is not lost to
 * another, and a write whose answer is lost happens once.
 */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import type { Customer, Kept, NewCustomer } from "../../src/core/directory.ts";
import { makeTenant } from "../support/fixtures.ts";
import { type Isolate, makeWorld } from "../support/world.ts";

function teamIn(organizationId: string, changes: Partial<NewCustomer> = {}): NewCustomer {
  return {
    id: crypto.randomUUID(),
    organizationId,
    type: "team",
    externalId: null,
    email: null,
    name: "Team",
    billingAddress: null,
    taxId: null,
    locale: null,
    metadata: {},
    createdAt: 1,
    ...changes,
  };
}

/** A team of a new tenant, and isolates to change it from. */
async function makeTeam(changes: Partial<NewCustomer> = {}) {
  const tenant = await makeTenant();
  const world = makeWorld();
  const home = world.isolate();
  const team = await home.customers.create(teamIn(tenant.id, changes), null);
  const again = async () => {
    const found = await home.customers.find(tenant.id, { id: team.id });
    if (found === null) throw new Error("the team is gone");
    return found;
  };
  return { tenant, world, home, team, again };
}

const refused = (taken: object) => ({ code: "customer_refused", facts: { taken } });

describe("a new customer", () => {
  test("has what a caller keeps with it, and without that nothing", async () => {
    const kept = {
      slug: "acme",
      logoUrl: "https://example.com/logo.png",
      trustedMetadata: { plan: "pro", nested: { n: null } },
      domainRoles: [{ domain: "acme.com", role: "editor" }],
      signInSettings: { mfa_policy: "OPTIONAL" },
    };
    expect((await makeTeam(kept)).team).toMatchObject(kept);
    expect((await makeTeam()).team).toMatchObject({
      slug: null,
      logoUrl: null,
      trustedMetadata: {},
      domainRoles: [],
      signInSettings: {},
    });
  });

  test("is refused the slug of another one, which may be had in another organization", async () => {
    const { tenant, home } = await makeTeam({ slug: "acme" });
    const second = teamIn(tenant.id, { slug: "acme" });
    await expect(home.customers.create(second, null)).rejects.toMatchObject(refused({ slug: "acme" }));
    expect(await home.customers.find(tenant.id, { id: second.id })).toBeNull();
    expect((await makeTeam({ slug: "acme" })).team.slug).toBe("acme");
  });

  test("has a slug alone, of 20 who want it at once", async () => {
    const { tenant, world } = await makeTeam();
    const made = await Promise.allSettled(
      Array.from({ length: 20 }, () => world.isolate().customers.create(teamIn(tenant.id, { slug: "one" }), null)),
    );
    expect(made.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const outcome of made) {
      if (outcome.status === "rejected") expect(outcome.reason).toMatchObject(refused({ slug: "one" }));
    }
  });

  test("may have the slug and the external id of one that was deleted", async () => {
    const names = { slug: "acme", externalId: "acme-1" };
    const { tenant, home, team } = await makeTeam(names);
    expect(await home.customers.delete(tenant.id, team.id, false)).toBe(true);
    expect(await home.customers.create(teamIn(tenant.id, names), null)).toMatchObject(names);
  });
});

describe("a change", () => {
  test("gives a slug, a logo and domain roles, and takes nothing else away", async () => {
    const { home, team, again } = await makeTeam({ trustedMetadata: { plan: "pro" }, slug: "old" });
    const change = { slug: "new", logoUrl: "https://example.com/", domainRoles: [{ domain: "a.com", role: "r" }] };
    const changed = await home.customers.change(team, change);
    expect(changed).toEqual({ ...team, ...change, modifiedAt: expect.any(Number) });
    expect(await again()).toEqual(changed);
  });

  test("is refused the slug of another customer, whoever of two comes first", async () => {
    const { tenant, world, home, team } = await makeTeam();
    const other = await home.customers.create(teamIn(tenant.id), null);
    const outcomes = await Promise.allSettled(
      [team, other].map((customer) => world.isolate().customers.change(customer, { slug: "wanted" })),
    );
    const [loser] = outcomes.filter(({ status }) => status === "rejected") as [PromiseRejectedResult];
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(loser.reason).toMatchObject(refused({ slug: "wanted" }));
  });

  test("may say the slug and the external id that the customer has", async () => {
    const { home, team } = await makeTeam({ slug: "acme", externalId: "acme-1" });
    expect(await home.customers.change(team, { slug: "acme", newExternalId: "acme-1" })).toMatchObject({
      slug: "acme",
      externalId: "acme-1",
    });
  });

  test("puts an external id in the place of another, or takes it away, only where it says so", async () => {
    const { tenant, home, team, again } = await makeTeam({ externalId: "first" });
    await home.customers.create(teamIn(tenant.id, { externalId: "hers" }), null);
    await expect(home.customers.change(team, { externalId: "second" })).rejects.toMatchObject({
      facts: { fixed: { externalId: "second" } },
    });
    const taken = home.customers.change(team, { newExternalId: "hers" });
    await expect(taken).rejects.toMatchObject(refused({ externalId: "hers" }));
    expect(await home.customers.change(team, { newExternalId: "second" })).toMatchObject({ externalId: "second" });
    expect(await home.customers.change(await again(), { newExternalId: null })).toMatchObject({ externalId: null });
    expect(await home.customers.create(teamIn(tenant.id, { externalId: "second" }), null)).toMatchObject({
      externalId: "second",
    });
  });
});

/** Every sort of key and value that JSON knows and SQL may trip over. */
const STRANGE: Kept = {
  'a"b': 1.2345678901234567,
  "back\\slash": { n: null, deep: [null, { x: null }] },
  "": "empty",
  "a.b": true,
  "[0]": 1e21,
  é: "ü\u2028",
  $: 0.30000000000000004,
  "#": false,
  '"': "'",
  "\\u0041": [],
  "\n": {},
  "0": "0",
};

describe("metadata", () => {
  test("is changed by top-level keys: a new one is added, one that is there replaced whole, null takes one away", async () => {
    const { home, team, again } = await makeTeam({ trustedMetadata: { gone: 1, kept: { a: 1 }, replaced: { a: 1 } } });
    const trustedMetadata = { gone: null, never: null, replaced: { b: null }, added: [1, null] };
    await home.customers.change(team, { trustedMetadata });
    expect((await again()).trustedMetadata).toEqual({ kept: { a: 1 }, replaced: { b: null }, added: [1, null] });
  });

  test("keeps every key and value as it came, on either side of a change", async () => {
    const first = await makeTeam({ trustedMetadata: STRANGE });
    await first.home.customers.change(first.team, { trustedMetadata: { more: STRANGE } });
    expect((await first.again()).trustedMetadata).toEqual({ ...STRANGE, more: STRANGE });
    const second = await makeTeam({ trustedMetadata: { $: 1, first: 1 } });
    await second.home.customers.change(second.team, { trustedMetadata: STRANGE });
    expect((await second.again()).trustedMetadata).toEqual({ first: 1, ...STRANGE });
    const nothing = Object.fromEntries(Object.keys(STRANGE).map((key) => [key, null]));
    await second.home.customers.change(second.team, { trustedMetadata: nothing });
    expect((await second.again()).trustedMetadata).toEqual({ first: 1 });
  });

  test("loses none of 20 changes at once, and neither do the settings", async () => {
    const { world, team, again } = await makeTeam();
    const keys = Array.from({ length: 20 }, (_, index) => `key ${index}`);
    const changes = keys.map((key) => ({ trustedMetadata: { [key]: key }, signInSettings: { [key]: [key] } }));
    await Promise.all(changes.map((change) => world.isolate().customers.change(team, change)));
    const { trustedMetadata, signInSettings } = await again();
    expect(Object.keys(trustedMetadata).sort()).toEqual([...keys].sort());
    expect(Object.keys(signInSettings).sort()).toEqual([...keys].sort());
  });

  test("has 20 keys at most, counted after the change, which otherwise does nothing at all", async () => {
    const full = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`k${index}`, index]));
    const { home, team, again } = await makeTeam({ trustedMetadata: full });
    const tooMany = home.customers.change(team, { name: "New", trustedMetadata: { more: 1 } });
    await expect(tooMany).rejects.toMatchObject({ code: "metadata_too_many_keys" });
    expect(await again()).toEqual(team);
    await home.customers.change(team, { trustedMetadata: { more: 1, k0: null } });
    expect(Object.keys((await again()).trustedMetadata)).toHaveLength(20);
  });

  test("has 4,096 bytes at most, counted after the change", async () => {
    const { home, team, again } = await makeTeam();
    /** {"k":"…","l":"…"} in so many bytes; ü has two. */
    const ofBytes = (bytes: number) => ({ k: "ü".repeat(2000), l: "x".repeat(bytes - 4015) });
    expect(new TextEncoder().encode(JSON.stringify(ofBytes(4096)))).toHaveLength(4096);
    const tooLarge = home.customers.change(team, { trustedMetadata: ofBytes(4097) });
    await expect(tooLarge).rejects.toMatchObject({ code: "metadata_too_large" });
    expect(await again()).toEqual(team);
    await home.customers.change(team, { trustedMetadata: ofBytes(4096) });
    const full = await again();
    const oneMore = home.customers.change(full, { trustedMetadata: { l: "" } });
    expect((await oneMore)?.trustedMetadata).toMatchObject({ l: "" });
    await expect(home.customers.change(full, { trustedMetadata: { m: "x".repeat(100) } })).rejects.toMatchObject({
      code: "metadata_too_large",
    });
  });

  test("that is too large already, as an import may leave it, keeps nobody from a change of name", async () => {
    const { home, team, again } = await makeTeam();
    const large = JSON.stringify({ k: "x".repeat(5000) });
    await env.DB.prepare("UPDATE customers SET trusted_metadata = ?1 WHERE id = ?2").bind(large, team.id).run();
    await home.customers.change(team, { name: "New" });
    expect(await again()).toMatchObject({ name: "New", trustedMetadata: { k: "x".repeat(5000) } });
  });
});

describe("a change whose answer is lost", () => {
  async function changeWithFault(when: "before" | "after", change: Parameters<Isolate["customers"]["change"]>[1]) {
    const { home, team, again } = await makeTeam({ externalId: "first", trustedMetadata: { a: 1 } });
    home.db.fail("batch", { when, times: 1 });
    const changed = await home.customers.change(team, change);
    const found: Customer = await again();
    expect(changed).toEqual(found);
    return found;
  }

  for (const when of ["before", "after"] as const) {
    test(`${when} it was committed happens once`, async () => {
      const change = { trustedMetadata: { a: null, b: 2 }, newExternalId: "second", slug: "s" };
      expect(await changeWithFault(when, change)).toMatchObject({
        trustedMetadata: { b: 2 },
        externalId: "second",
        slug: "s",
      });
    });
  }
});
