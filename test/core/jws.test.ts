/**
 * Signed tokens, with jose as the oracle: what it signs is accepted here and the other way round, for every algorithm.
 * Beyond that a token has one spelling and one meaning, which jose does not ask for.
 */

import fc from "fast-check";
import { CompactSign, compactVerify, exportJWK, generateKeyPair, type JWK } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { fromBase64Url, toBase64Url, utf8Bytes } from "../../src/crypto/bytes.ts";
import { importJwk } from "../../src/crypto/jwk.ts";
import {
  isJwsAlgorithm,
  JWS_ALGORITHMS,
  type JwsAlgorithm,
  type JwsKey,
  parseJws,
  parseJwt,
  signJwt,
  verifyJws,
} from "../../src/crypto/jws.ts";

const ALGORITHMS = Object.keys(JWS_ALGORITHMS) as JwsAlgorithm[];

interface Pair {
  privateKey: CryptoKey;
  publicKey: CryptoKey;
  jwk: JWK;
  key: JwsKey;
}
const pairs = {} as Record<JwsAlgorithm, Pair>;

beforeAll(async () => {
  for (const algorithm of ALGORITHMS) {
    const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
    const jwk = await exportJWK(publicKey);
    pairs[algorithm] = { privateKey, publicKey, jwk, key: (await importJwk(jwk, algorithm)) as JwsKey };
  }
});

const encode = (value: unknown) => toBase64Url(utf8Bytes(typeof value === "string" ? value : JSON.stringify(value)));

/** A token with exactly this header, rightly signed by the ES256 key. */
async function sign(header: unknown, claims: unknown): Promise<string> {
  const signingInput = `${encode(header)}.${encode(claims)}`;
  const parameters = { name: "ECDSA", hash: "SHA-256" };
  const signature = await crypto.subtle.sign(parameters, pairs.ES256.privateKey, utf8Bytes(signingInput));
  return `${signingInput}.${toBase64Url(new Uint8Array(signature))}`;
}

async function accepts(token: string, { key }: Pair): Promise<boolean> {
  const jwt = parseJwt(token);
  return jwt !== null && verifyJws(jwt, key);
}

const claims = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 });

