/**
 * What the core needs from outside. Implemented by src/storage (D1 and KV) and by the in-memory store of the tests;
 * test/storage/session-store.contract.ts holds both to the same behaviour.
 */

import type { Organization } from "./directory.ts";
import type { CodeDoor, LiveSession, SealedSession, SessionChange, SessionDraft, SessionFacts } from "./session.ts";
import type { SignInPerson } from "./sign-in.ts";
import type { CodeScope } from "./typed-codes.ts";

/** The only source of time. Epoch milliseconds. */
export interface Clock {
  now(): number;
}

/** One line per event. Fields hold ids and reasons, never a token, a code, a key or an address. */
export interface Log {
  info(event: string, fields: Record<string, unknown>): void;
  warn(event: string, fields: Record<string, unknown>): void;
  error(event: string, fields: Record<string, unknown>): void;
}

/** A message in plain text to one address. */
export interface Mail {
  to: string;
  subject: string;
  text: string;
}

export interface Mailer {
  /** false: nothing can be sent, and nobody should be promised a message. */
  isSetUp: boolean;
  /** Takes as long as the mail service does: to be called after the answer. Rejects when it was not accepted. */
  send(mail: Mail): Promise<void>;
}

/** The public keys with which those who report leaked credentials sign. ECDSA over P-256. */
export interface ReporterKeys {
  /** null: there is no key of this name. @throws {LatchkeyError} unavailable: the source cannot be reached or read */
  find(name: string): Promise<CryptoKey | null>;
}

/** A credential that has leaked, known by its row. It is dead now, if it was not before. */
export interface EndedCredential {
  lookupKey: string;
  id: string;
  organizationId: string;
}

export interface SessionFilter {
  memberId?: string;
  customerId?: string;
  externalCustomerId?: string;
  externalMemberId?: string;
}

export interface Page {
  offset: number;
  limit: number;
}

/** One criterion of a list's order; of several, the first counts most. */
export interface Sort<Key extends string> {
  by: Key;
  descending: boolean;
}

/** One page of rows, and the number of all rows. */
export interface Listed<Item> {
  items: Item[];
  total: number;
}

/** Whose sessions to end. `exceptSessionId` spares one live session of the member. */
export type RevocationTarget =
  | { scope: "member"; memberId: string; exceptSessionId: string | null }
  | { scope: "customer"; customerId: string }
  | { scope: "organization" };

export interface PortalCodeState {
  session: LiveSession;
  door: CodeDoor;
  redeemed: boolean;
}

/**
 * Every method that asks for an organization id touches that organization's rows only.
 * Every method throws LatchkeyError "unavailable" when the truth cannot be reached in time, and never guesses.
 */
