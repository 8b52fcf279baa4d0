/**
 * Every statement that storage sends finds its rows by an index, and the hot ones touch few. The statements are those
 * that the use cases really prepare: each is run once through a recording D1.
 */

import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import type { CustomerFilter, CustomerSearchFilter } from "../../src/core/customers.ts";
import { type Customer, emailKey, type NewCustomer, type NewMember } from "../../src/core/directory.ts";
import type { MemberCriterion } from "../../src/core/member-search.ts";
import type { SessionFilter } from "../../src/core/ports.ts";
import { createApiKeyCache, createApiKeyStore } from "../../src/storage/api-key-store.ts";
import { createAttempts } from "../../src/storage/attempts.ts";
import { deleteExpiredRows } from "../../src/storage/clean-up.ts";
import { createEmailChangeStore } from "../../src/storage/email-changes.ts";
import { createImpersonationStore } from "../../src/storage/impersonations.ts";
import type { MemberStore } from "../../src/storage/member-store.ts";
import { createOrganizationCache, createOrganizationStore } from "../../src/storage/organization-store.ts";
import { createPolicyStore } from "../../src/storage/policy-store.ts";
import { createSignInStore } from "../../src/storage/sign-in-codes.ts";
import { createTrustedIssuerStore } from "../../src/storage/trusted-issuers.ts";
import { fakeClock } from "../support/clock.ts";
import { codeDraft, customerOf, individualOf, memberOf, randomLookupKey, sessionDraft } from "../support/drafts.ts";
import type { D1Operation } from "../support/fault-d1.ts";
import { credentials, makeCustomer, makeMember, makeTenant, type Tenant } from "../support/fixtures.ts";
import { type Isolate, makeWorld } from "../support/world.ts";

/** Distinct SQL, each with parameters it was once called with. */
const statements = new Map<string, unknown[]>();
const now = fakeClock().now();
const isolate = makeWorld().isolate();

async function useSessions({ store, settle }: Isolate): Promise<void> {
  const tenant = await makeTenant();
  const page = { offset: 0, limit: 10 };
  const code = codeDraft(now);
  const draft = sessionDraft(memberOf(tenant), now, { code });
  const { team } = tenant;
  await store.insert(draft);
  await store.insert(sessionDraft(customerOf(tenant), now));
  await store.checkAtEdge(draft.lookupKey);
  await store.checkStrictly(draft.lookupKey);
  await store.find(tenant.id, draft.id);
  const filters: SessionFilter[] = [
    {},
    { memberId: team.member.id },
    { customerId: team.id },
    { externalCustomerId: team.externalId },
    { externalMemberId: team.member.externalId },
    { customerId: team.id, externalMemberId: team.member.externalId },
    { externalCustomerId: team.externalId, externalMemberId: team.member.externalId },
    { customerId: team.id, memberId: team.member.id },
  ];
  for (const filter of filters) await store.list(tenant.id, filter, page);
  for (const organization of [{ id: tenant.id }, { slug: tenant.slug }]) {
    await store.findCode(code.lookupKey, organization);
    await store.redeemCode(code.lookupKey, "browser", organization);
  }
  await store.change(tenant.id, draft.id, { expiresAt: now + 60_000 });
  const member = { scope: "member", memberId: team.member.id } as const;
  await store.revokeAll(tenant.id, { ...member, exceptSessionId: draft.id });
  await store.revokeAll(tenant.id, { ...member, exceptSessionId: null });
  await store.revokeAll(tenant.id, { scope: "customer", customerId: team.id });
  await store.revokeAll(tenant.id, { scope: "organization" });
  await store.revoke(tenant.id, draft.id);
  await store.revokeLeaked([draft.lookupKey]);
  await settle();
}

