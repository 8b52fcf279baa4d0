/** Keys of session JWTs, made in the Workers runtime, as a secret would hold them. */

import type { RetiredKey, SigningKeySecret } from "../../src/crypto/jwt-keys.ts";

export async function makeJwtKey(kid: string, signsFrom: number | null = 0, bits = 2048): Promise<SigningKeySecret> {
  const parameters = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: bits };
  const pair = await crypto.subtle.generateKey({ ...parameters, publicExponent: Uint8Array.of(1, 0, 1) }, true, [
    "sign",
    "verify",
  ]);
  const jwk = await crypto.subtle.exportKey("jwk", (pair as CryptoKeyPair).privateKey);
  const { n, e, d, p, q, dp, dq, qi } = jwk as unknown as SigningKeySecret;
  return { kid, signsFrom, n, e, d, p, q, dp, dq, qi };
}

export function retire({ kid, n, e }: SigningKeySecret, lastSignedAt: number): RetiredKey {
  return { kid, lastSignedAt, n, e };
}
