/** What is refused in a policy and in a customer's own roles: each rule, where it is broken, and where it is not. */

import { describe, expect, test } from "vitest";
import { DEFAULT_POLICY } from "../../src/core/default-policy.ts";
import type { RbacPolicy, RbacRole } from "../../src/core/rbac.ts";
import { completed, ownRoleFaults, policyFaults, type RbacFault } from "../../src/core/rbac-rules.ts";

const role = (id: string, ...permissions: [resource: string, ...actions: string[]][]): RbacRole => ({
  id,
  description: "",
  permissions: permissions.map(([resource, ...actions]) => ({ resource, actions })),
});
const resource = (id: string, ...actions: string[]) => ({ id, description: "", actions });
const scope = role;

const told = (faults: Iterable<RbacFault>) =>
  [...faults].map(({ reason, path, named }) => [reason, path.join("."), named]);

describe("a policy", () => {
  const MINIMAL: RbacPolicy = { roles: [role("stytch_member")], resources: [], scopes: [] };
  const faults = (change: Partial<RbacPolicy>) => told(policyFaults({ ...MINIMAL, ...change }));
  const withRoles = (...roles: RbacRole[]) => faults({ roles: [role("stytch_member"), ...roles] });

  test("is fit as everybody begins with it, as small as can be, and as Stytch exports one", () => {
    expect(told(policyFaults(DEFAULT_POLICY))).toEqual([]);
    expect(told(policyFaults(MINIMAL))).toEqual([]);
    const exported: RbacPolicy = {
      roles: [
        role("stytch_member", ["stytch.self", "update.info.name"], ["doc", "read"]),
        role("stytch_admin", ["stytch.organization", "*"], ["stytch.custom-org-roles", "*"], ["doc", "*"]),
        role("editor", ["doc", "read", "write"], ["stytch.member", "search", "newer-action"]),
      ],
      resources: [
        resource("stytch.member", "newer-action"),
        resource("stytch.custom-org-roles", "create", "get"),
        resource("doc", "read", "write", "*"),
      ],
      scopes: [scope("read:docs", ["doc", "read"]), scope("stytch:anything"), scope("openid")],
    };
    expect(told(policyFaults(exported))).toEqual([]);
  });

  test("names each role, resource and scope once, with something to read and not too long", () => {
    expect(withRoles(role("a"), role("a"), role("stytch_member"))).toEqual([
      ["id_duplicate", "roles.2", "a"],
      ["id_duplicate", "roles.3", "stytch_member"],
    ]);
    expect(faults({ resources: [resource("a", "x"), resource("a", "x")] })).toEqual([
      ["id_duplicate", "resources.1", "a"],
    ]);
    expect(faults({ scopes: [scope("a"), scope("A"), scope("a")] })).toEqual([["id_duplicate", "scopes.2", "a"]]);
    // One id may stand for a role, a resource and a scope.
    expect(
      faults({ roles: [...MINIMAL.roles, role("a")], resources: [resource("a", "x")], scopes: [scope("a")] }),
    ).toEqual([]);
    for (const blank of ["", " \t\n"]) {
      expect(withRoles(role(blank))).toEqual([["id_blank", "roles.1", blank]]);
      expect(faults({ resources: [resource(blank, "x")] })).toEqual([["id_blank", "resources.0", blank]]);
      expect(faults({ scopes: [scope(blank)] })).toEqual([["id_blank", "scopes.0", blank]]);
    }
    const longest = "x".repeat(128);
    expect(withRoles(role(longest))).toEqual([]);
    expect(withRoles(role(`${longest}x`))).toEqual([["id_too_long", "roles.1", `${longest}x`]]);
    const described = (length: number) => withRoles({ ...role("a"), description: "x".repeat(length) });
    expect(described(1024)).toEqual([]);
    expect(described(1025)).toEqual([["description_too_long", "roles.1", "a"]]);
  });

  test("leaves names that begin with stytch to Stytch's own", () => {
    expect(withRoles(role("stytch_owner"), role("stytch"), role("a.stytch"), role("Stytch"))).toEqual([
      ["id_reserved", "roles.1", "stytch_owner"],
      ["id_reserved", "roles.2", "stytch"],
    ]);
    expect(faults({ resources: [resource("stytch.billing", "x"), resource("stytched", "x")] })).toEqual([
      ["id_reserved", "resources.0", "stytch.billing"],
      ["id_reserved", "resources.1", "stytched"],
    ]);
  });

  test("keeps the role that everybody has, and may drop the others", () => {
    expect(faults({ roles: [] })).toEqual([["default_role_missing", "roles", "stytch_member"]]);
    expect(faults({ roles: [role("stytch_admin"), role("billing_manager")] })).toEqual([
      ["default_role_missing", "roles", "stytch_member"],
    ]);
  });

  test("declares for a resource what can be done with it", () => {
    const long = "x".repeat(129);
    expect(faults({ resources: [resource("a"), resource("b", "x", " ", long)] })).toEqual([
      ["actions_missing", "resources.0", "a"],
      ["action_blank", "resources.1.actions.1", " "],
      ["action_too_long", "resources.1.actions.2", long],
    ]);
    expect(faults({ resources: [resource("a", "x".repeat(128))] })).toEqual([]);
  });

  test("permits what is declared, in roles and in scopes alike", () => {
    const resources = [resource("doc", "read", "write"), resource("note", "read")];
    const permissions: Parameters<typeof role>[1][] = [
      ["doc"],
      ["doc", "*", "read"],
      ["doc", "read", "fly", ""],
      ["note", "write"],
      ["Doc", "read"],
      ["*", "*"],
      ["stytch.member", "fly"],
      ["stytch.self.x", "*"],
      ["doc", "*"],
      ["doc", "*", "*"],
    ];
    const expected = (at: string) => [
      ["actions_missing", `${at}.permissions.0`, "doc"],
      ["wildcard_not_alone", `${at}.permissions.1`, "doc"],
      ["action_unknown", `${at}.permissions.2.actions.1`, "fly"],
      ["action_blank", `${at}.permissions.2.actions.2`, ""],
      ["action_unknown", `${at}.permissions.3.actions.0`, "write"],
      ["resource_unknown", `${at}.permissions.4`, "Doc"],
      ["resource_unknown", `${at}.permissions.5`, "*"],
      ["action_unknown", `${at}.permissions.6.actions.0`, "fly"],
      ["reserved_resource_unknown", `${at}.permissions.7`, "stytch.self.x"],
      ["wildcard_not_alone", `${at}.permissions.9`, "doc"],
    ];
    expect(faults({ roles: [...MINIMAL.roles, role("a", ...permissions)], resources })).toEqual(expected("roles.1"));
    expect(faults({ scopes: [scope("a", ...permissions)], resources })).toEqual(expected("scopes.0"));
  });
});