async function usePeople({ database, members, customers }: Isolate): Promise<void> {
  const tenant = await makeTenant();
  const customer: NewCustomer = {
    id: crypto.randomUUID(),
    organizationId: tenant.id,
    type: "team",
    externalId: crypto.randomUUID(),
    email: "someone@example.com",
    name: null,
    billingAddress: null,
    taxId: null,
    locale: null,
    metadata: {},
    createdAt: 0,
  };
  const owner: NewMember = {
    id: crypto.randomUUID(),
    customerId: customer.id,
    email: "owner@example.com",
    name: null,
    externalId: crypto.randomUUID(),
    role: "owner",
    createdAt: 0,
  };
  const { id, externalId } = customer as { id: string; externalId: string };
  await customers.create(customer, owner);
  await expect(customers.create({ ...customer, id: crypto.randomUUID() }, null)).rejects.toMatchObject({
    code: "customer_refused",
    facts: { taken: { email: customer.email, externalId: customer.externalId } },
  });
  await members.add(tenant.id, { ...owner, id: crypto.randomUUID() });
  await customers.find(tenant.id, { id });
  await customers.find(tenant.id, { externalId });
  await members.findOwner(tenant.id, id);
  await useMembers(tenant, members);
  await createOrganizationStore(database, createOrganizationCache(), { now: () => 0 }).findBySlug(tenant.slug);
  const apiKey = await credentials.verify(tenant.apiKey);
  const apiKeys = createApiKeyStore(database, createApiKeyCache(), { now: () => 0 });
  expect(await apiKeys.find(apiKey?.lookupKey ?? "")).not.toBeNull();
  await createAttempts(database, async (...parts) => parts.join(), { now: () => 0 }).take("sign_in", [
    "network",
    "::1",
  ]);
  await deleteExpiredRows(database, { now: () => 0 }, { info() {}, warn() {}, error() {} });
  expect(await apiKeys.revokeLeaked([apiKey?.lookupKey ?? ""])).toHaveLength(1);
}

async function useCustomers({ customers, db }: Isolate): Promise<void> {
  const tenant = await makeTenant();
  const { id } = tenant.individual;
  const page = { offset: 0, limit: 10 };
  const byAge = [{ by: "createdAt", descending: true }] as const;
  const filters: CustomerFilter[] = [
    {},
    { email: "a@example.com" },
    { query: "écu" },
    { metadata: { key: ["value"] } },
    { email: "a@example.com", query: "a", metadata: { key: ["value"] } },
  ];
  for (const filter of filters) await customers.list(tenant.id, filter, [...byAge], page);
  for (const by of ["createdAt", "email", "name"] as const) {
    for (const descending of [false, true]) await customers.list(tenant.id, {}, [{ by, descending }], page);
  }
  const searchFilters: CustomerSearchFilter[] = [
    { everybody: true },
    ...(["id", "slug", "memberEmail", { setting: "s" }] as const).map((by) => ({ by, among: ["a"] })),
    ...(["name", "slug", "memberEmail", { setting: "s" }] as const).map((by) => ({ by, part: "écu" })),
  ];
  for (const after of [null, { createdAt: 0, id }]) {
    for (const match of ["all", "any"] as const) {
      await customers.search(tenant.id, { match, filters: searchFilters, after, limit: 10 });
      for (const filter of searchFilters) {
        await customers.search(tenant.id, { match, filters: [filter], after, limit: 10 });
      }
    }
    await customers.search(tenant.id, { match: "all", filters: [], after, limit: 10 });
  }
  for await (const piece of customers.inPieces(tenant.id)) expect(piece).toHaveLength(2);
  const customer = (await customers.find(tenant.id, { id })) as Customer;
  await customers.change(customer, { email: "new@example.com", name: "New", metadata: {} });
  const kept = { slug: "new", trustedMetadata: { key: "value" }, signInSettings: { key: "value" } };
  expect(await customers.change({ ...customer, email: "new@example.com" }, kept)).toMatchObject(kept);
  db.fail(/UPDATE customers SET deleted_at/, { when: "after", times: 1 });
  expect(await customers.delete(tenant.id, id, true)).toBe(true);
  expect(await customers.delete(tenant.id, id, false)).toBe(false);
}

async function useSignIns({ store, database, settle }: Isolate): Promise<void> {
  const tenant = await makeTenant();
  const signIns = createSignInStore(database, { now: () => now });
  const organizations = createOrganizationStore(database, createOrganizationCache(), { now: () => now });
  const organization = await organizations.findById(tenant.id);
  if (organization === null) throw new Error("no organization");
  const { email } = tenant.team.member;
  for (const memberModelEnabled of [true, false]) {
    await signIns.findPeople({ ...organization, memberModelEnabled }, emailKey(email), null);
  }
  const code = {
    lookupKey: randomLookupKey(),
    tokenKey: "t",
    organizationId: tenant.id,
    emailKey: emailKey(email),
    customerId: null,
    mac: "",
    createdAt: now,
    expiresAt: now + 60_000,
  };
  await signIns.addCode(code, true);
  await signIns.findCode(code.lookupKey);
  await signIns.countAttempt({ id: tenant.id }, code.emailKey);
  await signIns.countAttempt({ slug: tenant.slug }, code.emailKey);
  await signIns.forgiveAttempt(code.lookupKey);
  expect(
    await store.insert(
      sessionDraft(memberOf(tenant), now, { proof: { kind: "sign_in_code", lookupKey: code.lookupKey } }),
    ),
  ).not.toBeNull();
  expect(await signIns.wasUsedBy(code.lookupKey, "x")).toBe(false);
  await settle();
}

