/** The policy endpoints: what SDKs fetch to decide by themselves, and what an organization's own roles may be. */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { DEFAULT_POLICY, RESERVED_RESOURCES } from "../../src/core/default-policy.ts";
import type { RbacPolicy } from "../../src/core/rbac.ts";
import { makeClient } from "../support/client.ts";
import { makeApiKey, makeTenant, type Tenant } from "../support/fixtures.ts";
import { makeFaultyClient, update } from "../support/portal.ts";
import { call, failure, type Json, organizationId, success } from "./support.ts";

const client = makeClient();
const ownRoles = (name: string) => `/v1/b2b/rbac/organizations/${encodeURIComponent(name)}`;

const DOCS: RbacPolicy = {
  roles: [{ id: "stytch_member", description: "Everybody", permissions: [{ resource: "doc", actions: ["read"] }] }],
  resources: [{ id: "doc", description: "A document", actions: ["read", "write"] }],
  scopes: [{ id: "read:doc", description: "", permissions: [{ resource: "doc", actions: ["*"] }] }],
};

const tenantWith = (policy: RbacPolicy | null) =>
  makeTenant({ rbac_policy: policy === null ? null : JSON.stringify(policy) });

const role = (role_id: unknown, ...permissions: [resource_id: unknown, ...actions: unknown[]][]) => ({
  role_id,
  description: `The ${role_id}`,
  permissions: permissions.map(([resource_id, ...actions]) => ({ resource_id, actions })),
});

const get = (tenant: Tenant, name = organizationId(tenant.team.id)) => call(client, tenant, "GET", ownRoles(name));
const put = (tenant: Tenant, roles: unknown, name = organizationId(tenant.team.id)) =>
  call(client, tenant, "PUT", ownRoles(name), { org_policy: { roles } });

describe("GET /v1/b2b/rbac/policy", () => {
  const read = async (tenant: Tenant) => (await success(call(client, tenant, "GET", "/v1/b2b/rbac/policy"))).policy;

  test("is the default policy where none is set, with everything that the SDKs need", async () => {
    const policy = await read(await tenantWith(null));
    expect(Object.keys(policy)).toEqual(["roles", "resources", "scopes"]);
    expect(policy.scopes).toEqual([]);
    expect(policy.resources).toEqual(
      RESERVED_RESOURCES.map(({ id, description, actions }) => ({ resource_id: id, description, actions })),
    );
    expect(policy.roles.map(({ role_id }: Json) => role_id)).toEqual([
      "stytch_member",
      "stytch_admin",
      "billing_manager",
    ]);
    expect(policy.roles[0].permissions).toEqual([{ resource_id: "stytch.self", actions: ["*"] }]);
    for (const { description } of [...policy.roles, ...policy.resources]) expect(description).toMatch(/\S/);
  });

  test("is the policy that was set, from the next call on, the reserved resources added", async () => {
    const tenant = await tenantWith(null);
    await read(tenant);
    await update("organizations", tenant.id, { rbac_policy: JSON.stringify(DOCS) });
    const { roles, resources, scopes } = await read(tenant);
    expect(roles).toEqual([
      {
        role_id: "stytch_member",
        description: "Everybody",
        permissions: [{ resource_id: "doc", actions: ["read"] }],
      },
    ]);
    expect(resources.slice(0, -1).map(({ resource_id }: Json) => resource_id)).toEqual(
      DEFAULT_POLICY.resources.map(({ id }) => id),
    );
    expect(resources.at(-1)).toEqual({ resource_id: "doc", description: "A document", actions: ["read", "write"] });
    expect(scopes).toEqual([
      { scope: "read:doc", description: "", permissions: [{ resource_id: "doc", actions: ["*"] }] },
    ]);
    expect((await read(await tenantWith(null))).roles).toHaveLength(3);
  });

  test("is read afresh or not at all", async () => {
    const tenant = await tenantWith(DOCS);
    const faulty = makeFaultyClient();
    await success(call(faulty.client, tenant, "GET", "/v1/b2b/rbac/policy"));
    faulty.db.fail("any");
    await failure(call(faulty.client, tenant, "GET", "/v1/b2b/rbac/policy"), 503, "server_unavailable");
  });
});

