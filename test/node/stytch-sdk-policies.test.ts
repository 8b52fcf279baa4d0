/**
 * The policies that SDKs fetch to check permissions by themselves, and an organization's own roles, through Stytch's own
 * Node SDKs, unmodified, over HTTP.
 */

import { B2BClient } from "stytch";
import { B2BClient as B2BClient12 } from "stytch-12";
import { describe, expect, test } from "vitest";
import { makeTeam } from "./support/demo.ts";
import { demoProject, refusal } from "./support/stytch.ts";

const client = new B2BClient({ ...demoProject });

test.each([
  ["14.2", client],
  ["12.43", new B2BClient12({ ...demoProject })],
])("SDK %s: rbac.policy has roles, resources and scopes, each with a description", async (_, { rbac }) => {
  const { policy } = await rbac.policy();
  const description = expect.any(String);
  const permissions = [{ resource_id: "stytch.self", actions: ["*"] }];
  expect(policy?.roles).toContainEqual({ role_id: "stytch_member", description, permissions });
  expect(policy?.roles.map(({ role_id }) => role_id)).toContain("stytch_admin");
  const actions = expect.arrayContaining(["delete"]);
  expect(policy?.resources).toContainEqual({ resource_id: "stytch.self", description, actions });
  expect(policy?.scopes).toEqual(expect.any(Array));
});

/** The older one has no methods for these. */
describe("SDK 14.2: an organization's own roles", () => {
  const { organizations } = client.rbac;
  const newOrganization = async () => ({ organization_id: `organization-live-${(await makeTeam()).id}` });
  const reading = (actions: string[], resource_id = "stytch.sso") => ({
    role_id: "sso_reader",
    description: "Reads",
    permissions: [{ resource_id, actions }],
  });

  test("are none at first, and are set and taken away as a whole", async () => {
    const organization = await newOrganization();
    expect((await organizations.getOrgPolicy(organization)).org_policy).toEqual({ roles: [] });
    for (const org_policy of [{ roles: [reading(["get"])] }, { roles: [] }]) {
      expect((await organizations.setOrgPolicy({ ...organization, org_policy })).org_policy).toEqual(org_policy);
      expect((await organizations.getOrgPolicy(organization)).org_policy).toEqual(org_policy);
    }
  });

  test.each([
    ["a role twice", [reading(["get"]), reading(["get"])], "rbac_role_duplicate"],
    ["a resource that is not there", [reading(["get"], "nothing")], "invalid_permission_resource"],
    ["an action that is not there", [reading(["fly"])], "invalid_permission_action"],
    ["no action", [reading([])], "rbac_permission_missing_actions"],
    ["every action and one", [reading(["*", "get"])], "cannot_specify_wildcard_with_other_actions"],
  ])("are refused with %s", async (_, roles, error_type) => {
    const request = { ...(await newOrganization()), org_policy: { roles } };
    await expect(organizations.setOrgPolicy(request)).rejects.toMatchObject(refusal(400, error_type));
  });

  test("nobody elsewhere has", async () => {
    const elsewhere = { organization_id: "organization-live-0b9e7c6c-2f5e-4d7e-9c0f-1a2b3c4d5e6f" };
    await expect(organizations.getOrgPolicy(elsewhere)).rejects.toMatchObject(refusal(404, "organization_not_found"));
  });
});
