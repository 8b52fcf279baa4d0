/**
 * Wycheproof's vectors for HMAC-SHA-256, ES256, RS256, JWS, JWK and JWE, in the Workers runtime and through the code
 * that serves requests. They lie outside the project (../shared/vectors/wycheproof); where they are missing they are
 * skipped, and this file says so.
 */

import { describe, expect, test } from "vitest";
import { equalBytes } from "../../src/crypto/bytes.ts";
import { findJwk, importPem } from "../../src/crypto/jwk.ts";
import { type JwsKey, parseJws, parseJwt, verifyJws } from "../../src/crypto/jws.ts";
import { importTokenKeys } from "../../src/crypto/token-keys.ts";

type Result = "valid" | "invalid" | "acceptable";
interface Vector {
  tcId: number;
  comment: string;
  result: Result;
  key: string;
  msg: string;
  tag: string;
  sig: string;
  /** A text, or in JSON serialization an object. */
  jws?: unknown;
  jwe?: unknown;
}
type Jwks = { keys?: unknown[] };
interface Group {
  comment: string;
  tagSize: number;
  publicKeyPem: string;
  publicKeyJwk?: unknown;
  keyJwk?: unknown;
  public?: Jwks;
  private: Jwks;
  tests: Vector[];
}

const files = import.meta.glob<{ testGroups: Group[] }>("../../../shared/vectors/wycheproof/*_test.json", {
  eager: true,
  import: "default",
});
const areHere = Object.keys(files).length > 0;
if (!areHere) console.warn("Skipped: Wycheproof's vectors are not here (../shared/vectors/wycheproof).");

function groupsOf(name: string): Group[] {
  return Object.entries(files).find(([path]) => path.endsWith(`/${name}_test.json`))?.[1].testGroups ?? [];
}

const fromHex = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
const keysOf = ({ public: published, private: secret }: Group): unknown[] => {
  const set = published ?? secret;
  return set.keys ?? [set];
};

/** What was decided otherwise than the vectors say. Whatever throws fails the test. */
async function disagreements(
  name: string,
  accepts: (vector: Vector, group: Group) => Promise<boolean>,
): Promise<{ accepted: number[]; refused: number[] }> {
  const wrong = { accepted: [] as number[], refused: [] as number[] };
  for (const group of groupsOf(name)) {
    for (const vector of group.tests) {
      const isAccepted = await accepts(vector, group);
      if (isAccepted && vector.result === "invalid") wrong.accepted.push(vector.tcId);
      if (!isAccepted && vector.result === "valid") wrong.refused.push(vector.tcId);
    }
  }
  return wrong;
}

const AGREED = { accepted: [], refused: [] };

