/** Operators who sign in as members (contract §2.13): once, for an hour, and nothing about the session can be changed. */

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { REQUEST } from "../support/email-change.ts";
import { credentials, makeTenant, type Tenant } from "../support/fixtures.ts";
import { IMPERSONATOR, letImpersonate } from "../support/impersonation.ts";
import { AUDIENCE, makeIssuerKey, signToken, trustIssuer } from "../support/issuer.ts";
import { cookieWith, follow, makeFaultyClient, makeLink, update } from "../support/portal.ts";
import { call, failure, memberId, organizationId, success } from "./support.ts";

const IMPERSONATE = "/v1/b2b/impersonation/authenticate";
const SESSIONS = "/v1/b2b/sessions";

let client: Client;
let tenant: Tenant;

beforeEach(async () => {
  client = makeClient();
  tenant = await makeTenant();
});

const leave = (of = tenant, memberId = of.team.member.id) => letImpersonate(of.id, memberId, client.clock.now());

const impersonate = (impersonation_token: unknown, by = client, as = tenant) =>
  call(by, as, "POST", IMPERSONATE, { impersonation_token });

const rfc3339 = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`;

describe("an impersonation token", () => {
  test("makes a session of the member for an hour that says who it is", async () => {
    const answer = await success(impersonate(await leave()));
    expect(answer).toMatchObject({
      member_id: memberId(tenant.team.member.id),
      organization_id: organizationId(tenant.team.id),
      member_authenticated: true,
      intermediate_session_token: "",
      member_session: {
        expires_at: rfc3339(client.clock.now() + 3_600_000),
        roles: ["stytch_member"],
        authentication_factors: [
          {
            type: "impersonated",
            delivery_method: "impersonation",
            impersonated_factor: {
              impersonator_id: IMPERSONATOR.impersonatorId,
              impersonator_email_address: IMPERSONATOR.impersonatorEmail,
            },
          },
        ],
      },
      member: { email_address_verified: false },
    });
  });

  test("lives no longer than the organization's sessions may", async () => {
    tenant = await makeTenant({ session_max_ttl_seconds: 600, session_ttl_seconds: 300 });
    const { member_session } = await success(impersonate(await leave()));
    expect(member_session.expires_at).toBe(rfc3339(client.clock.now() + 600_000));
  });

  test("lasts an hour where other sessions last shorter unless asked otherwise", async () => {
    tenant = await makeTenant({ session_ttl_seconds: 300 });
    const { member_session } = await success(impersonate(await leave()));
    expect(member_session.expires_at).toBe(rfc3339(client.clock.now() + 3_600_000));
  });

  test("leaves an invitation to whom it was sent", async () => {
    await update("members", tenant.team.member.id, { status: "invited" });
    expect((await success(impersonate(await leave()))).member.status).toBe("invited");
  });

  test("is good once, however many try at once, and for five minutes", async () => {
    const token = await leave();
    const answers = await Promise.all(Array.from({ length: 20 }, () => impersonate(token)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    await failure(impersonate(token), 404, "impersonation_token_not_found");
    const [last, late] = [await leave(), await leave()];
    client.clock.advance(299_999);
    await success(impersonate(last));
    client.clock.advance(1);
    await failure(impersonate(late), 404, "impersonation_token_not_found");
  });

  test("is nothing to another project, once its member is gone, or if it is no such token", async () => {
    const other = await makeTenant();
    const token = await leave();
    await failure(impersonate(token, client, other), 404, "impersonation_token_not_found");
    const never = await credentials.mint("imp");
    const key = tenant.apiKey;
    for (const wrong of ["", "x", never.token, key, `${token}x`, token.replace("_imp_", "_mst_")]) {
      await failure(impersonate(wrong), 404, "impersonation_token_not_found");
    }
    for (const wrong of [undefined, null, 1]) await failure(impersonate(wrong), 400, "bad_request");
    await update("members", tenant.team.member.id, { deleted_at: 1 });
    await failure(impersonate(token), 404, "impersonation_token_not_found");
    await update("members", tenant.team.member.id, { deleted_at: null });
    await success(impersonate(token));
  });

  test("is good afterwards when D1 was away", async () => {
    const { client: faulty, db } = makeFaultyClient(client.clock);
    const token = await leave();
    for (const what of ["read", "batch"] as const) {
      db.fail(what);
      await failure(impersonate(token, faulty), 503, "server_unavailable");
      db.heal();
    }
    await success(impersonate(token, faulty));
  });

  test("opens nothing else: it is neither an API key nor a session", async () => {
    const token = await leave();
    const asSecret = { id: tenant.id, apiKey: token };
    await failure(call(client, asSecret, "POST", IMPERSONATE, {}), 401, "unauthorized_credentials");
    const authenticate = call(client, tenant, "POST", `${SESSIONS}/authenticate`, { session_token: token });
    await failure(authenticate, 400, "invalid_session_token");
    expect((await client.call("GET", "/v1/customer-portal/members", token)).status).toBe(401);
  });
});

describe("an impersonated session", () => {
  const begin = async () => success(impersonate(await leave()));

  test("is recognised like any other", async () => {
    const { session_token, session_jwt, member_session } = await begin();
    for (const shown of [{ session_token }, { session_jwt }]) {
      const again = await success(call(client, tenant, "POST", `${SESSIONS}/authenticate`, shown));
      expect(again.member_session).toMatchObject({
        member_session_id: member_session.member_session_id,
        expires_at: member_session.expires_at,
        authentication_factors: member_session.authentication_factors,
      });
    }
    expect((await client.call("GET", "/v1/member-sessions/current", session_token)).status).toBe(200);
  });

  test("is neither prolonged nor shortened, gets no claims, is not exchanged and nothing is attested to it", async () => {
    const { session_token, session_jwt } = await begin();
    for (const shown of [{ session_token }, { session_jwt }]) {
      for (const change of [
        { session_duration_minutes: 5 },
        { session_duration_minutes: 120 },
        { session_custom_claims: { a: 1 } },
      ]) {
        const changed = call(client, tenant, "POST", `${SESSIONS}/authenticate`, { ...shown, ...change });
        await failure(changed, 403, "session_not_mutable");
      }
    }
    await update("members", tenant.team.member.id, { email_verified: 1 });
    const exchanged = { session_token, organization_id: tenant.team.id };
    const refused = call(client, tenant, "POST", `${SESSIONS}/exchange`, exchanged);
    await failure(refused, 403, "insufficient_factors_for_session_exchange");
    const key = await makeIssuerKey();
    const issuer = "https://id.example.com/";
    const profile_id = await trustIssuer(tenant.id, { issuer, keys: { pems: [key.pem] } });
    const [iat, jti] = [client.clock.now() / 1000, crypto.randomUUID()];
    const { email } = tenant.team.member;
    const claims = { iss: issuer, aud: AUDIENCE, email, jti, iat, exp: iat + 60, org: tenant.team.id };
    const token = await signToken(key, claims);
    const attested = { profile_id, token, session_token };
    await failure(call(client, tenant, "POST", `${SESSIONS}/attest`, attested), 403, "session_not_mutable");
    await success(call(client, tenant, "POST", `${SESSIONS}/attest`, { profile_id, token }));
  });

  test("asks for no other address in the portal: whoever confirms it would be signed in, and not as an impersonator", async () => {
    tenant = await makeTenant({ allow_email_change: 1 });
    const { owner } = tenant.individual;
    const ask = (token: string) => client.call("POST", REQUEST, token, { email: "operator@example.com" });
    const { session_token } = await success(impersonate(await leave(tenant, owner.id)));
    expect((await ask(session_token)).status).toBe(403);
    const page = (token: string) => follow(client, `/${tenant.slug}/portal`, cookieWith(token));
    const { token } = await makeLink(client, tenant, owner);
    expect([await (await page(session_token)).text(), await (await page(token)).text()]).toEqual([
      expect.not.stringContaining("change-email"),
      expect.stringContaining("change-email"),
    ]);
    expect((await ask(token)).status).toBe(202);
  });

  test("cannot be prolonged where the rule was forgotten either: its last moment is fixed", async () => {
    const { member_session } = await begin();
    const id = member_session.member_session_id.replace("session-live-", "");
    const row = await env.DB.prepare("SELECT expires_at, absolute_expires_at FROM sessions WHERE id = ?1")
      .bind(id)
      .first();
    expect(row?.["absolute_expires_at"]).toBe(row?.["expires_at"]);
  });

  test("is revoked like any other, and is over after an hour", async () => {
    const { session_token } = await begin();
    const second = await begin();
    await success(call(client, tenant, "POST", `${SESSIONS}/revoke`, { session_token }));
    const authenticate = (token: string) =>
      call(client, tenant, "POST", `${SESSIONS}/authenticate`, { session_token: token });
    await failure(authenticate(session_token), 404, "session_not_found");
    client.clock.advance(3_600_000);
    await failure(authenticate(second.session_token), 404, "session_not_found");
  });
});