async function useMembers({ id, team, individual }: Tenant, members: MemberStore): Promise<void> {
  const { owner, billingManager, member } = team;
  const customers = [{ id: team.id }, { externalId: team.externalId }];
  await members.find(id, { id: owner.id });
  for (const of of customers) {
    await members.find(id, { id: owner.id, of });
    await members.find(id, { externalId: owner.externalId, of });
  }
  for (const of of [[], ...customers.map((customer) => [customer]), customers]) {
    for (const role of [null, "member"] as const) {
      for (const newestFirst of [true, false])
        await members.list(id, { of, role }, newestFirst, { offset: 0, limit: 1 });
    }
  }
  const change = { name: "Renamed", role: "owner" } as const;
  expect(await members.update(id, { id: member.id }, change, owner.id)).toMatchObject({
    name: "Renamed",
    role: "owner",
  });
  expect(await members.remove(id, { id: billingManager.id }, member.id)).toMatchObject({ id: billingManager.id });
  const another = { ...individual.owner, customerId: individual.id, name: null, role: "member", createdAt: 0 } as const;
  const unknown = { ...another, id: crypto.randomUUID(), email: "another@example.com", externalId: null };
  await expect(members.add(id, unknown)).rejects.toMatchObject({ code: "single_member_only" });
  const named = { id: member.id, name: member.externalId };
  expect(await members.findNamed(id, team.id, named)).toMatchObject({ id: member.id });
  expect(await members.findByEmail(id, team.id, member.email)).toMatchObject({ id: member.id });
  await keepWithMembers({ id, team }, members);
}

async function keepWithMembers({ id, team }: Pick<Tenant, "id" | "team">, members: MemberStore): Promise<void> {
  const { id: memberId } = await members.create(id, {
    ...team.member,
    id: crypto.randomUUID(),
    customerId: team.id,
    email: "kept@example.com",
    name: null,
    externalId: null,
    role: "member",
    createdAt: 0,
  });
  const kept = { trustedMetadata: { a: 1 }, untrustedMetadata: { a: 1 }, signInSettings: { a: "1", b: true } };
  const retired = await members.update(
    id,
    { id: memberId },
    { ...kept, assignedRoles: [], externalId: null, email: "moved@example.com", retiresEmail: true },
  );
  await members.update(id, { id: memberId }, { releasedEmail: retired?.retiredEmails[0]?.id ?? "" });
  await members.update(id, { id: memberId }, { ...kept, role: "owner", email: "owner@example.com" });
  await members.update(id, { id: team.member.id }, { role: "owner" });
  await members.remove(id, { id: memberId });
  expect(await members.reactivate(id, memberId)).toMatchObject({ id: memberId });
  const filters: MemberCriterion[] = [
    { kind: "named", names: [{ id: memberId, name: memberId }] },
    { kind: "email", emails: ["owner@example.com"] },
    { kind: "email_part", part: "owner" },
    { kind: "status", statuses: ["active", "deleted"] },
    { kind: "setting", setting: "a", values: ["1"] },
    { kind: "setting_part", setting: "a", part: "1" },
    { kind: "switch", setting: "b", isOn: true },
  ];
  for (const after of [null, { createdAt: -1, id: "" }]) {
    for (const some of [[], ...filters.map((filter) => [filter]), filters]) {
      const found = await members.search(id, [team.id], { match: "all", filters: some, after, limit: 10 });
      expect(found.total).toBeGreaterThan(0);
    }
  }
}

async function usePolicies({ database }: Isolate): Promise<void> {
  const tenant = await makeTenant();
  const policies = createPolicyStore(database, { now: () => now });
  await policies.find(tenant.id);
  expect(await policies.setOwnRoles(tenant.id, tenant.team.id, [])).toBe(true);
}

async function useEmailChanges({ database, store }: Isolate): Promise<void> {
  const tenant = await makeTenant({ allow_email_change: 1 });
  const session = await store.insert(sessionDraft(individualOf(tenant), now));
  if (session === null) throw new Error("the session was not made");
  const changes = createEmailChangeStore(database, { now: () => now });
  const lookupKey = randomLookupKey();
  const email = "new@example.com";
  await changes.ask(session, { lookupKey, tokenKey: "t", email, createdAt: now, expiresAt: now + 60_000 });
  expect(await changes.find(lookupKey)).toMatchObject({ email });
  const proof = { kind: "email_change" as const, lookupKey };
  const draft = sessionDraft({ ...individualOf(tenant), memberId: null }, now, { proof });
  expect(await store.insert(draft)).toMatchObject({ customer: { email } });
}

