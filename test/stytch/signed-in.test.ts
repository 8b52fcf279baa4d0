/**
 * What is the same however a member comes to a session (contract §1.3, §1.7, §2.2): the keys of the answer, the words for
 * how it came, and the token.
 */

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import type { Factor } from "../../src/core/factors.ts";
import { type Client, makeClient } from "../support/client.ts";
import { credentials, makeTenant, type Tenant } from "../support/fixtures.ts";
import { AUDIENCE, type IssuerKey, makeIssuerKey, signToken, trustIssuer } from "../support/issuer.ts";
import { makeLink, update } from "../support/portal.ts";
import { ask, authenticate as signIn, typedBody } from "../support/sign-in.ts";
import { call, type Json, memberId, organizationId, success } from "./support.ts";

const SESSIONS = "/v1/b2b/sessions";

let client: Client;
let tenant: Tenant;
let key: IssuerKey;

beforeEach(async () => {
  tenant = await makeTenant({ userinfo_url: "https://id.example.com/userinfo" });
  client = makeClient({}, undefined, async () => Response.json({ email: tenant.team.member.email }));
  key = await makeIssuerKey();
});

const post = (path: string, body: object) => success(call(client, tenant, "POST", path, body));

/** Claims of a token for the team's member. */
const claims = () => {
  const now = client.clock.now() / 1000;
  const { id: org, member } = tenant.team;
  const about = { iss: "https://id.example.com/", aud: AUDIENCE, email: member.email, org };
  return { ...about, jti: crypto.randomUUID(), iat: now, exp: now + 60, client_id: "app", scope: "full_access" };
};

const trust = (purpose: "attest" | "access_token") =>
  trustIssuer(tenant.id, { purpose, issuer: "https://id.example.com/", keys: { pems: [key.pem] } });

async function impersonationToken(): Promise<string> {
  const { token, lookupKey, tokenKey } = await credentials.mint("imp");
  await env.DB.prepare(
    `INSERT INTO impersonations (lookup_key, token_key, organization_id, member_id, impersonator_id, impersonator_email,
       created_at, expires_at)
     VALUES (?1, ?2, ?3, ?4, 'operator-1', 'operator@example.com', ?5, ?5 + 300000)`,
  )
    .bind(lookupKey, tokenKey, tenant.id, tenant.team.member.id, client.clock.now())
    .run();
  return token;
}

const WAYS: [call: string, sign: () => Promise<Json>][] = [
  [
    "authenticate",
    async () => post(`${SESSIONS}/authenticate`, { session_token: (await makeLink(client, tenant)).token }),
  ],
  [
    "exchange",
    async () => {
      const { token, sessionId } = await makeLink(client, tenant);
      const factors: Factor[] = [{ kind: "mailed_link", email: tenant.team.member.email, at: client.clock.now() }];
      await update("sessions", sessionId, { factors: JSON.stringify(factors) });
      return post(`${SESSIONS}/exchange`, { session_token: token, organization_id: tenant.team.id });
    },
  ],
  [
    "attest",
    async () => {
      const profile_id = await trust("attest");
      return post(`${SESSIONS}/attest`, { profile_id, token: await signToken(key, claims()) });
    },
  ],
  [
    "exchange_access_token",
    async () => {
      await trust("access_token");
      return post(`${SESSIONS}/exchange_access_token`, { access_token: await signToken(key, claims()) });
    },
  ],
  ["migrate", () => post(`${SESSIONS}/migrate`, { session_token: "theirs", organization_id: tenant.team.id })],
  [
    "impersonation",
    async () => post("/v1/b2b/impersonation/authenticate", { impersonation_token: await impersonationToken() }),
  ],
];

test.each(WAYS)("%s answers with all that the SDKs read of any of these calls", async (name, sign) => {
  const answer = await sign();
  const { member_session, session_token, session_jwt, member, organization, ...rest } = answer;
  expect(rest).toEqual({
    member_id: memberId(tenant.team.member.id),
    organization_id: organizationId(tenant.team.id),
    member_authenticated: true,
    intermediate_session_token: "",
    mfa_required: null,
    primary_required: null,
    member_device: null,
    ...(name === "authenticate" && { verdict: null }),
  });
  expect(session_token).toMatch(/^lk_mst_[\w-]{57}$/);
  expect(session_jwt).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  const again = await post(`${SESSIONS}/authenticate`, { session_token });
  expect(again).toMatchObject({ session_token, member_session, member, organization });
});

