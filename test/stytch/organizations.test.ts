/** Organizations (contract §2.11): made, read, changed and deleted. */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { makeApiKey, makeTenant, type Tenant } from "../support/fixtures.ts";
import { makeFaultyClient, makeLink } from "../support/portal.ts";
import { at, FULL, makeScene, PATH, UUID } from "./organization-scene.ts";
import { call, failure, type Json, organizationId, success } from "./support.ts";

/** Every field that python's SDK insists on (contract §1.5), as an organization has them of which only the name was said. */
const DEFAULTS = {
  organization_logo_url: "",
  sso_jit_provisioning: "ALL_ALLOWED",
  sso_jit_provisioning_allowed_connections: [],
  sso_active_connections: [],
  email_allowed_domains: [],
  claimed_email_domains: [],
  email_jit_provisioning: "NOT_ALLOWED",
  email_invites: "ALL_ALLOWED",
  auth_methods: "ALL_ALLOWED",
  allowed_auth_methods: [],
  mfa_policy: "OPTIONAL",
  rbac_email_implicit_role_assignments: [],
  mfa_methods: "ALL_ALLOWED",
  allowed_mfa_methods: [],
  oauth_tenant_jit_provisioning: "NOT_ALLOWED",
  first_party_connected_apps_allowed_type: "ALL_ALLOWED",
  allowed_first_party_connected_apps: [],
  third_party_connected_apps_allowed_type: "ALL_ALLOWED",
  allowed_third_party_connected_apps: [],
  custom_roles: [],
  trusted_metadata: {},
  allowed_oauth_tenants: null,
  organization_external_id: null,
  sso_default_connection_id: null,
  scim_active_connection: null,
};

describe("a new organization", () => {
  test("has every field, with its default where nothing was said", async () => {
    const { client, create } = await makeScene();
    const now = new Date(client.clock.now()).toISOString().replace(/\.\d+/, "");
    expect(await create({ organization_slug: "acme" })).toEqual({
      ...DEFAULTS,
      organization_id: expect.stringMatching(/^organization-live-[0-9a-f-]{36}$/),
      organization_name: "Acme",
      organization_slug: "acme",
      created_at: now,
      updated_at: now,
    });
  });

  test("has every field as it was said", async () => {
    const { create, ask } = await makeScene();
    const made = await create(FULL);
    expect(made).toMatchObject(FULL);
    expect((await success(ask("GET", at(made.organization_id)))).organization).toEqual(made);
  });

  test("takes null for absent, ignores what it does not know, and drops nulls from metadata", async () => {
    const { create } = await makeScene();
    const nulls = Object.fromEntries(Object.keys(FULL).map((name) => [name, null]));
    const body = {
      ...nulls,
      organization_name: "Acme",
      trusted_metadata: { a: null, b: 1 },
      nonsense: 1,
      project_id: 2,
    };
    expect(await create(body)).toMatchObject({ ...DEFAULTS, trusted_metadata: { b: 1 } });
  });

  test("admits invitations only if it says so, once it says anything about signing in", async () => {
    const { create } = await makeScene();
    expect(await create({ organization_slug: "a1", trusted_metadata: {} })).toMatchObject({
      email_invites: "ALL_ALLOWED",
    });
    expect(await create({ mfa_policy: "OPTIONAL" })).toMatchObject({ email_invites: "NOT_ALLOWED" });
    const said = { mfa_policy: "OPTIONAL", email_invites: "ALL_ALLOWED" };
    expect(await create(said)).toMatchObject(said);
  });

  test.each([
    ["Acme", "acme"],
    ["  Café & Söhne, Inc. ", "cafe-sohne-inc"],
    ["A".repeat(128), "a".repeat(100)],
    [`${"ab ".repeat(34)}cd`, `${"ab-".repeat(33)}a`],
  ])("named %j without a slug has %j", async (organization_name, slug) => {
    const { create } = await makeScene();
    expect(await create({ organization_name })).toMatchObject({ organization_name, organization_slug: slug });
  });

  test.each(["株式会社", "!", "x", UUID, `organization-live-${UUID}`])(
    "named %j, of which no slug can be made, has one all the same",
    async (organization_name) => {
      const { create, ask } = await makeScene();
      const { organization_slug } = await create({ organization_name });
      expect(organization_slug).toMatch(/^organization-[0-9a-f]{8}$/);
      await success(ask("GET", at(organization_slug)));
    },
  );

  test("whose name makes a slug that is taken gets an ending; one that was chosen is refused", async () => {
    const { create, ask } = await makeScene();
    await create();
    const { organization_slug, organization_id } = await create();
    expect(organization_slug).toBe(`acme-${organization_id.slice("organization-live-".length).slice(0, 8)}`);
    const chosen = { organization_name: "Another", organization_slug: "acme" };
    await failure(ask("POST", PATH, chosen), 400, "organization_slug_already_used");
    const taken = { organization_name: "Acme", organization_external_id: "one" };
    await create(taken);
    await failure(ask("POST", PATH, taken), 400, "organization_external_id_already_used");
  });

  test("may have the slug and the external id of another project's", async () => {
    const names = { organization_slug: "acme", organization_external_id: "one" };
    for (const { create } of [await makeScene(), await makeScene()]) expect(await create(names)).toMatchObject(names);
  });
});

