/** Session JWTs: dated, signed by the key whose time it is, reused within a minute, and read back by anybody. */

import fc from "fast-check";
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from "jose";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  checkSessionClaims,
  createSessionJwts,
  type SessionJwts,
  SIGNED_JWT_REUSE_MS,
  type SignedJwt,
} from "../../src/core/session-jwts.ts";
import { fromBase64Url } from "../../src/crypto/bytes.ts";
import { parseJwt } from "../../src/crypto/jws.ts";
import { createJwtKeyRing, type JwtKeyRing, type SigningKeySecret } from "../../src/crypto/jwt-keys.ts";
import { createExpiringCache } from "../../src/storage/expiring-cache.ts";
import { type FakeClock, fakeClock } from "../support/clock.ts";
import { makeJwtKey, retire } from "../support/jwt-keys.ts";

const START = Date.parse("2026-11-20T12:00:00.700Z");
const SECONDS = Math.floor(START / 1000);
const HOUR = 3_600_000;
const CLAIMS = { iss: "issuer", aud: ["audience"], sub: "member", roles: ["a"], own: { deep: [1, "ä", null] } };

let active: SigningKeySecret;
let next: SigningKeySecret;
let retired: SigningKeySecret;
let clock: FakeClock;
let jwts: SessionJwts;
let signatures: number;

beforeAll(async () => {
  [active, next, retired] = await Promise.all([makeJwtKey("1"), makeJwtKey("2", START + HOUR), makeJwtKey("0")]);
});

/** Counts signatures. */
function isolate(keys = createJwtKeyRing({ active, next, retired: [retire(retired, START)] })): SessionJwts {
  const counted: JwtKeyRing = {
    ...keys,
    signing(now) {
      const { kid, key } = keys.signing(now);
      return {
        kid,
        key() {
          signatures++;
          return key();
        },
      };
    },
  };
  return createSessionJwts({ keys: counted, cache: createExpiringCache<SignedJwt>(SIGNED_JWT_REUSE_MS, 3), clock });
}

beforeEach(() => {
  clock = fakeClock(START);
  signatures = 0;
  jwts = isolate();
});

const sign = (claims: Record<string, unknown> = CLAIMS, expiresAt = START + HOUR, id = "session") =>
  jwts.sign(id, claims, expiresAt);
const claimsOf = (jwt: string) => parseJwt(jwt)?.claims ?? {};