describe.skipIf(!areHere)("Wycheproof's vectors", () => {
  test("are all here: 2,087 of them", () => {
    const groups = Object.values(files).flatMap(({ testGroups }) => testGroups);
    expect(groups.flatMap(({ tests }) => tests)).toHaveLength(2087);
  });

  test("of HMAC-SHA-256 hold for token keys, whose tags are truncated too", async () => {
    const verdicts = await disagreements("hmac_sha256", async ({ key, msg, tag }, { tagSize }) => {
      const { mac } = importTokenKeys([{ name: "a", bytes: fromHex(key) }]).signing;
      const made = new Uint8Array(await crypto.subtle.sign("HMAC", await mac, fromHex(msg)));
      return equalBytes(made.slice(0, tagSize / 8), fromHex(tag));
    });
    expect(verdicts).toEqual(AGREED);
  });

  const signed =
    (algorithm: "ES256" | "RS256") =>
    async ({ msg, sig }: Vector, { publicKeyPem }: Group) => {
      const key = (await importPem(publicKeyPem, algorithm)) as JwsKey;
      expect(key).not.toBeNull();
      const jws = { header: { alg: algorithm }, signingInput: fromHex(msg), signature: fromHex(sig) };
      return verifyJws(jws, key);
    };

  test("of ECDSA over P-256 hold for ES256", async () => {
    expect(await disagreements("ecdsa_secp256r1_sha256_p1363", signed("ES256"))).toEqual(AGREED);
  });

  test("of ECDSA in DER are never ES256, be they valid or not", async () => {
    const { accepted, refused } = await disagreements("ecdsa_secp256r1_sha256", signed("ES256"));
    expect([accepted, refused.length]).toEqual([[], 174]);
  });

  test.each([2048, 3072])("of RSA with %d bits hold for RS256", async (bits) => {
    expect(await disagreements(`rsa_signature_${bits}_sha256`, signed("RS256"))).toEqual(AGREED);
  });

  test("of RSA and ECDSA hold for keys as JWK as for the same keys in PEM", async () => {
    let compared = 0;
    for (const name of ["ecdsa_secp256r1_sha256_p1363", "rsa_signature_2048_sha256", "rsa_signature_3072_sha256"]) {
      const alg = name.startsWith("rsa") ? "RS256" : "ES256";
      for (const { publicKeyPem, publicKeyJwk, keyJwk, tests } of groupsOf(name)) {
        const jwk = publicKeyJwk ?? keyJwk;
        if (jwk === undefined) continue;
        const keys = [await findJwk([jwk], { alg }), await importPem(publicKeyPem, alg)];
        for (const { msg, sig } of tests.slice(0, 3)) {
          const jws = { header: { alg }, signingInput: fromHex(msg), signature: fromHex(sig) };
          const [byJwk, byPem] = await Promise.all(keys.map((key) => key && verifyJws(jws, key)));
          expect(byJwk).toBe(byPem);
          compared++;
        }
      }
    }
    expect(compared).toBeGreaterThan(100);
  });

  /** As a token of a trusted issuer is checked, but for its claims: these payloads are mostly no JSON. */
  const acceptsJws = async ({ jws }: Vector, group: Group) => {
    const parsed = parseJws(textOf(jws));
    const key = parsed && (await findJwk(keysOf(group), parsed.header));
    return parsed !== null && key !== null && verifyJws(parsed, key);
  };
  /** The same encoding under the HMAC that we never accept. */
  const acceptsMac = async ({ jws }: Vector, group: Group) => {
    const parsed = parseJws(textOf(jws));
    const [{ k, alg }] = keysOf(group) as [{ k?: string; alg: string }];
    if (parsed === null || k === undefined || parsed.header.alg !== alg) return false;
    const kid = (keysOf(group) as { kid: string }[]).map((key) => key.kid);
    if (!kid.includes(parsed.header.kid ?? "")) return false;
    const key = await crypto.subtle.importKey("jwk", { kty: "oct", k }, { name: "HMAC", hash: "SHA-256" }, false, [
      "verify",
    ]);
    return crypto.subtle.verify("HMAC", key, parsed.signature, parsed.signingInput);
  };

  const HS256 = [1, 348, 352, 357, 358, 359, 372, 373, 376, 377];
  /** Valid for others: signed with PS384 by a key that says PS256, and with ES512, which we do not have. */
  const NOT_OURS = [346, 347, 350, 351];

  test("of JWS hold, and those that are signed with HMAC are all refused", async () => {
    const { accepted, refused } = await disagreements("json_web_signature", acceptsJws);
    expect(accepted).toEqual([]);
    expect(refused).toEqual([...HS256, ...NOT_OURS].sort((left, right) => left - right));
  });

  test("of JWS have one spelling: under HMAC, which most spellings are shown with, no other is taken", async () => {
    const isMac = (group: Group) => keysOf(group).some((key) => (key as { kty: string }).kty === "oct");
    const verdicts = await disagreements("json_web_signature", async (vector, group) =>
      isMac(group) ? acceptsMac(vector, group) : vector.result === "valid",
    );
    // 367 and 370 are letter for letter 357, which is valid; 372 and 373 hold a character that some readers skip.
    expect(verdicts).toEqual({ accepted: [367, 370], refused: [372, 373] });
  });

  test("of JWK hold: no key that is weak, secret or for another use is accepted", async () => {
    const { accepted, refused } = await disagreements("json_web_key", acceptsJws);
    expect(accepted).toEqual([]);
    expect(refused, "signed with HMAC").toEqual([2, 13, 14, 15]);
  });

  test("of JWS and JWE through one set of keys hold, and every JWE is refused", async () => {
    const { accepted, refused } = await disagreements("json_web_crypto", async (vector, group) =>
      acceptsJws({ ...vector, jws: vector.jws ?? vector.jwe }, group),
    );
    expect(accepted).toEqual([]);
    expect(refused, "signed with HMAC, or encrypted").toEqual([1, 48, 50, 67]);
  });

  test("of JWE are all refused", async () => {
    const { accepted, refused } = await disagreements("json_web_encryption", async ({ jwe }) => {
      const text = textOf(jwe);
      return parseJws(text) !== null || parseJwt(text) !== null;
    });
    expect([accepted, refused.length]).toEqual([[], 65]);
  });
});

function textOf(token: unknown): string {
  return typeof token === "string" ? token : JSON.stringify(token);
}
