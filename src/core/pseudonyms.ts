/**
 * Names for what must be told apart but not known: an address or a mailbox as a key in D1. Made with the signing token
 * key, so a dump of D1 cannot be searched for them. A new signing key makes new names: what was counted starts anew.
 */

import { toHex, utf8Bytes } from "../crypto/bytes.ts";
import type { TokenKeyRing } from "../crypto/token-keys.ts";

/** The same for the same parts in the same order, and 64 hex digits. */
export type Pseudonymize = (...parts: string[]) => Promise<string>;

export function createPseudonyms(keys: TokenKeyRing): Pseudonymize {
  return async (...parts) => {
    // Credentials are signed as `lk1`, NUL, …: no pseudonym is ever a credential's MAC.
    const message = utf8Bytes(`lk1 pseudonym\0${JSON.stringify(parts)}`);
    return toHex(new Uint8Array(await crypto.subtle.sign("HMAC", await keys.signing.mac, message)));
  };
}
