/** Listing, recognising and changing sessions (contract §2.1, §2.2, §2.9), and what kills them (§2.12). */

import { describe, expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { makeCustomer, makeMember, makeTenant, type Tenant } from "../support/fixtures.ts";
import { update } from "../support/portal.ts";
import { call, failure, memberId, organizationId, projectId, success } from "./support.ts";

const AUTHENTICATE = "/v1/b2b/sessions/authenticate";
const DAY_MINUTES = 1440;

async function signedIn(settings: Record<string, string | number | null> = {}) {
  const client = makeClient();
  const tenant = await makeTenant(settings);
  return { client, tenant, ...(await polarSession(client, tenant)) };
}

/** A session as a backend makes it through Polar's API. */
async function polarSession(client: Client, tenant: Tenant, body: object = {}) {
  const made = await client.call("POST", "/v1/member-sessions/", tenant.apiKey, {
    member_id: tenant.team.member.id,
    ...body,
  });
  const { token, id } = (await made.json()) as { token: string; id: string };
  await client.settle();
  return { token, id };
}

const authenticate = (client: Client, tenant: Tenant, body: object) =>
  success(call(client, tenant, "POST", AUTHENTICATE, body));

describe("authenticating a session", () => {
  test("that a backend made through Polar's API answers with everything the SDKs read", async () => {
    const { client, tenant, token, id } = await signedIn();
    const startedAt = client.clock.now();
    client.clock.advance(90_000);
    const answer = await authenticate(client, tenant, { session_token: token });
    const { member, id: customer } = { ...tenant.team };
    expect(answer.member_session).toEqual({
      member_session_id: `session-live-${id}`,
      member_id: memberId(member.id),
      started_at: wholeSeconds(startedAt),
      last_accessed_at: wholeSeconds(startedAt + 90_000),
      expires_at: wholeSeconds(startedAt + 3_600_000),
      authentication_factors: [],
      organization_id: organizationId(customer),
      organization_slug: customer,
      roles: ["stytch_member"],
      custom_claims: {},
    });
    expect(answer).toMatchObject({
      session_token: token,
      session_jwt: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      member_id: memberId(member.id),
      organization_id: organizationId(customer),
      member_authenticated: true,
      intermediate_session_token: "",
      verdict: null,
    });
    expect(Object.keys(answer.member).toSorted()).toEqual(MEMBER_KEYS);
    expect(Object.keys(answer.organization).toSorted()).toEqual(ORGANIZATION_KEYS);
    expect(answer.member).toMatchObject({
      organization_id: organizationId(customer),
      member_id: memberId(member.id),
      email_address: member.email,
      external_id: member.externalId,
      status: "active",
      email_address_verified: false,
      is_admin: false,
      roles: [{ role_id: "stytch_member", sources: [{ type: "direct_assignment" }] }],
    });
    expect(answer.organization).toMatchObject({
      organization_name: "Team & Sons",
      organization_external_id: tenant.team.externalId,
    });
  });

  test.each([
    ["owner", ["stytch_member", "stytch_admin"], true],
    ["billingManager", ["stytch_member", "billing_manager"], false],
  ] as const)("gives %s the roles that its place implies", async (who, roles, is_admin) => {
    const { client, tenant } = await signedIn();
    const { token } = await polarSession(client, tenant, { member_id: tenant.team[who].id });
    const { member_session, member } = await authenticate(client, tenant, { session_token: token });
    expect(member_session.roles).toEqual(roles);
    expect(member.is_admin).toBe(is_admin);
  });

  test("follows what changed of the member and its organization since", async () => {
    const { client, tenant, token } = await signedIn();
    await update("members", tenant.team.member.id, {
      assigned_roles: '["editor"]',
      email: "Ann@Example.com",
      email_key: "ann@example.com",
    });
    const rules = '[{"domain":"example.com","role":"staff"},{"domain":"other.example","role":"no"}]';
    await update("customers", tenant.team.id, { slug: "team-and-sons", domain_roles: rules });
    const answer = await authenticate(client, tenant, { session_token: token });
    expect(answer.member_session).toMatchObject({
      organization_slug: "team-and-sons",
      roles: ["stytch_member", "editor", "staff"],
    });
    expect(answer.member.roles.at(-1)).toEqual({
      role_id: "staff",
      sources: [{ type: "email_assignment", details: { email_domain: "example.com" } }],
    });
  });

  test("leaves its life as it is, unless a duration is said: then it ends that long from now, be it sooner", async () => {
    const { client, tenant, token } = await signedIn();
    const before = await authenticate(client, tenant, { session_token: token });
    client.clock.advance(60_000);
    const expiryFor = async (session_duration_minutes: number | null) =>
      (await authenticate(client, tenant, { session_token: token, session_duration_minutes })).member_session
        .expires_at;
    expect(await expiryFor(null)).toBe(before.member_session.expires_at);
    expect(await expiryFor(DAY_MINUTES)).toBe(wholeSeconds(client.clock.now() + 86_400_000));
    expect(await expiryFor(5)).toBe(wholeSeconds(client.clock.now() + 300_000));
    client.clock.advance(300_000);
    await failure(call(client, tenant, "POST", AUTHENTICATE, { session_token: token }), 404, "session_not_found");
  });

  test.each([4, 0, -5, 527_041, 5.5, "60", true, 1e308])("refuses %j minutes and changes nothing", async (minutes) => {
    const { client, tenant, token } = await signedIn({ session_max_ttl_seconds: 31_622_400 });
    const body = { session_token: token, session_duration_minutes: minutes, session_custom_claims: { a: 1 } };
    const refused = await failure(
      call(client, tenant, "POST", AUTHENTICATE, body),
      400,
      "invalid_session_duration_minutes",
    );
    expect(refused.error_message).toBe("session_duration_minutes is invalid, should be between 5 to 527040 minutes.");
    expect((await authenticate(client, tenant, { session_token: token })).member_session.custom_claims).toEqual({});
  });

  test("takes 5 and 527,040 minutes where the organization lets sessions live that long", async () => {
    const { client, tenant, token } = await signedIn({ session_max_ttl_seconds: 31_622_400 });
    for (const minutes of [527_040, 5]) {
      const { member_session } = await authenticate(client, tenant, {
        session_token: token,
        session_duration_minutes: minutes,
      });
      expect(member_session.expires_at).toBe(wholeSeconds(client.clock.now() + minutes * 60_000));
    }
  });

  test("refuses more than the project's maximum, and clamps to the end that was fixed when it was made", async () => {
    const { client, tenant, token } = await signedIn({ session_max_ttl_seconds: 7200 });
    const made = client.clock.now();
    const ask = (minutes: number) => ({ session_token: token, session_duration_minutes: minutes });
    await failure(call(client, tenant, "POST", AUTHENTICATE, ask(121)), 400, "invalid_session_duration");
    client.clock.advance(1_800_000);
    const { member_session } = await authenticate(client, tenant, ask(120));
    expect(member_session.expires_at).toBe(wholeSeconds(made + 7_200_000));
  });

  test("refuses a token and a JWT together, and neither", async () => {
    const { client, tenant, token } = await signedIn();
    const { session_jwt } = await authenticate(client, tenant, { session_token: token });
    await failure(
      call(client, tenant, "POST", AUTHENTICATE, { session_token: token, session_jwt }),
      400,
      "too_many_session_arguments",
    );
    for (const none of [{}, { session_token: null, session_jwt: null }, { session_token: "", session_jwt: "" }, ""]) {
      await failure(call(client, tenant, "POST", AUTHENTICATE, none), 400, "no_session_arguments");
    }
  });

  test("tells a token of another form from one that is not alive, and no more than that", async () => {
    const { client, tenant, token } = await signedIn();
    const other = await makeTenant();
    const revoked = await polarSession(client, tenant);
    await client.call("DELETE", `/v1/member-sessions/${revoked.id}`, tenant.apiKey);
    for (const session_token of ["x", tenant.apiKey, token.slice(3), "polar_cst", "A".repeat(44), "x".repeat(60_000)]) {
      await failure(call(client, tenant, "POST", AUTHENTICATE, { session_token }), 400, "invalid_session_token");
    }
    const dead = [`lk_mst_t${"A".repeat(56)}`, `${token}A`, revoked.token];
    for (const session_token of dead) {
      await failure(call(client, tenant, "POST", AUTHENTICATE, { session_token }), 404, "session_not_found");
    }
    await failure(call(client, other, "POST", AUTHENTICATE, { session_token: token }), 404, "session_not_found");
  });

  test("knows no session of a customer as such", async () => {
    const client = makeClient();
    const tenant = await makeTenant({ member_model_enabled: 0, seat_based_pricing_enabled: 0 });
    const body = { customer_id: tenant.individual.id };
    const made = await client.call("POST", "/v1/customer-sessions/", tenant.apiKey, body);
    const { token } = (await made.json()) as { token: string };
    expect(token).toMatch(/^lk_cst_/);
    await failure(call(client, tenant, "POST", AUTHENTICATE, { session_token: token }), 404, "session_not_found");
  });

  test.each([
    ["members", "member"],
    ["customers", "customer"],
  ] as const)("ends with its %s", async (table, whose) => {
    const { client, tenant, token } = await signedIn();
    const id = whose === "member" ? tenant.team.member.id : tenant.team.id;
    await update(table, id, { deleted_at: 1 });
    await failure(call(client, tenant, "POST", AUTHENTICATE, { session_token: token }), 404, "session_not_found");
  });

  test("is seen by Polar's API and ends there, and the other way round", async () => {
    const { client, tenant, token, id } = await signedIn();
    await authenticate(client, tenant, { session_token: token, session_duration_minutes: DAY_MINUTES });
    const seen = await client.call("GET", `/v1/member-sessions/${id}`, tenant.apiKey);
    const { expires_at } = (await seen.json()) as { expires_at: string };
    expect(Date.parse(expires_at)).toBe(client.clock.now() + 86_400_000);
    await client.call("DELETE", "/v1/member-sessions/current", token);
    await failure(call(client, tenant, "POST", AUTHENTICATE, { session_token: token }), 404, "session_not_found");
  });
});

describe("custom claims", () => {
  const claims = (client: Client, tenant: Tenant, token: string, session_custom_claims: unknown) =>
    authenticate(client, tenant, { session_token: token, session_custom_claims });

  test("are merged at every depth, and a null deletes", async () => {
    const { client, tenant, token } = await signedIn();
    await claims(client, tenant, token, { plan: "gold", address: { city: "Bern", zip: "3000" }, tags: [1, 2] });
    const { member_session } = await claims(client, tenant, token, {
      plan: null,
      address: { zip: null, street: "Main" },
      tags: [3],
      seats: 5,
    });
    const merged = { address: { city: "Bern", street: "Main" }, tags: [3], seats: 5 };
    expect(member_session.custom_claims).toEqual(merged);
    expect((await authenticate(client, tenant, { session_token: token })).member_session.custom_claims).toEqual(merged);
  });

  test("are all there after twenty merges at once", async () => {
    const { client, tenant, token } = await signedIn();
    const names = Array.from({ length: 20 }, (_, index) => `claim_${index}`);
    await Promise.all(names.map((name) => claims(client, tenant, token, { [name]: 1 })));
    const { member_session } = await authenticate(client, tenant, { session_token: token });
    expect(Object.keys(member_session.custom_claims).toSorted()).toEqual(names.toSorted());
  });

  test("that are the JWT's own are dropped in silence, and stand nowhere", async () => {
    const { client, tenant, token } = await signedIn();
    const own = { iss: "x", sub: "x", aud: "x", exp: 1, nbf: 1, iat: 1, jti: "x" };
    const { member_session, session_jwt } = await claims(client, tenant, token, { ...own, mine: { iss: "kept" } });
    expect(member_session.custom_claims).toEqual({ mine: { iss: "kept" } });
    expect(payloadOf(session_jwt)).toMatchObject({ iss: `stytch.com/${projectId(tenant)}`, mine: { iss: "kept" } });
    expect(payloadOf(session_jwt)).not.toHaveProperty("jti");
  });

  test("may not speak as Stytch", async () => {
    const { client, tenant, token } = await signedIn();
    const body = {
      session_token: token,
      session_custom_claims: { "https://stytch.com/session": { roles: ["admin"] } },
    };
    await failure(call(client, tenant, "POST", AUTHENTICATE, body), 400, "stytch_claims_in_custom_claims");
  });

  test("take 4096 bytes together, and not one more", async () => {
    const { client, tenant, token } = await signedIn();
    const text = "é".repeat((4096 - '{"a":""}'.length) / 2);
    expect((await claims(client, tenant, token, { a: text })).member_session.custom_claims).toEqual({ a: text });
    const body = { session_token: token, session_custom_claims: { a: `${text}b` }, session_duration_minutes: 5 };
    await failure(call(client, tenant, "POST", AUTHENTICATE, body), 400, "custom_claims_too_large");
    const { member_session } = await authenticate(client, tenant, { session_token: token });
    expect(Date.parse(member_session.expires_at) - client.clock.now()).toBeGreaterThan(300_000);
  });

  test("hold no number that would be stored as null, and so delete", async () => {
    const { client, tenant, token } = await signedIn();
    await claims(client, tenant, token, { a: 1, b: { c: 2 } });
    for (const patch of ['{"a":1e400}', '{"b":{"c":-1e400}}', '{"a":[1e999]}']) {
      const body = `{"session_token":"${token}","session_custom_claims":${patch}}`;
      await failure(call(client, tenant, "POST", AUTHENTICATE, body), 400, "bad_request");
    }
    const { member_session } = await authenticate(client, tenant, { session_token: token });
    expect(member_session.custom_claims).toEqual({ a: 1, b: { c: 2 } });
  });

  test("say which field is wrong", async () => {
    const { client, tenant, token } = await signedIn();
    const body = { session_token: token, authorization_check: { organization_id: 1 } };
    const { error_message } = await failure(call(client, tenant, "POST", AUTHENTICATE, body), 400, "bad_request");
    expect(error_message).toBe("authorization_check.organization_id is missing or of the wrong kind.");
  });

  test.each(["text", 1, [], [1], true])("are no %j", async (session_custom_claims) => {
    const { client, tenant, token } = await signedIn();
    await failure(
      call(client, tenant, "POST", AUTHENTICATE, { session_token: token, session_custom_claims }),
      400,
      "bad_request",
    );
  });
});

describe("listing a member's sessions", () => {
  const list = (client: Client, tenant: Tenant, organization: string, member: string) =>
    call(
      client,
      tenant,
      "GET",
      `/v1/b2b/sessions?${new URLSearchParams({ organization_id: organization, member_id: member })}`,
    );

  test("shows the live ones, newest first, without tokens, and counts as no access", async () => {
    const { client, tenant, token, id } = await signedIn();
    client.clock.advance(120_000);
    const second = await polarSession(client, tenant);
    const ended = await polarSession(client, tenant);
    await client.call("DELETE", `/v1/member-sessions/${ended.id}`, tenant.apiKey);
    await polarSession(client, tenant, { member_id: tenant.team.owner.id });
    const response = await list(client, tenant, organizationId(tenant.team.id), memberId(tenant.team.member.id));
    const text = await response.clone().text();
    const { member_sessions } = await success(response);
    expect(member_sessions).toMatchObject([
      { member_session_id: `session-live-${second.id}` },
      { member_session_id: `session-live-${id}`, last_accessed_at: wholeSeconds(client.clock.now() - 120_000) },
    ]);
    for (const secret of [token, second.token]) expect(text).not.toContain(secret);
    client.clock.advance(3_600_000);
    expect(await success(list(client, tenant, tenant.team.id, tenant.team.member.id))).toEqual({ member_sessions: [] });
  });

  test("takes organization and member by id with or without prefix, by slug and by external id", async () => {
    const { client, tenant } = await signedIn();
    await update("customers", tenant.team.id, { slug: "sons" });
    const { id, externalId } = tenant.team;
    for (const organization of [organizationId(id), id, id.toUpperCase(), "sons", externalId]) {
      for (const member of [tenant.team.member.id, memberId(tenant.team.member.id), tenant.team.member.externalId]) {
        expect((await success(list(client, tenant, organization, member))).member_sessions).toHaveLength(1);
      }
    }
  });

  test("prefers an id to an external id, and that to a slug, which an organization's own people may choose", async () => {
    const { client, tenant } = await signedIn();
    const namesake = await makeCustomer(tenant.id, { type: "team", external_id: "same" });
    const bySlug = await makeCustomer(tenant.id, { type: "team", slug: "same" });
    await makeCustomer(tenant.id, { type: "team", external_id: tenant.team.id });
    const found = await makeMember(tenant.id, namesake, "member", tenant.slug);
    await makeMember(tenant.id, bySlug, "member", tenant.slug);
    expect(await success(list(client, tenant, "same", found.id))).toEqual({ member_sessions: [] });
    expect((await success(list(client, tenant, tenant.team.id, tenant.team.member.id))).member_sessions).toHaveLength(
      1,
    );
  });

  test("knows no other project's people, and no member in another organization than its own", async () => {
    const { client, tenant } = await signedIn();
    const other = await makeTenant();
    const { team, individual } = tenant;
    await failure(list(client, other, team.id, team.member.id), 404, "organization_not_found");
    await failure(list(client, tenant, individual.id, team.member.id), 404, "member_not_found");
    await failure(list(client, tenant, individual.id, team.member.externalId), 404, "member_not_found");
    await failure(list(client, tenant, "nobody", team.member.id), 404, "organization_not_found");
    await failure(list(client, tenant, "", team.member.id), 400, "invalid_organization_id");
    await failure(
      list(client, tenant, `organization-test-${team.id}`, team.member.id),
      400,
      "test_id_used_in_live_environment",
    );
    await failure(call(client, tenant, "GET", "/v1/b2b/sessions"), 400, "bad_request");
  });
});

const wholeSeconds = (milliseconds: number) => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;

const payloadOf = (jwt: string) =>
  JSON.parse(atob((jwt.split(".")[1] as string).replaceAll("-", "+").replaceAll("_", "/")));

/** Contract §1.4 and §1.5, every field. */
const MEMBER_KEYS =
  "created_at,default_mfa_method,email_address,email_address_verified,external_id,is_admin,is_breakglass,is_locked,lock_created_at,lock_expires_at,member_id,member_password_id,mfa_enrolled,mfa_phone_number,mfa_phone_number_verified,name,oauth_registrations,organization_id,retired_email_addresses,roles,scim_registration,sso_registrations,status,totp_registration_id,trusted_metadata,untrusted_metadata,updated_at".split(
    ",",
  );
const ORGANIZATION_KEYS =
  "allowed_auth_methods,allowed_first_party_connected_apps,allowed_mfa_methods,allowed_oauth_tenants,allowed_third_party_connected_apps,auth_methods,claimed_email_domains,created_at,custom_roles,email_allowed_domains,email_invites,email_jit_provisioning,first_party_connected_apps_allowed_type,mfa_methods,mfa_policy,oauth_tenant_jit_provisioning,organization_external_id,organization_id,organization_logo_url,organization_name,organization_slug,rbac_email_implicit_role_assignments,scim_active_connection,sso_active_connections,sso_default_connection_id,sso_jit_provisioning,sso_jit_provisioning_allowed_connections,third_party_connected_apps_allowed_type,trusted_metadata,updated_at".split(
    ",",
  );