test("a session's token stays the same, whatever is done with the session", async () => {
  const { token } = await makeLink(client, tenant);
  const change = { session_duration_minutes: 30, session_custom_claims: { a: 1 } };
  for (const body of [{}, change, { session_duration_minutes: 5 }]) {
    expect((await post(`${SESSIONS}/authenticate`, { session_token: token, ...body })).session_token).toBe(token);
  }
});

test("last_accessed_at is the moment of the call, or one less than a minute before it; started_at stays", async () => {
  const { token } = await makeLink(client, tenant);
  const times = async () => {
    const { member_session } = await post(`${SESSIONS}/authenticate`, { session_token: token });
    await client.settle();
    return [Date.parse(member_session.started_at), Date.parse(member_session.last_accessed_at)];
  };
  const start = Math.floor(client.clock.now() / 1000) * 1000;
  const seen = [];
  for (const later of [0, 59_000, 1_000, 60_000]) {
    client.clock.advance(later);
    seen.push(await times());
  }
  expect(seen).toEqual([
    [start, start],
    [start, start],
    [start, start + 60_000],
    [start, start + 120_000],
  ]);
});

describe("whoever signs in to the portal has a factor", () => {
  const emailFactor = () => ({
    email_id: `email-live-${tenant.team.member.id}`,
    email_address: tenant.team.member.email,
  });

  test.each([
    ["a mailed link", "magic_link", ({ link }: { link: string }) => ({ code: link })],
    ["a typed code", "email_otp", ({ typed }: { typed: string }) => typedBody(tenant, typed)],
  ])("by %s: %s", async (_, type, bodyOf) => {
    const signedIn = await signIn(client, bodyOf(await ask(client, tenant)));
    const { token } = (await signedIn.json()) as { token: string };
    const at = `${new Date(client.clock.now()).toISOString().slice(0, 19)}Z`;
    const { member_session, session_jwt } = await post(`${SESSIONS}/authenticate`, { session_token: token });
    expect(member_session.authentication_factors).toEqual([
      {
        type,
        delivery_method: "email",
        email_factor: emailFactor(),
        last_authenticated_at: at,
        created_at: at,
        updated_at: at,
        sequence_order: "PRIMARY",
      },
    ]);
    const payload = (session_jwt.split(".")[1] as string).replaceAll("-", "+").replaceAll("_", "/");
    expect(JSON.parse(atob(payload))["https://stytch.com/session"].authentication_factors).toEqual(
      member_session.authentication_factors,
    );
  });

  test("and another organization may admit it by that", async () => {
    const settings = { auth_methods: "RESTRICTED", allowed_auth_methods: ["email_otp"] };
    await update("customers", tenant.team.id, { sign_in_settings: JSON.stringify(settings) });
    const { typed } = await ask(client, tenant);
    const { token } = (await (await signIn(client, typedBody(tenant, typed))).json()) as { token: string };
    const body = { session_token: token, organization_id: tenant.team.id };
    expect((await post(`${SESSIONS}/exchange`, body)).member_session.authentication_factors).toMatchObject([
      { type: "email_otp" },
    ]);
  });
});

test("a change of the second factor's policy ends no session", async () => {
  const { token } = await makeLink(client, tenant);
  const path = `/v1/b2b/organizations/${tenant.team.id}`;
  await success(call(client, tenant, "PUT", path, { mfa_policy: "REQUIRED_FOR_ALL" }));
  await post(`${SESSIONS}/authenticate`, { session_token: token });
});

test("an organization shows its own roles as custom_roles, wherever it is shown", async () => {
  const permissions = [{ resource_id: "stytch.member", actions: ["search"] }];
  const roles = [{ role_id: "clerk", description: "Looks members up", permissions }];
  const { id } = tenant.team;
  await success(call(client, tenant, "PUT", `/v1/b2b/rbac/organizations/${id}`, { org_policy: { roles } }));
  const read = await success(call(client, tenant, "GET", `/v1/b2b/organizations/${id}`));
  expect(read.organization.custom_roles).toEqual(roles);
  const { token } = await makeLink(client, tenant);
  const { organization } = await post(`${SESSIONS}/authenticate`, { session_token: token });
  expect(organization.custom_roles).toEqual(roles);
});
