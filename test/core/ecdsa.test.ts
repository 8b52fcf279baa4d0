/**
 * ECDSA over P-256 against GitHub's documented example and against Wycheproof's vectors. Those lie outside the project
 * (../shared/vectors/wycheproof); where they are missing that part is skipped and says so.
 */

import { describe, expect, test } from "vitest";
import { fromBase64, utf8Bytes } from "../../src/crypto/bytes.ts";
import { importEcdsaKey, verifyEcdsa } from "../../src/crypto/ecdsa.ts";

interface Vectors {
  testGroups: {
    publicKeyPem: string;
    tests: { tcId: number; comment: string; msg: string; sig: string; result: "valid" | "invalid" }[];
  }[];
}

const [vectors] = Object.values(
  import.meta.glob<Vectors>("../../../shared/vectors/wycheproof/ecdsa_secp256r1_sha256_test.json", {
    eager: true,
    import: "default",
  }),
);
if (vectors === undefined) console.warn("Skipped: Wycheproof's vectors are not here (../shared/vectors/wycheproof).");

const fromHex = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));

describe.skipIf(vectors === undefined)("Wycheproof's signatures in DER", () => {
  test("are accepted where they are valid, and refused where they or their encoding are not", async () => {
    const tried = { valid: 0, invalid: 0 };
    for (const { publicKeyPem, tests } of vectors?.testGroups ?? []) {
      const key = await importEcdsaKey(publicKeyPem);
      for (const { tcId, comment, msg, sig, result } of tests) {
        const verdict = await verifyEcdsa(key, fromHex(sig), fromHex(msg));
        expect(verdict, `${tcId} ${comment}`).toBe(result === "valid");
        tried[result]++;
      }
    }
    expect(tried).toEqual({ valid: 174, invalid: 310 });
  });
});

/** The published example: https://docs.github.com/code-security/secret-scanning/secret-scanning-partner-program */
const GITHUB = {
  key: `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYAGMWO8XgCamYKMJS6jc/qgvSlAd
AjPuDPRcXU22YxgBrz+zoN19MzuRyW87qEt9/AmtoNP5GrobzUvQSyJFVw==
-----END PUBLIC KEY-----
`,
  signature: "MEQCIQDaMKqrGnE27S0kgMrEK0eYBmyG0LeZismAEz/BgZyt7AIfXt9fErtRS4XaeSt/AO1RtBY66YcAdjxji410VQV4xg==",
  message: '[{"source":"commit","token":"some_token","type":"some_type","url":"https://example.com/base-repo-url/"}]',
};
const signature = fromBase64(GITHUB.signature) as Uint8Array;

describe("the signature of GitHub's example", () => {
  test("is accepted, one number of 33 bytes and one of 31", async () => {
    const key = await importEcdsaKey(GITHUB.key);
    expect([signature[3], signature[4 + 33 + 1]]).toEqual([33, 31]);
    expect(await verifyEcdsa(key, signature, utf8Bytes(GITHUB.message))).toBe(true);
  });

  test("is refused with any byte of it or of its message changed, cut or added", async () => {
    const key = await importEcdsaKey(GITHUB.key);
    const message = utf8Bytes(GITHUB.message);
    for (let at = 0; at < signature.length; at++) {
      const changed = signature.with(at, (signature[at] as number) ^ 1);
      expect(await verifyEcdsa(key, changed, message), `byte ${at}`).toBe(false);
      expect(await verifyEcdsa(key, signature.subarray(0, at), message), `cut at ${at}`).toBe(false);
    }
    expect(await verifyEcdsa(key, Uint8Array.of(...signature, 0), message)).toBe(false);
    const [sequence, length, ...numbers] = signature as unknown as [number, number, ...number[]];
    const padded = Uint8Array.of(sequence, length + 1, ...numbers.slice(0, 35), 0x02, 32, 0, ...numbers.slice(37));
    expect(await verifyEcdsa(key, padded, message), "a zero before its second number").toBe(false);
    expect(await verifyEcdsa(key, signature, message.with(0, 0))).toBe(false);
    expect(await verifyEcdsa(key, signature, utf8Bytes(`${GITHUB.message} `))).toBe(false);
  });
});

test("bytes that are no DER are refused without an error", async () => {
  const key = await importEcdsaKey(GITHUB.key);
  for (const hex of [
    "",
    "30",
    "3000",
    "300602010002",
    "30060201000201",
    "3006020100020100",
    "30020200",
    "ff".repeat(70),
  ])
    expect(await verifyEcdsa(key, fromHex(hex), new Uint8Array()), hex).toBe(false);
});

test.each([
  ["empty", ""],
  ["without its frame", "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYAGMWO8XgCamYKMJS6jc"],
  ["of a private key", GITHUB.key.replaceAll("PUBLIC", "PRIVATE")],
  ["cut short", GITHUB.key.replace("AjPu", "")],
  ["not base64", GITHUB.key.replace("AjPu", "Aj!u")],
  ["of a point that is not on the curve", GITHUB.key.replace("AjPu", "AjPv")],
  ["of a key on another curve", () => otherKey({ name: "ECDSA", namedCurve: "P-384" })],
  [
    "of an RSA key",
    () =>
      otherKey({
        name: "RSASSA-PKCS1-v1_5",
        hash: "SHA-256",
        modulusLength: 2048,
        publicExponent: Uint8Array.of(1, 0, 1),
      }),
  ],
])("PEM that is %s is not taken for a key", async (_, pem) => {
  await expect(importEcdsaKey(typeof pem === "string" ? pem : await pem())).rejects.toThrow();
});

async function otherKey(algorithm: SubtleCryptoGenerateKeyAlgorithm): Promise<string> {
  const { publicKey } = (await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair;
  const spki = new Uint8Array((await crypto.subtle.exportKey("spki", publicKey)) as ArrayBuffer);
  return `-----BEGIN PUBLIC KEY-----\n${btoa(String.fromCharCode(...spki))}\n-----END PUBLIC KEY-----\n`;
}
