/** The secrets that hold the keys of session JWTs: what is taken, what is refused, and that no message shows any of it. */

import { beforeAll, describe, expect, test } from "vitest";
import { toBase64Url } from "../../src/crypto/bytes.ts";
import {
  createJwtKeyRing,
  parseNextKey,
  parseRetiredKeys,
  parseSigningKey,
  requireDistinct,
  type SigningKeySecret,
} from "../../src/crypto/jwt-keys.ts";
import { makeJwtKey, retire } from "../support/jwt-keys.ts";

const HOUR = 3_600_000;
const NOW = Date.parse("2026-11-20T12:00:00Z");

let active: SigningKeySecret;
let next: SigningKeySecret;
let old: SigningKeySecret;
let small: SigningKeySecret;
beforeAll(async () => {
  active = await makeJwtKey("active", NOW - HOUR);
  next = await makeJwtKey("next", NOW + HOUR);
  old = await makeJwtKey("old");
  small = await makeJwtKey("small", 0, 1024);
});

describe("the secrets", () => {
  test("are read as they were written, and nothing else in them is kept", () => {
    expect(parseSigningKey(JSON.stringify({ ...active, note: "mine" }))).toEqual(active);
    expect(parseSigningKey(` ${JSON.stringify({ ...active, signsFrom: null })}\n`).signsFrom).toBeNull();
    expect(parseNextKey(JSON.stringify(next))).toEqual(next);
    const retired = [retire(old, NOW)];
    expect(parseRetiredKeys(JSON.stringify([{ ...retired[0], d: old.d }]))).toEqual(retired);
  });

  test("may lack a next key and retired ones, and no active one", () => {
    expect([parseNextKey(""), parseNextKey(" \n"), parseRetiredKeys(""), parseRetiredKeys("[]")]).toEqual([
      null,
      null,
      [],
      [],
    ]);
    expect(() => parseSigningKey("")).toThrow("is missing: make one with `npm run keys`");
    expect(() => parseSigningKey(" \n")).toThrow("is missing");
  });

  test("fit into the 5 KB of a Worker's variable, ten retired keys included", () => {
    const longest = { ...active, kid: `jwk-live-${crypto.randomUUID()}` };
    expect(JSON.stringify(longest).length).toBeLessThan(2000);
    const retired = Array.from({ length: 10 }, () => retire(longest, NOW));
    expect(JSON.stringify(retired).length).toBeLessThan(5000);
  });

  const changed = (change: Partial<Record<keyof SigningKeySecret, unknown>>) =>
    JSON.stringify({ ...active, ...change });
  const other = (name: keyof SigningKeySecret) => changed({ [name]: next[name] });
  const wrong: [string, () => string, string][] = [
    ["no JSON", () => "secret", "is not what `npm run keys` makes"],
    ["a number", () => "5", "is not what"],
    ["null", () => "null", "is not what"],
    ["a text", () => JSON.stringify(active.d), "is not what"],
    ["JSON that is cut", () => JSON.stringify(active).slice(0, -20), "is not what"],
    ["JSON in quotes", () => `'${JSON.stringify(active)}'`, "is not what"],
    ["a list", () => JSON.stringify([active]), "without a name"],
    ["without a name", () => changed({ kid: undefined }), "without a name"],
    ["with an empty name", () => changed({ kid: "" }), "without a name"],
    ["with a name of other letters", () => changed({ kid: 'a"b' }), "without a name"],
    ["with a name that is a number", () => changed({ kid: 5 }), "without a name"],
    ["with a name that is too long", () => changed({ kid: "a".repeat(101) }), "without a name"],
    ["without a time", () => changed({ signsFrom: undefined }), "from when on"],
    ["with a time that is a text", () => changed({ signsFrom: "2026-01-01" }), "from when on"],
    ["with a fraction of a time", () => changed({ signsFrom: 1.5 }), "from when on"],
    ["with a time before all times", () => changed({ signsFrom: -1 }), "from when on"],
    ["of 1024 bits", () => JSON.stringify(small), "other than 2048 bits"],
    ["without a modulus", () => changed({ n: undefined }), "other than 2048 bits"],
    ["with a modulus of zeros", () => changed({ n: "A".repeat(342) }), "other than 2048 bits"],
    ["with an even modulus", () => changed({ n: toBase64Url(new Uint8Array(256).fill(0xaa)) }), "a weak key"],
    ["with exponent 1", () => changed({ e: "AQ" }), "a weak key"],
    ["with another exponent", () => changed({ e: "Aw" }), "not whole"],
    ["without its private part", () => JSON.stringify({ ...retire(active, 0), signsFrom: 0 }), "not whole"],
    ["with an empty d", () => changed({ d: "" }), "not whole"],
    ["with a d of zeros", () => changed({ d: "AA" }), "not whole"],
    ["with a p of one", () => changed({ p: "AQ", q: active.n }), "not whole"],
    ["with padding", () => changed({ d: `${active.d}==` }), "not whole"],
    ...(["n", "d", "p", "q", "dp", "dq", "qi"] as const).map(
      (name) => [`with another key's ${name}`, () => other(name), "not whole"] as [string, () => string, string],
    ),
  ];
  test.each(wrong)("are refused when a key is %s, and the message shows nothing of it", (_, secret, message) => {
    const text = secret();
    for (const parse of [parseSigningKey, parseNextKey]) {
      expect(() => parse(text)).toThrow(message);
      for (const material of text.match(/[\w-]{8,}/g) ?? []) {
        if (!message.includes(material)) expect(() => parse(text)).not.toThrow(material.slice(0, 8));
      }
    }
  });

  test.each([
    ["no list", () => JSON.stringify(retire(old, 0)), "is not what"],
    ["no JSON", () => "old", "is not what"],
    ["a list of names", () => '["old"]', "is not what"],
    ["a key without a time", () => JSON.stringify([{ ...retire(old, 0), lastSignedAt: null }]), "signed last"],
    ["a key without a name", () => JSON.stringify([{ ...retire(old, 0), kid: null }]), "without a name"],
    ["a key of 1024 bits", () => JSON.stringify([retire(small, 0)]), "2048 bits"],
    [
      "a second key with a weak exponent",
      () => JSON.stringify([retire(old, 0), { ...retire(next, 0), e: "AQ" }]),
      "a weak key",
    ],
  ])("are refused when the retired keys are %s", (_, secret, message) => {
    expect(() => parseRetiredKeys(secret())).toThrow(message);
  });

  test("are refused when two keys go by one name", () => {
    const fine = { active, next, retired: [retire(old, 0)] };
    expect(requireDistinct(fine)).toBe(fine);
    for (const keys of [
      { ...fine, next: { ...next, kid: active.kid } },
      { ...fine, retired: [{ ...retire(old, 0), kid: next.kid }] },
      { ...fine, retired: [retire(old, 0), retire(old, 1)] },
    ]) {
      expect(() => requireDistinct(keys)).toThrow("not all of different names");
    }
  });
});

