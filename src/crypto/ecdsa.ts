/**
 * Checking ECDSA signatures over P-256 and SHA-256 as the world outside sends them: the public key in PEM, the
 * signature in DER. Web Crypto wants the two numbers side by side, so the DER is taken apart here, and strictly.
 */

import { concatBytes, fromPem } from "./bytes.ts";

const P256 = { name: "ECDSA", namedCurve: "P-256" };
const NUMBER_BYTES = 32;

/** @param pem SubjectPublicKeyInfo. @throws {Error} for anything that is not a P-256 public key. */
export async function importEcdsaKey(pem: string): Promise<CryptoKey> {
  const spki = fromPem(pem, "PUBLIC KEY");
  if (spki === null) throw new Error("not a public key in PEM");
  return crypto.subtle.importKey("spki", spki, P256, false, ["verify"]);
}

/** Whether `signature`, in DER, is this key's over `message`. Never throws for what a stranger sends. */
export async function verifyEcdsa(key: CryptoKey, signature: Uint8Array, message: BufferSource): Promise<boolean> {
  const numbers = numbersInDer(signature);
  return numbers !== null && crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, numbers, message);
}

/** r ‖ s of `SEQUENCE { r INTEGER, s INTEGER }` (RFC 3279 §2.2.3), or null for anything but its one DER encoding. */
function numbersInDer(der: Uint8Array): Uint8Array<ArrayBuffer> | null {
  // Both numbers take 70 bytes at most: a length of several bytes is already not the shortest form.
  if (der[0] !== SEQUENCE || der[1] !== der.length - 2) return null;
  const sAt = 4 + (der[3] ?? 0);
  const r = integerInDer(der.subarray(2, sAt));
  const s = integerInDer(der.subarray(sAt));
  return r && s && concatBytes(r, s);
}

const SEQUENCE = 0x30;
const INTEGER = 0x02;

/** One INTEGER that fills all of `der`, not negative and in its shortest form, as 32 bytes. */
function integerInDer(der: Uint8Array): Uint8Array | null {
  const [tag, length, first, second] = der;
  if (tag !== INTEGER || first === undefined || length !== der.length - 2 || first >= 0x80) return null;
  const isPadded = first === 0 && second !== undefined;
  if (isPadded && second < 0x80) return null;
  const digits = der.subarray(isPadded ? 3 : 2);
  return digits.length > NUMBER_BYTES ? null : concatBytes(new Uint8Array(NUMBER_BYTES - digits.length), digits);
}
