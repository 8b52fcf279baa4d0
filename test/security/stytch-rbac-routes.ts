/** Rows for the routes of RBAC policies: the project's, and an organization's own. */

import type { Scope } from "../../src/core/api-keys.ts";
import { type Json, organizationId } from "../stytch/support.ts";
import type { Route, World } from "./routes.ts";

const READS_POLICIES: Scope[] = ["member_sessions:read", "member_sessions:write", "customers:read", "customers:write"];
const path = ({ tenant }: World) => `/v1/b2b/rbac/organizations/${organizationId(tenant.team.id)}`;

export const RBAC_ROUTES: Route[] = [
  {
    route: "GET /v1/b2b/rbac/policy",
    guard: "api key",
    scopes: READS_POLICIES,
    path: () => "/v1/b2b/rbac/policy",
    ok: 200,
  },
  {
    route: "GET /v1/b2b/rbac/organizations/:organization_id",
    guard: "api key",
    scopes: READS_POLICIES,
    path,
    ok: 200,
    foreign: 404,
  },
  {
    route: "PUT /v1/b2b/rbac/organizations/:organization_id",
    guard: "api key",
    scopes: ["customers:write"],
    path,
    body: () => ({
      org_policy: {
        roles: [
          {
            role_id: "editor",
            description: "Edits",
            permissions: [{ resource_id: "stytch.member", actions: ["search"] }],
          },
        ],
      },
    }),
    shows: ({ org_policy }: Json) => ({ org_policy }),
    ok: 200,
    foreign: 404,
  },
];
