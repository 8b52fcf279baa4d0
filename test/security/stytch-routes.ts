/** The rows of the Stytch dialect: what it takes to be served by each of its routes. */

import { emailKey } from "../../src/core/directory.ts";
import type { IssuerPurpose } from "../../src/core/trusted-issuers.ts";
import { type Json, memberId, organizationId, projectId } from "../stytch/support.ts";
import { fakeClock } from "../support/clock.ts";
import type { Tenant } from "../support/fixtures.ts";
import { letImpersonate } from "../support/impersonation.ts";
import { AUDIENCE, makeIssuerKey, signToken, trustIssuer } from "../support/issuer.ts";
import { USERINFO } from "../support/outside.ts";
import { update } from "../support/portal.ts";
import type { Route } from "./routes.ts";
import { MEMBER_ROUTES } from "./stytch-member-routes.ts";
import { ORGANIZATION_ROUTES } from "./stytch-organization-routes.ts";
import { RBAC_ROUTES } from "./stytch-rbac-routes.ts";

const ISSUER_KEY = await makeIssuerKey();
const TOKEN_OF_NOBODY = await signToken(ISSUER_KEY, { iss: "https://nobody.example.com/" });
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
    inMembersName: true,
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
    proves: true,
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
    route: "POST /v1/b2b/sessions/exchange_access_token",
    guard: "api key",
    scopes: ["member_sessions:write"],
    path: () => "/v1/b2b/sessions/exchange_access_token",
    prepare: (tenant) => makeToken(tenant, "access_token"),
    body: ({ tenant }) => ({ access_token: broughtBy(tenant).token, ...IN_AN_HOUR }),
    shows: showsClaims,
    ok: 200,
    foreign: 404,
  },
  {
    route: "POST /v1/b2b/sessions/attest",
    guard: "api key",
    scopes: ["member_sessions:write"],
    path: () => "/v1/b2b/sessions/attest",
    prepare: (tenant) => makeToken(tenant, "attest"),
    body: ({ tenant, session }) => ({
      ...broughtBy(tenant),
      organization_id: organizationId(tenant.team.id),
      session_token: session.token,
      ...IN_AN_HOUR,
    }),
    shows: showsClaims,
    ok: 200,
    foreign: 404,
  },
  {
    route: "POST /v1/b2b/sessions/migrate",
    guard: "api key",
    scopes: ["member_sessions:write"],
    path: () => "/v1/b2b/sessions/migrate",
    settings: { userinfo_url: USERINFO },
    body: ({ tenant }) => ({
      session_token: tenant.team.member.email,
      organization_id: organizationId(tenant.team.id),
      ...IN_AN_HOUR,
    }),
    shows: showsClaims,
    ok: 200,
    foreign: 404,
  },
  {
    route: "POST /v1/b2b/impersonation/authenticate",
    guard: "api key",
    scopes: ["member_sessions:write"],
    path: () => "/v1/b2b/impersonation/authenticate",
    prepare: makeImpersonation,
    body: ({ tenant }) => ({ impersonation_token: broughtBy(tenant).token }),
    ok: 200,
    foreign: 404,
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
  ...MEMBER_ROUTES,
  ...RBAC_ROUTES,
];

/** What a tenant's backend brings besides its own credential, by tenant. */
const brought = new Map<string, { profile_id?: string; token: string }>();

/** A tenant for which nothing was prepared, since it does not exist, has something of the same form. */
const broughtBy = ({ id }: Tenant) => brought.get(id) ?? { profile_id: id, token: TOKEN_OF_NOBODY };

async function makeToken({ id, team }: Tenant, purpose: IssuerPurpose): Promise<void> {
  const issuer = "https://id.example.com/";
  const profile_id = await trustIssuer(id, { purpose, issuer, keys: { pems: [ISSUER_KEY.pem] } });
  const iat = fakeClock().now() / 1000;
  const of = {
    iss: issuer,
    aud: AUDIENCE,
    email: team.member.email,
    org: team.id,
    client_id: "app",
    scope: "full_access",
  };
  const token = await signToken(ISSUER_KEY, { ...of, jti: crypto.randomUUID(), iat, exp: iat + 300 });
  brought.set(id, { profile_id, token });
}

async function makeImpersonation({ id, team }: Tenant): Promise<void> {
  brought.set(id, { token: await letImpersonate(id, team.member.id) });
}

/** The team's member has the address of whom the individual customer belongs to. */
async function makeOneOfTwo({ team: { member }, individual }: Tenant): Promise<void> {
  await update("members", individual.owner.id, { email: member.email, email_key: emailKey(member.email) });
}
