/**
 * Sixty ways to forge, bend or confuse a session JWT, each tried on one that is good. The numbers are those of
 * the list that they come from.
 */

import { beforeAll, expect, test } from "vitest";
import {
  checkSessionClaims,
  createSessionJwts,
  type SessionJwts,
  type SignedJwt,
} from "../../src/core/session-jwts.ts";
import { concatBytes, fromBase64Url, toBase64Url, utf8Bytes } from "../../src/crypto/bytes.ts";
import { createJwtKeyRing, type SigningKeySecret } from "../../src/crypto/jwt-keys.ts";
import { createExpiringCache } from "../../src/storage/expiring-cache.ts";
import { fakeClock } from "../support/clock.ts";
import { makeJwtKey, retire } from "../support/jwt-keys.ts";

const clock = fakeClock();
const NOW = clock.now();
const SECONDS = NOW / 1000;
const KID = "jwk-live-1";
const ISSUER = "stytch.com/project-live-1";
const AUDIENCE = "project-live-1";
const HEADER = { alg: "RS256", kid: KID, typ: "JWT" };
const CLAIMS = { iss: ISSUER, aud: [AUDIENCE], sub: "member-live-1" };
const DATES = { iat: SECONDS - 5, nbf: SECONDS - 5, exp: SECONDS + 295 };

let active: SigningKeySecret;
let retired: SigningKeySecret;
let dropped: SigningKeySecret;
let foreign: CryptoKeyPair;
let jwts: SessionJwts;

beforeAll(async () => {
  [active, retired, dropped] = await Promise.all([makeJwtKey(KID), makeJwtKey("jwk-live-0"), makeJwtKey("jwk-live-x")]);
  foreign = (await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ])) as CryptoKeyPair;
  const keys = createJwtKeyRing({ active, next: null, retired: [retire(retired, NOW)] });
  jwts = createSessionJwts({ keys, cache: createExpiringCache<SignedJwt>(60_000, 10), clock });
});

/** What becomes of it where a session is refreshed by its JWT. */
async function judge(jwt: string): Promise<string> {
  const verified = await jwts.verify(jwt);
  if (typeof verified === "string") return verified;
  const verdict = checkSessionClaims(verified.claims, { issuer: ISSUER, audience: AUDIENCE, now: NOW });
  if (typeof verdict === "string") return verdict;
  return verdict.isExpired ? "expired" : "accepted";
}

