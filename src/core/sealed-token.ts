/**
 * The session token at rest: AES-256-GCM under a key derived from the token key, bound to its session id. A portal
 * code can so hand out the session's own token without anything in D1 being presentable by itself.
 */

import { concatBytes, fromBase64Url, randomBytes, toBase64Url, utf8Bytes } from "../crypto/bytes.ts";
import type { TokenKeyRing } from "../crypto/token-keys.ts";

/** NIST SP 800-38D §8.2.2: a random 96-bit IV. */
const IV_BYTES = 12;

export interface TokenSealer {
  seal(token: string, sessionId: string, tokenKey: string): Promise<string>;
  /** @throws {Error} when the text was not sealed for this session by this key. */
  unseal(sealed: string, sessionId: string, tokenKey: string): Promise<string>;
}

export function createTokenSealer(keys: TokenKeyRing): TokenSealer {
  const keyNamed = async (name: string): Promise<CryptoKey> => {
    const key = keys.find(name);
    if (key === undefined) throw new Error(`token key "${name}" is not configured, but sessions were sealed with it`);
    return key.seal;
  };
  return {
    async seal(token, sessionId, tokenKey) {
      const iv = randomBytes(IV_BYTES);
      const parameters = { name: "AES-GCM", iv, additionalData: utf8Bytes(sessionId) };
      const sealed = await crypto.subtle.encrypt(parameters, await keyNamed(tokenKey), utf8Bytes(token));
      return toBase64Url(concatBytes(iv, new Uint8Array(sealed)));
    },

    async unseal(sealed, sessionId, tokenKey) {
      const bytes = fromBase64Url(sealed);
      if (bytes === null) throw new Error("sealed token is not base64url");
      const parameters = { name: "AES-GCM", iv: bytes.slice(0, IV_BYTES), additionalData: utf8Bytes(sessionId) };
      const token = await crypto.subtle.decrypt(parameters, await keyNamed(tokenKey), bytes.slice(IV_BYTES));
      return new TextDecoder().decode(token);
    },
  };
}
