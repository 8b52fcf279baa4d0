/**
 * Members of organizations (contract §1.4, §2.11, §2.12): made, read, changed, deleted, brought back. Who may do so in
 * a member's name: member-permissions.test.ts.
 */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { makeClient } from "../support/client.ts";
import { makeApiKey, makeCustomer, makeTenant, type Tenant } from "../support/fixtures.ts";
import { makeFaultyClient, makeLink, update } from "../support/portal.ts";
import { call, failure, type Json, memberId, organizationId, success } from "./support.ts";

const client = makeClient();

const organizationAt = (name: string) => `/v1/b2b/organizations/${encodeURIComponent(name)}`;
const membersOf = (tenant: Tenant, name = organizationId(tenant.team.id)) => `${organizationAt(name)}/members`;
const memberAt = (tenant: Tenant, id: string) => `${membersOf(tenant)}/${encodeURIComponent(id)}`;

const post = (tenant: Tenant, body: unknown, name?: string) =>
  call(client, tenant, "POST", membersOf(tenant, name), body);
const put = (tenant: Tenant, id: string, body: unknown) => call(client, tenant, "PUT", memberAt(tenant, id), body);
const remove = (tenant: Tenant, id: string) => call(client, tenant, "DELETE", memberAt(tenant, id));
const get = (tenant: Tenant, query: Record<string, string>, name = organizationId(tenant.team.id)) =>
  call(client, tenant, "GET", `${organizationAt(name)}/member?${new URLSearchParams(query)}`);

const someAddress = () => `${crypto.randomUUID()}@example.com`;
const made = async (tenant: Tenant, body: object = {}): Promise<Json> =>
  (await success(post(tenant, { email_address: someAddress(), ...body }))).member;
const updated = async (tenant: Tenant, id: string, body: object): Promise<Json> =>
  (await success(put(tenant, id, body))).member;

/** A policy with one role of its own beside those that every policy has. */
const POLICY = JSON.stringify({
  roles: [
    { id: "stytch_member", description: "", permissions: [] },
    { id: "editor", description: "", permissions: [] },
  ],
  resources: [],
  scopes: [],
});

