/**
 * How many calls a caller may make, counted by Cloudflare's Rate Limiting binding: on the machine that serves the call,
 * so without a wait, and by each location for itself, so not exactly. What must be exact is in attempts.ts. The numbers
 * stand in wrangler.toml.
 */

import { LatchkeyError } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";
import { withinDeadline } from "./deadline.ts";

/** The longer of the two periods that the binding knows; nothing tells us which one the operator has set. */
const RETRY_AFTER_SECONDS = 60;
/** A limiter that is out of order must not be slower than what it protects. */
const LIMITER_DEADLINE_MS = 250;

type Limited = "apiKeys" | "holders" | "addresses";

/** Each counts one call for the named caller. @throws {LatchkeyError} rate_limited: the caller has had its calls */
export type RateLimits = Record<Limited, (caller: string) => Promise<void>>;

/** A limiter that fails lets everybody pass: it is there to keep the service available. */
export function createRateLimits(limiters: Record<Limited, RateLimit>, log: Log): RateLimits {
  const counter = (limited: Limited) => async (key: string) => {
    let success = true;
    try {
      ({ success } = await withinDeadline("rate limiter", LIMITER_DEADLINE_MS, limiters[limited].limit({ key })));
    } catch (error) {
      log.warn("rate_limit_failed", { limited, error });
    }
    if (!success) throw new LatchkeyError("rate_limited", { facts: { retryAfterSeconds: RETRY_AFTER_SECONDS } });
  };
  return { apiKeys: counter("apiKeys"), holders: counter("holders"), addresses: counter("addresses") };
}
