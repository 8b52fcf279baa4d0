/** Tokens that others signed: which are believed, and why the rest are not. jose signs, so no rule of ours helps. */

import { expect, test } from "vitest";
import { LatchkeyError } from "../../src/core/errors.ts";
import { readForeignToken, spentKey, verifyForeignToken } from "../../src/core/foreign-tokens.ts";
import type { IssuerKeys } from "../../src/core/identity-ports.ts";
import type { TrustedIssuer } from "../../src/core/trusted-issuers.ts";
import { findJwk } from "../../src/crypto/jwk.ts";
import { fakeClock } from "../support/clock.ts";
import { AUDIENCE, CLAIM_NAMES, makeIssuerKey, signToken } from "../support/issuer.ts";

const NOW = fakeClock().now();
const seconds = NOW / 1000;
const ISSUER = "https://id.example.com/";
const [own, other, rsa] = [await makeIssuerKey(), await makeIssuerKey(), await makeIssuerKey("RS256")];

const CLAIMS = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: "ext-1",
  email: "ann@example.com",
  jti: "jti-1",
  iat: seconds,
  exp: seconds + 3600,
};

const ISSUER_ROW: TrustedIssuer = {
  id: "i",
  organizationId: "o",
  purpose: "attest",
  issuer: ISSUER,
  audience: AUDIENCE,
  keys: { url: "https://id.example.com/keys" },
  algorithms: ["ES256", "RS256"],
  claims: CLAIM_NAMES,
  canMakeMembers: false,
};

const published: IssuerKeys = { find: (_, header) => findJwk([own.jwk, rsa.jwk, {}], header) };

const verify = async (token: string, issuer: Partial<TrustedIssuer> = {}, now = NOW) =>
  verifyForeignToken(readForeignToken(token), { ...ISSUER_ROW, ...issuer }, published, now);

const expectCode = (verdict: Promise<unknown>, code: string, facts = {}) =>
  expect(verdict).rejects.toMatchObject({ code, facts });

test.each([own, rsa])("$alg, signed by a published key, is believed", async (key) => {
  await expect(verify(await signToken(key, CLAIMS))).resolves.toBeUndefined();
});

test("one signed by a key that an operator wrote down is believed, whatever its kid says", async () => {
  const keys = { pems: [rsa.pem, other.pem, own.pem] };
  for (const kid of [undefined, "anything"]) {
    await expect(verify(await signToken(own, CLAIMS, { kid }), { keys })).resolves.toBeUndefined();
  }
  const stranger = await makeIssuerKey();
  await expectCode(verify(await signToken(stranger, CLAIMS), { keys }), "foreign_token_invalid");
});

test("one signed by nobody's key is refused before anything of it is looked at", async () => {
  const bad = { ...CLAIMS, iss: "x", aud: "x", exp: 1 };
  for (const forged of [
    await signToken(other, bad),
    await signToken(other, bad, { kid: own.jwk.kid }),
    await signToken(own, bad, { kid: other.jwk.kid }),
  ]) {
    await expectCode(verify(forged), "foreign_token_invalid");
  }
});

test("an algorithm that the issuer does not use is refused, be it signed as it should", async () => {
  await expectCode(verify(await signToken(rsa, CLAIMS), { algorithms: ["ES256"] }), "foreign_token_invalid");
  const [header, payload] = (await signToken(own, CLAIMS)).split(".") as [string, string];
  for (const alg of ["none", "HS256", "toString"]) {
    const members = btoa(JSON.stringify({ alg, kid: own.jwk.kid })).replaceAll("=", "");
    const token = `${members}.${payload}.${alg === "none" ? "" : "AAAA"}`;
    await expectCode(verify(token), "foreign_token_invalid");
  }
  expect(header).not.toBe("");
});