describe("POST …/members", () => {
  test("makes an active member of no more than an address, with every field that the SDKs need", async () => {
    const tenant = await makeTenant();
    const { member, organization, ...rest } = await success(post(tenant, { email_address: "Ann@Example.COM" }));
    expect(rest).toEqual({ member_id: expect.stringMatching(/^member-live-[0-9a-f-]{36}$/) });
    expect(organization).toMatchObject({ organization_id: organizationId(tenant.team.id) });
    expect(member).toEqual({
      organization_id: organizationId(tenant.team.id),
      member_id: rest.member_id,
      email_address: "Ann@example.com",
      email_address_verified: false,
      status: "active",
      name: "",
      external_id: null,
      sso_registrations: [],
      oauth_registrations: [],
      scim_registration: null,
      is_breakglass: false,
      is_admin: false,
      is_locked: false,
      lock_created_at: null,
      lock_expires_at: null,
      member_password_id: "",
      totp_registration_id: "",
      retired_email_addresses: [],
      mfa_enrolled: false,
      mfa_phone_number: "",
      mfa_phone_number_verified: false,
      default_mfa_method: "",
      roles: [{ role_id: "stytch_member", sources: [{ type: "direct_assignment" }] }],
      trusted_metadata: {},
      untrusted_metadata: {},
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      updated_at: member.created_at,
    });
    expect((await success(get(tenant, { member_id: rest.member_id }))).member).toEqual(member);
  });

  test("keeps everything that it is told", async () => {
    const tenant = await makeTenant({ rbac_policy: POLICY });
    const body = {
      name: "Ann",
      external_id: "ann|1.2_3-4",
      trusted_metadata: { plan: "pro", nested: { n: null } },
      untrusted_metadata: { theme: ["dark"] },
      is_breakglass: true,
      mfa_phone_number: "+15005550006",
      mfa_enrolled: true,
    };
    const member = await made(tenant, { ...body, roles: ["editor", "editor"], create_member_as_pending: true });
    expect(member).toMatchObject({ ...body, status: "pending" });
    expect(member.roles.map(({ role_id }: Json) => role_id)).toEqual(["stytch_member", "editor"]);
  });

  test.each([
    ["id", ({ team }: Tenant) => organizationId(team.id)],
    ["bare id", ({ team }: Tenant) => team.id],
    ["external id", ({ team }: Tenant) => team.externalId],
    ["slug", () => "acme"],
  ])("finds the organization by its %s", async (_, nameOf) => {
    const tenant = await makeTenant();
    await update("customers", tenant.team.id, { slug: "acme" });
    const { member } = await success(post(tenant, { email_address: someAddress() }, nameOf(tenant)));
    expect(member.organization_id).toBe(organizationId(tenant.team.id));
  });

  test("takes null for nothing, and no notice of fields that it does not know or has in its path", async () => {
    const tenant = await makeTenant();
    const nothing = Object.fromEntries(
      ["name", "external_id", "trusted_metadata", "untrusted_metadata", "roles", "mfa_phone_number"].map((name) => [
        name,
        null,
      ]),
    );
    const member = await made(tenant, { ...nothing, organization_id: "another", unknown: 1, is_breakglass: null });
    expect(member).toMatchObject({ name: "", external_id: null, trusted_metadata: {}, mfa_phone_number: "" });
  });

  test.each([
    ["no address", { email_address: undefined }, "invalid_email"],
    ["an address that is none", { email_address: "ann" }, "invalid_email"],
    ["an address that is no text", { email_address: 1 }, "invalid_email"],
    ["a phone number that is none", { mfa_phone_number: "555-0006" }, "invalid_phone_number"],
    ["a role that there is not", { roles: ["editor", "nobody"] }, "invalid_role"],
    ["the role that everybody has", { roles: ["stytch_member"] }, "cannot_assign_default_rbac_role_id"],
    ["an external id of other characters", { external_id: "a b" }, "bad_request"],
    ["an external id that is too long", { external_id: "x".repeat(129) }, "bad_request"],
    ["a name that is too long", { name: "x".repeat(257) }, "bad_request"],
    ["metadata that is no object", { trusted_metadata: [] }, "metadata_invalid_format"],
    ["metadata of too many keys", { trusted_metadata: keys(21) }, "metadata_too_many_keys"],
    ["metadata that is too large", { untrusted_metadata: { k: "é".repeat(2048) } }, "metadata_too_large"],
    ["a flag that is none", { is_breakglass: "yes" }, "bad_request"],
  ])("refuses %s", async (_, body, type) => {
    const tenant = await makeTenant({ rbac_policy: POLICY });
    await failure(post(tenant, { email_address: someAddress(), ...body }), 400, type);
    const { results } = await env.DB.prepare("SELECT id FROM members WHERE customer_id = ?1")
      .bind(tenant.team.id)
      .all();
    expect(results).toHaveLength(3);
  });

  test("says which field is wrong where the error has no name of its own", async () => {
    const { error_message } = await failure(
      post(await makeTenant(), { email_address: someAddress(), roles: [1] }),
      400,
      "bad_request",
    );
    expect(error_message).toContain("roles.0");
  });

  test("says which role there is not", async () => {
    const asked = post(await makeTenant(), { email_address: someAddress(), roles: ["nobody"] });
    expect((await failure(asked, 400, "invalid_role")).error_message).toBe("There is no role nobody.");
  });

  test("takes the organization's own roles, and drops metadata that is null", async () => {
    const tenant = await makeTenant({ rbac_policy: POLICY });
    const own = [{ id: "own", description: "", permissions: [] }];
    await update("customers", tenant.team.id, { rbac_roles: JSON.stringify(own) });
    const member = await made(tenant, { roles: ["own"], trusted_metadata: { ...keys(20), gone: null } });
    expect(member).toMatchObject({ roles: [{ role_id: "stytch_member" }, { role_id: "own" }] });
    expect(Object.keys(member.trusted_metadata)).toHaveLength(20);
  });

  test("refuses an address that a member has, in whatever case, and an external id", async () => {
    const tenant = await makeTenant();
    const { email, externalId } = tenant.team.member;
    await failure(post(tenant, { email_address: email.toUpperCase() }), 400, "duplicate_member_email");
    await failure(
      post(tenant, { email_address: someAddress(), external_id: externalId }),
      400,
      "duplicate_member_external_id",
    );
    const other = await makeCustomer(tenant.id, { type: "team" });
    const elsewhere = post(tenant, { email_address: email, external_id: externalId }, other);
    expect((await success(elsewhere)).member).toMatchObject({ email_address: email, external_id: externalId });
  });

  test("refuses an address that was another member's until that is deleted", async () => {
    const tenant = await makeTenant();
    const { member_id, email_address } = await made(tenant);
    await updated(tenant, member_id, { email_address: someAddress() });
    await failure(post(tenant, { email_address }), 400, "desired_email_deactivated_by_different_member");
    await success(remove(tenant, member_id));
    await success(post(tenant, { email_address }));
  });

  test("refuses a second member of an individual, and members where a project has none", async () => {
    const tenant = await makeTenant();
    const refused = await failure(
      post(tenant, { email_address: someAddress() }, tenant.individual.id),
      400,
      "bad_request",
    );
    expect(refused.error_message).toContain("individual");
    const without = await makeTenant({ member_model_enabled: 0, seat_based_pricing_enabled: 0 });
    await failure(post(without, { email_address: someAddress() }), 403, "unauthorized_action");
  });

  test("of an organization that is unknown, another project's or a test's is refused", async () => {
    const [tenant, other] = [await makeTenant(), await makeTenant()];
    const body = { email_address: someAddress() };
    for (const name of [organizationId(other.team.id), other.team.externalId, "nobody", memberId(tenant.team.id)]) {
      await failure(post(tenant, body, name), 404, "organization_not_found");
    }
    const test = `organization-test-${tenant.team.id}`;
    await failure(post(tenant, body, test), 400, "test_id_used_in_live_environment");
  });
});

