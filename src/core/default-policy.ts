/**
 * The policy of an organization that has set none, and what every policy has in common with it: the resources of which
 * members' own requests are checked, and the roles that member roles imply.
 */

import type { RbacPolicy, RbacResource } from "./rbac.ts";

/** Whatever begins with it is not for organizations and customers to name. */
export const RESERVED_PREFIX = "stytch";

/** Everybody has it. No policy is without it. */
export const EVERYBODYS_ROLE = "stytch_member";
/** What an owner has. */
export const ADMIN_ROLE = "stytch_admin";
/** What a billing manager has. Not reserved: a policy may leave it out, and then it permits nothing. */
export const BILLING_ROLE = "billing_manager";

const CONNECTION_ACTIONS = ["create", "get", "update", "delete"];

const OWN_INFO_ACTIONS = [
  "update.info.name",
  "update.info.untrusted-metadata",
  "update.info.mfa-phone",
  "update.info.delete.mfa-phone",
  "update.info.delete.mfa-totp",
  "update.info.delete.password",
  "update.settings.mfa-enrolled",
  "update.settings.default-mfa-method",
  "delete",
  "revoke-sessions",
];

/** Their actions are always there; a policy may list more of them. */
export const RESERVED_RESOURCES: readonly RbacResource[] = [
  {
    id: "stytch.organization",
    description: "The member's organization",
    actions: [
      "update.info.name",
      "update.info.slug",
      "update.info.logo-url",
      "update.settings.allowed-auth-methods",
      "update.settings.allowed-mfa-methods",
      "update.settings.email-jit-provisioning",
      "update.settings.email-invites",
      "update.settings.allowed-domains",
      "update.settings.default-sso-connection",
      "update.settings.sso-jit-provisioning",
      "update.settings.mfa-policy",
      "update.settings.implicit-roles",
      "update.settings.oauth-tenant-jit-provisioning",
      "update.settings.allowed-oauth-tenants",
      "delete",
    ],
  },
  {
    id: "stytch.member",
    description: "All members of the organization",
    actions: [
      "create",
      "search",
      ...OWN_INFO_ACTIONS,
      "update.info.email",
      "update.settings.is-breakglass",
      "update.settings.roles",
    ],
  },
  { id: "stytch.sso", description: "SSO connections of the organization", actions: CONNECTION_ACTIONS },
  { id: "stytch.self", description: "The member itself", actions: OWN_INFO_ACTIONS },
  { id: "stytch.scim", description: "SCIM connections of the organization", actions: CONNECTION_ACTIONS },
];

export const DEFAULT_POLICY: RbacPolicy = {
  roles: [
    {
      id: EVERYBODYS_ROLE,
      description: "Every member has it, always",
      permissions: [{ resource: "stytch.self", actions: ["*"] }],
    },
    {
      id: ADMIN_ROLE,
      description: "The owner has it; others may be given it",
      permissions: ["stytch.organization", "stytch.member", "stytch.sso", "stytch.scim"].map((resource) => ({
        resource,
        actions: ["*"],
      })),
    },
    {
      // What a billing manager may do in the portal, and not what would make it more than that: no e-mail of others,
      // no roles.
      id: BILLING_ROLE,
      description: "Billing managers have it; others may be given it",
      permissions: [{ resource: "stytch.member", actions: ["create", "search", "update.info.name", "delete"] }],
    },
  ],
  resources: [...RESERVED_RESOURCES],
  scopes: [],
};
