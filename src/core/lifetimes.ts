/**
 * How long a session may live. Durations are seconds, instants epoch milliseconds; expiry has no tolerance.
 */

import type { Organization } from "./directory.ts";
import { LatchkeyError } from "./errors.ts";

/** The shortest life a caller may ask for. */
export const MIN_TTL_SECONDS = 60;

type LifetimeSettings = Pick<Organization, "sessionTtlSeconds" | "sessionMaxTtlSeconds">;

/**
 * @param requestedTtlSeconds null for the organization's default.
 * @returns expiry, and the instant no extension may ever pass, fixed now.
 * @throws {LatchkeyError} ttl_out_of_range
 */
export function lifetimeAt(now: number, settings: LifetimeSettings, requestedTtlSeconds: number | null) {
  const ttlSeconds = requestedTtlSeconds ?? settings.sessionTtlSeconds;
  const isInRange = ttlSeconds >= MIN_TTL_SECONDS && ttlSeconds <= settings.sessionMaxTtlSeconds;
  if (!Number.isInteger(ttlSeconds) || !isInRange) {
    const facts = { requested: ttlSeconds, min: MIN_TTL_SECONDS, max: settings.sessionMaxTtlSeconds };
    throw new LatchkeyError("ttl_out_of_range", { facts });
  }
  return { expiresAt: now + ttlSeconds * 1000, absoluteExpiresAt: now + settings.sessionMaxTtlSeconds * 1000 };
}

/** Strict: at `expiresAt` itself the session is over. */
export function isExpired(expiresAt: number, now: number): boolean {
  return now >= expiresAt;
}
