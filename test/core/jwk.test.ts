/** Public keys of others: which are taken, for which algorithm, and which of a published set is meant. */

import { exportJWK, exportSPKI, generateKeyPair, type JWK } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { toBase64Url, utf8Bytes } from "../../src/crypto/bytes.ts";
import { findJwk, importJwk, importPem, jwkInteger } from "../../src/crypto/jwk.ts";
import { JWS_ALGORITHMS, type JwsAlgorithm, type JwsKey, parseJwt, signJwt, verifyJws } from "../../src/crypto/jws.ts";

const ALGORITHMS = Object.keys(JWS_ALGORITHMS) as JwsAlgorithm[];
const familyOf = (alg: JwsAlgorithm) => `${JWS_ALGORITHMS[alg].kty} ${"crv" in JWS_ALGORITHMS[alg] ? alg : ""}`;

interface Pair {
  privateKey: CryptoKey;
  jwk: JWK;
  privateJwk: JWK;
  pem: string;
}
const pairs = {} as Record<JwsAlgorithm, Pair>;

beforeAll(async () => {
  for (const algorithm of ALGORITHMS) {
    const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
    const [jwk, privateJwk, pem] = [
      await exportJWK(publicKey),
      await exportJWK(privateKey),
      await exportSPKI(publicKey),
    ];
    pairs[algorithm] = { privateKey, jwk, privateJwk, pem };
  }
});

async function verifies(key: JwsKey | null, { privateKey }: Pair, algorithm: JwsAlgorithm): Promise<boolean> {
  const jwt = parseJwt(await signJwt({ kid: "k", typ: "JWT" }, "{}", { algorithm, key: privateKey }));
  return key !== null && jwt !== null && verifyJws(jwt, key);
}

/** A number of so many bits, as JWK has it. */
function integer(bits: number, last = 1): string {
  const bytes = new Uint8Array(Math.ceil(bits / 8)).fill(0xa5);
  bytes[0] = 1 << ((bits - 1) % 8);
  bytes[bytes.length - 1] = last;
  return toBase64Url(bytes);
}

describe.each(ALGORITHMS)("a key for %s", (algorithm) => {
  test("is taken as JWK and as PEM, and cannot be taken out again", async () => {
    const pair = pairs[algorithm];
    for (const key of [await importJwk(pair.jwk, algorithm), await importPem(pair.pem, algorithm)]) {
      expect(await verifies(key, pair, algorithm)).toBe(true);
      expect([key?.algorithm, key?.key.extractable, key?.key.usages]).toEqual([algorithm, false, ["verify"]]);
    }
  });

  test("is taken with all that a published key says of itself", async () => {
    const { jwk } = pairs[algorithm];
    const said = {
      kid: "1",
      use: "sig",
      key_ops: ["verify"],
      alg: algorithm,
      x5c: [],
      x5tS256: "",
      ext: true,
      note: {},
    };
    expect(await importJwk({ ...jwk, ...said }, algorithm)).not.toBeNull();
  });

  test("is none for an algorithm of another kind", async () => {
    for (const other of ALGORITHMS) {
      const isSameKind = familyOf(other) === familyOf(algorithm);
      expect((await importJwk(pairs[algorithm].jwk, other)) !== null, other).toBe(isSameKind);
      expect((await importPem(pairs[algorithm].pem, other)) !== null, other).toBe(isSameKind);
      expect((await importJwk({ ...pairs[algorithm].jwk, alg: algorithm }, other)) !== null, other).toBe(
        other === algorithm,
      );
    }
  });

  test("is refused when it holds the private part too, or a symmetric one", async () => {
    expect(await importJwk(pairs[algorithm].privateJwk, algorithm)).toBeNull();
    for (const name of ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]) {
      for (const value of ["AQAB", "", null, []]) {
        expect(await importJwk({ ...pairs[algorithm].jwk, [name]: value }, algorithm), name).toBeNull();
      }
    }
  });

  test.each([
    ["for encryption", { use: "enc" }],
    ["for a use that is no text", { use: ["sig"] }],
    ["for a use that is null", { use: null }],
    ["for signing only", { key_ops: ["sign"] }],
    ["for no operation", { key_ops: [] }],
    ["for operations that are no list", { key_ops: "verify" }],
    ["for another algorithm", { alg: "HS256" }],
    ["for no algorithm", { alg: "none" }],
    ["for an algorithm that is null", { alg: null }],
    ["of another type", { kty: "oct" }],
    ["of no type", { kty: undefined }],
    ["with a name that is a number", { kid: 1 }],
    ["with its numbers missing", { n: undefined, x: undefined }],
    ["with numbers that are no text", { n: 5, x: 5 }],
    ["with numbers that are not base64url", { n: "+/==", x: "+/==" }],
  ])("is refused when it says it is %s", async (_, said) => {
    expect(await importJwk({ ...pairs[algorithm].jwk, ...said }, algorithm)).toBeNull();
  });

  test("is nothing else", async () => {
    for (const value of [undefined, null, "", 5, [], {}, "key", pairs[algorithm].pem, [pairs[algorithm].jwk]]) {
      expect(await importJwk(value, algorithm)).toBeNull();
    }
    const { pem } = pairs[algorithm];
    const body = pem.split("\n").slice(1, -1).join("");
    for (const text of [
      "",
      body,
      pem.replaceAll("PUBLIC", "PRIVATE"),
      pem.replaceAll("PUBLIC KEY", "CERTIFICATE"),
      pem.replace("MI", "MA"),
      `${pem}${pem}`,
    ]) {
      if (text !== pem) expect(await importPem(text, algorithm), text).toBeNull();
    }
  });
});

