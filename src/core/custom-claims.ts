/**
 * What a backend has its members' sessions say, beside what we say of them. The limit holds for what is stored, which
 * a merge makes of old and new: storage has the last word on it.
 */

import { utf8Bytes } from "../crypto/bytes.ts";
import { LatchkeyError } from "./errors.ts";

export type CustomClaims = Record<string, unknown>;

/** Of compact JSON in UTF-8: they travel in every JWT of the session. */
export const MAX_CLAIMS_BYTES = 4096;

/**
 * Claims of a session to be: a null deletes, at any depth, and there is nothing yet to delete (RFC 7396).
 * @throws {LatchkeyError} custom_claims_too_large
 */
export function firstClaims(given: CustomClaims): CustomClaims {
  const claims = withoutNulls(given);
  if (utf8Bytes(JSON.stringify(claims)).length > MAX_CLAIMS_BYTES) throw new LatchkeyError("custom_claims_too_large");
  return claims;
}

function withoutNulls(claims: CustomClaims): CustomClaims {
  const kept = Object.entries(claims).filter(([, value]) => value !== null);
  return Object.fromEntries(kept.map(([name, value]) => [name, isObject(value) ? withoutNulls(value) : value]));
}

function isObject(value: unknown): value is CustomClaims {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