describe("a policy, completed,", () => {
  test("has every reserved resource with every action, and keeps what it adds to them", () => {
    const policy: RbacPolicy = {
      roles: [role("stytch_member")],
      resources: [
        resource("doc", "read"),
        { id: "stytch.sso", description: "Ours", actions: ["get", "newer-action"] },
        resource("stytch.custom-org-roles", "get"),
      ],
      scopes: [scope("s")],
    };
    const { roles, resources, scopes } = completed(policy);
    expect({ roles, scopes }).toEqual({ roles: policy.roles, scopes: policy.scopes });
    expect(resources.map(({ id }) => id)).toEqual([
      "stytch.organization",
      "stytch.member",
      "stytch.sso",
      "stytch.self",
      "stytch.scim",
      "doc",
      "stytch.custom-org-roles",
    ]);
    expect(resources[2]).toEqual({
      id: "stytch.sso",
      description: "Ours",
      actions: ["create", "get", "update", "delete", "newer-action"],
    });
    expect(resources[1]).toEqual(DEFAULT_POLICY.resources[1]);
    expect(completed({ roles, resources, scopes })).toEqual({ roles, resources, scopes });
    expect(completed(DEFAULT_POLICY)).toEqual(DEFAULT_POLICY);
  });
});

describe("a customer's own roles", () => {
  const policy: RbacPolicy = {
    ...DEFAULT_POLICY,
    resources: [...DEFAULT_POLICY.resources, resource("doc", "read", "write")],
  };
  const faults = (...roles: RbacRole[]) => told(ownRoleFaults(policy, roles));

  test("are fit when they permit what the policy's resources have, the reserved ones included", () => {
    expect(faults()).toEqual([]);
    expect(faults(role("none"), role("local", ["doc", "read", "write"], ["stytch.member", "*"]))).toEqual([]);
  });

  test("are none of the policy's, none of Stytch's, and named once", () => {
    expect(faults(role("a"), role("billing_manager"), role("a"), role("stytch_member"), role("stytch_x"))).toEqual([
      ["role_of_policy", "roles.1", "billing_manager"],
      ["role_of_policy", "roles.3", "stytch_member"],
      ["id_duplicate", "roles.2", "a"],
      ["id_reserved", "roles.3", "stytch_member"],
      ["id_reserved", "roles.4", "stytch_x"],
    ]);
    const small = { ...policy, roles: [role("stytch_member")] };
    expect(told(ownRoleFaults(small, [role("stytch_admin"), role("billing_manager")]))).toEqual([
      ["id_reserved", "roles.0", "stytch_admin"],
    ]);
  });

  test("are judged like the policy's in all else", () => {
    const long = "x".repeat(129);
    expect(
      faults(role(" "), role(long), { ...role("a", ["nope", "*"], ["doc"]), description: "x".repeat(1025) }),
    ).toEqual([
      ["id_blank", "roles.0", " "],
      ["id_too_long", "roles.1", long],
      ["description_too_long", "roles.2", "a"],
      ["resource_unknown", "roles.2.permissions.0", "nope"],
      ["actions_missing", "roles.2.permissions.1", "doc"],
    ]);
    expect(faults(role("a", ["doc", "*", "read"], ["doc", "fly"], ["doc", "read", "\t"]))).toEqual([
      ["wildcard_not_alone", "roles.0.permissions.0", "doc"],
      ["action_unknown", "roles.0.permissions.1.actions.0", "fly"],
      ["action_blank", "roles.0.permissions.2.actions.1", "\t"],
    ]);
  });
});
