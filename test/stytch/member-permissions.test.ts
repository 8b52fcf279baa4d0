/**
 * Members in whose name a backend calls (contract §3): what each of the calls about members takes, field by field, and
 * what they may do to their own record.
 */

import { describe, test } from "vitest";
import type { RbacPolicy } from "../../src/core/rbac.ts";
import { makeClient } from "../support/client.ts";
import { makeMember, makeTenant, type Person, type Tenant } from "../support/fixtures.ts";
import { makeLink, update } from "../support/portal.ts";
import { call, failure, organizationId, success } from "./support.ts";

const client = makeClient();

interface Attempt {
  method: string;
  path: string;
  body?: object;
}

interface Case {
  name: string;
  /** On stytch.member, all of which it takes. */
  actions: string[];
  /** Whether the same on stytch.self will do for one's own record. */
  own: boolean;
  attempt(tenant: Tenant, about: Person): Attempt;
}

const membersOf = ({ team }: Tenant) => `/v1/b2b/organizations/${organizationId(team.id)}/members`;
const someAddress = () => `${crypto.randomUUID()}@example.com`;

const changeOf = (body: object, action: string, own = true): Case => ({
  name: `PUT ${Object.keys(body)}`,
  actions: [action],
  own,
  attempt: (tenant, { id }) => ({ method: "PUT", path: `${membersOf(tenant)}/${id}`, body }),
});

const creation = (body: object, ...actions: string[]): Case => ({
  name: `POST ${Object.keys(body)}`,
  actions: ["create", ...actions],
  own: false,
  attempt: (tenant) => ({ method: "POST", path: membersOf(tenant), body: { email_address: someAddress(), ...body } }),
});

const CASES: Case[] = [
  creation({}),
  creation({ roles: ["editor"] }, "update.settings.roles"),
  creation({ is_breakglass: true }, "update.settings.is-breakglass"),
  { ...creation({ external_id: "idp.boss" }), actions: ["*"] },
  changeOf({ name: "Ann" }, "update.info.name"),
  changeOf({ untrusted_metadata: { a: 1 } }, "update.info.untrusted-metadata"),
  changeOf({ mfa_phone_number: "+15005550006" }, "update.info.mfa-phone"),
  changeOf({ mfa_enrolled: true }, "update.settings.mfa-enrolled"),
  changeOf({ default_mfa_method: "totp" }, "update.settings.default-mfa-method"),
  changeOf({ is_breakglass: true }, "update.settings.is-breakglass", false),
  changeOf({ roles: ["editor"] }, "update.settings.roles", false),
  changeOf({ external_id: "x" }, "*", false),
  {
    name: "DELETE",
    actions: ["delete"],
    own: true,
    attempt: (tenant, { id }) => ({ method: "DELETE", path: `${membersOf(tenant)}/${id}` }),
  },
  {
    name: "DELETE mfa_phone_numbers",
    actions: ["update.info.delete.mfa-phone"],
    own: true,
    attempt: (tenant, { id }) => ({ method: "DELETE", path: `${membersOf(tenant)}/mfa_phone_numbers/${id}` }),
  },
  {
    name: "DELETE totp",
    actions: ["update.info.delete.mfa-totp"],
    own: true,
    attempt: (tenant, { id }) => ({ method: "DELETE", path: `${membersOf(tenant)}/${id}/totp` }),
  },
  {
    name: "DELETE external_id",
    actions: ["*"],
    own: false,
    attempt: (tenant, { id }) => ({ method: "DELETE", path: `${membersOf(tenant)}/${id}/external_id` }),
  },
  {
    name: "search",
    actions: ["search"],
    own: false,
    attempt: ({ team }) => ({
      method: "POST",
      path: "/v1/b2b/organizations/members/search",
      body: { organization_ids: [team.id] },
    }),
  },
];

/** What everybody may: these actions on these resources, and nothing else. */
async function makeTenantWhere(permissions: Record<string, string[]>): Promise<Tenant> {
  const everybody = {
    id: "stytch_member",
    description: "",
    permissions: Object.entries(permissions).map(([resource, actions]) => ({ resource, actions })),
  };
  const policy: RbacPolicy = {
    roles: [everybody, { id: "editor", description: "", permissions: [] }],
    resources: [],
    scopes: [],
  };
  return makeTenant({ rbac_policy: JSON.stringify(policy) });
}

async function attemptAs(tenant: Tenant, actor: Person, { method, path, body }: Attempt): Promise<Response> {
  const { token } = await makeLink(client, tenant, actor);
  return call(client, tenant, method, path, body, { "X-Stytch-Member-Session": token });
}

describe.each(CASES)("$name", ({ actions, own, attempt }) => {
  test(`takes ${actions.join(" and ")}, whoever it is about`, async () => {
    const tenant = await makeTenantWhere({ "stytch.member": actions });
    const { member, billingManager } = tenant.team;
    await success(attemptAs(tenant, billingManager, attempt(tenant, member)));
  });

  test("is refused to whoever may do anything else, and to all whom the policy gives nothing", async () => {
    for (const missing of actions) {
      const others = actions.filter((action) => action !== missing);
      const tenant = await makeTenantWhere({ "stytch.member": [...others, "other"], "stytch.self": ["*"] });
      const { member, billingManager } = tenant.team;
      const refused = await attemptAs(tenant, billingManager, attempt(tenant, member));
      await failure(refused, 403, "session_authorization_error");
    }
  });

  test(`${own ? "may" : "may not"} be done to oneself by the permission over oneself`, async () => {
    const tenant = await makeTenantWhere({ "stytch.self": ["*"] });
    const { member } = tenant.team;
    const response = await attemptAs(tenant, member, attempt(tenant, member));
    await (own ? success(response) : failure(response, 403, "session_authorization_error"));
  });

  test("is refused to the member of another organization, whatever it may there", async () => {
    const tenant = await makeTenantWhere({ "stytch.member": ["*"], "stytch.self": ["*"] });
    const { individual, team } = tenant;
    const refused = await attemptAs(tenant, individual.owner, attempt(tenant, team.member));
    await failure(refused, 403, "session_authorization_tenancy_error");
  });
});

