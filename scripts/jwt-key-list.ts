/**
 * The keys of session JWTs: making the first, giving the active one a successor, dropping one in an emergency. Works on
 * values alone: what it returns is not in force until somebody writes it down. Shows names, never material.
 */

import { generateKeyPairSync, randomUUID } from "node:crypto";
import type { JwtKeySecrets, RetiredKey, SigningKeySecret } from "../src/crypto/jwt-keys.ts";
import { Refusal } from "./command.ts";

/**
 * How long a key is published before it signs. SDKs remember a set for up to an hour, and some fail over a key that
 * they have not seen; a day leaves room for wrong clocks, and for caches that nobody thought of.
 */
const PUBLISHED_BEFORE_MS = 24 * 3_600_000;
/** A session lives for 366 days at most, and a JWT of it may come back as long; then nothing of the key is alive. */
const KEPT_AFTER_MS = 367 * 24 * 3_600_000;

/** Signs at once: nobody has fetched any other. */
export function firstJwtKeys(now: number): JwtKeySecrets {
  return { active: newKey(now), next: null, retired: [] };
}

/**
 * A next key, unless there is one that was not published yet. If the former one signs already, it becomes the active
 * one, and the active one leaves its public part.
 * @throws {Refusal} the former next key still waits: it will sign when verifiers know it, and not earlier.
 */
export function rotateJwtKeys(keys: JwtKeySecrets, now: number): JwtKeySecrets {
  if (keys.next === null) return { ...keys, next: newKey(null) };
  const { signsFrom } = keys.next;
  if (signsFrom === null) return keys;
  if (signsFrom > now) throw new Refusal(`Key ${keys.next.kid} still waits: it signs from ${instant(signsFrom)} on.`);
  const { kid, n, e } = keys.active;
  const retired = [{ kid, lastSignedAt: signsFrom, n, e }, ...keys.retired];
  return { active: keys.next, next: newKey(null), retired: retired.filter((key) => keptUntil(key) > now) };
}

/** Fixes from when on the next key signs, if that is open yet: a day after this instant, at which it is published. */
export function announceNextKey(keys: JwtKeySecrets, now: number): JwtKeySecrets {
  if (keys.next === null || keys.next.signsFrom !== null) return keys;
  return { ...keys, next: { ...keys.next, signsFrom: now + PUBLISHED_BEFORE_MS } };
}

/** Without the key: nothing that it signed is taken any more. The next key, or else a new one, signs in its place at once. */
export function dropJwtKey(keys: JwtKeySecrets, kid: string, now: number): JwtKeySecrets {
  const { active, next, retired } = keys;
  if (next?.kid === kid) return { ...keys, next: null };
  if (active.kid === kid) return { active: next === null ? newKey(now) : signsNow(next, now), next: null, retired };
  const remaining = retired.filter((key) => key.kid !== kid);
  if (remaining.length < retired.length) return { ...keys, retired: remaining };
  const kids = [active, ...(next === null ? [] : [next]), ...retired].map((key) => key.kid);
  throw new Refusal(`There is no JWT key "${kid}". There is: ${kids.join(", ")}.`);
}

/** One line for each key: its name, and what it does. */
export function describeJwtKeys({ active, next, retired }: JwtKeySecrets, now: number): string[] {
  const changesAt = next?.signsFrom ?? null;
  const hasChanged = changesAt !== null && changesAt <= now;
  return [
    `${active.kid}  ${hasChanged ? `verifies; signed until ${instant(changesAt)}` : "signs and verifies"}`,
    ...(next === null ? [] : [`${next.kid}  ${hasChanged ? "signs and verifies" : waiting(changesAt)}`]),
    ...retired.map((key) => `${key.kid}  verifies until ${instant(keptUntil(key))}`),
  ];
}

function waiting(signsFrom: number | null): string {
  return signsFrom === null
    ? "waits for an upload; signs a day after it"
    : `published; signs from ${instant(signsFrom)} on`;
}

function signsNow(key: SigningKeySecret, now: number): SigningKeySecret {
  return { ...key, signsFrom: Math.min(key.signsFrom ?? now, now) };
}

function keptUntil({ lastSignedAt }: RetiredKey): number {
  return lastSignedAt + KEPT_AFTER_MS;
}

function instant(time: number): string {
  return new Date(time).toISOString();
}

function newKey(signsFrom: number | null): SigningKeySecret {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048, publicExponent: 0x10001 });
  const { n, e, d, p, q, dp, dq, qi } = privateKey.export({ format: "jwk" }) as Omit<SigningKeySecret, "kid">;
  return { kid: `jwk-live-${randomUUID()}`, signsFrom, n, e, d, p, q, dp, dq, qi };
}
