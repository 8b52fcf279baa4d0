/**
 * The token keys: read from their secret, refused when weak, imported into Web Crypto once per isolate.
 * The first key signs, all verify; each has a one-character name that travels in every token it signed.
 */

import { fromBase64Url, utf8Bytes } from "./bytes.ts";

export interface TokenKey {
  name: string;
  /** HMAC-SHA-256: tag and lookup key of a credential. */
  mac: Promise<CryptoKey>;
  /** AES-256-GCM: seals session tokens at rest. */
  seal: Promise<CryptoKey>;
}

export interface TokenKeyRing {
  signing: TokenKey;
  find(name: string): TokenKey | undefined;
}

export interface TokenKeySecret {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

const MIN_KEY_BYTES = 32;
/** 32 random bytes have about 30 different values; a phrase, a pattern or a repeated example has far fewer. */
const MIN_DIFFERENT_BYTES = 20;

/**
 * Parses `name:base64url,name:base64url…`.
 * @throws {Error} whose message says what is wrong with which key and never shows key material.
 */
export function parseTokenKeys(secret: string): TokenKeySecret[] {
  if (secret.trim() === "") throw new Error("is missing: make one with `npm run keys`");
  const keys = secret.split(",").map((entry, index) => {
    const [, name, text] = /^\s*([A-Za-z0-9]):([A-Za-z0-9_-]+)\s*$/.exec(entry) ?? [];
    const bytes = text === undefined ? null : fromBase64Url(text);
    if (name === undefined || bytes === null) {
      throw new Error(`key ${index + 1} is not of the form <one letter or digit>:<base64url>`);
    }
    if (bytes.length < MIN_KEY_BYTES) throw new Error(`key "${name}" is shorter than ${MIN_KEY_BYTES} bytes`);
    if (new Set(bytes).size < MIN_DIFFERENT_BYTES) throw new Error(`key "${name}" is an example, not a random key`);
    return { name, bytes };
  });
  const names = keys.map((key) => key.name);
  if (new Set(names).size !== names.length) throw new Error("two keys have the same name");
  return keys;
}

export function importTokenKeys(secrets: TokenKeySecret[]): TokenKeyRing {
  const keys = secrets.map(({ name, bytes }) => ({ name, mac: importMacKey(bytes), seal: deriveSealKey(bytes) }));
  const [signing] = keys;
  if (signing === undefined) throw new Error("a key ring needs at least one key");
  const byName = new Map(keys.map((key) => [key.name, key]));
  return { signing, find: (name) => byName.get(name) };
}

function importMacKey(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

/** HKDF (RFC 5869) keeps the two uses of one secret apart. */
async function deriveSealKey(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const secret = await crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveKey"]);
  const derivation = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: utf8Bytes("lk1 seal") };
  return crypto.subtle.deriveKey(derivation, secret, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}
