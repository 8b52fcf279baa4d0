/**
 * Domain objects as Polar's JSON. Every key is always there: old clients refuse a body that lacks one.
 */

import { avatarUrl, type Customer, type Member } from "../core/directory.ts";
import type { LiveSession, SessionFacts } from "../core/session.ts";
import { timestamp, timestampOrNull } from "./timestamps.ts";

export function presentMember(member: Member) {
  return {
    id: member.id,
    created_at: timestamp(member.createdAt),
    modified_at: timestampOrNull(member.modifiedAt),
    customer_id: member.customerId,
    email: member.email,
    name: member.name,
    external_id: member.externalId,
    role: member.role,
  };
}

/** As the members of its team see it. */
export function presentPortalMember(member: Member) {
  const { created_at, modified_at, id, email, name, role } = presentMember(member);
  return { created_at, modified_at, id, email, name, role };
}

/** @param address whose picture to show. */
export async function presentCustomer(customer: Customer, address = customer.email ?? customer.ownerEmail) {
  return {
    id: customer.id,
    created_at: timestamp(customer.createdAt),
    modified_at: timestampOrNull(customer.modifiedAt),
    metadata: customer.metadata,
    external_id: customer.externalId,
    email: customer.email,
    email_verified: customer.emailVerified,
    type: customer.type,
    name: customer.name,
    billing_name: customer.billingName ?? customer.name,
    billing_address: customer.billingAddress,
    tax_id: customer.taxId,
    locale: customer.locale,
    organization_id: customer.organizationId,
    default_payment_method_id: null,
    deleted_at: timestampOrNull(customer.deletedAt),
    first_user_event_at: null,
    avatar_url: address === null ? null : await avatarUrl(address),
  };
}

/** CustomerPortalCustomer: the customer without what its organization keeps to itself. */
export function presentPortalCustomer(customer: Customer) {
  return {
    created_at: timestamp(customer.createdAt),
    modified_at: timestampOrNull(customer.modifiedAt),
    id: customer.id,
    email: customer.email,
    email_verified: customer.emailVerified,
    name: customer.name,
    billing_name: customer.billingName ?? customer.name,
    billing_address: customer.billingAddress,
    tax_id: customer.taxId,
    oauth_accounts: {},
    default_payment_method_id: null,
    type: customer.type,
    locale: customer.locale,
  };
}

function presentSessionRow(session: LiveSession) {
  return {
    created_at: timestamp(session.createdAt),
    modified_at: timestampOrNull(session.modifiedAt),
    id: session.id,
    expires_at: timestamp(session.expiresAt),
    return_url: session.returnUrl,
    customer_id: session.customerId,
  };
}

/**
 * Answer of `POST /v1/member-sessions/`. Its clients (SDKs up to 0.46) refuse a customer without e-mail or picture, so
 * here, and only here, the owner's address stands in, else the member's own.
 */
export async function presentMemberSession(session: LiveSession, token: string, portalUrl: string) {
  const { customer, member } = session;
  const email = customer.email ?? customer.ownerEmail ?? member?.email ?? null;
  return {
    ...presentSessionRow(session),
    token,
    member_portal_url: portalUrl,
    member_id: session.memberId,
    member: member && presentMember(member),
    customer: { ...(await presentCustomer(customer, email)), email },
  };
}

/** Answer of `POST /v1/customer-sessions/`, whichever kind of session it made. */
export async function presentCustomerSession(session: LiveSession, token: string, portalUrl: string) {
  return {
    ...presentSessionRow(session),
    token,
    customer_portal_url: portalUrl,
    customer: await presentCustomer(session.customer),
  };
}

/** A session as its organization or its holder may see it: everything but the token and the link. */
export async function presentSession(session: LiveSession) {
  return {
    ...presentSessionRow(session),
    type: session.kind,
    last_accessed_at: timestampOrNull(session.lastAccessedAt),
    member_id: session.memberId,
    member: session.member && presentMember(session.member),
    customer: await presentCustomer(session.customer),
  };
}

/** CustomerCustomerSession: what Polar's introspection tells, and no more. */
export function presentIntrospection(session: SessionFacts) {
  return { expires_at: timestamp(session.expiresAt), return_url: session.returnUrl };
}

/** PortalAuthenticatedUser. */
export function presentUser({ member, customer }: LiveSession) {
  return {
    type: member ? "member" : "customer",
    name: member ? member.name : customer.name,
    email: member ? member.email : customer.email,
    customer_id: customer.id,
    member_id: member?.id ?? null,
    role: member?.role ?? null,
  };
}
