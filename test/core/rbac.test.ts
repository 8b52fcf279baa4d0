/** Who has which roles, and what they permit: case by case, and beside the check that an official SDK makes locally. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
// @ts-expect-error: the package keeps this function, and its types, to itself.
import { performAuthorizationCheck } from "../../node_modules/stytch/dist/b2b/rbac_local.js";
import { DEFAULT_POLICY, RESERVED_RESOURCES } from "../../src/core/default-policy.ts";
import type { MemberRole } from "../../src/core/directory.ts";
import { decide, impliedRoles, memberRoles, type RbacRole, sessionRoles } from "../../src/core/rbac.ts";

const role = (id: string, ...permissions: [resource: string, ...actions: string[]][]): RbacRole => ({
  id,
  description: "",
  permissions: permissions.map(([resource, ...actions]) => ({ resource, actions })),
});

describe("the default policy", () => {
  const may = (held: string[], resource: string, action: string) =>
    decide(DEFAULT_POLICY, [], held, { resource, action });

  test("has the reserved resources with their actions, and no scopes", () => {
    expect(DEFAULT_POLICY.resources).toEqual(RESERVED_RESOURCES);
    expect(DEFAULT_POLICY.scopes).toEqual([]);
    const actions = Object.fromEntries(DEFAULT_POLICY.resources.map((resource) => [resource.id, resource.actions]));
    expect(Object.keys(actions)).toEqual([
      "stytch.organization",
      "stytch.member",
      "stytch.sso",
      "stytch.self",
      "stytch.scim",
    ]);
    const own = new Set(actions["stytch.self"]);
    expect(actions["stytch.member"]?.filter((action) => !own.has(action)).sort()).toEqual([
      "create",
      "search",
      "update.info.email",
      "update.settings.is-breakglass",
      "update.settings.roles",
    ]);
    expect(own.size).toBe(10);
    expect(actions["stytch.organization"]).toHaveLength(15);
    expect(actions["stytch.sso"]).toEqual(["create", "get", "update", "delete"]);
    expect(actions["stytch.scim"]).toEqual(actions["stytch.sso"]);
    for (const listed of Object.values(actions)) expect(new Set(listed).size).toBe(listed.length);
  });

  test("lets every member do everything with itself, and nothing else", () => {
    for (const { id, actions } of DEFAULT_POLICY.resources) {
      for (const action of actions) {
        expect(may(["stytch_member"], id, action)).toEqual(id === "stytch.self" ? ["stytch_member"] : []);
      }
    }
  });

  test("lets an administrator do everything, its own record being every member's matter", () => {
    for (const { id, actions } of DEFAULT_POLICY.resources) {
      for (const action of actions) {
        expect(may(["stytch_admin"], id, action)).toEqual(id === "stytch.self" ? [] : ["stytch_admin"]);
      }
    }
  });

  test("lets a billing manager see, add, rename and remove members, but not become more than it is", () => {
    const permitted = DEFAULT_POLICY.resources.flatMap(({ id, actions }) =>
      actions.filter((action) => may(["billing_manager"], id, action).length > 0).map((action) => `${id} ${action}`),
    );
    expect(permitted).toEqual([
      "stytch.member create",
      "stytch.member search",
      "stytch.member update.info.name",
      "stytch.member delete",
    ]);
  });
});

describe("a member's roles", () => {
  const ann = (member: { role?: MemberRole; email?: string; assignedRoles?: string[] } = {}) => ({
    role: "member" as MemberRole,
    email: "Ann@Example.com",
    assignedRoles: [],
    ...member,
  });
  const customer = (...domainRoles: { domain: string; role: string }[]) => ({ domainRoles });
  const direct = { kind: "direct" };
  const byDomain = { kind: "domain", domain: "example.com" };

  test("follow from its role", () => {
    expect(impliedRoles("owner")).toEqual(["stytch_member", "stytch_admin"]);
    expect(impliedRoles("billing_manager")).toEqual(["stytch_member", "billing_manager"]);
    expect(impliedRoles("member")).toEqual(["stytch_member"]);
    expect(memberRoles(ann({ role: "owner" }), customer())).toEqual([
      { id: "stytch_member", sources: [direct] },
      { id: "stytch_admin", sources: [direct] },
    ]);
  });

  test("are assigned beside those, each counted once", () => {
    const member = ann({ assignedRoles: ["editor", "stytch_member", "editor", "reader"] });
    expect(memberRoles(member, customer())).toEqual([
      { id: "stytch_member", sources: [direct] },
      { id: "editor", sources: [direct] },
      { id: "reader", sources: [direct] },
    ]);
  });

  test("come with the domain of its address, whatever the case, and say so", () => {
    const rules = customer(
      { domain: "EXAMPLE.com", role: "editor" },
      { domain: "example.com", role: "editor" },
      { domain: "example.org", role: "owner" },
      { domain: "sub.example.com", role: "sub" },
      { domain: "com", role: "com" },
    );
    expect(memberRoles(ann(), rules)).toEqual([
      { id: "stytch_member", sources: [direct] },
      { id: "editor", sources: [byDomain] },
    ]);
    expect(memberRoles(ann({ email: "ann@evil.com" }), rules)).toHaveLength(1);
    // The domain is what follows the last at-sign.
    expect(memberRoles(ann({ email: '"ann@evil.com"@example.com' }), rules)).toHaveLength(2);
    expect(memberRoles(ann({ email: '"ann@example.com"@evil.com' }), rules)).toHaveLength(1);
    expect(memberRoles(ann({ email: "ann@notexample.com" }), rules)).toHaveLength(1);
  });

  test("that come both ways name both", () => {
    const rules = customer({ domain: "example.com", role: "editor" }, { domain: "example.com", role: "stytch_member" });
    expect(memberRoles(ann({ assignedRoles: ["editor"] }), rules)).toEqual([
      { id: "stytch_member", sources: [direct, byDomain] },
      { id: "editor", sources: [direct, byDomain] },
    ]);
  });

  test("are all its session's, once each and in the same order", () => {
    const rules = customer({ domain: "example.com", role: "reader" }, { domain: "example.com", role: "editor" });
    const member = ann({ role: "billing_manager", assignedRoles: ["editor"] });
    expect(sessionRoles(member, rules)).toEqual(["stytch_member", "billing_manager", "editor", "reader"]);
  });
});

describe("a decision", () => {
  const policy = {
    roles: [
      role("writer", ["doc", "read", "write"]),
      role("reader", ["doc", "read"]),
      role("all", ["doc", "*"], ["note", "read"]),
      role("none"),
    ],
  };
  const own = [role("local", ["doc", "read"], ["doc", "write"]), role("reader", ["note", "read"], ["doc", "read"])];
  const ALL = ["none", "local", "all", "reader", "writer", "unknown"];
  const granting = (held: string[], resource: string, action: string) =>
    decide(policy, own, held, { resource, action });

  test("names every role that permits it, in the order of the policy, the customer's own last", () => {
    expect(granting(ALL, "doc", "read")).toEqual(["writer", "reader", "all", "local"]);
    expect(granting(ALL, "doc", "write")).toEqual(["writer", "all", "local"]);
    expect(granting(["reader"], "doc", "write")).toEqual([]);
  });

  test("asks the roles that are held, and no others", () => {
    expect(granting([], "doc", "read")).toEqual([]);
    expect(granting(["unknown", "none"], "doc", "read")).toEqual([]);
    expect(granting(["Reader", "reader "], "doc", "read")).toEqual([]);
  });

  test("takes a role that both define for the sum of them", () => {
    expect(granting(["reader"], "note", "read")).toEqual(["reader"]);
    expect(granting(["reader"], "doc", "read")).toEqual(["reader"]);
  });

  test("knows a wildcard for actions, none for resources, and no parts of names", () => {
    expect(granting(ALL, "doc", "anything at all")).toEqual(["all"]);
    expect(granting(ALL, "doc", "*")).toEqual(["all"]);
    for (const resource of ["*", "do", "docs", "Doc", ""]) expect(granting(ALL, resource, "read")).toEqual([]);
    expect(granting(["reader"], "doc", "rea")).toEqual([]);
  });

  test("is the SDK's, whatever the policy", () => {
    const name = fc.constantFrom("a", "b", "c", "*", "A", "");
    const permission = fc.record({ resource: name, actions: fc.array(name, { maxLength: 3 }) });
    const roles = fc.array(
      fc.record({ id: name, description: fc.constant(""), permissions: fc.array(permission, { maxLength: 3 }) }),
      { maxLength: 4 },
    );
    const seen = { permitted: 0, refused: 0 };
    fc.assert(
      fc.property(
        roles,
        roles,
        fc.array(name, { maxLength: 3 }),
        name,
        name,
        (ofPolicy, own, held, resource, action) => {
          const granting = decide({ roles: ofPolicy }, own, held, { resource, action });
          seen[granting.length > 0 ? "permitted" : "refused"]++;
          expect(granting.length > 0).toBe(sdkPermits([...ofPolicy, ...own], held, resource, action));
          // All that permit it by themselves, and no others.
          const alone = [...ofPolicy, ...own].filter((one) => sdkPermits([one], held, resource, action));
          expect(granting).toEqual([...new Set(alone.map(({ id }) => id))]);
        },
      ),
      { numRuns: 1000 },
    );
    expect(Math.min(seen.permitted, seen.refused)).toBeGreaterThan(50);
  });
});

function sdkPermits(roles: RbacRole[], held: string[], resource: string, action: string): boolean {
  const policyRoles = roles.map(({ id, permissions, ...rest }) => ({
    ...rest,
    role_id: id,
    permissions: permissions.map(({ resource: resource_id, actions }) => ({ resource_id, actions })),
  }));
  const authorizationCheck = { organization_id: "o", resource_id: resource, action };
  try {
    performAuthorizationCheck({ policyRoles, subjectRoles: held, subjectOrgID: "o", authorizationCheck });
    return true;
  } catch (error) {
    if ((error as { code?: string }).code !== "invalid_permissions") throw error;
    return false;
  }
}