describe.each(ALGORITHMS)("%s", (alg) => {
  test("what jose signs is accepted, and understood alike", async () => {
    await fc.assert(
      fc.asyncProperty(claims, fc.string(), async (payload, kid) => {
        const header = { alg, kid, typ: "JWT" };
        const signer = new CompactSign(utf8Bytes(JSON.stringify(payload))).setProtectedHeader(header);
        const token = await signer.sign(pairs[alg].privateKey);
        const jwt = parseJwt(token);
        expect(jwt?.header).toEqual(header);
        expect(jwt?.claims).toEqual(JSON.parse(JSON.stringify(payload)));
        expect(jwt && (await verifyJws(jwt, pairs[alg].key))).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  test("what is signed here jose accepts, and understands alike", async () => {
    await fc.assert(
      fc.asyncProperty(claims, async (payload) => {
        const key = { algorithm: alg, key: pairs[alg].privateKey };
        const token = await signJwt({ kid: "k", typ: "JWT" }, JSON.stringify(payload), key);
        const verified = await compactVerify(token, pairs[alg].publicKey, { algorithms: [alg] });
        expect(verified.protectedHeader).toEqual({ alg, kid: "k", typ: "JWT" });
        expect(new TextDecoder().decode(verified.payload)).toBe(JSON.stringify(payload));
        expect(await accepts(token, pairs[alg])).toBe(true);
      }),
      { numRuns: 10 },
    );
  });

  test("no other spelling of a token is accepted, nor any other token", async () => {
    const key = { algorithm: alg, key: pairs[alg].privateKey };
    const token = await signJwt({ kid: "k", typ: "JWT" }, '{"sub":"m"}', key);
    const at = fc.nat({ max: token.length - 1 });
    const characters = fc.constantFrom(..."AQgwBZaz059-_=. \n+/\u0000é");
    await fc.assert(
      fc.asyncProperty(at, characters, fc.constantFrom(0, 1), async (index, character, removed) => {
        const changed = token.slice(0, index) + character + token.slice(index + removed);
        expect(await accepts(changed, pairs[alg]), changed).toBe(changed === token);
        expect(await accepts(token.slice(0, index) + token.slice(index + 1), pairs[alg])).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  test("is no other algorithm: neither the header nor a key of another kind can make it one", async () => {
    for (const other of ALGORITHMS.filter((name) => name !== alg)) {
      const key = { algorithm: alg, key: pairs[alg].privateKey };
      const token = await signJwt({ kid: "k", typ: "JWT" }, "{}", key);
      expect(await accepts(token, pairs[other]), other).toBe(false);
      const [, payload, signature] = token.split(".");
      expect(await accepts(`${encode({ alg: other })}.${payload}.${signature}`, pairs[alg]), other).toBe(false);
      const relabelled = { algorithm: other, key: pairs[alg].key.key };
      const jwt = parseJwt(await signJwt({ kid: "k", typ: "JWT" }, "{}", key));
      expect(jwt && (await verifyJws(jwt, relabelled))).toBe(false);
    }
  });
});

describe("the encoding", () => {
  test("is three parts, no more and no fewer", async () => {
    const token = await sign({ alg: "ES256" }, {});
    const [header, payload, signature] = token.split(".") as [string, string, string];
    expect(await accepts(token, pairs.ES256)).toBe(true);
    for (const text of [
      "",
      ".",
      "..",
      "...",
      header,
      `${header}.${payload}`,
      `${token}.`,
      `.${token}`,
      `${token}.${signature}`,
      `${header}..${payload}.${signature}`,
      JSON.stringify({ payload, protected: header, signature }),
    ]) {
      expect(parseJws(text), text).toBeNull();
    }
  });

  test("has an end: a text of 8 KiB is read, a longer one is not", async () => {
    const header = await sign({ alg: "ES256" }, {});
    const room = 8192 - header.length;
    const longest = await sign({ alg: "ES256" }, { a: "x".repeat(Math.floor((room * 3) / 4) - 8) });
    expect(longest.length).toBeGreaterThan(8180);
    expect(longest.length).toBeLessThanOrEqual(8192);
    expect(await accepts(longest, pairs.ES256)).toBe(true);
    const longer = await sign({ alg: "ES256" }, { a: "x".repeat(Math.floor((room * 3) / 4)) });
    expect(longer.length).toBeLessThan(8210);
    expect(parseJwt(longer)).toBeNull();
    expect(parseJwt(longer, 10_000)).not.toBeNull();
  });

  test("of claims is UTF-8 without a byte order mark", async () => {
    const bytes = (...values: number[]) => values.map((value) => String.fromCharCode(value)).join("");
    const raw = (binary: string) => toBase64Url(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
    const header = encode({ alg: "ES256" });
    const signature = toBase64Url(new Uint8Array(64));
    expect(parseJwt(`${header}.${raw('{"a":"b"}')}.${signature}`)?.claims).toEqual({ a: "b" });
    for (const payload of [
      `${bytes(0xef, 0xbb, 0xbf)}{}`,
      `{"a":"${bytes(0xff)}"}`,
      `{"a":"${bytes(0xc0, 0xaf)}"}`,
      `{"a":"${bytes(0xed, 0xa0, 0x80)}"}`,
      `${bytes(0, 0x7b, 0, 0x7d)}`,
    ]) {
      expect(parseJws(`${header}.${raw(payload)}.${signature}`)).not.toBeNull();
      expect(parseJwt(`${header}.${raw(payload)}.${signature}`), payload).toBeNull();
      expect(parseJws(`${raw(payload)}.${header}.${signature}`), payload).toBeNull();
    }
  });
});

describe("JSON", () => {
  const parsed = (json: string) => parseJwt(`${encode({ alg: "ES256" })}.${encode(json)}.${encode("signature")}`);

  test.each([
    "[]",
    "null",
    '"text"',
    "1",
    "true",
    "",
    "foo",
    "{",
    "{}{}",
    "{,}",
    "{'a':1}",
    "{a:1}",
    '{"a":1,}',
    '{"a":01}',
    '{"a":NaN}',
    '{"a":Infinity}',
  ])("that is no object is refused: %s", (json) => expect(parsed(json)).toBeNull());

  test.each([
    '{"sub":"a","sub":"b"}',
    '{"sub":"a","sub":"a"}',
    '{"sub":"a","s\\u0075b":"b"}',
    '{"sub" \n:"a","sub"\t:"b"}',
    '{"":1,"":2}',
    '{"a":{"b":[1,{"c":1,"c":2}]}}',
    '{"a":{"x":1},"b":2,"a":3}',
    '{"\\"":1,"\\u0022":2}',
    '{"a\\\\":1,"a\\\\":2}',
    '{"__proto__":1,"__proto__":2}',
  ])("that names a member twice is refused: %s", (json) => {
    expect(() => JSON.parse(json)).not.toThrow();
    expect(parsed(json)).toBeNull();
  });

  test.each([
    '{"a":{"a":{"a":1}},"b":{"a":2}}',
    '{"a":"a","b":"\\"a\\":","c":["a","a",":"]}',
    '{"a":[{"b":1},{"b":2}]}',
    '{"a":"{\\"a\\":1,\\"a\\":1}","b":"[[[["}',
    '{"A":1,"a":2}',
    '{"a\\\\":"\\\\","b":-0.5e-10}',
    ' { "a" : 1.7976931348623157e308 } ',
    '{"ä":1,"😀":"\\ud83d\\ude00","\\ud800":1}',
  ])("that means one thing is read: %s", (json) => expect(parsed(json)?.claims).toEqual(JSON.parse(json)));

  test("of any kind is read as the runtime reads it, unless a name stands in an object twice", () => {
    fc.assert(
      fc.property(
        fc.json({ stringUnit: "binary" }).filter((json) => json.startsWith("{")),
        (json) => {
          expect(parsed(json)?.claims).toEqual(JSON.parse(json));
          const twice = json.replace(/^{/, '{"twice":0,"twice":0,').replace(",}", "}");
          expect(parsed(twice)).toBeNull();
        },
      ),
    );
  });

  test.each(["1e400", "-1e400", "1E+999", `1${"0".repeat(400)}`])(
    "with a number beyond a double is refused: %s",
    (number) => {
      expect(parsed(`{"exp":${number}}`)).toBeNull();
      expect(parsed(`{"a":[{"b":${number}}]}`)).toBeNull();
      expect(parsed(`{"a":"${number}"}`)).not.toBeNull();
    },
  );

  test("a hundred levels deep is read, and no deeper", () => {
    const nested = (depth: number) => `{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
    expect(parsed(nested(100))).not.toBeNull();
    expect(parsed(nested(101))).toBeNull();
    expect(parsed(nested(2900))).toBeNull();
    expect(parsed(`{"a":[${"[],".repeat(500)}[]]}`)).not.toBeNull();
  });
});

describe("a header", () => {
  test.each([
    ["no alg", { kid: "k" }],
    ["an alg that is a number", { alg: 1 }],
    ["an alg that is a list", { alg: ["ES256"] }],
    ["an alg that is null", { alg: null }],
    ["a kid that is a number", { alg: "ES256", kid: 1 }],
    ["a kid that is null", { alg: "ES256", kid: null }],
    ["a typ that is a list", { alg: "ES256", typ: ["JWT"] }],
    ["crit", { alg: "ES256", crit: ["exp"] }],
    ["an empty crit", { alg: "ES256", crit: [] }],
    ["b64 false", { alg: "ES256", b64: false }],
    ["b64 true", { alg: "ES256", b64: true }],
    ["zip", { alg: "ES256", zip: "DEF" }],
    ["enc", { alg: "ES256", enc: "A128GCM" }],
    ["alg twice", '{"alg":"ES256","alg":"none"}'],
    ["alg twice, once escaped", '{"alg":"ES256","\\u0061lg":"ES256"}'],
    ["a list in its place", ["ES256"]],
  ])("with %s is refused, rightly signed as it is", async (_, header) => {
    expect(parseJws(await sign(header, { sub: "m" }))).toBeNull();
  });

  test("may carry what does not matter, and keys in it are not looked at", async () => {
    const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
    const embedded = {
      jwk: await exportJWK(publicKey),
      jku: "https://attacker.example/jwks",
      x5u: "https://x",
      x5c: ["AA=="],
      x5t: "AA",
    };
    const rightly = await sign({ alg: "ES256", typ: "at+jwt", cty: "x", ...embedded }, { sub: "m" });
    expect(await accepts(rightly, pairs.ES256)).toBe(true);
    const forged = new CompactSign(utf8Bytes('{"sub":"m"}')).setProtectedHeader({ alg: "ES256", ...embedded });
    expect(await accepts(await forged.sign(privateKey), pairs.ES256)).toBe(false);
  });

  test.each([
    "none",
    "None",
    "NONE",
    "nOnE",
    "",
    "HS256",
    "HS384",
    "HS512",
    "es256",
    "ES256K",
    "ES512",
    "RSA1_5",
    "__proto__",
    "toString",
  ])("with the algorithm %j is no one's", async (alg) => {
    expect(isJwsAlgorithm(alg)).toBe(false);
    for (const signature of ["", toBase64Url(new Uint8Array(64)), (await sign({ alg }, {})).split(".")[2]]) {
      const token = `${encode({ alg })}.${encode({})}.${signature}`;
      for (const name of ALGORITHMS) expect(await accepts(token, pairs[name]), name).toBe(false);
    }
  });
});

test("a signature that makes Web Crypto throw is a wrong one", async () => {
  const jwt = parseJwt(await sign({ alg: "ES256" }, {}));
  const { privateKey } = pairs.ES256;
  expect(jwt && (await verifyJws(jwt, { algorithm: "ES256", key: privateKey }))).toBe(false);
  const der = new Uint8Array([0x30, 6, 2, 1, 1, 2, 1, 1]);
  for (const signature of [new Uint8Array(), new Uint8Array(64), new Uint8Array(65), new Uint8Array(63), der]) {
    for (const name of ALGORITHMS) {
      const token = `${encode({ alg: name })}.${encode({})}.${toBase64Url(signature)}`;
      expect(await accepts(token, pairs[name]), name).toBe(false);
    }
  }
  expect(fromBase64Url(toBase64Url(der))).toEqual(der);
});
