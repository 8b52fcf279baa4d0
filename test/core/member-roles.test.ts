/** The rules about members' roles, case by case: whoever asks, whatever the member is and shall become. */

import { describe, expect, test } from "vitest";
import type { CustomerType, Member, MemberRole } from "../../src/core/directory.ts";
import { LatchkeyError } from "../../src/core/errors.ts";
import { allowsChange, isManager, requireAddable, requireRemovable } from "../../src/core/member-roles.ts";

const ROLES: MemberRole[] = ["owner", "billing_manager", "member"];

const facts = (
  role: MemberRole,
  actor: { id: string; role: MemberRole | null } | null,
  customerType: CustomerType = "team",
) => {
  const member: Member = {
    id: "m",
    customerId: "c",
    email: "ann@example.com",
    name: "Ann",
    externalId: null,
    role,
    status: "active",
    emailVerified: false,
    assignedRoles: [],
    trustedMetadata: {},
    untrustedMetadata: {},
    signInSettings: {},
    retiredEmails: [],
    createdAt: 0,
    modifiedAt: null,
    deletedAt: null,
  };
  return { member, customerType, actor };
};

/** What a rule says: whether something remains to be done, or the code of the refusal and what it names. */
function verdict(rule: () => unknown): unknown {
  try {
    return rule();
  } catch (error) {
    if (!(error instanceof LatchkeyError)) throw error;
    return [error.code, error.facts["requested"] ?? null];
  }
}

test("owners and billing managers manage their customer, others do not", () => {
  expect(ROLES.map(isManager)).toEqual([true, true, false]);
});

test("nobody is added as an owner", () => {
  expect(ROLES.map((role) => verdict(() => requireAddable(role)))).toEqual([
    ["second_owner", "owner"],
    undefined,
    undefined,
  ]);
});

describe("a role is changed from … to", () => {
  const table = (actor: { id: string; role: MemberRole | null } | null) =>
    Object.fromEntries(
      ROLES.map((from) => [from, ROLES.map((role) => verdict(() => allowsChange(facts(from, actor), { role })))]),
    );

  test("anything by a backend, but the owner is not demoted without another taking its place", () => {
    expect(table(null)).toEqual({
      owner: [false, ["only_owner_demoted", "billing_manager"], ["only_owner_demoted", "member"]],
      billing_manager: [true, false, true],
      member: [true, true, false],
    });
  });

  test("anything by the owner, who may give its place away", () => {
    const { billing_manager, member } = table({ id: "owner", role: "owner" });
    expect({ billing_manager, member }).toEqual({ billing_manager: [true, false, true], member: [true, true, false] });
  });

  test("all but owner by a billing manager", () => {
    expect(table({ id: "other", role: "billing_manager" })).toEqual({
      owner: [false, ["only_owner_demoted", "billing_manager"], ["only_owner_demoted", "member"]],
      billing_manager: [["ownership_not_held", "owner"], false, true],
      member: [["ownership_not_held", "owner"], true, false],
    });
  });

  test("nothing else by a member to itself", () => {
    const own = ["own_role_fixed", "m"];
    expect(table({ id: "m", role: "billing_manager" })["billing_manager"]).toEqual([own, false, own]);
    expect(table({ id: "m", role: "owner" })["owner"]).toEqual([false, own, own]);
  });

  test.each([
    ["member", "role_insufficient"],
    [null, "credential_not_live"],
  ] as const)("nothing by an actor who is %s by now", (role, code) => {
    expect(new Set(Object.values(table({ id: "x", role })).flat(2))).toEqual(new Set([code, null]));
  });
});

describe("an e-mail address", () => {
  const to = (email: string, role: MemberRole, type: CustomerType) =>
    verdict(() => allowsChange(facts(role, null, type), { email }));

  test("is not changed for an individual's owner, whose address is its customer's", () => {
    expect(to("new@example.com", "owner", "individual")).toEqual(["owner_email_fixed", "new@example.com"]);
    expect(to("ann@example.com", "owner", "individual")).toBe(false);
  });

  test("is changed for everybody else", () => {
    expect(to("new@example.com", "owner", "team")).toBe(true);
    expect(to("new@example.com", "member", "individual")).toBe(true);
    expect(to("ANN@example.com", "member", "team")).toBe(true);
  });
});

test("a name is anybody's to change who manages, their own included", () => {
  for (const actor of [null, { id: "m", role: "owner" }, { id: "x", role: "billing_manager" }] as const) {
    for (const [name, remains] of [
      ["Ben", true],
      ["Ann", false],
    ] as const) {
      expect(verdict(() => allowsChange(facts("owner", actor, "individual"), { name, role: "owner" }))).toBe(remains);
    }
  }
});

test("nobody removes the owner, nor themselves", () => {
  const removal = (role: MemberRole, actor: { id: string; role: MemberRole | null } | null) =>
    verdict(() => requireRemovable(facts(role, actor)));
  expect(ROLES.map((role) => removal(role, null))).toEqual([["only_owner_removed", "m"], undefined, undefined]);
  expect(removal("owner", { id: "x", role: "billing_manager" })).toEqual(["only_owner_removed", "m"]);
  expect(removal("owner", { id: "m", role: "owner" })).toEqual(["own_removal", "m"]);
  expect(removal("billing_manager", { id: "m", role: "billing_manager" })).toEqual(["own_removal", "m"]);
  expect(removal("member", { id: "x", role: "member" })).toEqual(["role_insufficient", null]);
  expect(removal("member", { id: "x", role: null })).toEqual(["credential_not_live", null]);
});
