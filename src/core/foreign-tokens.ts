/**
 * Signed tokens that others made: whether a trusted issuer signed this one, for us, for this moment. What it says is
 * looked at only then. Each is good once (storage sees to that) and not for long.
 */

import { toHex, utf8Bytes } from "../crypto/bytes.ts";
import { importPem } from "../crypto/jwk.ts";
import { type JwsHeader, type JwsKey, type Jwt, parseJwt, verifyJws } from "../crypto/jws.ts";
import { LatchkeyError } from "./errors.ts";
import type { IssuerKeys } from "./identity-ports.ts";
import { type Claims, type IssuerPurpose, type TrustedIssuer, wrong } from "./trusted-issuers.ts";

/** How far the issuer's clock may be from ours. */
const SKEW_SECONDS = 60;
/** However long a token says that it lives: it is to be brought here when it is new. */
const MAX_AGE_SECONDS: Record<IssuerPurpose, number> = { attest: 3600, access_token: 300 };
/** From then on a used token is no good anyway. */
export const FOREIGN_TOKEN_KEPT_MS = (Math.max(...Object.values(MAX_AGE_SECONDS)) + 2 * SKEW_SECONDS) * 1000;

/** @throws {LatchkeyError} foreign_token_invalid: it cannot be read */
export function readForeignToken(token: string): Jwt {
  const jwt = parseJwt(token);
  if (jwt === null) throw invalid("it is no signed token in its one canonical form");
  return jwt;
}

/**
 * @throws {LatchkeyError} foreign_token_invalid: no key of this issuer's signed it; foreign_token_issuer_wrong,
 * foreign_token_audience_wrong, foreign_token_claims_wrong, foreign_token_expired, foreign_token_too_old, unavailable
 */
export async function verifyForeignToken(jwt: Jwt, issuer: TrustedIssuer, keys: IssuerKeys, now: number) {
  const { header, claims } = jwt;
  if (!(issuer.algorithms as string[]).includes(header.alg)) {
    throw invalid(`its algorithm is none of ${issuer.algorithms.join(", ")}, which ${issuer.issuer} may use`);
  }
  const candidates = await keysFor(issuer, header, keys);
  if (candidates.length === 0) throw invalid(`no key of ${issuer.issuer} fits its kid and algorithm`);
  const verdicts = await Promise.all(candidates.map((key) => verifyJws(jwt, key)));
  if (!verdicts.includes(true)) throw invalid(`no key of ${issuer.issuer} signed it`);
  if (claims["iss"] !== issuer.issuer) throw other("foreign_token_issuer_wrong", claims["iss"], issuer.issuer);
  if (!isMeantFor(claims, issuer.audience)) {
    throw other("foreign_token_audience_wrong", claims["aud"], issuer.audience);
  }
  requireTimely(claims, MAX_AGE_SECONDS[issuer.purpose], now);
}

export function isMeantFor({ aud }: Claims, audience: string): boolean {
  return Array.isArray(aud) ? aud.includes(audience) : aud === audience;
}

/** The name under which a used token is remembered. No key is in it, so that a change of keys makes none good again. */
export async function spentKey({ organizationId, issuer }: TrustedIssuer, tokenId: string): Promise<string> {
  const parts = JSON.stringify([organizationId, issuer, tokenId]);
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8Bytes(parts))));
}

async function keysFor({ keys }: TrustedIssuer, header: JwsHeader, published: IssuerKeys): Promise<JwsKey[]> {
  const algorithm = header.alg as JwsKey["algorithm"];
  const found =
    "url" in keys
      ? [await published.find(keys.url, header)]
      : await Promise.all(keys.pems.map((pem) => importPem(pem, algorithm)));
  return found.filter((key) => key !== null);
}

function requireTimely(claims: Claims, maxAgeSeconds: number, now: number): void {
  const seconds = now / 1000;
  const expiresAt = secondsIn(claims, "exp");
  const issuedAt = secondsIn(claims, "iat");
  const notBefore = claims["nbf"] === undefined ? issuedAt : secondsIn(claims, "nbf");
  if (seconds >= expiresAt + SKEW_SECONDS) throw new LatchkeyError("foreign_token_expired");
  if (issuedAt > seconds + SKEW_SECONDS) throw wrong("iat", "lies in the future");
  if (notBefore > seconds + SKEW_SECONDS) throw wrong("nbf", "lies in the future");
  if (seconds > issuedAt + maxAgeSeconds) {
    throw new LatchkeyError("foreign_token_too_old", { facts: { maxAgeSeconds } });
  }
}

function secondsIn(claims: Claims, name: string): number {
  const value = claims[name];
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw wrong(name, "is no whole number of seconds");
  return value as number;
}

const invalid = (reason: string) => new LatchkeyError("foreign_token_invalid", { reason });

/** A name that differs by a slash from the one that an operator wrote down is found by seeing both. */
const other = (code: "foreign_token_issuer_wrong" | "foreign_token_audience_wrong", found: unknown, expected: string) =>
  new LatchkeyError(code, { reason: `${JSON.stringify(found)?.slice(0, 200)} instead of ${JSON.stringify(expected)}` });