async function useDoors({ database, store, settle }: Isolate): Promise<void> {
  const tenant = await makeTenant();
  const issuers = createTrustedIssuerStore(database);
  expect(await issuers.findForAttestation(tenant.id, "x")).toBeNull();
  expect(await issuers.listForAccessTokens(tenant.id, "x")).toEqual([]);
  expect(await createImpersonationStore(database, { now: () => now }).find(tenant.id, "x")).toBeNull();
  const testimony = { emailKey: emailKey(tenant.team.member.email), externalId: "x", roles: ["a"] };
  const proof = () => ({ kind: "foreign_token" as const, lookupKey: randomLookupKey(), testimony });
  const draft = sessionDraft(memberOf(tenant), now, { proof: proof() });
  expect(await store.insert(draft)).not.toBeNull();
  const factor = { kind: "trusted_token" as const, tokenId: "x", email: "x@example.com", at: now };
  const proved = { factor, proof: proof() };
  expect(await store.change(tenant.id, draft.id, { proved })).not.toBeNull();
  await expect(store.change(tenant.id, draft.id, { proved })).rejects.toMatchObject({ code: "foreign_token_spent" });
  const impersonation = { kind: "impersonation" as const, lookupKey: randomLookupKey() };
  expect(await store.insert(sessionDraft(memberOf(tenant), now, { proof: impersonation }))).toBeNull();
  await settle();
}

beforeAll(async () => {
  await useDoors(isolate);
  await useSignIns(isolate);
  await useSessions(isolate);
  await useEmailChanges(isolate);
  await usePeople(isolate);
  await useCustomers(isolate);
  await usePolicies(isolate);
  for (const operation of isolate.db.log) {
    for (const { sql, parameters } of operation.statements) statements.set(sql, parameters);
  }
});

async function planOf(sql: string, parameters: unknown[]): Promise<string[]> {
  const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .bind(...parameters)
    .all<{ detail: string }>();
  return results.map(({ detail }) => detail);
}

/**
 * For an INSERT … SELECT into a table that others refer to, SQLite plans a look at the referring rows, and leaves it
 * out at run time unless a foreign key is violated at that moment (OP_FkIfZero). The row counts below show that it does.
 */
const isForeignKeyCheck = (sql: string, step: string) =>
  sql.startsWith("INSERT INTO members") && /^SCAN (sessions USING INDEX \w+|email_changes|impersonations)$/.test(step);

/** Clean-up walks the expired end of an index, whoever's rows those are, and stops at its LIMIT. */
const isExpiredEnd = (sql: string, step: string) =>
  /^DELETE FROM \w+ .* LIMIT \d+\)/s.test(sql) && step.endsWith("(expires_at<?)");

/**
 * A whole table, or a range of an index with no equality before it: every tenant's live sessions, for example. What
 * json_each shows is a parameter or a column of one row; and what a subquery reads is listed by itself.
 */
const isScan = (step: string) =>
  /^SCAN (?!CONSTANT ROW|\(subquery-\d+\)$|\w+ (EXISTS )?VIRTUAL TABLE)/.test(step) ||
  /^SEARCH .*\([^=)]*[<>][^=)]*\)/.test(step);

describe("the statements of storage", () => {
  test("all find their rows by an index: none scans a table", async () => {
    const scans: string[] = [];
    for (const [sql, parameters] of statements) {
      const plan = await planOf(sql, parameters);
      const scan = plan.some((step) => isScan(step) && !isForeignKeyCheck(sql, step) && !isExpiredEnd(sql, step));
      if (scan) scans.push([sql, ...plan].join("\n  "));
    }
    expect(statements.size).toBeGreaterThan(35);
    expect(scans.join("\n\n")).toBe("");
  });

  test("were all prepared by this test: a use case that is added must be added here", () => {
    expect([...statements.keys()].sort()).toEqual(isolate.db.prepared().sort());
  });

  test("would be found out: a scan, and a search that goes through all live sessions", async () => {
    for (const condition of ["return_url = ?1", "expires_at > ?1"]) {
      const plan = await planOf(`SELECT * FROM sessions WHERE ${condition}`, [0]);
      expect(plan.some(isScan), plan.join()).toBe(true);
    }
    const plan = await planOf("SELECT * FROM sessions WHERE id = ?1", ["x"]);
    expect(plan.some(isScan), plan.join()).toBe(false);
  });
});