const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
/** Of a megabyte too. */
function encode(value: unknown): string {
  const binary = Array.from(utf8Bytes(text(value)), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
const bytesOf = (signature: ArrayBuffer) => toBase64Url(new Uint8Array(signature));
const RS256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

/** Exactly these parts, rightly signed by one of our keys. */
async function signed(
  header: unknown = HEADER,
  claims: unknown = { ...CLAIMS, ...DATES },
  { key = active, algorithm = RS256 as SubtleCryptoImportKeyAlgorithm, salt = 32 } = {},
): Promise<string> {
  const input = `${encode(header)}.${encode(claims)}`;
  const jwk = { kty: "RSA", ...key } as unknown as JsonWebKey;
  const imported = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["sign"]);
  return `${input}.${bytesOf(await crypto.subtle.sign({ name: algorithm.name, saltLength: salt }, imported, utf8Bytes(input)))}`;
}

const withClaims = (change: Record<string, unknown>) => signed(HEADER, { ...CLAIMS, ...DATES, ...change });
const withHeader = (change: Record<string, unknown>) => signed({ ...HEADER, ...change });
const good = () => signed();

async function parts(): Promise<[header: string, payload: string, signature: string]> {
  return (await good()).split(".") as [string, string, string];
}

/** The header says so, and the signature is that of the good one. */
const relabelled = async (change: Record<string, unknown>) => {
  const [, payload, signature] = await parts();
  return `${encode({ ...HEADER, ...change })}.${payload}.${signature}`;
};
const unsigned = (change: Record<string, unknown>) =>
  `${encode({ ...HEADER, ...change })}.${encode({ ...CLAIMS, ...DATES })}.`;

/** HMAC with what everybody can know of our key. */
async function hmac(alg: string, secret: Uint8Array<ArrayBuffer>): Promise<string> {
  const input = `${encode({ ...HEADER, alg })}.${encode({ ...CLAIMS, ...DATES })}`;
  const parameters = { name: "HMAC", hash: `SHA-${alg.slice(2)}` };
  const key = await crypto.subtle.importKey("raw", secret, parameters, false, ["sign"]);
  return `${input}.${bytesOf(await crypto.subtle.sign("HMAC", key, utf8Bytes(input)))}`;
}

async function spki(): Promise<Uint8Array<ArrayBuffer>> {
  const jwk = { kty: "RSA", n: active.n, e: active.e };
  const key = await crypto.subtle.importKey("jwk", jwk, RS256, true, ["verify"]);
  return new Uint8Array((await crypto.subtle.exportKey("spki", key)) as ArrayBuffer);
}
const pem = async () =>
  `-----BEGIN PUBLIC KEY-----\n${btoa(String.fromCharCode(...(await spki())))}\n-----END PUBLIC KEY-----\n`;

async function ecdsaSigned(change: Record<string, unknown>): Promise<string> {
  const input = `${encode({ ...HEADER, ...change })}.${encode({ ...CLAIMS, ...DATES })}`;
  const parameters = { name: "ECDSA", hash: "SHA-256" };
  return `${input}.${bytesOf(await crypto.subtle.sign(parameters, foreign.privateKey, utf8Bytes(input)))}`;
}

type Tokens = string | (string | Promise<string>)[];
const ATTACKS: [number, string, () => Tokens | Promise<Tokens>, string][] = [
  [1, "alg none", () => unsigned({ alg: "none" }), "untrusted"],
  [2, "alg none with the old signature", () => relabelled({ alg: "none" }), "untrusted"],
  [3, "alg nOnE", () => unsigned({ alg: "nOnE" }), "untrusted"],
  [
    4,
    "alg None and NONE",
    () => ["None", "NONE"].flatMap((alg) => [unsigned({ alg }), relabelled({ alg })]),
    "untrusted",
  ],
  [5, "an empty alg", () => withHeader({ alg: "" }), "untrusted"],
  [6, "no alg", () => signed({ kid: KID, typ: "JWT" }), "malformed"],
  [7, "an alg that is no text", () => [1, ["RS256"], null, {}, true].map((alg) => withHeader({ alg })), "malformed"],
  [8, "HS256 with the public key in PEM", async () => hmac("HS256", utf8Bytes(await pem())), "untrusted"],
  [
    9,
    "HS256 with the published JWK",
    () => hmac("HS256", utf8Bytes(JSON.stringify(jwts.publicKeys()[0]))),
    "untrusted",
  ],
  [10, "HS256 with the public key in DER", async () => hmac("HS256", await spki()), "untrusted"],
  [11, "HS384 and HS512", () => ["HS384", "HS512"].map((alg) => hmac(alg, utf8Bytes(active.n))), "untrusted"],
  [
    12,
    "ES256 by the name of an RSA key",
    () => [ecdsaSigned({ alg: "ES256" }), ecdsaSigned({}), relabelled({ alg: "ES256" })],
    "untrusted",
  ],
  [
    13,
    "PS256, RS384 and RS512, rightly signed",
    () => [
      signed({ ...HEADER, alg: "PS256" }, undefined, { algorithm: { name: "RSA-PSS", hash: "SHA-256" } }),
      signed(HEADER, undefined, { algorithm: { name: "RSA-PSS", hash: "SHA-256" } }),
      signed({ ...HEADER, alg: "RS384" }, undefined, { algorithm: { ...RS256, hash: "SHA-384" } }),
      signed(HEADER, undefined, { algorithm: { ...RS256, hash: "SHA-512" } }),
    ],
    "untrusted",
  ],
  [14, "ES256K and ES384", () => ["ES256K", "ES384"].map((alg) => ecdsaSigned({ alg })), "untrusted"],
  [15, "EdDSA", () => relabelled({ alg: "EdDSA" }), "untrusted"],
  [
    16,
    "a key of its own in the header",
    async () => ecdsaSigned({ alg: "ES256", jwk: await crypto.subtle.exportKey("jwk", foreign.publicKey) }),
    "untrusted",
  ],
  [17, "jku, rightly signed", () => withHeader({ jku: "https://attacker.example/jwks.json" }), "untrusted"],
  [18, "x5u, rightly signed", () => withHeader({ x5u: "https://attacker.example/chain.pem" }), "untrusted"],
  [19, "x5c, rightly signed", () => withHeader({ x5c: ["AA=="] }), "untrusted"],
  [
    20,
    "x5t and x5t#S256, rightly signed",
    () => [withHeader({ x5t: "AA" }), withHeader({ "x5t#S256": "AA" })],
    "untrusted",
  ],
  [21, "crit, rightly signed", () => withHeader({ crit: ["exp"], exp: 1 }), "malformed"],
  [22, "an empty crit", () => withHeader({ crit: [] }), "malformed"],
  [
    23,
    "b64",
    () => [withHeader({ b64: false }), withHeader({ b64: false, crit: ["b64"] }), withHeader({ b64: true })],
    "malformed",
  ],
  [24, "zip", () => withHeader({ zip: "DEF" }), "malformed"],
  [
    25,
    "a JWT in a JWT",
    async () => [
      withHeader({ cty: "JWT" }),
      signed(HEADER, await good()),
      signed({ ...HEADER, cty: "JWT" }, await good()),
    ],
    "untrusted or malformed",
  ],
  [26, "no kid, where one key alone could be meant", () => signed({ alg: "RS256", typ: "JWT" }), "untrusted"],
  [27, "a kid that is no text", () => [1, null, [KID], {}].map((kid) => withHeader({ kid })), "malformed"],
  [
    28,
    "a kid that is a path",
    () => [`../../${KID}`, `./${KID}`, `/${KID}`, `${KID}/`, `${KID} `].map((kid) => withHeader({ kid })),
    "untrusted",
  ],
  [
    29,
    "a kid that is SQL or a name that every object has",
    () =>
      [`${KID}' OR '1'='1`, "__proto__", "constructor", "toString", "", `${KID}\u0000`, KID.toUpperCase()].map((kid) =>
        withHeader({ kid }),
      ),
    "untrusted",
  ],
  [30, "a kid of a megabyte", () => withHeader({ kid: "x".repeat(1_000_000) }), "malformed"],
  [
    31,
    "the name of a retired key, and the signature of a dropped one",
    () => [
      withHeader({ kid: retired.kid }),
      signed({ ...HEADER, kid: dropped.kid }, undefined, { key: dropped }),
      signed(HEADER, undefined, { key: dropped }),
      signed(HEADER, undefined, { key: retired }),
    ],
    "untrusted",
  ],
  [
    32,
    "another tenant's, signed by the same key",
    () => withClaims({ iss: "stytch.com/project-live-2", aud: ["project-live-2"] }),
    "wrong_issuer",
  ],
  [
    33,
    "alg twice",
    () =>
      ['{"alg":"none","alg":"RS256"', '{"alg":"RS256","\\u0061lg":"RS256"'].map((start) =>
        signed(`${start},"kid":"${KID}","typ":"JWT"}`),
      ),
    "malformed",
  ],
  [
    34,
    "exp and sub twice",
    () =>
      ['"exp":1', '"sub":"other"', '"sub":"member-live-1"', '"s\\u0075b":"x"'].map((member) =>
        signed(HEADER, JSON.stringify({ ...CLAIMS, ...DATES }).replace(/}$/, `,${member}}`)),
      ),
    "malformed",
  ],
  [
    35,
    "a byte order mark before the claims",
    () => signed(HEADER, `\ufeff${JSON.stringify({ ...CLAIMS, ...DATES })}`),
    "malformed",
  ],
  [36, "claims that are a list", () => signed(HEADER, [{ ...CLAIMS, ...DATES }]), "malformed"],
  [
    37,
    "claims that are no JSON",
    () => ["", "foo", "{", "null", "{'a':1}"].map((claims) => signed(HEADER, claims)),
    "malformed",
  ],
  [
    38,
    "nesting, ten thousand levels deep",
    () => [
      signed(HEADER, `{"a":${"[".repeat(10_000)}${"]".repeat(10_000)}}`),
      signed(HEADER, `{"a":${"[".repeat(4000)}${"]".repeat(4000)}}`),
    ],
    "malformed",
  ],
  [39, "an exp that is a text", () => withClaims({ exp: String(DATES.exp) }), "wrong_claims"],
  [40, "an exp that is null", () => withClaims({ exp: null }), "wrong_claims"],
  [41, "no exp", () => withClaims({ exp: undefined }), "wrong_claims"],
  [42, "exp now", () => withClaims({ exp: SECONDS }), "expired"],
  [43, "exp a second ago", () => withClaims({ exp: SECONDS - 1 }), "expired"],
  [
    44,
    "an infinite exp",
    () => signed(HEADER, JSON.stringify({ ...CLAIMS, ...DATES }).replace(/"exp":\d+/, '"exp":1e400')),
    "malformed",
  ],
  [45, "an exp longer after iat than any of ours", () => withClaims({ exp: DATES.iat + 311 }), "wrong_claims"],
  [46, "nbf in two minutes", () => withClaims({ nbf: SECONDS + 120 }), "wrong_claims"],
  [47, "iat in two minutes", () => withClaims({ iat: SECONDS + 120, exp: SECONDS + 420 }), "wrong_claims"],
  [
    48,
    "another issuer",
    () =>
      ["https://stytch.com/project-live-1", "stytch.com/project-live-1/", "stytch.com", ""].map((iss) =>
        withClaims({ iss }),
      ),
    "wrong_issuer",
  ],
  [49, "issuers in a list", () => withClaims({ iss: [ISSUER] }), "wrong_issuer"],
  [
    50,
    "another audience",
    () => [["project-live-2"], "project-live-2", "project-live-10", "", undefined].map((aud) => withClaims({ aud })),
    "wrong_audience",
  ],
  [51, "another audience beside ours", () => withClaims({ aud: ["project-live-2", AUDIENCE] }), "wrong_audience"],
  [
    52,
    "typ at+jwt",
    () => ["at+jwt", "jwt", "application/jwt", "JWE", ""].map((typ) => withHeader({ typ })),
    "untrusted",
  ],
  [53, "no typ", () => signed({ alg: "RS256", kid: KID }), "untrusted"],
  [54, "a padded signature", async () => `${await good()}==`, "malformed"],
  [
    55,
    "white space in the signature or around it",
    async () => {
      const jwt = await good();
      return [`${jwt.slice(0, -5)} ${jwt.slice(-5)}`, `${jwt} `, ` ${jwt}`, `${jwt}\n`, jwt.replaceAll(".", " . ")];
    },
    "malformed",
  ],
  [
    56,
    "spare bits in the last letter of each part",
    async () => {
      const jwt = await good();
      const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
      const last = alphabet.indexOf(jwt.at(-1) as string);
      // 256 bytes leave four spare bits in the last of 342 letters.
      return [1, 2, 7, 15].map((spare) => jwt.slice(0, -1) + alphabet[last | spare]);
    },
    "malformed",
  ],
  [
    57,
    "a signature of zeros, of one, in DER, too short, too long, and none",
    async () => {
      const [header, payload, signature] = await parts();
      const bytes = fromBase64Url(signature) as Uint8Array;
      const one = new Uint8Array(256).with(255, 1);
      const der = Uint8Array.of(0x30, 6, 2, 1, 0, 2, 1, 0);
      const modulus = fromBase64Url(active.n) as Uint8Array;
      const others = [
        new Uint8Array(256),
        one,
        der,
        modulus,
        bytes.slice(1),
        concatBytes(Uint8Array.of(0), bytes),
        concatBytes(bytes, Uint8Array.of(0)),
        new Uint8Array(),
      ];
      return others.map((other) => `${header}.${payload}.${toBase64Url(other)}`);
    },
    "untrusted",
  ],
  [
    58,
    "other than three parts",
    async () => {
      const jwt = await good();
      const [header, payload, signature] = await parts();
      const json = JSON.stringify({ payload, signatures: [{ protected: header, signature }] });
      return [
        "",
        "..",
        `${header}.${payload}`,
        `${jwt}.`,
        `${jwt}.${signature}`,
        `${jwt}..${signature}`,
        json,
        JSON.stringify({ payload, protected: header, signature }),
      ];
    },
    "malformed",
  ],
  [
    59,
    "a megabyte",
    () => [withClaims({ a: "x".repeat(1_000_000) }), withClaims({ a: "x".repeat(50_000) })],
    "malformed",
  ],
  [
    60,
    "a claim that asks for a proof of possession",
    () => withClaims({ cnf: { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } }),
    "wrong_claims",
  ],
];

test("the one that they are tried on is good", async () => {
  expect(await judge(await good())).toBe("accepted");
  const own = await jwts.sign("session", CLAIMS, NOW + 3_600_000);
  expect(own).toBe(await good());
  expect(await judge(await signed({ ...HEADER, kid: retired.kid }, undefined, { key: retired }))).toBe("accepted");
});

test("there are sixty", () => {
  expect(ATTACKS.map(([number]) => number)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
});

test.each(ATTACKS)("%d: %s", async (_, __, make, verdict) => {
  const made = await make();
  for (const token of Array.isArray(made) ? made : [made]) {
    const jwt = await token;
    expect(verdict.split(" or "), jwt.slice(0, 500)).toContain(await judge(jwt));
    expect(jwt).not.toBe(await good());
  }
});