describe("a password", () => {
  const path = (tenant: Tenant) => `${membersOf(tenant)}/passwords/x`;

  test("is not found by whoever may delete it, and refused to others before it is looked for", async () => {
    const may = await makeTenantWhere({ "stytch.member": ["update.info.delete.password"] });
    const attempt = (tenant: Tenant) => ({ method: "DELETE", path: path(tenant) });
    await failure(attemptAs(may, may.team.member, attempt(may)), 404, "member_password_not_found");
    const mayNot = await makeTenantWhere({});
    await failure(attemptAs(mayNot, mayNot.team.member, attempt(mayNot)), 403, "session_authorization_error");
  });
});

describe("an address", () => {
  const change = (tenant: Tenant, { id }: Person) => ({
    method: "PUT",
    path: `${membersOf(tenant)}/${id}`,
    body: { email_address: someAddress(), unlink_email: true },
  });

  test("is changed by whoever has the permission, but nobody's own", async () => {
    const tenant = await makeTenantWhere({ "stytch.member": ["update.info.email"], "stytch.self": ["*"] });
    const { member, billingManager } = tenant.team;
    const own = await attemptAs(tenant, member, change(tenant, member));
    await failure(own, 400, "member_cannot_update_their_email_address");
    await success(attemptAs(tenant, billingManager, change(tenant, member)));
    const without = await makeTenantWhere({ "stytch.self": ["*"] });
    const refused = attemptAs(without, without.team.billingManager, change(without, without.team.member));
    await failure(refused, 403, "session_authorization_error");
  });

  test("that is retired is unlinked by a permission of its own", async () => {
    for (const [actions, isAllowed] of [
      [["update.info.unlink.retired-email"], true],
      [["update.info.email"], false],
    ] as const) {
      const tenant = await makeTenantWhere({ "stytch.member": [...actions] });
      const { member, billingManager } = tenant.team;
      await success(call(client, tenant, "PUT", `${membersOf(tenant)}/${member.id}`, { email_address: someAddress() }));
      const path = `${membersOf(tenant)}/${member.id}/unlink_retired_email`;
      const body = { email_address: member.email };
      const response = await attemptAs(tenant, billingManager, { method: "POST", path, body });
      await (isAllowed ? success(response) : failure(response, 403, "session_authorization_error"));
    }
  });
});

describe("trusted metadata", () => {
  test.each(["POST", "PUT"])("is nothing for members to set, whatever they may (%s)", async (method) => {
    const tenant = await makeTenantWhere({ "stytch.member": ["*"] });
    const { owner, member } = tenant.team;
    const path = method === "POST" ? membersOf(tenant) : `${membersOf(tenant)}/${member.id}`;
    const body = { email_address: someAddress(), trusted_metadata: {} };
    await failure(attemptAs(tenant, owner, { method, path, body }), 401, "cannot_update_trusted_metadata");
  });
});

describe("reactivating", () => {
  const reactivation = (tenant: Tenant, { id }: Person) => ({
    method: "PUT",
    path: `${membersOf(tenant)}/${id}/reactivate`,
  });

  /** A deleted member of a tenant where everybody may do this. */
  async function makeDeleted(actions: string[], columns: Record<string, string> = {}) {
    const tenant = await makeTenantWhere({ "stytch.member": actions });
    const { member, billingManager } = tenant.team;
    await update("members", member.id, { name: "Gone", ...columns });
    await success(call(client, tenant, "DELETE", `${membersOf(tenant)}/${member.id}`));
    return attemptAs(tenant, billingManager, reactivation(tenant, member));
  }

  test("takes what making a member takes", async () => {
    await success(makeDeleted(["create"]));
    await failure(makeDeleted(["delete", "search"]), 403, "session_authorization_error");
  });

  test("takes what giving roles and privileges takes, where the member had some", async () => {
    const roles = { assigned_roles: '["stytch_admin"]' };
    await failure(makeDeleted(["create"], roles), 403, "session_authorization_error");
    await success(makeDeleted(["create", "update.settings.roles"], roles));
    const manager = { role: "billing_manager" };
    await failure(makeDeleted(["create"], manager), 403, "session_authorization_error");
    await success(makeDeleted(["create", "update.settings.roles"], manager));
    const breakglass = { sign_in_settings: '{"is_breakglass":true}' };
    await failure(makeDeleted(["create"], breakglass), 403, "session_authorization_error");
    await success(makeDeleted(["create", "update.settings.is-breakglass"], breakglass));
  });
});

test("a search in the name of a member is of its own organization alone", async () => {
  const tenant = await makeTenantWhere({ "stytch.member": ["search"] });
  const { team, individual } = tenant;
  const path = "/v1/b2b/organizations/members/search";
  const search = (...organization_ids: string[]) =>
    attemptAs(tenant, team.member, { method: "POST", path, body: { organization_ids } });
  await success(search(team.id, team.externalId));
  await failure(search(team.id, individual.id), 403, "session_authorization_tenancy_error");
});

test("reading a member takes no notice of whose session is shown", async () => {
  const tenant = await makeTenantWhere({});
  const { id } = await makeMember(tenant.id, tenant.team.id, "member", tenant.slug);
  const path = `/v1/b2b/organizations/${tenant.team.id}/member?member_id=${id}`;
  await success(attemptAs(tenant, tenant.team.member, { method: "GET", path }));
});