describe("an organization is called", () => {
  test("by its id, with or without what goes before it, by its slug and by its external id", async () => {
    const { create, ask } = await makeScene();
    const made = await create(FULL);
    const uuid = made.organization_id.slice("organization-live-".length);
    const names = [
      made.organization_id,
      uuid,
      uuid.toUpperCase(),
      FULL.organization_slug,
      FULL.organization_external_id,
    ];
    for (const name of names) expect((await success(ask("GET", at(name)))).organization).toEqual(made);
    await failure(ask("GET", at(`organization-test-${uuid}`)), 400, "test_id_used_in_live_environment");
    for (const name of [UUID, "nothing", FULL.organization_slug.toUpperCase(), "a\0b", "💥"]) {
      await failure(ask("GET", at(name)), 404, "organization_not_found");
    }
  });

  test("by its own external id rather than by the slug that another one has chosen", async () => {
    const { create, ask } = await makeScene();
    const trusted = await create({ organization_external_id: "customer-7" });
    await create({ organization_name: "Squatter", organization_slug: "customer-7" });
    expect((await success(ask("GET", at("customer-7")))).organization).toEqual(trusted);
  });

  test("by nothing in another project", async () => {
    const [one, other] = [await makeScene(), await makeScene()];
    const made = await one.create(FULL);
    for (const name of [made.organization_id, FULL.organization_slug, FULL.organization_external_id]) {
      for (const [method, path] of [
        ["GET", at(name)],
        ["PUT", at(name)],
        ["DELETE", at(name)],
        ["GET", `${at(name)}/metrics`],
        ["DELETE", `${at(name)}/external_id`],
      ] as const) {
        await failure(other.ask(method, path, method === "PUT" ? {} : undefined), 404, "organization_not_found");
      }
    }
    expect((await success(one.ask("GET", at(made.organization_id)))).organization).toEqual(made);
  });
});