describe("GET …/member", () => {
  test("finds a member by id, bare id, external id or address", async () => {
    const tenant = await makeTenant();
    const { id, externalId, email } = tenant.team.member;
    const queries = [
      { member_id: memberId(id) },
      { member_id: id, organization_id: "repeated by an SDK" },
      { member_id: externalId, email_address: "" },
      { email_address: email.toUpperCase(), member_id: "" },
    ];
    for (const query of queries) {
      const found = await success(get(tenant, query));
      expect(found).toMatchObject({ member_id: memberId(id), member: { email_address: email } });
      expect(found.organization.organization_id).toBe(organizationId(tenant.team.id));
    }
  });

  test("takes exactly one of id and address", async () => {
    const tenant = await makeTenant();
    const { id, email } = tenant.team.member;
    for (const query of [{}, { member_id: "", email_address: "" }, { member_id: id, email_address: email }]) {
      await failure(get(tenant, query as Record<string, string>), 400, "invalid_member_get_fields");
    }
  });

  test("knows the members of that organization who are not deleted, and nobody else", async () => {
    const tenant = await makeTenant();
    const { member } = tenant.team;
    const strangers = [tenant.individual.owner, (await makeTenant()).team.member];
    for (const { id, email } of strangers) {
      await failure(get(tenant, { member_id: id }), 404, "member_not_found");
      await failure(get(tenant, { email_address: email }), 404, "member_not_found");
    }
    await failure(get(tenant, { email_address: "nobody" }), 400, "invalid_email");
    await success(remove(tenant, member.id));
    for (const query of [{ member_id: member.id }, { email_address: member.email }, { member_id: member.externalId }]) {
      await failure(get(tenant, query as Record<string, string>), 404, "member_not_found");
    }
  });
});