test("what cannot be read in one way only is refused", async () => {
  const token = await signToken(own, CLAIMS);
  const [header, payload, signature] = token.split(".") as [string, string, string];
  const changed = (text: string) => (text.startsWith("A") ? `B${text.slice(1)}` : `A${text.slice(1)}`);
  for (const text of ["", "a.b", `${token}.`, ` ${token}`, `${token}=`, `${header}.${payload}`, "x".repeat(9000)]) {
    await expectCode(verify(text), "foreign_token_invalid");
  }
  await expectCode(verify(`${header}.${payload}.${changed(signature)}`), "foreign_token_invalid");
});

test.each(["https://id.example.com", "https://ID.example.com/", "", null, undefined, [ISSUER]])(
  "the issuer %j is another one",
  async (iss) => {
    await expectCode(verify(await signToken(own, { ...CLAIMS, iss })), "foreign_token_issuer_wrong");
  },
);

test("it must be for us, be it among others", async () => {
  for (const aud of [[AUDIENCE], ["other", AUDIENCE]]) {
    await expect(verify(await signToken(own, { ...CLAIMS, aud }))).resolves.toBeUndefined();
  }
  for (const aud of ["other", "https://portal.test", [], [[AUDIENCE]], null, undefined, { 0: AUDIENCE }]) {
    await expectCode(verify(await signToken(own, { ...CLAIMS, aud })), "foreign_token_audience_wrong");
  }
});

test("it lives until its exp and a minute, for clocks that differ", async () => {
  const token = await signToken(own, { ...CLAIMS, exp: seconds + 10 });
  await expect(verify(token, {}, NOW + 69_999)).resolves.toBeUndefined();
  await expectCode(verify(token, {}, NOW + 70_000), "foreign_token_expired");
});

test.each(["iat", "nbf"])("its %s may lie a minute ahead, and no more", async (name) => {
  const token = (ahead: number) => signToken(own, { ...CLAIMS, [name]: seconds + ahead });
  await expect(verify(await token(60))).resolves.toBeUndefined();
  const facts = { claim: name, problem: "lies in the future" };
  await expectCode(verify(await token(61)), "foreign_token_claims_wrong", facts);
});

test.each([
  ["attest", 3600],
  ["access_token", 300],
] as const)("for %s it is too old %i seconds after it was made, however long it lives", async (purpose, age) => {
  const token = await signToken(own, { ...CLAIMS, exp: seconds + 86_400 });
  await expect(verify(token, { purpose }, NOW + age * 1000)).resolves.toBeUndefined();
  await expectCode(verify(token, { purpose }, NOW + age * 1000 + 1), "foreign_token_too_old", { maxAgeSeconds: age });
});

test.each([undefined, null, "1795176000", 1.5, -1, 1e300, Number.MAX_SAFE_INTEGER + 1, true, [], {}])(
  "%j is no time",
  async (value) => {
    for (const claim of ["exp", "iat", ...(value === undefined ? [] : ["nbf"])]) {
      const token = await signToken(own, { ...CLAIMS, [claim]: value });
      const facts = { claim, problem: "is no whole number of seconds" };
      await expectCode(verify(token), "foreign_token_claims_wrong", facts);
    }
  },
);

test("keys that cannot be had make no verdict", async () => {
  const away: IssuerKeys = { find: () => Promise.reject(new LatchkeyError("unavailable")) };
  const jwt = readForeignToken(await signToken(own, CLAIMS));
  await expectCode(verifyForeignToken(jwt, ISSUER_ROW, away, NOW), "unavailable");
});

test("a used token has one name for one organization, issuer and id", async () => {
  const names = await Promise.all([
    spentKey(ISSUER_ROW, "a"),
    spentKey(ISSUER_ROW, "b"),
    spentKey({ ...ISSUER_ROW, organizationId: "p" }, "a"),
    spentKey({ ...ISSUER_ROW, issuer: "x" }, "a"),
    spentKey({ ...ISSUER_ROW, organizationId: 'o","x' }, "a"),
  ]);
  expect(new Set(names).size).toBe(5);
  expect(await spentKey({ ...ISSUER_ROW, id: "another row", audience: "y" }, "a")).toBe(names[0]);
});
