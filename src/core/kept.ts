/**
 * Metadata of Stytch's kind, kept with customers and members: a change names the top-level keys that it means, and
 * leaves the others alone. The limits hold for what is stored, which a change makes of old and new: storage has the
 * last word on them.
 */

import { utf8Bytes } from "../crypto/bytes.ts";
import type { Kept } from "./directory.ts";
import { LatchkeyError } from "./errors.ts";

/** Of compact JSON in UTF-8. */
export const MAX_KEPT_BYTES = 4096;
/** At the top level. */
export const MAX_KEPT_KEYS = 20;

/**
 * What a row begins with: a null takes a key away, and there is nothing yet to take away.
 * @throws {LatchkeyError} metadata_too_large, metadata_too_many_keys
 */
export function firstKept(given: Kept): Kept {
  const entries = Object.entries(given).filter(([, value]) => value !== null);
  const kept = Object.fromEntries(entries);
  requireRoom({ bytes: utf8Bytes(JSON.stringify(kept)).length, keys: entries.length });
  return kept;
}

/** @throws {LatchkeyError} metadata_too_large, metadata_too_many_keys */
export function requireRoom({ bytes, keys }: { bytes: number; keys: number }): void {
  if (keys > MAX_KEPT_KEYS) throw new LatchkeyError("metadata_too_many_keys");
  if (bytes > MAX_KEPT_BYTES) throw new LatchkeyError("metadata_too_large");
}
