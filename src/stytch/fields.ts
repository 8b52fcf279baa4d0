/**
 * The kinds of field that several requests of this dialect have. What is optional may be null, which counts as absent.
 */

import * as z from "zod/mini";
import type { ErrorType } from "./errors.ts";

const MIN_DURATION_MINUTES = 5;
const MAX_DURATION_MINUTES = 527_040;

const type = (error: ErrorType) => ({ error });

/** Minutes, as the SDKs have them: an integer. */
const duration = z
  .int(type("invalid_session_duration_minutes"))
  .check(
    z.minimum(MIN_DURATION_MINUTES, type("invalid_session_duration_minutes")),
    z.maximum(MAX_DURATION_MINUTES, type("invalid_session_duration_minutes")),
  );

/**
 * RFC 7519's own claims are ours to set: dropped in silence, as Stytch's reference says. So is `cnf` (RFC 7800): it asks
 * verifiers for a proof that our JWTs do not come with.
 */
const REGISTERED_CLAIMS = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf"];

const customClaims = z.pipe(
  z
    .record(z.string(), z.unknown())
    .check(
      z.refine(
        (claims) => !Object.keys(claims).some((name) => name.startsWith("https://stytch.com/")),
        type("stytch_claims_in_custom_claims"),
      ),
    ),
  z.transform((claims) =>
    Object.fromEntries(Object.entries(claims).filter(([name]) => !REGISTERED_CLAIMS.includes(name))),
  ),
);

/** What every call that makes or prolongs a session takes. */
export const lifeAndClaims = {
  session_duration_minutes: z.nullish(duration),
  session_custom_claims: z.nullish(customClaims),
};

export interface LifeAndClaims {
  session_duration_minutes?: number | null | undefined;
  session_custom_claims?: Record<string, unknown> | null | undefined;
}

/** The same in the core's words; null where nothing is said. */
export function lifeAndClaimsOf({ session_duration_minutes: minutes, session_custom_claims: claims }: LifeAndClaims) {
  return { ttlSeconds: minutes == null ? null : minutes * 60, claims: claims ?? null };
}

/** How a call shows a session. An empty text is what some SDKs send for none. */
export const sessionArguments = {
  session_token: z.nullish(z.string()),
  session_jwt: z.nullish(z.string()),
};

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Not a z.record: that one drops a key named __proto__ without a word. */
export const metadata = z.custom<Record<string, unknown>>(isObject, type("metadata_invalid_format"));