describe("an organization's own roles", () => {
  test("are none to begin with, which is no error: SDKs that got one would refuse everything", async () => {
    const tenant = await tenantWith(null);
    expect(await success(get(tenant))).toEqual({ org_policy: { roles: [] } });
    expect(await success(get(tenant, tenant.individual.id))).toEqual({ org_policy: { roles: [] } });
  });

  test("are replaced as a whole, and stay as they were written", async () => {
    const tenant = await tenantWith(DOCS);
    const roles = [
      role("editor", ["doc", "read", "write"], ["stytch.member", "*"]),
      { ...role("“leser” 🌍"), description: "" },
    ];
    for (const written of [roles, roles.slice(1), []]) {
      expect(await success(put(tenant, written))).toEqual({ org_policy: { roles: written } });
      expect(await success(get(tenant))).toEqual({ org_policy: { roles: written } });
    }
  });

  test("are those of the organization that is named, however it is", async () => {
    const tenant = await tenantWith(DOCS);
    await update("customers", tenant.team.id, { slug: "team-slug" });
    const roles = [role("editor", ["doc", "read"])];
    const names = [organizationId(tenant.team.id), tenant.team.id, "team-slug", tenant.team.externalId];
    for (const [index, name] of names.entries()) {
      const written = [role(`editor-${index}`, ["doc", "read"]), ...roles];
      await success(put(tenant, written, name));
      for (const other of names) expect(await success(get(tenant, other))).toEqual({ org_policy: { roles: written } });
    }
    expect(await success(get(tenant, tenant.individual.id))).toEqual({ org_policy: { roles: [] } });
  });

  test("of another project, of none, or of one that is gone are not found", async () => {
    const [tenant, other] = [await tenantWith(DOCS), await tenantWith(DOCS)];
    const roles = [role("editor", ["doc", "read"])];
    for (const name of [organizationId(tenant.team.id), tenant.team.externalId]) {
      await failure(get(other, name), 404, "organization_not_found");
      await failure(put(other, roles, name), 404, "organization_not_found");
    }
    await failure(get(tenant, organizationId(crypto.randomUUID())), 404, "organization_not_found");
    await failure(
      get(tenant, "organization-test-3af3a5c0-6b7e-4d2a-9a43-8f7f5cf7c5b1"),
      400,
      "test_id_used_in_live_environment",
    );
    await env.DB.prepare("UPDATE customers SET deleted_at = 1 WHERE id = ?1").bind(tenant.team.id).run();
    await failure(get(tenant), 404, "organization_not_found");
    await failure(put(tenant, roles), 404, "organization_not_found");
  });

  test("may leave out what is empty, in every way that an SDK does", async () => {
    const tenant = await tenantWith(DOCS);
    await success(put(tenant, [role("editor", ["doc", "read"])]));
    const sent = { organization_id: tenant.team.id, org_policy: { roles: [{ role_id: "a", permissions: null }] } };
    expect(await success(call(client, tenant, "PUT", ownRoles(tenant.team.id), sent))).toEqual({
      org_policy: { roles: [{ role_id: "a", description: "", permissions: [] }] },
    });
    for (const org_policy of [{}, { roles: null }]) {
      await success(put(tenant, [role("editor", ["doc", "read"])]));
      expect(await success(call(client, tenant, "PUT", ownRoles(tenant.team.id), { org_policy }))).toEqual({
        org_policy: { roles: [] },
      });
    }
  });

  const at = (place: string) => new RegExp(`^org_policy\\.${place.replaceAll(/[[\].]/g, "\\$&")}: `);
  const doc = (...actions: unknown[]) => role("editor", ["doc", ...actions]);
  test.each<[string, unknown[], string, string]>([
    ["a role twice", [role("a"), role("b"), role("a")], "rbac_role_duplicate", "roles[2]"],
    ["a role without a name", [role(" ")], "invalid_rbac_role_id", "roles[0]"],
    ["a role named as Stytch's are", [role("stytch_owner")], "invalid_rbac_role_id", "roles[0]"],
    ["a role of the project", [role("a"), role("stytch_member")], "rbac_org_custom_roles_only", "roles[1]"],
    ["a name that is too long", [role("x".repeat(129))], "rbac_role_id_too_long", "roles[0]"],
    [
      "a description that is too long",
      [{ ...role("a"), description: "x".repeat(1025) }],
      "rbac_description_too_long",
      "roles[0]",
    ],
    [
      "a resource that the policy does not have",
      [role("a", ["doc", "read"], ["note", "read"])],
      "invalid_permission_resource",
      "roles[0].permissions[1]",
    ],
    [
      "a resource that Stytch does not have",
      [role("a", ["stytch.nothing", "*"])],
      "invalid_stytch_prefixed_resource",
      "roles[0].permissions[0]",
    ],
    ["no actions", [doc()], "rbac_permission_missing_actions", "roles[0].permissions[0]"],
    [
      "a wildcard among others",
      [doc("read", "*")],
      "cannot_specify_wildcard_with_other_actions",
      "roles[0].permissions[0]",
    ],
    ["a blank action", [doc("read", " ")], "invalid_permission_action", "roles[0].permissions[0].actions[1]"],
    ["an unknown action", [doc("fly")], "invalid_permission_action", "roles[0].permissions[0].actions[0]"],
  ])("are refused with %s, and stay as they were", async (_, roles, type, place) => {
    const tenant = await tenantWith(DOCS);
    const before = [role("before", ["doc", "*"])];
    await success(put(tenant, before));
    const { error_message } = await failure(put(tenant, roles), 400, type);
    expect(error_message).toMatch(at(place));
    expect(error_message.length).toBeLessThan(200);
    expect(await success(get(tenant))).toEqual({ org_policy: { roles: before } });
  });

  test.each([
    ["{", "a body that is no JSON"],
    ["", "no body"],
    ["{}", "no policy"],
    ['{"org_policy":null}', "null for a policy"],
    ['{"org_policy":[]}', "a list for a policy"],
    ['{"org_policy":{"roles":{}}}', "an object for the roles"],
    ['{"org_policy":{"roles":["editor"]}}', "a text for a role"],
    ['{"org_policy":{"roles":[{"role_id":1}]}}', "a number for a name"],
    ['{"org_policy":{"roles":[{}]}}', "a role without a name"],
    ['{"org_policy":{"roles":[{"role_id":"a","permissions":[{"actions":["read"]}]}]}}', "a permission for nothing"],
    [
      '{"org_policy":{"roles":[{"role_id":"a","permissions":[{"resource_id":"doc","actions":"read"}]}]}}',
      "a text for actions",
    ],
    ['{"org_policy":{"roles":[{"role_id":"a\\u0000"}]}}', "a name that is no text"],
  ])("are refused as %s: %s", async (body) => {
    const tenant = await tenantWith(DOCS);
    const before = [role("before", ["doc", "*"])];
    await success(put(tenant, before));
    await failure(call(client, tenant, "PUT", ownRoles(tenant.team.id), body), 400, "bad_request");
    expect(await success(get(tenant))).toEqual({ org_policy: { roles: before } });
  });

  test("are judged by the policy of this moment", async () => {
    const tenant = await tenantWith(null);
    const roles = [role("editor", ["doc", "read"])];
    await failure(put(tenant, roles), 400, "invalid_permission_resource");
    await update("organizations", tenant.id, { rbac_policy: JSON.stringify(DOCS) });
    await success(put(tenant, roles));
  });
});

test("policies are read and roles written by keys that may, and by no others", async () => {
  const tenant = await tenantWith(null);
  const as = async (...scopes: Parameters<typeof makeApiKey>[1] & string[]) => ({
    id: tenant.id,
    apiKey: await makeApiKey(tenant.id, scopes),
  });
  const path = ownRoles(tenant.team.id);
  for (const scope of ["member_sessions:read", "member_sessions:write", "customers:read", "customers:write"]) {
    const key = await as(scope);
    await success(call(client, key, "GET", "/v1/b2b/rbac/policy"));
    await success(call(client, key, "GET", path));
    const written = await call(client, key, "PUT", path, { org_policy: {} });
    expect(written.status).toBe(scope === "customers:write" ? 200 : 403);
  }
  const key = await as("members:read", "members:write", "member_sessions:redeem", "customer_sessions:write");
  await failure(call(client, key, "GET", "/v1/b2b/rbac/policy"), 403, "unauthorized_action");
  await failure(call(client, key, "GET", path), 403, "unauthorized_action");
  await failure(call(client, key, "PUT", path, { org_policy: {} }), 403, "unauthorized_action");
});