describe("the keys", () => {
  const signer = (keys: Parameters<typeof createJwtKeyRing>[0], now: number) => createJwtKeyRing(keys).signing(now).kid;
  const kids = (keys: Parameters<typeof createJwtKeyRing>[0], now: number) =>
    createJwtKeyRing(keys)
      .published(now)
      .map(({ kid }) => kid);

  test("change over at the instant that the next one names, and not before it has one", () => {
    const keys = { active, next, retired: [] };
    expect([signer(keys, 0), signer(keys, NOW + HOUR - 1), signer(keys, NOW + HOUR)]).toEqual([
      "active",
      "active",
      "next",
    ]);
    expect(signer({ ...keys, next: { ...next, signsFrom: null } }, NOW + 1e12)).toBe("active");
    expect(signer({ ...keys, next: null }, NOW + 1e12)).toBe("active");
  });

  test("are published while they may sign, and a day after that", () => {
    const keys = { active, next, retired: [retire(old, NOW)] };
    expect(kids(keys, NOW - HOUR)).toEqual(["active", "next", "old"]);
    expect(kids(keys, NOW + 24 * HOUR - 1)).toEqual(["active", "next", "old"]);
    expect(kids(keys, NOW + 24 * HOUR)).toEqual(["active", "next"]);
    expect(kids({ ...keys, next: { ...next, signsFrom: null } }, NOW + 1e12)).toEqual(["active", "next"]);
  });

  test("are published with the nine members that SDKs look for, and with nothing private", () => {
    const [first, second] = createJwtKeyRing({ active, next: null, retired: [retire(old, NOW)] }).published(NOW);
    expect(first).toEqual({
      kty: "RSA",
      use: "sig",
      key_ops: ["verify"],
      alg: "RS256",
      kid: "active",
      x5c: [],
      x5tS256: "",
      n: active.n,
      e: "AQAB",
    });
    expect(Object.keys(second ?? {}).sort()).toEqual(Object.keys(first ?? {}).sort());
  });

  test("can not be taken out of the runtime again, sign or verify and never both, and are imported once", async () => {
    const ring = createJwtKeyRing({ active, next, retired: [retire(old, NOW)] });
    const { key } = ring.signing(NOW);
    const signing = await key();
    expect([signing.key.extractable, signing.key.usages]).toEqual([false, ["sign"]]);
    await expect(crypto.subtle.exportKey("jwk", signing.key)).rejects.toThrow();
    expect(await ring.signing(NOW).key()).toBe(signing);
    for (const kid of ["active", "next", "old"]) {
      const found = await ring.find(kid)?.();
      expect([found?.key.extractable, found?.key.usages], kid).toEqual([false, ["verify"]]);
      expect(await ring.find(kid)?.()).toBe(found);
    }
    expect([ring.find("other"), ring.find("__proto__"), ring.find("")]).toEqual([undefined, undefined, undefined]);
  });
});
