/**
 * The keys of session JWTs: read from their secrets, refused when weak or broken, imported once per isolate and not
 * before they are needed. Time alone decides which of them signs, so that all locations change over together and no
 * verifier meets a key that was not published long before.
 */

import { isStrongRsa, jwkInteger } from "./jwk.ts";
import { JWS_ALGORITHMS, type JwsKey } from "./jws.ts";

/** What the SDKs verify with: RS256, and RSA of 2048 bits. */
const ALGORITHM = "RS256";
const MODULUS_BITS = 2048;

/**
 * Verifiers need a key for 5 minutes after its last signature, and remember a set for an hour at most; a day leaves room
 * for clocks that are wrong and caches that nobody thought of.
 */
const PUBLISHED_AFTER_MS = 24 * 3_600_000;

export interface SigningKeySecret {
  kid: string;
  /** From this instant on it signs, epoch ms. null: published, and not to sign yet. */
  signsFrom: number | null;
  n: string;
  e: string;
  d: string;
  p: string;
  q: string;
  dp: string;
  dq: string;
  qi: string;
}

/** The public part of a key that signs no more: sessions that it signed for may live on. */
export interface RetiredKey {
  kid: string;
  lastSignedAt: number;
  n: string;
  e: string;
}

export interface JwtKeySecrets {
  active: SigningKeySecret;
  next: SigningKeySecret | null;
  retired: RetiredKey[];
}

/** All nine members: there are SDKs that miss any of them. */
export interface PublicJwk {
  kty: "RSA";
  use: "sig";
  key_ops: ["verify"];
  alg: "RS256";
  kid: string;
  x5c: [];
  x5tS256: "";
  n: string;
  e: string;
}

export interface JwtKeyRing {
  signing(now: number): { kid: string; key(): Promise<JwsKey> };
  /** To check with, whether it still signs or not. undefined: none of ours. */
  find(kid: string): (() => Promise<JwsKey>) | undefined;
  published(now: number): PublicJwk[];
}

/** @throws {Error} whose message says what is wrong and never shows key material. */
export function parseSigningKey(secret: string): SigningKeySecret {
  if (secret.trim() === "") throw new Error("is missing: make one with `npm run keys`");
  const key = parseJson(secret) as SigningKeySecret;
  requirePublicPart(key);
  const { kid, signsFrom, n, e, d, p, q, dp, dq, qi } = key;
  if (signsFrom !== null && !isInstant(signsFrom)) throw new Error("does not say from when on its key signs");
  if (!isWhole(key)) throw new Error("holds a key that is not whole");
  return { kid, signsFrom, n, e, d, p, q, dp, dq, qi };
}

/** No next key is fine. @throws {Error} like parseSigningKey */
export function parseNextKey(secret: string): SigningKeySecret | null {
  return secret.trim() === "" ? null : parseSigningKey(secret);
}

/** No retired key is fine. @throws {Error} like parseSigningKey */
export function parseRetiredKeys(secret: string): RetiredKey[] {
  if (secret.trim() === "") return [];
  const keys = parseJson(secret);
  if (!Array.isArray(keys)) throw new Error(NOT_OURS);
  return keys.map((key: RetiredKey) => {
    requirePublicPart(key);
    const { kid, lastSignedAt, n, e } = key;
    if (!isInstant(lastSignedAt)) throw new Error("does not say when a key signed last");
    return { kid, lastSignedAt, n, e };
  });
}

/** The same keys. @throws {Error} two of them go by one name, so that a token would not say whose it is. */
export function requireDistinct(keys: JwtKeySecrets): JwtKeySecrets {
  const { active, next, retired } = keys;
  const kids = [active, ...(next === null ? [] : [next]), ...retired].map(({ kid }) => kid);
  if (new Set(kids).size !== kids.length) throw new Error("and the other JWT keys are not all of different names");
  return keys;
}

export function createJwtKeyRing({ active, next, retired }: JwtKeySecrets): JwtKeyRing {
  const signers = [active, ...(next === null ? [] : [next])];
  const privateKeys = new Map(signers.map((key) => [key.kid, once(() => importPrivateKey(key))]));
  const publicKeys = new Map([...signers, ...retired].map((key) => [key.kid, once(() => importPublicKey(key))]));
  return {
    signing(now) {
      const isNext = next !== null && next.signsFrom !== null && now >= next.signsFrom;
      const { kid } = isNext ? next : active;
      return { kid, key: privateKeys.get(kid) as () => Promise<JwsKey> };
    },
    find: (kid) => publicKeys.get(kid),
    published: (now) =>
      [...signers, ...retired.filter((key) => now < key.lastSignedAt + PUBLISHED_AFTER_MS)].map(publicJwk),
  };
}

function publicJwk({ kid, n, e }: SigningKeySecret | RetiredKey): PublicJwk {
  return { kty: "RSA", use: "sig", key_ops: ["verify"], alg: ALGORITHM, kid, x5c: [], x5tS256: "", n, e };
}

async function importPrivateKey({ n, e, d, p, q, dp, dq, qi }: SigningKeySecret): Promise<JwsKey> {
  const jwk = { kty: "RSA", n, e, d, p, q, dp, dq, qi };
  const key = await crypto.subtle.importKey("jwk", jwk, JWS_ALGORITHMS[ALGORITHM].key, false, ["sign"]);
  return { algorithm: ALGORITHM, key };
}

async function importPublicKey({ n, e }: SigningKeySecret | RetiredKey): Promise<JwsKey> {
  const key = await crypto.subtle.importKey("jwk", { kty: "RSA", n, e }, JWS_ALGORITHMS[ALGORITHM].key, false, [
    "verify",
  ]);
  return { algorithm: ALGORITHM, key };
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

const NOT_OURS = "is not what `npm run keys` makes";

function parseJson(secret: string): unknown {
  try {
    return JSON.parse(secret);
  } catch {
    // The parser's own message quotes what it read.
    throw new Error(NOT_OURS);
  }
}

function requirePublicPart(key: unknown): void {
  if (typeof key !== "object" || key === null) throw new Error(NOT_OURS);
  const { kid, n, e } = key as Record<string, unknown>;
  if (typeof kid !== "string" || !/^[\w.-]{1,100}$/.test(kid)) throw new Error("holds a key without a name");
  if (jwkInteger(n)?.toString(2).length !== MODULUS_BITS)
    throw new Error(`holds a key of other than ${MODULUS_BITS} bits`);
  if (!isStrongRsa(n, e)) throw new Error("holds a weak key");
}

function isInstant(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Whether its numbers belong together. Web Crypto would find out too, at the first signature instead of at the start. */
function isWhole(key: SigningKeySecret): boolean {
  const numbers = [key.n, key.e, key.d, key.p, key.q, key.dp, key.dq, key.qi].map(jwkInteger);
  if (numbers.some((number) => number === null || number === 0n)) return false;
  const [n, e, d, p, q, dp, dq, qi] = numbers as [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];
  if (p * q !== n || p === 1n || q === 1n) return false;
  const isPrivate = (d * e) % (p - 1n) === 1n && (d * e) % (q - 1n) === 1n;
  return isPrivate && dp === d % (p - 1n) && dq === d % (q - 1n) && (qi * q) % p === 1n;
}