describe("an update", () => {
  test("changes what it says and leaves the rest", async () => {
    const { client, create, update } = await makeScene();
    const made = await create(FULL);
    client.clock.advance(60_000);
    const changed = await update(made.organization_id, { organization_name: "New", mfa_policy: "OPTIONAL" });
    expect(changed).toEqual({
      ...made,
      organization_name: "New",
      mfa_policy: "OPTIONAL",
      updated_at: new Date(client.clock.now()).toISOString().replace(/\.\d+/, ""),
    });
  });

  test("may say everything, and takes lists whole", async () => {
    const { create, update } = await makeScene();
    const { organization_id } = await create();
    expect(await update(organization_id, FULL)).toMatchObject({ ...FULL, organization_id });
    const shorter = {
      email_allowed_domains: [],
      allowed_auth_methods: ["sso"],
      allowed_oauth_tenants: { slack: ["T2"] },
      rbac_email_implicit_role_assignments: [],
    };
    expect(await update(organization_id, shorter)).toMatchObject({ ...FULL, ...shorter });
  });

  test("that says nothing changes nothing, with or without a body", async () => {
    const { create, ask, client } = await makeScene();
    const made = await create(FULL);
    client.clock.advance(60_000);
    const nulls = Object.fromEntries(Object.keys(FULL).map((name) => [name, null]));
    for (const body of [{}, nulls, { organization_id: "other", project_id: "x" }, undefined]) {
      expect((await success(ask("PUT", at(made.organization_id), body))).organization).toEqual(made);
    }
  });

  test("clears a logo and a default connection by an empty text", async () => {
    const { create, update } = await makeScene();
    const { organization_id } = await create(FULL);
    const cleared = await update(organization_id, { organization_logo_url: "", sso_default_connection_id: "" });
    expect(cleared).toMatchObject({ organization_logo_url: "", sso_default_connection_id: null });
  });

  test("merges metadata by top-level keys; null takes one away", async () => {
    const { create, update } = await makeScene();
    const { organization_id } = await create({ trusted_metadata: { gone: 1, kept: 1, replaced: { a: 1 } } });
    const change = { trusted_metadata: { gone: null, replaced: { b: null }, added: "x" } };
    expect((await update(organization_id, change)).trusted_metadata).toEqual({
      kept: 1,
      replaced: { b: null },
      added: "x",
    });
  });

  test("shows a new slug in sessions at once, and the old one is free", async () => {
    const { tenant, client, ask, create, update } = await makeScene();
    const { token } = await makeLink(client, tenant);
    await update(tenant.team.id, { organization_slug: "first" });
    await update(tenant.team.id, { organization_slug: "second" });
    const authenticated = await success(ask("POST", "/v1/b2b/sessions/authenticate", { session_token: token }));
    expect(authenticated.member_session.organization_slug).toBe("second");
    expect(authenticated.organization.organization_slug).toBe("second");
    await failure(ask("GET", at("first")), 404, "organization_not_found");
    await create({ organization_slug: "first" });
  });

  test("is refused a slug and an external id that another organization has", async () => {
    const { create, ask } = await makeScene();
    await create(FULL);
    const { organization_id } = await create();
    const refusal = (body: object, type: string) => failure(ask("PUT", at(organization_id), body), 400, type);
    await refusal({ organization_slug: FULL.organization_slug }, "organization_slug_already_used");
    await refusal({ organization_external_id: FULL.organization_external_id }, "organization_external_id_already_used");
  });

  test("may give another external id, which can then be taken away", async () => {
    const { create, update, ask } = await makeScene();
    const { organization_id } = await create({ organization_external_id: "first" });
    expect(await update(organization_id, { organization_external_id: "second" })).toMatchObject({
      organization_external_id: "second",
    });
    for (const name of ["second", organization_id]) {
      const { organization } = await success(ask("DELETE", `${at(name)}/external_id`, {}));
      expect(organization).toMatchObject({ organization_id, organization_external_id: null });
    }
    await failure(ask("GET", at("second")), 404, "organization_not_found");
    await create({ organization_external_id: "second" });
  });

  test("of settings by several callers at once loses none of them", async () => {
    const { tenant, create } = await makeScene();
    const { organization_id } = await create();
    const changes = Object.entries(FULL).map(([name, value]) => ({ [name]: value }));
    const asked = changes.map((body) => call(makeClient(), tenant, "PUT", at(organization_id), body));
    for (const response of await Promise.all(asked)) await success(response);
    const found = await success(call(makeClient(), tenant, "GET", at(organization_id)));
    expect(found.organization).toMatchObject(FULL);
  });
});