describe("PUT …/members/{member_id}", () => {
  test("changes what it names, and nothing else", async () => {
    const tenant = await makeTenant({ rbac_policy: POLICY });
    const before = await made(tenant, { name: "Ann", external_id: "ann", roles: ["editor"], mfa_enrolled: true });
    const changes = [
      { name: "Ben" },
      { name: "" },
      { external_id: "ben" },
      { is_breakglass: true },
      { is_breakglass: false },
      { mfa_enrolled: false },
      { mfa_phone_number: "+15005550006" },
      { default_mfa_method: "sms_otp" },
      { trusted_metadata: { a: 1 } },
      { untrusted_metadata: { b: { c: [null] } } },
    ];
    let expected = { ...before, updated_at: expect.any(String) };
    for (const change of changes) {
      expected = { ...expected, ...change };
      expect(await updated(tenant, before.member_id, change)).toEqual(expected);
    }
    expect((await success(get(tenant, { member_id: before.member_id }))).member).toEqual(expected);
  });

  test("finds the member by external id too, and changes nothing by an empty body", async () => {
    const tenant = await makeTenant();
    const { id, externalId } = tenant.team.member;
    const before = (await success(get(tenant, { member_id: id }))).member;
    for (const body of [undefined, {}, "", { name: null, roles: null, organization_id: "x", member_id: "y" }]) {
      expect(await updated(tenant, externalId, body as object)).toEqual(before);
    }
  });

  test("merges metadata at the top level, and takes away what is null", async () => {
    const tenant = await makeTenant();
    const first = { a: { x: 1, y: 2 }, b: 1, c: null };
    const { member_id } = await made(tenant, { trusted_metadata: first, untrusted_metadata: first });
    const change = { a: { x: 3 }, b: null, d: [null] };
    const member = await updated(tenant, member_id, { trusted_metadata: change, untrusted_metadata: { e: 1 } });
    expect(member.trusted_metadata).toEqual({ a: { x: 3 }, d: [null] });
    expect(member.untrusted_metadata).toEqual({ a: { x: 1, y: 2 }, b: 1, e: 1 });
    await failure(put(tenant, member_id, { untrusted_metadata: keys(18) }), 400, "metadata_too_many_keys");
    await failure(put(tenant, member_id, { trusted_metadata: { k: "x".repeat(4096) } }), 400, "metadata_too_large");
  });

  test("replaces assigned roles, never those that the member's role implies; sessions follow", async () => {
    const tenant = await makeTenant({ rbac_policy: POLICY });
    const { owner } = tenant.team;
    const { token } = await makeLink(client, tenant, owner);
    const session = async () =>
      (await success(call(client, tenant, "POST", "/v1/b2b/sessions/authenticate", { session_token: token })))
        .member_session;
    const rolesAfter = async (roles: string[]) => {
      const member = await updated(tenant, owner.id, { roles, preserve_existing_sessions: false });
      const ids = member.roles.map(({ role_id }: Json) => role_id);
      expect((await session()).roles).toEqual(ids);
      expect(member.is_admin).toBe(true);
      return ids;
    };
    expect(await rolesAfter(["editor"])).toEqual(["stytch_member", "stytch_admin", "editor"]);
    expect(await rolesAfter([])).toEqual(["stytch_member", "stytch_admin"]);
    await failure(put(tenant, owner.id, { roles: ["stytch_member"] }), 400, "cannot_assign_default_rbac_role_id");
    await failure(put(tenant, owner.id, { roles: ["nobody"] }), 400, "invalid_role");
    expect(await client.call("GET", `/v1/members/${owner.id}`, tenant.apiKey).then((r) => r.json())).toMatchObject({
      role: "owner",
    });
  });

  test("makes whoever is assigned stytch_admin an admin, and leaves its role as a member alone", async () => {
    const tenant = await makeTenant();
    const { id } = tenant.team.member;
    expect(await updated(tenant, id, { roles: ["stytch_admin"] })).toMatchObject({ is_admin: true });
    const seen = await client.call("GET", `/v1/members/${id}`, tenant.apiKey);
    expect(await seen.json()).toMatchObject({ role: "member" });
  });

  test("gives an address that has to be proved anew, keeps the old one for the member, and ends no session", async () => {
    const tenant = await makeTenant();
    const { id, email } = tenant.team.member;
    await update("members", id, { email_verified: 1 });
    const { token } = await makeLink(client, tenant);
    const email_address = someAddress();
    const member = await updated(tenant, id, { email_address });
    expect(member).toMatchObject({
      email_address,
      email_address_verified: false,
      retired_email_addresses: [
        { email_id: expect.stringMatching(/^email-live-[0-9a-f-]{36}$/), email_address: email },
      ],
    });
    const { team } = tenant;
    const refusal = put(tenant, team.billingManager.id, { email_address: email });
    await failure(refusal, 400, "desired_email_deactivated_by_different_member");
    const authenticated = call(client, tenant, "POST", "/v1/b2b/sessions/authenticate", { session_token: token });
    expect((await success(authenticated)).member).toEqual(member);
    expect(await updated(tenant, id, { email_address: email, unlink_email: true })).toMatchObject({
      email_address: email,
      email_address_verified: false,
      retired_email_addresses: [],
    });
    expect(await updated(tenant, team.billingManager.id, { email_address })).toMatchObject({ email_address });
  });

  test("refuses an address or an external id that another member has", async () => {
    const tenant = await makeTenant();
    const { member, owner } = tenant.team;
    await failure(put(tenant, member.id, { email_address: owner.email }), 400, "duplicate_member_email");
    await failure(put(tenant, member.id, { external_id: owner.externalId }), 400, "duplicate_member_external_id");
    expect(await updated(tenant, member.id, { email_address: member.email.toUpperCase() })).toMatchObject({
      retired_email_addresses: [],
    });
  });

  test("refuses another phone number while there is one", async () => {
    const tenant = await makeTenant();
    const { member_id } = await made(tenant, { mfa_phone_number: "+15005550006" });
    const other = { mfa_phone_number: "+15005550007" };
    await failure(put(tenant, member_id, other), 400, "duplicate_member_phone_number_for_member");
    await updated(tenant, member_id, { mfa_phone_number: "+15005550006", name: "Ann" });
  });

  test.each([
    [{ default_mfa_method: "email" }, "invalid_mfa_default_method"],
    [{ mfa_phone_number: "" }, "invalid_phone_number"],
    [{ email_address: "" }, "invalid_email"],
    [{ external_id: "" }, "bad_request"],
    [{ name: 1 }, "bad_request"],
    [{ unlink_email: "no" }, "bad_request"],
  ])("refuses %j", async (body, type) => {
    const tenant = await makeTenant();
    await failure(put(tenant, tenant.team.member.id, body), 400, type);
  });

  test("refuses another address for the owner of an individual, who has the customer's own", async () => {
    const tenant = await makeTenant();
    const { id, owner } = tenant.individual;
    const path = `${organizationAt(id)}/members/${owner.id}`;
    const change = call(client, tenant, "PUT", path, { email_address: someAddress() });
    expect((await failure(change, 400, "bad_request")).error_message).toContain("owner");
  });

  test("knows nobody of another organization or project, or who is deleted", async () => {
    const tenant = await makeTenant();
    const { member } = tenant.team;
    await success(remove(tenant, member.id));
    const ids = [member.id, tenant.individual.owner.id, (await makeTenant()).team.member.id, "nobody"];
    for (const id of ids) await failure(put(tenant, id, { name: "x" }), 404, "member_not_found");
    await failure(put(tenant, `member-test-${member.id}`, {}), 400, "test_id_used_in_live_environment");
  });
});

