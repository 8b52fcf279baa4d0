/**
 * Codes that a person reads in one place and types in another: eight characters, shown as XXXX-XXXX. Too short to be
 * unguessable, so each is worth something only for one address at one organization, and only for a few attempts.
 * What is stored is an HMAC under a token key: without the key, the 2^40 possible codes cannot be tried on it.
 */

import { equalBytes, randomBytes, toHex, utf8Bytes } from "../crypto/bytes.ts";
import type { TokenKey, TokenKeyRing } from "../crypto/token-keys.ts";

/** Wrong attempts at one code; after them only its link works. */
export const MAX_TYPED_ATTEMPTS = 5;

/** 32 characters, so that a random byte chooses evenly; without 0, 1, I and O, which look like one another. */
const ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const LENGTH = 8;
const PATTERN = new RegExp(`^[${ALPHABET}]{${LENGTH}}$`);
/** Far longer than any way of typing a code. */
const MAX_TEXT_LENGTH = 100;

/** What a code is good for. */
export interface CodeScope {
  organizationId: string;
  emailKey: string;
}

export interface MintedTypedCode {
  /** The code itself. It is shown once and stored nowhere in the clear. */
  code: string;
  /** Hex. */
  mac: string;
  /** Name of the token key that it was made with. */
  tokenKey: string;
}

export interface TypedCodes {
  mint(scope: CodeScope): Promise<MintedTypedCode>;
  /** Whether this is the code whose MAC was stored, found out in constant time. */
  matches(code: string, stored: CodeScope & { mac: string; tokenKey: string }): Promise<boolean>;
}

export function createTypedCodes(keys: TokenKeyRing): TypedCodes {
  return {
    async mint(scope) {
      const code = Array.from(randomBytes(LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]).join("");
      return { code, mac: await macOf(keys.signing, code, scope), tokenKey: keys.signing.name };
    },

    async matches(code, stored) {
      const key = keys.find(stored.tokenKey);
      if (key === undefined) return false;
      return equalBytes(utf8Bytes(await macOf(key, code, stored)), utf8Bytes(stored.mac));
    },
  };
}

/**
 * "typed" is no kind of credential, so that no credential's MAC is ever one of these. The address stands last, as the
 * only part whose length varies.
 */
async function macOf(key: TokenKey, code: string, { organizationId, emailKey }: CodeScope): Promise<string> {
  const message = utf8Bytes(`lk1\0typed\0${organizationId}\0${code}\0${emailKey}`);
  return toHex(new Uint8Array(await crypto.subtle.sign("HMAC", await key.mac, message)));
}

/** As it stands in the message. */
export function displayed(code: string): string {
  return `${code.slice(0, LENGTH / 2)}-${code.slice(LENGTH / 2)}`;
}

/** The code that somebody typed, in whatever case and with blanks and hyphens anywhere; null if it can be none. */
export function parseTypedCode(text: string): string | null {
  if (text.length > MAX_TEXT_LENGTH) return null;
  const code = text.replace(/[\s\p{Pd}]/gu, "").toUpperCase();
  return PATTERN.test(code) ? code : null;
}
