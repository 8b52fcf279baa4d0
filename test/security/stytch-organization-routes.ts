/** The rows of organizations in the Stytch dialect. */

import { cursorOf } from "../../src/core/search.ts";
import { type Json, organizationId } from "../stytch/support.ts";
import { update } from "../support/portal.ts";
import type { Route } from "./routes.ts";

const ORGANIZATIONS = "/v1/b2b/organizations";
const ORGANIZATION = `${ORGANIZATIONS}/:organization_id`;
const team: Route["path"] = ({ tenant }) => `${ORGANIZATIONS}/${organizationId(tenant.team.id)}`;
const showsOrganization: Route["shows"] = ({ organization }: Json) => organization;

/** How its members may sign in, as far as there are words for it. */
const WORDS = {
  sso_jit_provisioning: "RESTRICTED",
  email_jit_provisioning: "RESTRICTED",
  email_invites: "RESTRICTED",
  auth_methods: "RESTRICTED",
  allowed_auth_methods: ["sso"],
  mfa_policy: "OPTIONAL",
  mfa_methods: "RESTRICTED",
  allowed_mfa_methods: ["totp"],
  oauth_tenant_jit_provisioning: "RESTRICTED",
  first_party_connected_apps_allowed_type: "RESTRICTED",
  third_party_connected_apps_allowed_type: "RESTRICTED",
};

const organization = () => ({
  organization_name: "New",
  organization_slug: `new-${crypto.randomUUID().slice(0, 8)}`,
  organization_logo_url: "https://example.com/logo.png",
  organization_external_id: crypto.randomUUID(),
  trusted_metadata: { key: "value" },
  rbac_email_implicit_role_assignments: [{ domain: "acme.example", role_id: "stytch_admin" }],
  sso_default_connection_id: "saml-connection-live-1",
  sso_jit_provisioning_allowed_connections: ["saml-connection-live-1"],
  email_allowed_domains: ["acme.example"],
  claimed_email_domains: ["acme.example"],
  allowed_oauth_tenants: { slack: ["T1"] },
  allowed_first_party_connected_apps: ["connected-app-live-1"],
  allowed_third_party_connected_apps: ["connected-app-live-1"],
  ...WORDS,
});

const keepsOrganizations = { guard: "api key", scopes: ["customers:write"], ok: 200 } satisfies Partial<Route>;
const readsOrganizations = {
  guard: "api key",
  scopes: ["customers:read", "customers:write"],
  ok: 200,
} satisfies Partial<Route>;

export const ORGANIZATION_ROUTES: Route[] = [
  {
    route: `POST ${ORGANIZATIONS}`,
    ...keepsOrganizations,
    path: () => ORGANIZATIONS,
    body: organization,
    wordFields: Object.keys(WORDS),
    shows: showsOrganization,
  },
  {
    route: `POST ${ORGANIZATIONS}/search`,
    ...readsOrganizations,
    path: () => `${ORGANIZATIONS}/search`,
    // Made in the same millisecond, they would come in any order.
    prepare: ({ individual }) => update("customers", individual.id, { created_at: 1 }),
    body: ({ tenant }) => ({
      limit: 10,
      cursor: cursorOf({ createdAt: 0, id: tenant.team.id }),
      query: {
        operator: "AND",
        operands: [
          { filter_name: "organization_name_fuzzy", filter_value: "Team" },
          { filter_name: "organization_ids", filter_value: [organizationId(tenant.team.id)] },
          { filter_name: "allowed_domains", filter_value: ["acme.example"] },
        ],
      },
    }),
    mayBeEmpty: true,
  },
  { route: `GET ${ORGANIZATION}`, ...readsOrganizations, path: team, foreign: 404 },
  {
    route: `PUT ${ORGANIZATION}`,
    inMembersName: true,
    ...keepsOrganizations,
    path: team,
    body: organization,
    wordFields: Object.keys(WORDS),
    mayBeEmpty: true,
    shows: showsOrganization,
    foreign: 404,
  },
  { route: `DELETE ${ORGANIZATION}`, inMembersName: true, ...keepsOrganizations, path: team, foreign: 404 },
  {
    route: `GET ${ORGANIZATION}/metrics`,
    ...readsOrganizations,
    path: (world) => `${team(world)}/metrics`,
    foreign: 404,
  },
  {
    route: `DELETE ${ORGANIZATION}/external_id`,
    inMembersName: true,
    ...keepsOrganizations,
    path: (world) => `${team(world)}/external_id`,
    foreign: 404,
  },
];