describe("a session JWT", () => {
  test("says what it was given, dated 5 s back, for 300 s, in whole seconds", async () => {
    const jwt = await sign();
    expect(claimsOf(jwt)).toEqual({ ...CLAIMS, iat: SECONDS - 5, nbf: SECONDS - 5, exp: SECONDS + 295 });
    expect(decodeProtectedHeader(jwt)).toEqual({ alg: "RS256", kid: "1", typ: "JWT" });
    expect(new TextDecoder().decode(fromBase64Url(jwt.split(".")[0] ?? "") ?? new Uint8Array())).toBe(
      '{"alg":"RS256","kid":"1","typ":"JWT"}',
    );
    expect(fromBase64Url(jwt.split(".")[2] ?? "")).toHaveLength(256);
  });

  test("never outlives its session", async () => {
    for (const life of [1, 300, 299_999, 294_000, 295_299, 295_300, 295_301, 400_000]) {
      const { iat, exp } = claimsOf(await sign({ ...CLAIMS, life }, START + life)) as { iat: number; exp: number };
      expect(exp * 1000).toBeLessThanOrEqual(START + life);
      expect(exp).toBe(Math.min(iat + 300, Math.floor((START + life) / 1000)));
    }
  });

  test("cannot be given other dates by the claims", async () => {
    const jwt = await sign({ ...CLAIMS, iat: 1, nbf: 1, exp: 9e9 });
    expect(claimsOf(jwt)).toMatchObject({ iat: SECONDS - 5, nbf: SECONDS - 5, exp: SECONDS + 295 });
  });

  test("is verified by jose with the published keys and no tolerance, by a clock 5 s behind too", async () => {
    const keySet = createLocalJWKSet({ keys: jwts.publicKeys() } as unknown as JSONWebKeySet);
    const verify = async (at: number) =>
      jwtVerify(await sign(), keySet, {
        issuer: "issuer",
        audience: "audience",
        typ: "JWT",
        algorithms: ["RS256"],
        currentDate: new Date(at),
        requiredClaims: ["sub", "iat", "nbf", "exp"],
      });
    for (const offset of [-5700, 0, 294_299]) expect((await verify(START + offset)).payload.sub).toBe("member");
    for (const offset of [-5701, 294_300]) await expect(verify(START + offset)).rejects.toThrow();
  });

  test("is read back as it was signed, whatever it says", async () => {
    const json = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 });
    await fc.assert(
      fc.asyncProperty(json, fc.uuid(), async (claims, id) => {
        const verified = await jwts.verify(await jwts.sign(id, claims, START + HOUR));
        const dates = { iat: SECONDS - 5, nbf: SECONDS - 5, exp: SECONDS + 295 };
        expect(verified).toEqual({ claims: { ...JSON.parse(JSON.stringify(claims)), ...dates } });
      }),
      { numRuns: 30 },
    );
  });

  test("is read back with 4 KB of custom claims and a hundred roles", async () => {
    const roles = Array.from({ length: 100 }, (_, index) => `a-role-of-thirty-letters-${index}`);
    const jwt = await sign({ ...CLAIMS, roles, custom: "x".repeat(4096) });
    expect(jwt.length).toBeGreaterThan(8192);
    expect(await jwts.verify(jwt)).toMatchObject({ claims: { roles } });
  });
});

describe("signing", () => {
  test("happens once a minute for a session that is unchanged", async () => {
    const first = await sign();
    clock.advance(59_999);
    expect(await sign()).toBe(first);
    expect(signatures).toBe(1);
    clock.advance(1);
    const later = await sign();
    expect(claimsOf(later)["iat"]).toBe(SECONDS + 55);
    expect([later === first, signatures]).toEqual([false, 2]);
  });

  test.each<[string, { claims?: Record<string, unknown>; expiresAt?: number; id?: string }]>([
    ["another claim", { claims: { ...CLAIMS, own: {} } }],
    ["one claim less", { claims: { iss: "issuer" } }],
    ["another expiry, however little it matters", { expiresAt: START + HOUR + 1 }],
    ["another session", { id: "other" }],
  ])("happens anew for %s", async (_, { claims = CLAIMS, expiresAt = START + HOUR, id = "session" }) => {
    await sign();
    await sign(claims, expiresAt, id);
    expect(signatures).toBe(2);
  });

  test("happens anew in another isolate, and when the clock has gone back", async () => {
    await sign();
    jwts = isolate();
    await sign();
    clock.advance(-10_000);
    expect(claimsOf(await sign())["iat"]).toBe(SECONDS - 15);
    expect(signatures).toBe(3);
  });

  test("happens anew with the next key, from its instant on, and what the former signed stays good", async () => {
    clock.advance(HOUR - 1);
    const former = await sign(CLAIMS, START + 2 * HOUR);
    expect(decodeProtectedHeader(former).kid).toBe("1");
    clock.advance(1);
    const latter = await sign(CLAIMS, START + 2 * HOUR);
    expect(decodeProtectedHeader(latter).kid).toBe("2");
    for (const jwt of [former, latter]) expect(await jwts.verify(jwt)).toHaveProperty("claims");
  });

  test("remembers no more sessions than it has room for", async () => {
    for (const id of ["a", "b", "c", "d"]) await sign(CLAIMS, START + HOUR, id);
    for (const id of ["b", "c", "d"]) await sign(CLAIMS, START + HOUR, id);
    expect(signatures).toBe(4);
    await sign(CLAIMS, START + HOUR, "a");
    expect(signatures).toBe(5);
  });
});