describe("DELETE …/members/{member_id}", () => {
  test.each([undefined, {}])("deletes a member and ends its sessions at once (body %j)", async (body) => {
    const tenant = await makeTenant();
    const { id } = tenant.team.member;
    const { token } = await makeLink(client, tenant);
    const gone = await success(call(client, tenant, "DELETE", memberAt(tenant, memberId(id)), body));
    expect(gone).toEqual({ member_id: memberId(id) });
    const authenticated = call(client, tenant, "POST", "/v1/b2b/sessions/authenticate", { session_token: token });
    await failure(authenticated, 404, "session_not_found");
    await failure(remove(tenant, id), 404, "member_not_found");
  });

  test("takes an external id, and frees it with the address", async () => {
    const tenant = await makeTenant();
    const { externalId, email } = tenant.team.member;
    await success(remove(tenant, externalId));
    expect(await made(tenant, { external_id: externalId, email_address: email })).toMatchObject({
      external_id: externalId,
    });
  });

  test("refuses to delete the owner, and says why", async () => {
    const tenant = await makeTenant();
    const refused = await failure(remove(tenant, tenant.team.owner.id), 400, "bad_request");
    expect(refused.error_message).toContain("owner");
    await success(get(tenant, { member_id: tenant.team.owner.id }));
  });
});