test("a point that is not on the curve is no key", async () => {
  const { jwk } = pairs.ES256;
  expect(await importJwk({ ...jwk, y: jwk.x }, "ES256")).toBeNull();
  expect(await importJwk({ ...jwk, crv: "P-384" }, "ES256")).toBeNull();
  expect(await importJwk({ ...jwk, crv: "P-384" }, "ES384")).toBeNull();
});

describe("an RSA key", () => {
  const taken = async (n: string, e = "AQAB") => (await importJwk({ kty: "RSA", n, e }, "RS256")) !== null;

  test("has 2048 bits at least and 8192 at most", async () => {
    expect([await taken(integer(2048)), await taken(integer(3072)), await taken(integer(8192))]).toEqual([
      true,
      true,
      true,
    ]);
    for (const bits of [8, 512, 1024, 2040, 2047, 8193, 16384])
      expect(await taken(integer(bits)), `${bits}`).toBe(false);
  });

  test("has an odd modulus", async () => {
    expect(await taken(integer(2048, 2))).toBe(false);
  });

  test.each([
    ["0", "AA"],
    ["1", "AQ"],
    ["2", "Ag"],
    ["65536", "AQAA"],
    ["2^32 + 1", "AQAAAAE"],
    ["as long as the modulus", integer(2048)],
    ["empty", ""],
  ])("has no exponent of %s", async (_, exponent) => {
    expect(await taken(integer(2048), exponent)).toBe(false);
  });

  test("has an exponent of 3 or 65537 without objection", async () => {
    expect([await taken(integer(2048), "Aw"), await taken(integer(2048), "AQAB")]).toEqual([true, true]);
  });

  test("is not of the kind that a flawed generator made", async () => {
    const primes = [11n, 13n, 17n, 19n, 37n, 53n, 61n, 71n, 73n, 79n, 97n, 103n, 107n, 109n, 127n, 151n, 157n];
    const product = 2n * primes.reduce((all, prime) => all * prime, 1n);
    const start = 2n ** 2047n;
    const aligned = start - (start % product) + product;
    const text = (value: bigint) =>
      toBase64Url(Uint8Array.from(value.toString(16).match(/../g) ?? [], (digits) => Number.parseInt(digits, 16)));
    // Odd, and a power of 65537 modulo each of those primes.
    expect(await taken(text(aligned + (65537n ** 12345n % product)))).toBe(false);
    expect(await taken(text(aligned + ((65537n ** 12345n + 2n) % product)))).toBe(true);
  });

  test("gives its numbers in one spelling", () => {
    expect([jwkInteger("AQAB"), jwkInteger("AAE"), jwkInteger("AA")]).toEqual([65537n, 1n, 0n]);
    for (const value of ["", "AQ==", "A", "AB", " AQAB", null, 65537, ["AQAB"]]) expect(jwkInteger(value)).toBeNull();
  });
});

describe("of a published set", () => {
  const set = () => [
    { ...pairs.ES256.jwk, kid: "1", alg: "ES256" },
    { ...pairs.ES384.jwk, kid: "2" },
    { ...pairs.RS256.jwk, kid: "3", use: "sig" },
    { ...pairs.PS256.jwk, kid: "4" },
    { ...pairs.EdDSA.jwk },
    { kty: "oct", kid: "6", k: toBase64Url(utf8Bytes("x".repeat(32))), alg: "HS256" },
    { kty: "unknown", kid: "7" },
    null,
    "key",
  ];
  const find = async (header: { alg: string; kid?: string }) => (await findJwk(set(), header))?.algorithm ?? null;

  test("the named key is meant, for an algorithm that fits it", async () => {
    expect(await verifies(await findJwk(set(), { alg: "ES256", kid: "1" }), pairs.ES256, "ES256")).toBe(true);
    expect(await verifies(await findJwk(set(), { alg: "RS256", kid: "3" }), pairs.RS256, "RS256")).toBe(true);
    expect(await find({ alg: "PS512", kid: "3" })).toBe("PS512");
    expect(await find({ alg: "ES384", kid: "1" })).toBeNull();
    expect(await find({ alg: "RS256", kid: "1" })).toBeNull();
  });

  test("the only one that fits is meant where no name is given", async () => {
    expect([await find({ alg: "ES256" }), await find({ alg: "ES384" }), await find({ alg: "EdDSA" })]).toEqual([
      "ES256",
      "ES384",
      "EdDSA",
    ]);
    expect(await find({ alg: "RS256" })).toBeNull();
  });

  test("none is meant by a name that nobody has, or that two have", async () => {
    for (const kid of ["0", "", "__proto__", "constructor", "../1", "1' OR '1'='1", "1\u0000"]) {
      expect(await find({ alg: "ES256", kid }), kid).toBeNull();
    }
    const twins = [...set(), { ...pairs.ES256.jwk, kid: "1" }];
    expect(await findJwk(twins, { alg: "ES256", kid: "1" })).toBeNull();
    expect(await find({ alg: "EdDSA", kid: "5" })).toBeNull();
  });

  test("none is meant for an algorithm that we do not know", async () => {
    for (const alg of ["HS256", "none", "ES512", ""]) expect(await find({ alg, kid: "6" }), alg).toBeNull();
  });
});
