/**
 * Role-based access: what a policy is made of, which roles a member has, and what they permit. An organization has one
 * policy for all its customers; a customer may have roles of its own beside it. Pure rules; who asks is somebody
 * else's matter.
 */

import { ADMIN_ROLE, BILLING_ROLE, EVERYBODYS_ROLE } from "./default-policy.ts";
import { emailKey, type MemberRole } from "./directory.ts";

/** What a role, or a scope, allows on one resource. The action "*" stands for all of the resource's. */
export interface RbacPermission {
  resource: string;
  actions: string[];
}

export interface RbacRole {
  id: string;
  description: string;
  permissions: RbacPermission[];
}

export interface RbacResource {
  id: string;
  description: string;
  actions: string[];
}

/** What an access token may be allowed; the same shape as a role, but nobody has it. */
export interface RbacScope {
  id: string;
  description: string;
  permissions: RbacPermission[];
}

export interface RbacPolicy {
  roles: RbacRole[];
  resources: RbacResource[];
  scopes: RbacScope[];
}

/** Why a member has a role: it was given to it, or to everybody of its customer with an address of this domain. */
export type RoleSource = { kind: "direct" } | { kind: "domain"; domain: string };

export interface HeldRole {
  id: string;
  sources: RoleSource[];
}

interface RoleHolder {
  role: MemberRole;
  email: string;
  assignedRoles: readonly string[];
}

interface DomainRules {
  domainRoles: readonly { domain: string; role: string }[];
}

const IMPLIED: Record<MemberRole, readonly string[]> = {
  owner: [EVERYBODYS_ROLE, ADMIN_ROLE],
  billing_manager: [EVERYBODYS_ROLE, BILLING_ROLE],
  member: [EVERYBODYS_ROLE],
};

/** What cannot be taken away from a member of this role, and follows it when it changes. */
export function impliedRoles(role: MemberRole): readonly string[] {
  return IMPLIED[role];
}

/** Every role of a member, once: implied ones first, then assigned ones, then those that only its domain gives. */
export function memberRoles(member: RoleHolder, { domainRoles }: DomainRules): HeldRole[] {
  const key = emailKey(member.email);
  const domain = key.slice(key.lastIndexOf("@") + 1);
  const direct = new Set([...impliedRoles(member.role), ...member.assignedRoles]);
  const byDomain = new Set(domainRoles.filter((rule) => emailKey(rule.domain) === domain).map(({ role }) => role));
  return [...new Set([...direct, ...byDomain])].map((id) => ({
    id,
    sources: [
      ...(direct.has(id) ? [{ kind: "direct" as const }] : []),
      ...(byDomain.has(id) ? [{ kind: "domain" as const, domain }] : []),
    ],
  }));
}

/** What a session of this member acts with: all its roles, however it was made. */
export function sessionRoles(member: RoleHolder, customer: DomainRules): string[] {
  return memberRoles(member, customer).map(({ id }) => id);
}

/** Those of the ids that are neither a role of the policy nor one of the customer's own. */
export function undefinedRoles(
  { roles }: Pick<RbacPolicy, "roles">,
  ownRoles: readonly RbacRole[],
  ids: readonly string[],
): string[] {
  return ids.filter((id) => ![...roles, ...ownRoles].some((role) => role.id === id));
}

/**
 * Whether `held` roles permit an action on a resource. A held role that nobody defines permits nothing, and an action
 * need not be one that its resource has.
 * @returns the ids of all roles that permit it, the policy's in its order and then the customer's own; empty: it is
 * not permitted.
 */
export function decide(
  { roles }: Pick<RbacPolicy, "roles">,
  ownRoles: readonly RbacRole[],
  held: readonly string[],
  { resource, action }: { resource: string; action: string },
): string[] {
  const permits = (permission: RbacPermission) =>
    permission.resource === resource && (permission.actions.includes(action) || permission.actions.includes("*"));
  const granting = [...roles, ...ownRoles].filter(
    ({ id, permissions }) => held.includes(id) && permissions.some(permits),
  );
  return [...new Set(granting.map(({ id }) => id))];
}