export interface SessionStore {
  /**
   * Ends the subject's oldest sessions beyond the organization's cap. Uses its proof up in the same step, with all that
   * this means: a sign-in code marks the customer's address verified, if it is the code's; an e-mail change gives the
   * customer its new one; what a foreign token says of the member is noted. A member who was only invited is active
   * from now on, unless it is an operator who comes in its place. null, and nothing happened: a parent is gone or not
   * this tenant's, or the proof is not good for this subject.
   * @throws {LatchkeyError} email_taken, foreign_token_spent, member_email_taken, member_external_id_taken: nor did it then
   */
  insert(draft: SessionDraft): Promise<LiveSession | null>;
  /** May be as stale as the lease allows. null: not live. */
  checkAtEdge(lookupKey: string): Promise<SessionFacts | null>;
  /** Sees every commit made before it began. null: not live, or not of the organization that asks: left as it is. */
  checkStrictly(lookupKey: string, organizationId?: string): Promise<LiveSession | null>;
  /** The same for a session that is named instead of shown; other organizations' are not known. */
  checkById(organizationId: string, sessionId: string): Promise<SealedSession | null>;
  find(organizationId: string, sessionId: string): Promise<LiveSession | null>;
  /** Live sessions, newest first. */
  list(organizationId: string, filter: SessionFilter, page: Page): Promise<Listed<LiveSession>>;
  /**
   * All of the change or nothing, whoever else changes the session at the same time. null: not live; the dead are never
   * revived.
   * @throws {LatchkeyError} custom_claims_too_large, foreign_token_spent, member_external_id_taken
   */
  change(organizationId: string, sessionId: string, change: SessionChange): Promise<LiveSession | null>;
  /**
   * By the organization, which may have its reasons: what the session has begun (a change of e-mail) ends with it.
   * Idempotent. false: no such session in this organization.
   */
  revoke(organizationId: string, sessionId: string): Promise<boolean>;
  /** By the holder, who may still confirm a new address afterwards. Idempotent. */
  signOut(organizationId: string, sessionId: string): Promise<void>;
  /** Idempotent, and whichever organizations they are of: to hold a token is to have the right to end it. */
  revokeLeaked(lookupKeys: string[]): Promise<EndedCredential[]>;
  /** One write whatever the number of sessions. false, and nothing ended: no such member, customer or spared session. */
  revokeAll(organizationId: string, target: RevocationTarget): Promise<boolean>;
  /** Consumes the code at most once over all requests, and only if everything about it fits. */
  redeemCode(lookupKey: string, door: CodeDoor, organization: OrganizationRef): Promise<SealedSession | null>;
  /** Consumes nothing. null: unknown, expired, of another organization, or its session is not live. */
  findCode(lookupKey: string, organization: OrganizationRef): Promise<PortalCodeState | null>;
}

/** A code on its way into storage. */
export interface SignInCodeDraft extends CodeScope {
  lookupKey: string;
  tokenKey: string;
  customerId: string | null;
  mac: string;
  createdAt: number;
  expiresAt: number;
}

/** A code that is neither used nor expired, of an organization that lives. */
export interface SignInCode {
  lookupKey: string;
  organization: Organization;
  emailKey: string;
  customerId: string | null;
}

/** A typed code that may be looked at once. */
export interface TypedAttempt extends CodeScope {
  lookupKey: string;
  tokenKey: string;
  mac: string;
}

/** Sign-in codes, one of which is alive per address and organization. */
export interface SignInStore {
  /** Live members with this address, or live customers where there is no member model; a hundred of them at most. */
  findPeople(organization: Organization, emailKey: string, customerId: string | null): Promise<SignInPerson[]>;
  /**
   * Keeps the code and ends the address's older ones; or, for an address that cannot sign in, does as much work and
   * changes nothing.
   */
  addCode(code: SignInCodeDraft, isKnown: boolean): Promise<void>;
  findCode(lookupKey: string): Promise<SignInCode | null>;
  /** Counted before the code is seen: however many try at once. null: there is none, or its attempts are used up. */
  countAttempt(organization: OrganizationRef, emailKey: string): Promise<TypedAttempt | null>;
  /** Takes back the count of an attempt that was right. */
  forgiveAttempt(lookupKey: string): Promise<SignInCode | null>;
  wasUsedBy(lookupKey: string, sessionId: string): Promise<boolean>;
}

/** An organization as its API key names it (id) or as a portal URL does (slug). */
export type OrganizationRef = { id: string } | { slug: string };

/** An e-mail address that waits for its owner's word. */
export interface EmailChange {
  email: string;
  customerId: string;
  organization: Organization;
}

export interface NewEmailChange {
  lookupKey: string;
  tokenKey: string;
  email: string;
  createdAt: number;
  expiresAt: number;
}

/** Throws LatchkeyError "unavailable" like the store of sessions. */
export interface EmailChangeStore {
  /** In the place of whatever the session's customer asked for before. false: the session is not live. */
  ask(session: SessionFacts, change: NewEmailChange): Promise<boolean>;
  /** Consumes nothing. null: unknown, used, expired, replaced, or no longer allowed to this customer. */
  find(lookupKey: string): Promise<EmailChange | null>;
}