describe("the rows that D1 counts", () => {
  const sum = (operation: D1Operation | undefined, field: "rows_read" | "rows_written") =>
    operation?.meta.reduce((rows, meta) => rows + meta[field], 0) ?? Number.NaN;

  async function measure(use: (isolate: Isolate) => Promise<unknown>): Promise<D1Operation | undefined> {
    const other = makeWorld().isolate();
    await use(other);
    const [operation] = other.db.log;
    await other.settle();
    return operation;
  }

  test("are at most 6 read for a strict check, and for an edge check that KV cannot answer", async () => {
    const tenant = await makeTenant();
    const world = makeWorld();
    const draft = sessionDraft(memberOf(tenant), world.clock.now());
    for (let i = 0; i < 50; i++) await isolate.store.insert(sessionDraft(memberOf(tenant), world.clock.now()));
    await isolate.store.insert(draft);
    await isolate.settle();
    const strict = await measure(({ store }) => store.checkStrictly(draft.lookupKey));
    expect(sum(strict, "rows_read")).toBeLessThanOrEqual(6);
    const atEdge = await measure(async ({ store, kv }) => {
      kv.fail("any");
      return store.checkAtEdge(draft.lookupKey);
    });
    expect(sum(atEdge, "rows_read")).toBeLessThanOrEqual(6);
  });

  test("are at most 8 written for a session with its portal code", async () => {
    const tenant = await makeTenant();
    const create = await measure(({ store }) =>
      store.insert(sessionDraft(memberOf(tenant), now, { code: codeDraft(now) })),
    );
    expect(sum(create, "rows_written")).toBeLessThanOrEqual(8);
  });

  test("are few read to add a member, however many sessions there are", async () => {
    const tenant = await makeTenant();
    for (let i = 0; i < 50; i++) await isolate.store.insert(sessionDraft(memberOf(tenant), now + i));
    const add = await measure(({ members }) =>
      members.add(tenant.id, {
        id: crypto.randomUUID(),
        customerId: tenant.team.id,
        email: "another@example.com",
        name: null,
        externalId: null,
        role: "member",
        createdAt: now,
      }),
    );
    expect(sum(add, "rows_read")).toBeLessThanOrEqual(10);
  });

  test("are few read to list a customer's members, however many its organization has", async () => {
    const tenant = await makeTenant();
    const crowded = await makeCustomer(tenant.id, { type: "team" });
    for (let i = 0; i < 50; i++) await makeMember(tenant.id, crowded, "member", tenant.slug);
    for (const of of [{ id: tenant.team.id }, { externalId: tenant.team.externalId }]) {
      const page = { offset: 0, limit: 10 };
      const list = await measure(({ members }) => members.list(tenant.id, { of: [of], role: null }, true, page));
      expect(sum(list, "rows_read")).toBeLessThanOrEqual(20);
    }
  });

  test("are few read to search a customer's members, however many its organization has", async () => {
    const tenant = await makeTenant();
    const crowded = await makeCustomer(tenant.id, { type: "team" });
    for (let i = 0; i < 50; i++) await makeMember(tenant.id, crowded, "member", tenant.slug);
    const search = { match: "all", filters: [], after: null, limit: 10 } as const;
    const found = await measure(({ members }) =>
      members.search(tenant.id, [tenant.team.id], { ...search, filters: [] }),
    );
    expect(sum(found, "rows_read")).toBeLessThanOrEqual(25);
  });

  test("are few read to make a member, however many keep an address of theirs in other customers", async () => {
    const tenant = await makeTenant();
    for (let i = 0; i < 50; i++) await makeMember(tenant.id, tenant.team.id, "member", tenant.slug);
    const { db, members } = makeWorld().isolate();
    await members.update(tenant.id, { id: tenant.team.member.id }, { email: "new@example.com", retiresEmail: true });
    const owner = {
      ...tenant.team.owner,
      customerId: tenant.team.id,
      name: null,
      role: "member",
      createdAt: now,
    } as const;
    await members.create(tenant.id, { ...owner, id: crypto.randomUUID(), email: "x@example.com", externalId: null });
    expect(sum(db.log.at(-1), "rows_read")).toBeLessThanOrEqual(15);
  });

  test("are two written at most to revoke all of a member, whether it has 1 session or 60", async () => {
    const written: number[] = [];
    for (const sessions of [1, 60]) {
      const tenant = await makeTenant();
      for (let i = 0; i < sessions; i++) await isolate.store.insert(sessionDraft(memberOf(tenant), now + i));
      const target = { scope: "member", memberId: tenant.team.member.id, exceptSessionId: null } as const;
      written.push(sum(await measure(({ store }) => store.revokeAll(tenant.id, target)), "rows_written"));
    }
    expect(written[0]).toBeLessThanOrEqual(2);
    expect(written[1]).toBe(written[0]);
  });
});