test("members with an address of a domain have the roles that their organization gives to it", async () => {
  const { tenant, client, ask, update } = await makeScene();
  const domain = `${tenant.slug}.example.com`;
  const { token } = await makeLink(client, tenant);
  const authenticate = async () =>
    (await success(ask("POST", "/v1/b2b/sessions/authenticate", { session_token: token }))).member_session.roles;
  expect(await authenticate()).toEqual(["stytch_member"]);
  await update(tenant.team.id, { rbac_email_implicit_role_assignments: [{ domain, role_id: "stytch_admin" }] });
  expect(await authenticate()).toEqual(["stytch_member", "stytch_admin"]);
  await update(tenant.team.id, { rbac_email_implicit_role_assignments: [] });
  expect(await authenticate()).toEqual(["stytch_member"]);
});

describe("a deletion", () => {
  test("answers with the id, ends every session, and takes members and organization away", async () => {
    const { tenant, client, ask } = await makeScene();
    const { team } = tenant;
    const { token } = await makeLink(client, tenant);
    const check = () => client.call("GET", "/v1/customer-portal/customer-session/introspect", token);
    expect((await check()).status).toBe(200);
    expect(await success(ask("DELETE", at(team.externalId), {}))).toEqual({ organization_id: organizationId(team.id) });
    await failure(ask("POST", "/v1/b2b/sessions/authenticate", { session_token: token }), 404, "session_not_found");
    expect((await check()).status, "at the edge, in this isolate").toBe(401);
    for (const method of ["GET", "PUT", "DELETE"]) {
      await failure(ask(method, at(team.id)), 404, "organization_not_found");
    }
    await failure(ask("GET", `${at(team.id)}/metrics`), 404, "organization_not_found");
    const members = await client.call("GET", `/v1/members/?customer_id=${team.id}`, tenant.apiKey);
    expect(((await members.json()) as Json).items).toEqual([]);
    await success(ask("GET", at(tenant.individual.id)));
  });

  test("without a body works too, and frees the slug and the external id", async () => {
    const { create, ask } = await makeScene();
    const { organization_id } = await create(FULL);
    await success(ask("DELETE", at(organization_id)));
    const again = await create(FULL);
    expect(again).toMatchObject(FULL);
    expect(again.organization_id).not.toBe(organization_id);
  });
});

test("metrics count the members that there are", async () => {
  const { tenant, client, create, ask } = await makeScene();
  const count = async (id: string) => (await success(ask("GET", `${at(id)}/metrics`))).member_count;
  expect(await count(tenant.team.id)).toBe(3);
  expect(await count((await create()).organization_id)).toBe(0);
  await client.call("DELETE", `/v1/members/${tenant.team.member.id}`, tenant.apiKey);
  expect(await count(tenant.team.externalId)).toBe(2);
});

