/**
 * Opaque credentials: `<prefix>_<kind>_<key name><56 base64url characters>`, minted and recognised without any I/O.
 * One HMAC is split in two: 9 bytes travel in the token as its tag, the other 23 are the row's lookup key. So a
 * forgery costs no storage operation, and what is stored cannot be presented. Never logs and never stores a token.
 */

import { concatBytes, equalBytes, fromBase64Url, randomBytes, toBase64Url, toHex, utf8Bytes } from "../crypto/bytes.ts";
import type { TokenKey, TokenKeyRing } from "../crypto/token-keys.ts";

/**
 * mst member session · cst customer session · oat API key · code portal code · cev e-mail change · login sign-in by
 * e-mail · imp an operator's leave to sign in as a member
 */
export type CredentialKind = "mst" | "cst" | "oat" | "code" | "cev" | "login" | "imp";

export interface Credential {
  kind: CredentialKind;
  /** 46 hex digits: primary key in D1 and key name in KV. */
  lookupKey: string;
  /** Name of the token key that signed it. */
  tokenKey: string;
}

export interface MintedCredential extends Credential {
  /** The secret itself. It is shown once and stored nowhere in the clear. */
  token: string;
}

export interface Credentials {
  mint(kind: CredentialKind): Promise<MintedCredential>;
  /** What the text is if one of our keys signed it, else null. Says nothing about whether the row still lives. */
  verify(token: string): Promise<Credential | null>;
  /** What the text says it is, forged or not; null when it does not begin as one of ours. Costs no MAC. */
  claimedKind(text: string): CredentialKind | "other" | null;
}

const RANDOM_BYTES = 33;
const TAG_BYTES = 9;
/** Longer than any token; what is longer is refused before the pattern looks at it. */
const MAX_TOKEN_LENGTH = 100;
const KIND = "(mst|cst|oat|code|cev|login|imp)";
/** The key's name, then 42 bytes in exactly 56 characters: no spare bits, so every token has one spelling. */
const BODY = "([A-Za-z0-9])([A-Za-z0-9_-]{56})";

/** @param prefixes lower-case words; the first one mints, all are understood. They are outside the MAC. */
export function createCredentials(keys: TokenKeyRing, prefixes: readonly [string, ...string[]]): Credentials {
  const ours = new RegExp(`^(?:${prefixes.join("|")})_(?:${KIND}_)?`);
  const pattern = new RegExp(`^(?:${prefixes.join("|")})_${KIND}_${BODY}$`);
  return {
    async mint(kind) {
      const random = randomBytes(RANDOM_BYTES);
      const { tag, lookupKey } = await split(keys.signing, kind, random);
      const name = keys.signing.name;
      return {
        kind,
        lookupKey,
        tokenKey: name,
        token: `${prefixes[0]}_${kind}_${name}${toBase64Url(concatBytes(random, tag))}`,
      };
    },

    async verify(token) {
      if (token.length > MAX_TOKEN_LENGTH) return null;
      const match = pattern.exec(token);
      if (match === null) return null;
      const [, kind, name, text] = match as unknown as [string, CredentialKind, string, string];
      const key = keys.find(name);
      const bytes = fromBase64Url(text);
      if (key === undefined || bytes === null) return null;
      const { tag, lookupKey } = await split(key, kind, bytes.slice(0, RANDOM_BYTES));
      return equalBytes(tag, bytes.subarray(RANDOM_BYTES)) ? { kind, lookupKey, tokenKey: name } : null;
    },

    claimedKind(text) {
      const claim = ours.exec(text);
      return claim === null ? null : ((claim[1] as CredentialKind | undefined) ?? "other");
    },
  };
}

async function split(key: TokenKey, kind: CredentialKind, random: Uint8Array) {
  const message = concatBytes(utf8Bytes(`lk1\0${kind}\0`), random);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", await key.mac, message));
  return { tag: mac.subarray(0, TAG_BYTES), lookupKey: toHex(mac.subarray(TAG_BYTES)) };
}