describe("PUT …/members/{member_id}/reactivate", () => {
  const reactivate = (tenant: Tenant, id: string) => call(client, tenant, "PUT", `${memberAt(tenant, id)}/reactivate`);

  test("brings a deleted member back with all it had, active; the sessions that it had stay dead", async () => {
    const tenant = await makeTenant({ rbac_policy: POLICY });
    const body = { name: "Ann", roles: ["editor"], trusted_metadata: { a: 1 }, create_member_as_pending: true };
    const before = await made(tenant, body);
    const { token } = await makeLink(client, tenant, { id: before.member_id.slice(-36), email: "", externalId: "" });
    await success(remove(tenant, before.member_id));
    const { member, member_id, organization } = await success(reactivate(tenant, before.member_id));
    expect(member).toEqual({ ...before, status: "active", updated_at: expect.any(String) });
    expect([member_id, organization.organization_id]).toEqual([before.member_id, before.organization_id]);
    const authenticated = call(client, tenant, "POST", "/v1/b2b/sessions/authenticate", { session_token: token });
    await failure(authenticated, 404, "session_not_found");
    expect((await success(get(tenant, { member_id }))).member).toEqual(member);
  });

  test("finds nobody who lives, is unknown, is named by an external id, or was another organization's", async () => {
    const tenant = await makeTenant();
    const { member, owner } = tenant.team;
    await success(remove(tenant, member.id));
    const stranger = await makeTenant();
    await success(remove(stranger, stranger.team.member.id));
    const ids = [owner.id, crypto.randomUUID(), member.externalId, stranger.team.member.id];
    for (const id of ids) {
      await failure(reactivate(tenant, id), 404, "no_deleted_member_found_for_reactivation");
    }
    const elsewhere = `${organizationAt(tenant.individual.id)}/members/${member.id}/reactivate`;
    await failure(call(client, tenant, "PUT", elsewhere, {}), 404, "no_deleted_member_found_for_reactivation");
    await success(reactivate(tenant, member.id));
    await failure(reactivate(tenant, member.id), 404, "no_deleted_member_found_for_reactivation");
  });

  test("is refused while another has the address, had it, or has the external id", async () => {
    const tenant = await makeTenant();
    const { email, externalId, id } = tenant.team.member;
    await success(remove(tenant, id));
    const other = await made(tenant, { email_address: email });
    await failure(reactivate(tenant, id), 400, "reactivation_email_belongs_to_another_member");
    await updated(tenant, other.member_id, { email_address: someAddress(), external_id: externalId });
    await failure(reactivate(tenant, id), 400, "reactivation_email_belongs_to_another_member");
    await success(remove(tenant, other.member_id));
    const third = await made(tenant, { external_id: externalId });
    await failure(reactivate(tenant, id), 400, "duplicate_member_external_id");
    await updated(tenant, third.member_id, { external_id: "other" });
    await success(reactivate(tenant, id));
  });
});