describe("the two dialects", () => {
  test("an organization made here is a team in Polar's, without an owner until it gets one", async () => {
    const { tenant, client, create } = await makeScene();
    const made = await create({ organization_external_id: "acme-1" });
    const id = made.organization_id.slice("organization-live-".length);
    const polar = async (method: string, path: string, body?: unknown): Promise<Json> =>
      (await client.call(method, path, tenant.apiKey, body)).json();
    const customer = await polar("GET", `/v1/customers/${id}`);
    expect(customer).toMatchObject({
      id,
      type: "team",
      name: "Acme",
      email: null,
      external_id: "acme-1",
      metadata: {},
    });
    expect(JSON.stringify(customer)).not.toMatch(/slug|trusted_metadata|mfa/);
    expect((await polar("GET", "/v1/customers/")).items).toContainEqual(customer);
    const first = await polar("POST", "/v1/members/", { customer_id: id, email: "o@example.com" });
    const owner = await polar("PATCH", `/v1/members/${first.id}`, { role: "owner" });
    expect(owner).toMatchObject({ customer_id: id, role: "owner" });
    const session = await polar("POST", "/v1/member-sessions/", { member_id: owner.id });
    expect(session.customer).toMatchObject({ id, email: "o@example.com" });
  });

  test("a customer made in Polar's is an organization here, and a change of either shows in the other", async () => {
    const { tenant, client, update, ask } = await makeScene();
    const body = { type: "individual", email: "jo@example.com", external_id: "a/b c" };
    const made = (await (await client.call("POST", "/v1/customers/", tenant.apiKey, body)).json()) as Json;
    const found = (await success(ask("GET", at("a/b c")))).organization;
    expect(found).toMatchObject({
      ...DEFAULTS,
      organization_id: organizationId(made.id),
      organization_name: "jo@example.com",
      organization_slug: made.id,
      organization_external_id: "a/b c",
    });
    await update(made.id, { organization_name: "Jo", organization_external_id: "jo", trusted_metadata: { a: 1 } });
    const shown = (await (await client.call("GET", `/v1/customers/${made.id}`, tenant.apiKey)).json()) as Json;
    expect(shown).toMatchObject({ name: "Jo", external_id: "jo", email: "jo@example.com", metadata: {} });
    await client.call("PATCH", `/v1/customers/${made.id}`, tenant.apiKey, { name: "Joan", metadata: { b: 2 } });
    expect((await success(ask("GET", at("jo")))).organization).toMatchObject({
      organization_name: "Joan",
      trusted_metadata: { a: 1 },
    });
  });

  test("a name that is longer than Stytch's may be is cut", async () => {
    const { tenant, client, ask } = await makeScene();
    const name = "é".repeat(200);
    await client.call("PATCH", `/v1/customers/${tenant.team.id}`, tenant.apiKey, { name });
    expect((await success(ask("GET", at(tenant.team.id)))).organization.organization_name).toBe("é".repeat(128));
  });
});

describe("who may", () => {
  const READS = ["GET ", "GET /metrics", "POST search"];
  const WRITES = ["POST ", "PUT ", "DELETE ", "DELETE /external_id"];

  async function ask(client: Client, tenant: Tenant, apiKey: string, what: string) {
    const [method, rest] = what.split(" ") as [string, string];
    const path = method === "POST" ? `${PATH}${rest === "search" ? "/search" : ""}` : `${at(tenant.team.id)}${rest}`;
    return call(
      client,
      { id: tenant.id, apiKey },
      method,
      path,
      method === "GET" ? undefined : { organization_name: "N" },
    );
  }

  test.each([...READS, ...WRITES])("%s: takes a key with the scope for it, and no other", async (what) => {
    const tenant = await makeTenant();
    const client = makeClient();
    for (const scopes of [["customers:read"], ["customers:write"], ["member_sessions:write", "members:write"]]) {
      const mayRead = scopes[0]?.startsWith("customers:") ?? false;
      const may = READS.includes(what) ? mayRead : scopes[0] === "customers:write";
      const response = ask(client, tenant, await makeApiKey(tenant.id, scopes), what);
      await (may ? success(response) : failure(response, 403, "unauthorized_action"));
    }
  });
});

describe("while D1 is away", () => {
  test("nothing is not found, and what was committed without an answer is not made twice", async () => {
    const tenant = await makeTenant();
    const { client, db } = makeFaultyClient();
    const ask = (method: string, path: string, body?: unknown) => call(client, tenant, method, path, body);
    await success(ask("GET", at(tenant.team.id)));
    db.fail("read", { times: 1 });
    await failure(ask("GET", at(tenant.team.id)), 503, "server_unavailable");
    db.fail("batch", { times: 1 });
    await failure(ask("POST", `${PATH}/search`, {}), 503, "server_unavailable");
    db.fail(/INSERT INTO customers/, { when: "after", times: 1 });
    const { organization } = await success(ask("POST", PATH, { organization_name: "Acme" }));
    expect(organization).toMatchObject({ organization_name: "Acme", organization_slug: "acme" });
    const count = "SELECT COUNT(*) AS n FROM customers WHERE organization_id = ?1";
    expect(await env.DB.prepare(count).bind(tenant.id).first("n")).toBe(3);
    db.fail(/UPDATE customers SET deleted_at/, { when: "after", times: 1 });
    await success(ask("DELETE", at(organization.organization_id)));
  });
});
