/**
 * Session JWTs: short-lived, signed statements about a session that anybody checks without asking us. What they say is
 * the caller's; here they are dated, signed, and read back. Whether the session still lives is not theirs to tell.
 */

import { parseJwt, signJwt, verifyJws } from "../crypto/jws.ts";
import type { JwtKeyRing, PublicJwk } from "../crypto/jwt-keys.ts";
import type { Clock } from "./ports.ts";

export type { PublicJwk } from "../crypto/jwt-keys.ts";

const LIFE_SECONDS = 300;
/** Verifiers allow for no difference of clocks: to one that is a little behind, a JWT dated now would be of the future. */
const BACKDATED_SECONDS = 5;
/** In how far the clocks of our own locations may differ. */
const CLOCK_SKEW_SECONDS = 60;
/** Life, and what rounding may add. */
const MAX_LIFE_SECONDS = LIFE_SECONDS + 10;
/** As long as any body: ours carry all roles and 4 KB of custom claims, and what we sign we must read. */
const MAX_LENGTH = 64 * 1024;
/** What is longer is signed each time: an isolate remembers a thousand. */
const MAX_REMEMBERED_LENGTH = 8 * 1024;

type Claims = Record<string, unknown>;

export interface SessionJwts {
  /**
   * Reused within a minute for the same session, expiry and claims.
   * @param claims without iat, nbf and exp.
   * @param sessionExpiresAt epoch ms; the JWT ends then at the latest.
   */
  sign(sessionId: string, claims: Claims, sessionExpiresAt: number): Promise<string>;
  /**
   * Checks encoding, header and signature, and nothing of what the claims say. "malformed": it cannot be read.
   * "untrusted": it is not signed by us.
   */
  verify(jwt: string): Promise<{ claims: Claims } | "malformed" | "untrusted">;
  /** What is to be published at this instant. */
  publicKeys(): PublicJwk[];
}

/** What an isolate remembers for a minute. */
export interface SignedJwt {
  payload: string;
  kid: string;
  jwt: string;
}
export interface SignedJwtCache {
  get(sessionId: string, now: number): SignedJwt | undefined;
  set(sessionId: string, signed: SignedJwt, now: number): void;
}
export const SIGNED_JWT_REUSE_MS = 60_000;

interface Parts {
  keys: JwtKeyRing;
  cache: SignedJwtCache;
  clock: Clock;
}

export function createSessionJwts({ keys, cache, clock }: Parts): SessionJwts {
  return {
    async sign(sessionId, claims, sessionExpiresAt) {
      const now = clock.now();
      const { kid, key } = keys.signing(now);
      const payload = JSON.stringify([claims, sessionExpiresAt]);
      const known = cache.get(sessionId, now);
      if (known?.payload === payload && known.kid === kid) return known.jwt;
      const iat = Math.floor(now / 1000) - BACKDATED_SECONDS;
      const exp = Math.min(iat + LIFE_SECONDS, Math.floor(sessionExpiresAt / 1000));
      const text = JSON.stringify({ ...claims, iat, nbf: iat, exp });
      const jwt = await signJwt({ kid, typ: "JWT" }, text, await key());
      if (jwt.length <= MAX_REMEMBERED_LENGTH) cache.set(sessionId, { payload, kid, jwt }, now);
      return jwt;
    },

    async verify(text) {
      const jwt = parseJwt(text, MAX_LENGTH);
      if (jwt === null) return "malformed";
      const { typ, kid } = jwt.header;
      // Nothing else is in a header of ours, so whatever else is there was made for another reader.
      const isOurs = typ === "JWT" && kid !== undefined && Object.keys(jwt.header).length === 3;
      const key = isOurs ? keys.find(kid) : undefined;
      return key !== undefined && (await verifyJws(jwt, await key())) ? { claims: jwt.claims } : "untrusted";
    },

    publicKeys: () => keys.published(clock.now()),
  };
}

/** What is wrong with claims that are signed; the dialect words it. */
export type ClaimsFault = "wrong_issuer" | "wrong_audience" | "wrong_claims";

interface Expected {
  issuer: string;
  audience: string;
  /** Epoch ms. */
  now: number;
}

/**
 * Whether verified claims are a session JWT's of this issuer for this audience. One that has expired is no fault: a live
 * session may be refreshed by it. Who takes no expired one looks at `isExpired`, which has no tolerance.
 */
export function checkSessionClaims(
  claims: Claims,
  { issuer, audience, now }: Expected,
): { subject: string; isExpired: boolean } | ClaimsFault {
  const { iss, aud, sub, iat, nbf, exp, cnf } = claims;
  if (iss !== issuer) return "wrong_issuer";
  if ((Array.isArray(aud) && aud.length === 1 ? aud[0] : aud) !== audience) return "wrong_audience";
  const nowSeconds = Math.floor(now / 1000);
  const isDated = isSeconds(iat) && isSeconds(nbf) && isSeconds(exp);
  if (!isDated || Math.max(iat, nbf) > nowSeconds + CLOCK_SKEW_SECONDS) return "wrong_claims";
  if (exp <= iat || exp - iat > MAX_LIFE_SECONDS) return "wrong_claims";
  // To a token with `cnf` belongs a proof (RFC 7800) that nobody asks for here: as a bearer token it is good for nothing.
  if (typeof sub !== "string" || sub === "" || cnf !== undefined) return "wrong_claims";
  return { subject: sub, isExpired: nowSeconds >= exp };
}

function isSeconds(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