describe("GET …/members/dangerously_get/{member_id}", () => {
  const find = (tenant: Tenant, id: string, query = "") =>
    call(client, tenant, "GET", `/v1/b2b/organizations/members/dangerously_get/${id}${query}`);

  test("finds any member of the project by its id, and deleted ones where asked", async () => {
    const tenant = await makeTenant();
    const { team, individual } = tenant;
    for (const id of [individual.owner.id, memberId(individual.owner.id)]) {
      expect(await success(find(tenant, id))).toMatchObject({
        member_id: memberId(individual.owner.id),
        member: { status: "active" },
        organization: { organization_id: organizationId(individual.id) },
      });
    }
    await success(remove(tenant, team.member.id));
    for (const query of ["", "?include_deleted=false", "?include_deleted=False"]) {
      await failure(find(tenant, team.member.id, query), 404, "member_not_found");
    }
    for (const query of ["?include_deleted=true", "?include_deleted=True"]) {
      expect((await success(find(tenant, team.member.id, query))).member).toMatchObject({ status: "deleted" });
    }
    await failure(find(tenant, team.member.id, "?include_deleted=perhaps"), 400, "bad_request");
  });

  test("knows no other project's members, no external ids, and nobody whose organization is gone", async () => {
    const tenant = await makeTenant();
    const { team, individual } = tenant;
    const other = await makeTenant();
    for (const id of [other.team.member.id, team.member.externalId, "x"]) {
      await failure(find(tenant, id, "?include_deleted=true"), 404, "member_not_found");
    }
    await client.call("DELETE", `/v1/customers/${individual.id}`, tenant.apiKey);
    await failure(find(tenant, individual.owner.id, "?include_deleted=true"), 404, "member_not_found");
  });
});

