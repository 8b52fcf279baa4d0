/** The rows of the Stytch dialect: what it takes to be served by each of its routes. */

import { emailKey } from "../../src/core/directory.ts";
import { type Json, memberId, organizationId, projectId } from "../stytch/support.ts";
import type { Tenant } from "../support/fixtures.ts";
import { update } from "../support/portal.ts";
import type { Route } from "./routes.ts";
import { ORGANIZATION_ROUTES } from "./stytch-organization-routes.ts";

const IN_AN_HOUR = { session_duration_minutes: 60, session_custom_claims: { key: "value" } };
const showsClaims: Route["shows"] = ({ member_session }: Json) => ({
  session_custom_claims: member_session.custom_claims,
});

export const STYTCH_ROUTES: Route[] = [
  {
    route: "GET /v1/b2b/sessions",
    guard: "api key",
    scopes: ["member_sessions:read", "member_sessions:write"],
    path: ({ tenant: { team } }) =>
      `/v1/b2b/sessions?organization_id=${organizationId(team.id)}&member_id=${memberId(team.member.id)}`,
    ok: 200,
    foreign: 404,
  },
  {
    route: "POST /v1/b2b/sessions/authenticate",
    guard: "api key",
    scopes: ["member_sessions:write"],
    path: () => "/v1/b2b/sessions/authenticate",
    body: ({ tenant, session }) => ({
      session_token: session.token,
      ...IN_AN_HOUR,
      authorization_check: {
        organization_id: organizationId(tenant.team.id),
        resource_id: "stytch.self",
        action: "revoke-sessions",
      },
    }),
    shows: showsClaims,
    ok: 200,
    foreign: 404,
  },
  {
    route: "POST /v1/b2b/sessions/revoke",
    guard: "api key",
    scopes: ["member_sessions:write"],
    path: () => "/v1/b2b/sessions/revoke",
    body: ({ session }) => ({ member_session_id: `session-live-${session.sessionId}` }),
    ok: 200,
    foreign: 404,
  },
  {
    route: "POST /v1/b2b/sessions/exchange",
    guard: "api key",
    scopes: ["member_sessions:write"],
    path: () => "/v1/b2b/sessions/exchange",
    prepare: makeOneOfTwo,
    jwt: true,
    body: ({ tenant, jwt }) => ({
      session_jwt: jwt,
      organization_id: organizationId(tenant.individual.id),
      ...IN_AN_HOUR,
    }),
    shows: showsClaims,
    ok: 200,
    foreign: 401,
  },
  {
    route: "GET /v1/b2b/sessions/jwks/:project_id",
    guard: "public",
    path: ({ tenant }) => `/v1/b2b/sessions/jwks/${projectId(tenant)}`,
    ok: 200,
    cacheControl: "public, max-age=300",
    survives: "D1 and KV",
    unlimited: true,
  },
  ...ORGANIZATION_ROUTES,
];

/** The team's member is, by a proven address, whom the individual customer belongs to. */
async function makeOneOfTwo({ team: { member }, individual }: Tenant): Promise<void> {
  await update("members", member.id, { email_verified: 1 });
  await update("members", individual.owner.id, { email: member.email, email_key: emailKey(member.email) });
}
