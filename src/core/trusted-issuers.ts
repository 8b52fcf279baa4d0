/**
 * Whose signed tokens an organization takes for its members' word, and which of their claims says what. An operator
 * says so; nothing that a token carries can change it.
 */

import type { JwsAlgorithm } from "../crypto/jws.ts";
import { emailKey } from "./directory.ts";
import { parseEmail } from "./email-address.ts";
import { LatchkeyError } from "./errors.ts";

/** attest: ID tokens and their like. access_token: what an authorization server gives to clients. */
export type IssuerPurpose = "attest" | "access_token";

/** Names of claims. `a.b` also means b within a, where there is no claim of the name `a.b`. */
export interface ClaimNames {
  email: string;
  /** Of the token itself: unique among all that the issuer ever signs. */
  tokenId: string;
  /** Of what the tokens say nothing: null. */
  customer: string | null;
  externalMemberId: string | null;
  roles: string | null;
}

export interface TrustedIssuer {
  id: string;
  organizationId: string;
  purpose: IssuerPurpose;
  /** As its tokens have them, exactly. */
  issuer: string;
  audience: string;
  /** Where its keys are published, or the keys. */
  keys: { url: string } | { pems: string[] };
  algorithms: JwsAlgorithm[];
  claims: ClaimNames;
  canMakeMembers: boolean;
}

/** Whom a token speaks of. */
export interface ForeignIdentity {
  email: string;
  tokenId: string;
  /** As the issuer names it; null: it does not say. */
  customer: string | null;
  externalMemberId: string | null;
  roles: string[];
}

export type Claims = Record<string, unknown>;

const MAX_ID_LENGTH = 256;
const EXTERNAL_ID = /^[A-Za-z0-9._|-]{1,128}$/;

/**
 * @param tokenId stands for the token's own id where it has none; null: it must have one.
 * @throws {LatchkeyError} foreign_token_claims_wrong, with the claim and what is wrong with it
 */
export function identityIn(claims: Claims, names: ClaimNames, tokenId: string | null = null): ForeignIdentity {
  return {
    email: emailIn(claims, names.email),
    tokenId: textIn(claims, names.tokenId) ?? tokenId ?? missing(names.tokenId),
    customer: names.customer && textIn(claims, names.customer),
    externalMemberId: names.externalMemberId && externalIdIn(claims, names.externalMemberId),
    roles: names.roles === null ? [] : rolesIn(claims, names.roles),
  };
}

/** A claim that must be a text, or is missing: null. */
export function textIn(claims: Claims, name: string): string | null {
  const value = claimAt(claims, name) ?? null;
  if (value === null) return null;
  if (typeof value !== "string" || value === "" || value.length > MAX_ID_LENGTH) {
    throw wrong(name, `must be a text of 1 to ${MAX_ID_LENGTH} characters`);
  }
  return value;
}

export const wrong = (claim: string, problem: string) =>
  new LatchkeyError("foreign_token_claims_wrong", { reason: `${claim} ${problem}`, facts: { claim, problem } });

function missing(name: string): never {
  throw wrong(name, "is missing");
}

/** An issuer that has not verified an address, and says so, vouches for nobody. It may say so in a URL like its own. */
function emailIn(claims: Claims, name: string): string {
  const text = textIn(claims, name) ?? missing(name);
  const parsed = parseEmail(text);
  if (!("address" in parsed) || emailKey(parsed.address) !== emailKey(text)) throw wrong(name, "is no e-mail address");
  const verdicts = [/.*$/, /[^.]*$/, /[^./]*$/].map((last) => name.replace(last, "email_verified"));
  for (const verdict of new Set(verdicts)) {
    const value = claimAt(claims, verdict) ?? true;
    if (value !== true && value !== "true") throw wrong(verdict, "says that the address is not verified");
  }
  return parsed.address;
}

function externalIdIn(claims: Claims, name: string): string | null {
  const id = textIn(claims, name);
  if (id !== null && !EXTERNAL_ID.test(id)) throw wrong(name, "is no external id: 1 to 128 letters, digits or . _ - |");
  return id;
}

function rolesIn(claims: Claims, name: string): string[] {
  const roles = claimAt(claims, name) ?? [];
  if (!Array.isArray(roles) || !roles.every((role) => typeof role === "string"))
    throw wrong(name, "is no list of texts");
  return [...new Set<string>(roles)];
}

/** Claims are often named like URLs, with dots in them: the whole name is looked for first. */
function claimAt(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  const [first = "", ...rest] = name.split(".");
  const inner = Object.hasOwn(claims, first) ? claims[first] : undefined;
  const isObject = typeof inner === "object" && inner !== null && !Array.isArray(inner);
  return rest.length > 0 && isObject ? claimAt(inner as Claims, rest.join(".")) : undefined;
}
