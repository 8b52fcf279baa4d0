/** What a token says of whom, by the claims that an operator has named. */

import { describe, expect, test } from "vitest";
import { type ClaimNames, identityIn } from "../../src/core/trusted-issuers.ts";

const NAMES: ClaimNames = { email: "email", tokenId: "jti", customer: null, externalMemberId: null, roles: null };
const ALL: ClaimNames = { ...NAMES, customer: "org", externalMemberId: "sub", roles: "roles" };
const CLAIMS = { email: "ann@example.com", jti: "jti-1" };

const expectWrong = (claims: Record<string, unknown>, claim: string, names = ALL) =>
  expect(() => identityIn({ ...CLAIMS, ...claims }, names)).toThrow(
    expect.objectContaining({ code: "foreign_token_claims_wrong", facts: { claim, problem: expect.any(String) } }),
  );

test("is what the named claims say, and nothing of the others", () => {
  const claims = { ...CLAIMS, org: "acme", sub: "auth0|1", roles: ["editor", "viewer", "editor"] };
  const identity = { email: "ann@example.com", tokenId: "jti-1" };
  expect(identityIn(claims, NAMES)).toEqual({ ...identity, customer: null, externalMemberId: null, roles: [] });
  expect(identityIn(claims, ALL)).toEqual({
    ...identity,
    customer: "acme",
    externalMemberId: "auth0|1",
    roles: ["editor", "viewer"],
  });
  expect(identityIn(CLAIMS, ALL)).toEqual({ ...identity, customer: null, externalMemberId: null, roles: [] });
});

test("may stand within other claims, and claims may have dots in their names", () => {
  const names = { ...ALL, email: "user.email", tokenId: "https://example.com/id", roles: "realm.access.roles" };
  const claims = {
    user: { email: "ann@example.com", email_verified: true },
    "https://example.com/id": "x",
    "realm.access": { roles: ["not these"] },
    realm: { access: { roles: ["editor"] } },
  };
  expect(identityIn(claims, names)).toMatchObject({ email: "ann@example.com", tokenId: "x", roles: ["editor"] });
  expect(identityIn({ ...claims, "user.email": "bob@example.com" }, names).email).toBe("bob@example.com");
});

test("is not what every object has", () => {
  for (const name of ["constructor", "__proto__", "toString", "constructor.name", "jti.length"]) {
    expectWrong({}, name, { ...NAMES, email: name });
  }
});

describe("an address", () => {
  test.each([
    undefined,
    null,
    "",
    1,
    "ann",
    "ann@localhost",
    "Ann <ann@example.com>",
    " ann@example.com",
    ["a@b.example"],
  ])("%j is none", (email) => expectWrong({ email }, "email"));

  test("keeps its case before the at-sign", () => {
    expect(identityIn({ ...CLAIMS, email: "Ann@EXAMPLE.com" }, NAMES).email).toBe("Ann@example.com");
  });

  test.each([undefined, null, true, "true"])("is believed where email_verified is %j", (email_verified) => {
    expect(identityIn({ ...CLAIMS, email_verified }, NAMES).email).toBe("ann@example.com");
  });

  test.each([false, "false", 0, 1, "", "yes", {}])("is not where email_verified is %j", (email_verified) => {
    expectWrong({ email_verified }, "email_verified");
    const names = { ...NAMES, email: "user.mail" };
    const user = { mail: "ann@example.com" };
    expectWrong({ user, email_verified }, "email_verified", names);
    expectWrong({ user: { ...user, email_verified } }, "user.email_verified", names);
    const url = "https://app.example.com/claims/";
    const named = { [`${url}email`]: "ann@example.com", [`${url}email_verified`]: email_verified };
    expectWrong(named, `${url}email_verified`, { ...NAMES, email: `${url}email` });
  });
});

test.each([undefined, null, "", 1, "x".repeat(257)])("%j is no id of a token", (jti) => expectWrong({ jti }, "jti"));

test.each(["", 1, {}, "x".repeat(257)])("%j names no customer", (org) => expectWrong({ org }, "org"));

test.each(["", 1, "a b", "é", "a/b", "x".repeat(129)])("%j is no external id", (sub) => expectWrong({ sub }, "sub"));

test.each(["editor", [1], ["a", null], {}])("%j is no list of roles", (roles) => expectWrong({ roles }, "roles"));
