/**
 * What a session is, seen from an edge check (facts only) and from D1 (facts and people).
 */

import type { CustomClaims } from "./custom-claims.ts";
import type { Customer, Member, MemberRole, NewMember, Organization } from "./directory.ts";
import type { Factor } from "./factors.ts";

/** A member session signs in a person; a customer session signs in the customer as such. */
export type SessionKind = "member" | "customer";

/** Everything that an edge check answers; this, and no name or address, is what KV holds. */
export interface SessionFacts {
  id: string;
  kind: SessionKind;
  organizationId: string;
  organizationSlug: string;
  customerId: string;
  /** null for a customer session. */
  memberId: string | null;
  /** null for a customer session. */
  role: MemberRole | null;
  returnUrl: string | null;
  expiresAt: number;
}

/** A session proved by D1 in the very statement that read it. */
export interface LiveSession extends SessionFacts {
  createdAt: number;
  modifiedAt: number | null;
  absoluteExpiresAt: number;
  lastAccessedAt: number | null;
  factors: Factor[];
  claims: CustomClaims;
  organization: Organization;
  customer: Customer;
  member: Member | null;
}

/** Which party may redeem a portal code: the browser that lands here, or the organization's own backend. */
export type CodeDoor = "browser" | "backend";

/** What works once: whoever has it gets a session, which uses it up. */
export interface SessionProof {
  kind: "sign_in_code" | "email_change" | "foreign_token" | "impersonation";
  lookupKey: string;
  /** Of a foreign token: what its issuer says of the member. It is noted when the token is used, and only then. */
  testimony?: Testimony;
}

export interface Testimony {
  /** The member's, if it is this one, is verified from now on. */
  emailKey: string;
  /** The member's from now on, if it has none; null: nothing was said. */
  externalId: string | null;
  /** RBAC roles that the member is to have beside its others. */
  roles: string[];
  /** Who becomes a member by this token, and only if it is good. */
  newMember?: NewMember;
}

/** A session on its way into storage. */
export interface SessionDraft {
  id: string;
  lookupKey: string;
  tokenKey: string;
  tokenSealed: string;
  kind: SessionKind;
  organizationId: string;
  /** null: the member's own. */
  customerId: string | null;
  memberId: string | null;
  returnUrl: string | null;
  createdAt: number;
  expiresAt: number;
  absoluteExpiresAt: number;
  code: { lookupKey: string; tokenKey: string; door: CodeDoor; expiresAt: number } | null;
  /** null for a session that a backend asks for. */
  proof: SessionProof | null;
  factors: Factor[];
  /** The address that whoever gets it has proved to read, or null. */
  provedEmail: string | null;
  claims: CustomClaims;
}

/** What is to change of a session; what is absent stays. */
export interface SessionChange {
  /** Clamped to the absolute expiry. */
  expiresAt?: number;
  /** Merged into those that it has: a null deletes, an object is merged, all else is replaced (RFC 7396). */
  claims?: CustomClaims;
  /** Takes the place of an earlier factor of its kind, and uses the token up. */
  proved?: { factor: Factor; proof: SessionProof };
}

/** A session with its token, which only the token's key opens. */
export interface SealedSession {
  session: LiveSession;
  tokenSealed: string;
  tokenKey: string;
}
