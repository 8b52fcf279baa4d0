/**
 * The people model: organizations (tenants), their customers (who pay) and the customers' members (who sign in).
 * Types, and the rules that need no storage.
 */

import { toHex, utf8Bytes } from "../crypto/bytes.ts";
import type { ExactNumber } from "./exact-json.ts";
import type { RbacRole } from "./rbac.ts";

export type MemberRole = "owner" | "billing_manager" | "member";
export type CustomerType = "individual" | "team";
/** Who is pending or invited becomes active with the first session. */
export type MemberStatus = "active" | "pending" | "invited";

export interface Organization {
  id: string;
  slug: string;
  name: string;
  createdAt: number;
  modifiedAt: number | null;
  portalLink: "code" | "token";
  /** The organization's own application, or null for the portal that this Worker serves. */
  portalUrl: string | null;
  portalCodeTtlSeconds: number;
  /** Origins a return_url may have; empty means any. */
  allowedReturnOrigins: string[];
  sessionTtlSeconds: number;
  sessionMaxTtlSeconds: number;
  maxSessionsPerMember: number;
  memberModelEnabled: boolean;
  seatBasedPricingEnabled: boolean;
  /** When whoever asks for a sign-in code is told that the address belongs to several customers. */
  loginPicker: "after_proof" | "polar";
  /** Whether individual customers may change their own e-mail address in the portal. */
  allowEmailChange: boolean;
  /** Where an earlier identity provider says whose its sessions are, or null. */
  userinfoUrl: string | null;
}

export interface Address {
  line1: string | null;
  line2: string | null;
  postal_code: string | null;
  city: string | null;
  state: string | null;
  country: string;
}

/** As validated: the number, and the name of its format (`eu_vat`, `us_ein`, …). */
export type TaxId = [number: string, format: string];

export type Metadata = Record<string, string | number | boolean | ExactNumber>;

/** Whatever a backend or a dialect keeps with a row; the core passes it on unread. */
export type Kept = Record<string, unknown>;

/** Members whose address is of this domain have this role. */
export interface DomainRole {
  domain: string;
  role: string;
}

export interface Customer {
  id: string;
  organizationId: string;
  type: CustomerType;
  externalId: string | null;
  email: string | null;
  emailVerified: boolean;
  name: string | null;
  billingName: string | null;
  billingAddress: Address | null;
  taxId: TaxId | null;
  locale: string | null;
  metadata: Metadata;
  /** Unique within the organization, where there is one. */
  slug: string | null;
  logoUrl: string | null;
  trustedMetadata: Kept;
  /** Beside those of the organization's policy. */
  ownRoles: RbacRole[];
  domainRoles: DomainRole[];
  /** How its members may sign in, in the words of the dialect that keeps it. */
  signInSettings: Kept;
  createdAt: number;
  modifiedAt: number | null;
  deletedAt: number | null;
  /** E-mail of the live owner member: what a customer without an address of its own is reached at. */
  ownerEmail: string | null;
}

export interface Member {
  id: string;
  customerId: string;
  email: string;
  name: string | null;
  externalId: string | null;
  role: MemberRole;
  status: MemberStatus;
  /** Whether the member has proved to read this address. */
  emailVerified: boolean;
  /** RBAC roles, beside those that `role` implies. */
  assignedRoles: string[];
  trustedMetadata: Kept;
  untrustedMetadata: Kept;
  /** As of the customer. */
  signInSettings: Kept;
  /** Which it had, and no other member of the customer may have. */
  retiredEmails: RetiredEmail[];
  createdAt: number;
  modifiedAt: number | null;
  deletedAt: number | null;
}

export interface RetiredEmail {
  id: string;
  email: string;
}

/** How a path or a body names a customer: by our id, or by the organization's own. */
export type CustomerRef = { id: string } | { externalId: string };
/** The same for a member, whose external id is unique within its customer only. */
export type MemberRef = { id: string; of?: CustomerRef } | { externalId: string; of: CustomerRef };

/** By whatever a caller calls it: our id, else an id of its own, else a slug. `id`: null where the name is none of ours. */
export interface Named {
  id: string | null;
  name: string;
}

/** A row on its way in: what the caller chose, completed by the Worker. */
export type NewCustomer = Pick<
  Customer,
  | "id"
  | "organizationId"
  | "type"
  | "externalId"
  | "email"
  | "name"
  | "billingAddress"
  | "taxId"
  | "locale"
  | "metadata"
  | "createdAt"
> &
  Partial<Pick<Customer, "slug" | "logoUrl" | "trustedMetadata" | "domainRoles" | "signInSettings">>;
export type NewMember = Pick<Member, "id" | "customerId" | "email" | "name" | "externalId" | "role" | "createdAt"> &
  Partial<Pick<Member, "status" | "assignedRoles" | "trustedMetadata" | "untrustedMetadata" | "signInSettings">>;

/** Either flag means that the organization's customers have members. */
export function hasMembers(organization: Organization): boolean {
  return organization.memberModelEnabled || organization.seatBasedPricingEnabled;
}

type OwnerOrigin = Pick<Customer, "id" | "email" | "name" | "externalId" | "createdAt">;

/**
 * The owner that a customer gets: what the caller says of it, and the customer's own details for the rest. null without
 * an e-mail from either.
 */
export function ownerFor(customer: OwnerOrigin, said: Partial<Pick<NewMember, "email" | "name" | "externalId">> = {}) {
  const email = said.email ?? customer.email;
  if (email === null) return null;
  const owner: NewMember = {
    id: crypto.randomUUID(),
    customerId: customer.id,
    email,
    name: said.name ?? customer.name,
    externalId: said.externalId ?? customer.externalId,
    role: "owner",
    createdAt: customer.createdAt,
  };
  return owner;
}

/**
 * How an address is compared: without regard to case, in every script. SQLite's lower() folds ASCII only, so the
 * folded form is made here and stored beside the address as typed.
 */
export function emailKey(email: string): string {
  return email.normalize("NFC").toLowerCase();
}

/** Gravatar's picture for an address; `d=404` makes it answer "none" instead of a placeholder. */
export async function avatarUrl(email: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", utf8Bytes(email.toLowerCase()));
  return `https://www.gravatar.com/avatar/${toHex(new Uint8Array(digest))}?d=404`;
}
