/**
 * What the core needs from outside to let people in by what others vouch for. Implemented by src/storage and by the
 * modules beside src/services.ts.
 */

import type { JwsHeader, JwsKey } from "../crypto/jws.ts";
import type { Member, MemberRef } from "./directory.ts";
import type { RbacPolicy } from "./rbac.ts";
import type { TrustedIssuer } from "./trusted-issuers.ts";

/** What other people's servers say. */
export interface Outside {
  /**
   * The JSON at this address. Asked once; whether to ask again is for the caller to judge.
   * @throws {LatchkeyError} outside_url_refused: not an address that we call; outside_answer_unusable: another status
   * than 200, too long, not JSON; unavailable: no answer in time
   */
  getJson(url: string, headers?: Record<string, string>): Promise<unknown>;
}

/** The public keys of trusted issuers, where they publish them. */
export interface IssuerKeys {
  /** null: none there fits the header. @throws {LatchkeyError} unavailable: they cannot be fetched or read */
  find(url: string, header: JwsHeader): Promise<JwsKey | null>;
}

/** Throws LatchkeyError "unavailable" like the store of sessions. */
export interface TrustedIssuerStore {
  /** null: there is none, or it is another organization's. */
  findForAttestation(organizationId: string, id: string): Promise<TrustedIssuer | null>;
  /** Those that go by this name, oldest first. */
  listForAccessTokens(organizationId: string, issuer: string): Promise<TrustedIssuer[]>;
}

/** Of one customer's members, what it takes to recognise one. */
export interface MemberDirectory {
  find(organizationId: string, ref: MemberRef): Promise<Member | null>;
  findByEmail(organizationId: string, customerId: string, email: string): Promise<Member | null>;
}

/** Which roles an organization defines. */
export interface RolePolicies {
  find(organizationId: string): Promise<RbacPolicy>;
}

/** An operator's leave to sign in as a member. */
export interface Impersonation {
  memberId: string;
  impersonatorId: string;
  impersonatorEmail: string;
}

/** Throws LatchkeyError "unavailable" like the store of sessions. */
export interface ImpersonationStore {
  /** Consumes nothing. null: unknown, used, expired or another organization's. */
  find(organizationId: string, lookupKey: string): Promise<Impersonation | null>;
}
