/** RBAC policies in D1: what is set counts at once, within its own organization, and survives an answer that is lost. */

import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { DEFAULT_POLICY } from "../../src/core/default-policy.ts";
import type { RbacRole } from "../../src/core/rbac.ts";
import { createPolicyStore } from "../../src/storage/policy-store.ts";
import { fakeClock } from "../support/clock.ts";
import { makeTenant } from "../support/fixtures.ts";
import { makeWorld } from "../support/world.ts";

const clock = fakeClock();
const { database, db } = makeWorld(clock).isolate();
const policies = createPolicyStore(database, clock);

const LOCAL: RbacRole = {
  id: "lo'cal \u0000 \ud800",
  description: "",
  permissions: [{ resource: "stytch.member", actions: ["*"] }],
};

const customer = (id: string) =>
  env.DB.prepare("SELECT rbac_roles, modified_at FROM customers WHERE id = ?1")
    .bind(id)
    .first<{ rbac_roles: string; modified_at: number | null }>();

test("an organization that has set none has the default policy", async () => {
  expect(await policies.find((await makeTenant()).id)).toEqual(DEFAULT_POLICY);
});

test("a policy counts as soon as it is set, with the reserved resources that it does not list", async () => {
  const tenant = await makeTenant();
  await policies.find(tenant.id);
  const policy = {
    roles: [{ id: "stytch_member", description: "", permissions: [] }],
    resources: [{ id: "doc", description: "", actions: ["read"] }],
    scopes: [],
  };
  await env.DB.prepare("UPDATE organizations SET rbac_policy = ?1 WHERE id = ?2")
    .bind(JSON.stringify(policy), tenant.id)
    .run();
  expect(await policies.find(tenant.id)).toEqual({
    ...policy,
    resources: [...DEFAULT_POLICY.resources, ...policy.resources],
  });
  expect(await policies.find((await makeTenant()).id)).toEqual(DEFAULT_POLICY);
});

test("a customer's own roles are replaced, letter for letter, and nobody else's", async () => {
  const tenant = await makeTenant();
  expect(await policies.setOwnRoles(tenant.id, tenant.team.id, [LOCAL, { ...LOCAL, id: "b" }])).toBe(true);
  expect(await policies.setOwnRoles(tenant.id, tenant.team.id, [LOCAL])).toBe(true);
  const stored = await customer(tenant.team.id);
  expect(JSON.parse(stored?.rbac_roles ?? "")).toEqual([LOCAL]);
  expect(stored?.modified_at).toBe(clock.now());
  expect(await customer(tenant.individual.id)).toEqual({ rbac_roles: "[]", modified_at: null });
});

test("a customer that is another organization's, or gone, is not written to", async () => {
  const [tenant, other] = [await makeTenant(), await makeTenant()];
  expect(await policies.setOwnRoles(other.id, tenant.team.id, [LOCAL])).toBe(false);
  await env.DB.prepare("UPDATE customers SET deleted_at = 1 WHERE id = ?1").bind(tenant.team.id).run();
  expect(await policies.setOwnRoles(tenant.id, tenant.team.id, [LOCAL])).toBe(false);
  expect(await customer(tenant.team.id)).toEqual({ rbac_roles: "[]", modified_at: null });
});

test("an answer that is lost is asked for again, and an outage is no empty policy", async () => {
  const tenant = await makeTenant();
  db.fail(/UPDATE customers/, { when: "after", times: 1 });
  expect(await policies.setOwnRoles(tenant.id, tenant.team.id, [LOCAL])).toBe(true);
  db.fail("any");
  await expect(policies.find(tenant.id)).rejects.toMatchObject({ code: "unavailable" });
  await expect(policies.setOwnRoles(tenant.id, tenant.team.id, [])).rejects.toMatchObject({ code: "unavailable" });
});
