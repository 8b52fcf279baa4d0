/** What members may do with their organization in their own name (contract §3). */

import { describe, expect, test } from "vitest";
import { makeClient } from "../support/client.ts";
import { makeLink } from "../support/portal.ts";
import { at, FULL, makeScene, PATH } from "./organization-scene.ts";
import { call, failure, success } from "./support.ts";

describe("in the name of a member", () => {
  /** An organization whose member has a role of its own with these actions, and that member's session. */
  async function actingWith(actions: string[]) {
    const { tenant, client, ask } = await makeScene();
    const { team } = tenant;
    const permissions = [{ resource_id: "stytch.organization", actions }];
    const roles = actions.length === 0 ? [] : [{ role_id: "editor", description: "", permissions }];
    await success(ask("PUT", `/v1/b2b/rbac/organizations/${team.id}`, { org_policy: { roles } }));
    const domain = `${tenant.slug}.example.com`;
    const domainRoles = roles.map(({ role_id }) => ({ domain, role_id }));
    await success(ask("PUT", at(team.id), { rbac_email_implicit_role_assignments: domainRoles }));
    const { token } = await makeLink(client, tenant);
    const headers = { "X-Stytch-Member-Session": token };
    const act = (method: string, path: string, body?: object) => call(client, tenant, method, path, body, headers);
    const shown = async () => (await success(ask("GET", at(team.id)))).organization;
    return { tenant, act, ask, shown, domainRoles, own: at(team.id) };
  }

  /** Of every field that a request may have (contract §3). */
  const ACTIONS: Record<string, string | null> = {
    organization_name: "update.info.name",
    organization_slug: "update.info.slug",
    organization_logo_url: "update.info.logo-url",
    organization_external_id: null,
    sso_default_connection_id: "update.settings.default-sso-connection",
    sso_jit_provisioning: "update.settings.sso-jit-provisioning",
    sso_jit_provisioning_allowed_connections: "update.settings.sso-jit-provisioning",
    email_allowed_domains: "update.settings.allowed-domains",
    email_jit_provisioning: "update.settings.email-jit-provisioning",
    email_invites: "update.settings.email-invites",
    auth_methods: "update.settings.allowed-auth-methods",
    allowed_auth_methods: "update.settings.allowed-auth-methods",
    mfa_policy: "update.settings.mfa-policy",
    rbac_email_implicit_role_assignments: "update.settings.implicit-roles",
    mfa_methods: "update.settings.allowed-mfa-methods",
    allowed_mfa_methods: "update.settings.allowed-mfa-methods",
    oauth_tenant_jit_provisioning: "update.settings.oauth-tenant-jit-provisioning",
    allowed_oauth_tenants: "update.settings.allowed-oauth-tenants",
    claimed_email_domains: null,
    first_party_connected_apps_allowed_type: null,
    allowed_first_party_connected_apps: null,
    third_party_connected_apps_allowed_type: null,
    allowed_third_party_connected_apps: null,
  };
  const { trusted_metadata: _, ...FIELDS } = FULL;
  const DECLARED = [...new Set(Object.values(ACTIONS).filter((action) => action !== null)), "delete"];

  test("every field has its permission here", () => {
    expect(Object.keys(ACTIONS).sort()).toEqual(Object.keys(FIELDS).sort());
  });

  test.each(DECLARED)("%s permits its fields, and changes nothing together with another", async (action) => {
    const { act, own, shown } = await actingWith([action]);
    const isAllowed = ([field]: [string, unknown]) => ACTIONS[field] === action;
    const allowed = Object.fromEntries(Object.entries(FIELDS).filter(isAllowed));
    const before = await shown();
    for (const [field, value] of Object.entries(FIELDS)
      .filter((entry) => !isAllowed(entry))
      .slice(0, 4)) {
      await failure(act("PUT", own, { ...allowed, [field]: value }), 403, "session_authorization_error");
    }
    expect(await shown()).toEqual(before);
    await success(act("PUT", own, allowed));
    expect(await shown()).toMatchObject(allowed);
  });

  test("whoever may do everything may set what no permission is for, but never trusted metadata", async () => {
    const { act, own, shown, domainRoles } = await actingWith(["*"]);
    const fields = { ...FIELDS, rbac_email_implicit_role_assignments: domainRoles };
    await success(act("PUT", own, fields));
    expect(await shown()).toMatchObject(fields);
    await failure(act("PUT", own, { trusted_metadata: {} }), 401, "cannot_update_trusted_metadata");
    expect((await success(act("DELETE", `${own}/external_id`))).organization.organization_external_id).toBeNull();
  });

  test("roles are those of this moment: whoever gives them away has lost them", async () => {
    const { act, own } = await actingWith(["*"]);
    await success(act("PUT", own, { rbac_email_implicit_role_assignments: [] }));
    await failure(act("PUT", own, { organization_name: "New" }), 403, "session_authorization_error");
  });

  test("an external id is taken away, and an organization deleted, by those who may", async () => {
    const without = await actingWith([]);
    await failure(without.act("DELETE", without.own), 403, "session_authorization_error");
    const { act, own, ask } = await actingWith(["delete"]);
    await failure(act("DELETE", `${own}/external_id`), 403, "session_authorization_error");
    await success(act("DELETE", own));
    await failure(ask("GET", own), 404, "organization_not_found");
    await failure(act("DELETE", own), 404, "organization_not_found");
  });

  test("nothing of another organization is changed, nor anything by a dead session", async () => {
    const { tenant, act, own } = await actingWith(["*"]);
    const other = at(tenant.individual.id);
    for (const [method, path] of [
      ["PUT", other],
      ["DELETE", other],
      ["DELETE", `${other}/external_id`],
    ] as const) {
      await failure(act(method, path, {}), 403, "session_authorization_tenancy_error");
    }
    await makeClient().call("POST", "/v1/member-sessions/revoke", tenant.apiKey, { member_id: tenant.team.member.id });
    await failure(act("PUT", own, {}), 404, "session_not_found");
  });

  test("reading, searching and making take no notice of the member", async () => {
    const { tenant, ask } = await makeScene();
    const headers = { "X-Stytch-Member-Session": "nonsense" };
    for (const [method, path, body] of [
      ["POST", PATH, { organization_name: "New" }],
      ["GET", at(tenant.team.id), undefined],
      ["GET", `${at(tenant.team.id)}/metrics`, undefined],
      ["POST", `${PATH}/search`, {}],
    ] as const) {
      await success(call(makeClient(), tenant, method, path, body, headers));
    }
    await success(ask("GET", at(tenant.team.id)));
  });
});
