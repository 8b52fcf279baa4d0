/** Switching organization (contract §2.4): for a proven address, and as the organization's own settings allow. */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { emailKey } from "../../src/core/directory.ts";
import type { Factor } from "../../src/core/factors.ts";
import { type Client, makeClient } from "../support/client.ts";
import { makeCustomer, makeMember, makeTenant, type Tenant } from "../support/fixtures.ts";
import { update } from "../support/portal.ts";
import { call, failure, memberId, organizationId, success } from "./support.ts";

const EXCHANGE = "/v1/b2b/sessions/exchange";
const AUTHENTICATE = "/v1/b2b/sessions/authenticate";

/** A member of the tenant's team with a session and a proven address, who is a member of a second customer too. */
async function scene() {
  const client = makeClient();
  const tenant = await makeTenant();
  const person = tenant.team.member;
  await update("members", person.id, { email_verified: 1 });
  const second = await makeCustomer(tenant.id, { type: "team", slug: "second" });
  const twin = await makeMember(tenant.id, second, "billing_manager", tenant.slug, person.email.toUpperCase());
  const made = await client.call("POST", "/v1/member-sessions/", tenant.apiKey, { member_id: person.id });
  const { token } = (await made.json()) as { token: string };
  await client.settle();
  await setFactors(person.id, [
    { kind: "trusted_token", tokenId: "jti-7", email: person.email, at: client.clock.now() },
  ]);
  return { client, tenant, person, second, twin, token };
}

const setFactors = (member: string, factors: Factor[]) =>
  env.DB.prepare("UPDATE sessions SET factors = ?1 WHERE member_id = ?2").bind(JSON.stringify(factors), member).run();

const exchange = (client: Client, tenant: Tenant, body: object) => call(client, tenant, "POST", EXCHANGE, body);

describe("a session is exchanged", () => {
  test("for one of the same person in another organization, with its roles there; the first goes on", async () => {
    const { client, tenant, second, twin, token } = await scene();
    const answer = await success(exchange(client, tenant, { session_token: token, organization_id: "second" }));
    expect(answer).toMatchObject({
      member_authenticated: true,
      intermediate_session_token: "",
      member_id: memberId(twin.id),
      organization_id: organizationId(second),
      mfa_required: null,
      primary_required: null,
      member: { email_address_verified: true },
      member_session: {
        roles: ["stytch_member", "billing_manager"],
        expires_at: `${new Date(client.clock.now() + 3_600_000).toISOString().slice(0, 19)}Z`,
        custom_claims: {},
      },
    });
    expect(answer.session_token).not.toBe(token);
    await success(call(client, tenant, "POST", AUTHENTICATE, { session_token: token }));
    const again = { session_token: answer.session_token };
    expect((await success(call(client, tenant, "POST", AUTHENTICATE, again))).member_id).toBe(memberId(twin.id));
  });

  test("and back again, by its JWT, with a life and claims of its own", async () => {
    const { client, tenant, person, token } = await scene();
    const there = await success(exchange(client, tenant, { session_token: token, organization_id: "second" }));
    const back = await success(
      exchange(client, tenant, {
        session_jwt: there.session_jwt,
        organization_id: organizationId(tenant.team.id),
        session_duration_minutes: 10,
        session_custom_claims: { from: "second", nothing: null },
        locale: "pt-br",
        telemetry_id: "t",
      }),
    );
    expect(back).toMatchObject({
      member_id: memberId(person.id),
      member_session: {
        custom_claims: { from: "second" },
        expires_at: `${new Date(client.clock.now() + 600_000).toISOString().slice(0, 19)}Z`,
      },
    });
  });

  test("for a member who was only invited, who is active then", async () => {
    const { client, tenant, twin, token } = await scene();
    await update("members", twin.id, { status: "invited" });
    const answer = await success(exchange(client, tenant, { session_token: token, organization_id: "second" }));
    expect(answer.member.status).toBe("active");
  });

  test("for one that ends when it must itself, however often it is handed on", async () => {
    const { client, tenant, token } = await scene();
    const end = client.clock.now() + 2_592_000_000;
    await call(client, tenant, "POST", AUTHENTICATE, { session_token: token, session_duration_minutes: 43_200 });
    client.clock.advance(2_592_000_000 - 60_000);
    const body = { session_token: token, organization_id: "second", session_duration_minutes: 60 };
    const { member_session, session_token } = await success(exchange(client, tenant, body));
    expect(Date.parse(member_session.expires_at)).toBe(Math.floor(end / 1000) * 1000);
    const longer = { session_token, session_duration_minutes: 60 };
    const extended = await success(call(client, tenant, "POST", AUTHENTICATE, longer));
    expect(extended.member_session.expires_at).toBe(member_session.expires_at);
  });

  test("with the factors that made it", async () => {
    const { client, tenant, token } = await scene();
    const { member_session } = await success(
      exchange(client, tenant, { session_token: token, organization_id: "second" }),
    );
    expect(member_session.authentication_factors).toMatchObject([
      { type: "trusted_auth_token", trusted_auth_token_factor: { token_id: "jti-7" } },
    ]);
  });
});

