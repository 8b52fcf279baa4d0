/**
 * Sessions, members and organizations in Stytch's JSON: every required field is there, whether or not this service
 * has anything to say in it, since one of the SDKs refuses a body that lacks one.
 */

import { ADMIN_ROLE } from "../core/default-policy.ts";
import type { Customer, Member } from "../core/directory.ts";
import { type HeldRole, memberRoles, sessionRoles } from "../core/rbac.ts";
import type { LiveSession } from "../core/session.ts";
import { wireId } from "./ids.ts";
import { presentRoles } from "./policy-fields.ts";
import { presentFactor } from "./present-factor.ts";
import { MEMBER_DEFAULTS, ORGANIZATION_DEFAULTS } from "./sign-in-settings.ts";
import { rfc3339 } from "./timestamps.ts";

/** A session of a member; a customer session does not exist in this dialect. */
export interface MemberSession extends LiveSession {
  memberId: string;
  member: Member;
}

export function isMemberSession(session: LiveSession | null): session is MemberSession {
  return session?.member != null;
}

export function presentMemberSession(session: MemberSession) {
  const { member, customer, createdAt } = session;
  return {
    member_session_id: wireId("session", session.id),
    member_id: wireId("member", member.id),
    started_at: rfc3339(createdAt),
    last_accessed_at: rfc3339(session.lastAccessedAt ?? createdAt),
    expires_at: rfc3339(session.expiresAt),
    authentication_factors: session.factors.map((factor) => presentFactor(factor, member.id)),
    organization_id: wireId("organization", customer.id),
    roles: sessionRoles(member, customer),
    organization_slug: organizationSlug(customer),
    custom_claims: session.claims,
  };
}

const organizationSlug = ({ slug, id }: Customer) => slug ?? id;

const MAX_NAME_LENGTH = 128;

export function presentOrganization(customer: Customer) {
  const { id, name, billingName, email } = customer;
  return {
    ...ORGANIZATION_DEFAULTS,
    ...customer.signInSettings,
    organization_id: wireId("organization", id),
    organization_name: (name ?? billingName ?? email ?? id).slice(0, MAX_NAME_LENGTH),
    organization_slug: organizationSlug(customer),
    organization_external_id: customer.externalId,
    organization_logo_url: customer.logoUrl ?? "",
    trusted_metadata: customer.trustedMetadata,
    rbac_email_implicit_role_assignments: customer.domainRoles.map(({ domain, role }) => ({ domain, role_id: role })),
    custom_roles: presentRoles(customer.ownRoles),
    created_at: rfc3339(customer.createdAt),
    updated_at: rfc3339(customer.modifiedAt ?? customer.createdAt),
  };
}

const presentMemberRole = ({ id, sources }: HeldRole) => ({
  role_id: id,
  sources: sources.map((source) =>
    source.kind === "direct"
      ? { type: "direct_assignment" }
      : { type: "email_assignment", details: { email_domain: source.domain } },
  ),
});

export function presentMember(member: Member, customer: Customer) {
  const roles = memberRoles(member, customer);
  return {
    ...MEMBER_DEFAULTS,
    ...member.signInSettings,
    organization_id: wireId("organization", customer.id),
    member_id: wireId("member", member.id),
    external_id: member.externalId,
    email_address: member.email,
    email_address_verified: member.emailVerified,
    status: member.deletedAt === null ? member.status : "deleted",
    retired_email_addresses: member.retiredEmails.map(({ id, email }) => ({
      email_id: wireId("email", id),
      email_address: email,
    })),
    name: member.name ?? "",
    is_admin: roles.some(({ id }) => id === ADMIN_ROLE),
    roles: roles.map(presentMemberRole),
    trusted_metadata: member.trustedMetadata,
    untrusted_metadata: member.untrustedMetadata,
    created_at: rfc3339(member.createdAt),
    updated_at: rfc3339(member.modifiedAt ?? member.createdAt),
  };
}