describe("what the two dialects see of each other's members", () => {
  const polar = async (tenant: Tenant, method: string, path: string, body?: unknown): Promise<Json> =>
    (await client.call(method, path, tenant.apiKey, body)).json();

  test("a member made here is Polar's too: read, listed, given sessions, changed and deleted", async () => {
    const tenant = await makeTenant();
    const { member_id, email_address } = await made(tenant, { name: "Ann", external_id: "ann" });
    const id = member_id.slice("member-live-".length);
    const seen = { id, email: email_address, name: "Ann", external_id: "ann", role: "member" };
    expect(await polar(tenant, "GET", `/v1/members/${id}`)).toMatchObject(seen);
    const { items } = await polar(tenant, "GET", `/v1/members/?customer_id=${tenant.team.id}&limit=100`);
    expect(items).toContainEqual(expect.objectContaining(seen));
    expect(await polar(tenant, "POST", "/v1/member-sessions/", { member_id: id })).toMatchObject({ member: seen });
    await polar(tenant, "PATCH", `/v1/members/${id}`, { name: "Ben", role: "billing_manager" });
    const { member } = await success(get(tenant, { member_id }));
    expect(member).toMatchObject({ name: "Ben" });
    expect(member.roles.map(({ role_id }: Json) => role_id)).toEqual(["stytch_member", "billing_manager"]);
    await client.call("DELETE", `/v1/members/${id}`, tenant.apiKey);
    await failure(get(tenant, { member_id }), 404, "member_not_found");
  });

  test("a member of Polar's is one here: read, changed, deleted and brought back", async () => {
    const tenant = await makeTenant();
    const body = { customer_id: tenant.team.id, email: someAddress(), name: "Ann", external_id: "ann" };
    const { id } = await polar(tenant, "POST", "/v1/members/", body);
    const { member } = await success(get(tenant, { member_id: "ann" }));
    expect(member).toMatchObject({ member_id: memberId(id), name: "Ann", status: "active", trusted_metadata: {} });
    await updated(tenant, id, { name: "Ben", trusted_metadata: { a: 1 } });
    expect(await polar(tenant, "GET", `/v1/members/${id}`)).toMatchObject({ name: "Ben", role: "member" });
    await success(remove(tenant, id));
    expect((await client.call("GET", `/v1/members/${id}`, tenant.apiKey)).status).toBe(404);
    await success(call(client, tenant, "PUT", `${memberAt(tenant, id)}/reactivate`));
    expect(await polar(tenant, "GET", `/v1/members/${id}`)).toMatchObject({ name: "Ben" });
  });

  test("an address that a member here keeps is refused by Polar as one that is taken", async () => {
    const tenant = await makeTenant();
    const { member_id, email_address: email } = await made(tenant);
    await updated(tenant, member_id, { email_address: someAddress() });
    const added = await client.call("POST", "/v1/members/", tenant.apiKey, { customer_id: tenant.team.id, email });
    expect(added.status).toBe(422);
    const path = `/v1/members/${tenant.team.member.id}`;
    expect((await client.call("PATCH", path, tenant.apiKey, { email })).status).toBe(422);
  });

  test("who is pending here becomes active with the first session that Polar makes", async () => {
    const tenant = await makeTenant();
    const { member_id } = await made(tenant, { create_member_as_pending: true });
    await polar(tenant, "POST", "/v1/member-sessions/", { member_id: member_id.slice("member-live-".length) });
    expect((await success(get(tenant, { member_id }))).member.status).toBe("active");
  });
});

describe("an API key", () => {
  test("reads members with either scope, and changes them with the one for that", async () => {
    const tenant = await makeTenant();
    const { member } = tenant.team;
    const reader = { ...tenant, apiKey: await makeApiKey(tenant.id, ["members:read"]) };
    const neither = { ...tenant, apiKey: await makeApiKey(tenant.id, ["customers:read", "customers:write"]) };
    await success(get(reader, { member_id: member.id }));
    const calls = (asked: Tenant) => [
      post(asked, { email_address: someAddress() }),
      put(asked, member.id, {}),
      remove(asked, member.id),
      call(client, asked, "PUT", `${memberAt(asked, member.id)}/reactivate`),
    ];
    for (const refused of [...calls(reader), ...calls(neither), get(neither, { member_id: member.id })]) {
      await failure(refused, 403, "unauthorized_action");
    }
  });
});

test("an outage of D1 is no missing member, whatever is asked", async () => {
  const tenant = await makeTenant();
  const { client: faulty, db } = makeFaultyClient();
  const path = memberAt(tenant, tenant.team.member.id);
  const calls = [
    ["GET", `${organizationAt(tenant.team.id)}/member?member_id=${tenant.team.member.id}`],
    ["POST", membersOf(tenant), { email_address: someAddress() }],
    ["PUT", path, { name: "x" }],
    ["PUT", `${path}/reactivate`],
    ["DELETE", path],
    ["GET", `/v1/b2b/organizations/members/dangerously_get/${tenant.team.member.id}`],
  ] as const;
  for (const [method, url, body] of calls) {
    db.fail(/members/, { times: 4 });
    const response = await call(faulty, tenant, method, url, body);
    expect(response.headers.get("Retry-After")).toBe("5");
    await failure(response, 503, "server_unavailable");
    db.heal();
  }
});

function keys(count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]));
}