describe("a session is not exchanged", () => {
  test("where the address was typed in and never proved: whoever manages members could be anybody", async () => {
    const { client, tenant, person, token } = await scene();
    await setFactors(person.id, []);
    const body = { session_token: token, organization_id: "second" };
    await failure(exchange(client, tenant, body), 403, "insufficient_factors_for_session_exchange");
  });

  test("that is older than the proof of the address, be it the member's by now, and proved by its owner since", async () => {
    const { client, tenant, person, second, token } = await scene();
    const victim = await makeMember(tenant.id, second, "owner", tenant.slug);
    const address = { email: victim.email, email_key: emailKey(victim.email), email_verified: 1 };
    await update("members", person.id, address);
    const body = { session_token: token, organization_id: "second" };
    await failure(exchange(client, tenant, body), 403, "insufficient_factors_for_session_exchange");
  });

  test("after the address was changed by a manager, though it was proved before", async () => {
    const { client, tenant, person, second, token } = await scene();
    const victim = await makeMember(tenant.id, second, "owner", tenant.slug);
    const path = `/v1/customers/${tenant.team.id}/members/${person.id}`;
    expect((await client.call("PATCH", path, tenant.apiKey, { email: victim.email })).status).toBe(200);
    const body = { session_token: token, organization_id: "second" };
    await failure(exchange(client, tenant, body), 403, "insufficient_factors_for_session_exchange");
  });

  test("for an operator who acts as the member", async () => {
    const { client, tenant, token } = await scene();
    const { id, email } = tenant.team.member;
    const impersonation = {
      kind: "impersonation",
      impersonatorId: "1",
      impersonatorEmail: "op@example.com",
      at: 1,
    } as const;
    await setFactors(id, [impersonation, { kind: "mailed_link", email, at: 1 }]);
    const body = { session_token: token, organization_id: "second" };
    await failure(exchange(client, tenant, body), 403, "insufficient_factors_for_session_exchange");
  });

  test.each([
    [{ mfa_policy: "REQUIRED_FOR_ALL" }, "operation_restricted_by_organization_mfa_methods"],
    [
      { auth_methods: "RESTRICTED", allowed_auth_methods: ["magic_link"] },
      "operation_restricted_by_organization_auth_methods",
    ],
  ])("into an organization with %j", async (settings, type) => {
    const { client, tenant, second, token } = await scene();
    await update("customers", second, { sign_in_settings: JSON.stringify(settings) });
    await failure(exchange(client, tenant, { session_token: token, organization_id: "second" }), 403, type);
  });

  test("but it is where a restricted organization admits its factor", async () => {
    const { client, tenant, person, second, token } = await scene();
    const settings = { auth_methods: "RESTRICTED", allowed_auth_methods: ["magic_link"] };
    await update("customers", second, { sign_in_settings: JSON.stringify(settings) });
    await setFactors(person.id, [{ kind: "mailed_link", email: person.email, at: 1 }]);
    await success(exchange(client, tenant, { session_token: token, organization_id: "second" }));
  });

  test("where the person is no member, or was one; nor for a member of another project", async () => {
    const { client, tenant, twin, token } = await scene();
    const other = await makeTenant();
    await makeMember(other.id, other.team.id, "member", other.slug, tenant.team.member.email);
    const to = (organization_id: string) => exchange(client, tenant, { session_token: token, organization_id });
    await failure(to(tenant.individual.id), 404, "member_does_not_exist_in_organization");
    await failure(to(other.team.id), 404, "organization_not_found");
    await failure(to("nobody"), 404, "organization_not_found");
    await update("members", twin.id, { deleted_at: 1 });
    await failure(to("second"), 404, "member_does_not_exist_in_organization");
  });

  test("without a session, with two, or by one that has ended", async () => {
    const { client, tenant, token } = await scene();
    const to = (body: object) => exchange(client, tenant, { organization_id: "second", ...body });
    await failure(to({}), 400, "no_session_arguments");
    await failure(to({ session_token: token, session_jwt: "a.b.c" }), 400, "too_many_session_arguments");
    await failure(exchange(client, tenant, { session_token: token }), 400, "bad_request");
    await failure(to({ session_token: token, session_duration_minutes: 4 }), 400, "invalid_session_duration_minutes");
    await failure(
      to({ session_token: token, session_custom_claims: { a: "x".repeat(5000) } }),
      400,
      "custom_claims_too_large",
    );
    client.clock.advance(3_600_000);
    await failure(to({ session_token: token }), 404, "session_not_found");
  });
});