describe("verifying", () => {
  test("takes what a retired key signed, long after it is published no more", async () => {
    const before = isolate(createJwtKeyRing({ active: retired, next: null, retired: [] }));
    const jwt = await before.sign("session", CLAIMS, START + HOUR);
    clock.advance(365 * 24 * HOUR);
    expect(jwts.publicKeys().map(({ kid }) => kid)).toEqual(["1", "2"]);
    expect(await jwts.verify(jwt)).toHaveProperty("claims");
  });

  test("takes nothing of a key that was dropped, or is another's of the same name", async () => {
    const jwt = await sign();
    for (const others of [next, { ...next, kid: "1" }]) {
      const after = isolate(createJwtKeyRing({ active: others, next: null, retired: [] }));
      expect(await after.verify(jwt)).toBe("untrusted");
    }
  });
});

describe("claims that are signed", () => {
  const dated = { iat: SECONDS - 5, nbf: SECONDS - 5, exp: SECONDS + 295 };
  const check = (change: Record<string, unknown> = {}) =>
    checkSessionClaims({ ...CLAIMS, ...dated, ...change }, { issuer: "issuer", audience: "audience", now: START });
  const fine = { subject: "member", isExpired: false };

  test("are a session JWT's when they are of this issuer, for this audience, and dated like one", async () => {
    expect(check()).toEqual(fine);
    expect(check({ aud: "audience" })).toEqual(fine);
    const jwt = await jwts.verify(await sign());
    expect(jwt).toHaveProperty("claims");
  });

  test("may have expired, which is said, at the very second", () => {
    expect(check({ exp: SECONDS + 1 })).toEqual(fine);
    expect(check({ exp: SECONDS })).toEqual({ ...fine, isExpired: true });
    const year = 365 * 24 * 3600;
    const old = { iat: SECONDS - year, nbf: SECONDS - year, exp: SECONDS - year + 300 };
    expect(check(old)).toEqual({ ...fine, isExpired: true });
  });

  test("may be ahead of our clock by a minute, and live for 310 s", () => {
    const ahead = (seconds: number) => ({
      iat: SECONDS + seconds,
      nbf: SECONDS + seconds,
      exp: SECONDS + seconds + 300,
    });
    expect([check(ahead(60)), check(ahead(61))]).toEqual([fine, "wrong_claims"]);
    expect([check({ nbf: SECONDS + 60 }), check({ nbf: SECONDS + 61 })]).toEqual([fine, "wrong_claims"]);
    expect([check({ exp: dated.iat + 310 }), check({ exp: dated.iat + 311 })]).toEqual([fine, "wrong_claims"]);
    expect([check({ exp: dated.iat + 1 }), check({ exp: dated.iat })]).toEqual([
      { ...fine, isExpired: true },
      "wrong_claims",
    ]);
  });

  test.each<[string, unknown, string]>([
    ["iss", "issuer/", "wrong_issuer"],
    ["iss", "Issuer", "wrong_issuer"],
    ["iss", ["issuer"], "wrong_issuer"],
    ["iss", undefined, "wrong_issuer"],
    ["aud", "other", "wrong_audience"],
    ["aud", ["other"], "wrong_audience"],
    ["aud", ["other", "audience"], "wrong_audience"],
    ["aud", ["audience", "audience"], "wrong_audience"],
    ["aud", [["audience"]], "wrong_audience"],
    ["aud", [], "wrong_audience"],
    ["aud", undefined, "wrong_audience"],
    ["sub", undefined, "wrong_claims"],
    ["sub", "", "wrong_claims"],
    ["sub", 5, "wrong_claims"],
    ["sub", ["member"], "wrong_claims"],
    ["cnf", { jkt: "x" }, "wrong_claims"],
    ...["iat", "nbf", "exp"].flatMap((name) =>
      [undefined, null, "1", true, 1.5, -1, 2 ** 53, [SECONDS]].map(
        (value) => [name, value, "wrong_claims"] as [string, unknown, string],
      ),
    ),
  ])("are not with %s %j", (name, value, fault) => expect(check({ [name]: value })).toBe(fault));
});
