/** Signing in by a token of a trusted issuer (contract §2.6): who is let in, as whom, once, and every refusal. */

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import type { Fetch } from "../../src/outbound.ts";
import { type Client, makeClient } from "../support/client.ts";
import { makeCustomer, makeTenant, type Tenant } from "../support/fixtures.ts";
import { AUDIENCE, type IssuerKey, makeIssuerKey, signToken, trustIssuer } from "../support/issuer.ts";
import { makeCustomerLink, makeFaultyClient, makeLink, update } from "../support/portal.ts";
import { call, failure, type Json, memberId, organizationId, success } from "./support.ts";

const ATTEST = "/v1/b2b/sessions/attest";
const AUTHENTICATE = "/v1/b2b/sessions/authenticate";
const ISSUER = "https://id.example.com/";
const KEYS_URL = "https://id.example.com/keys";
const key = await makeIssuerKey();

const publishing =
  (...keys: IssuerKey[]): Fetch =>
  async (url) =>
    url === KEYS_URL ? Response.json({ keys: keys.map(({ jwk }) => jwk) }) : new Response(null, { status: 404 });

let client: Client;
let tenant: Tenant;
let profile: string;

beforeEach(async () => {
  client = makeClient({}, undefined, publishing(key));
  tenant = await makeTenant();
  profile = await trustIssuer(tenant.id, { issuer: ISSUER, keys: { url: KEYS_URL } });
});

/** Of the team's member, a moment old. */
const claimsFor = (changes: Record<string, unknown> = {}) => ({
  iss: ISSUER,
  aud: AUDIENCE,
  email: tenant.team.member.email,
  jti: crypto.randomUUID(),
  iat: client.clock.now() / 1000,
  exp: client.clock.now() / 1000 + 600,
  org: organizationId(tenant.team.id),
  ...changes,
});

const tokenFor = (changes: Record<string, unknown> = {}) => signToken(key, claimsFor(changes));

const attest = async (body: Record<string, unknown> = {}, by = client) =>
  call(by, tenant, "POST", ATTEST, { profile_id: `ttp-live-${profile}`, token: await tokenFor(), ...body });

const memberCount = () =>
  env.DB.prepare("SELECT COUNT(*) AS n FROM members WHERE organization_id = ?1").bind(tenant.id).first("n");

const factorOf = (jti: unknown) => ({
  type: "trusted_auth_token",
  delivery_method: "trusted_token_exchange",
  trusted_auth_token_factor: { token_id: jti },
});

describe("a token of a trusted issuer", () => {
  test("signs its member in, for an hour, with a session that says so", async () => {
    const jti = crypto.randomUUID();
    const answer = await success(attest({ token: await tokenFor({ jti }) }));
    expect(answer).toMatchObject({
      member_id: memberId(tenant.team.member.id),
      organization_id: organizationId(tenant.team.id),
      member_session: {
        authentication_factors: [factorOf(jti)],
        expires_at: `${new Date(client.clock.now() + 3_600_000).toISOString().slice(0, 19)}Z`,
        custom_claims: {},
        roles: ["stytch_member"],
      },
      member: { email_address_verified: true, status: "active" },
      organization: { organization_id: organizationId(tenant.team.id) },
      member_authenticated: true,
      intermediate_session_token: "",
      mfa_required: null,
      primary_required: null,
    });
    const { session_token, session_jwt } = answer;
    for (const shown of [{ session_token }, { session_jwt }]) {
      const again = await success(call(client, tenant, "POST", AUTHENTICATE, shown));
      expect(again.member_session.member_session_id).toBe(answer.member_session.member_session_id);
    }
  });

  test("gives a life and claims of the caller's choice, within the organization's limits", async () => {
    const wishes = { session_duration_minutes: 5, session_custom_claims: { plan: "gold", gone: null } };
    expect((await success(attest(wishes))).member_session).toMatchObject({
      expires_at: `${new Date(client.clock.now() + 300_000).toISOString().slice(0, 19)}Z`,
      custom_claims: { plan: "gold" },
    });
    const token = await tokenFor();
    const max = 30 * 24 * 60;
    await failure(attest({ token, session_duration_minutes: 4 }), 400, "invalid_session_duration_minutes");
    await failure(attest({ token, session_duration_minutes: max + 1 }), 400, "invalid_session_duration");
    const large = { session_custom_claims: { a: "x".repeat(4096) } };
    await failure(attest({ token, ...large }), 400, "custom_claims_too_large");
    const reserved = { session_custom_claims: { "https://stytch.com/x": 1 } };
    await failure(attest({ token, ...reserved }), 400, "stytch_claims_in_custom_claims");
    await success(attest({ token, session_duration_minutes: max }));
  });

  test("is good once: not again, not for another member, not at once from twenty sides, nor with new token keys", async () => {
    const token = await tokenFor();
    const answers = await Promise.all(Array.from({ length: 20 }, () => attest({ token })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    await failure(attest({ token }), 401, "invalid_trusted_auth_token");
    const jti = JSON.parse(atob((token.split(".")[1] as string).replaceAll("-", "+").replaceAll("_", "/"))).jti;
    const other = await tokenFor({ jti, email: tenant.team.owner.email });
    await failure(attest({ token: other }), 401, "invalid_trusted_auth_token");
    const [t, o] = env.TOKEN_KEYS.split(",");
    const rotated = makeClient({ TOKEN_KEYS: `${o},${t}` }, client.clock, publishing(key));
    await failure(attest({ token }, rotated), 401, "invalid_trusted_auth_token");
    const list = `/v1/b2b/sessions?organization_id=${tenant.team.id}&member_id=${tenant.team.member.id}`;
    expect((await success(call(client, tenant, "GET", list))).member_sessions).toHaveLength(1);
  });

  test("is used up by no refusal", async () => {
    const token = await tokenFor();
    await failure(attest({ token, organization_id: tenant.individual.id }), 400, "invalid_token_organization_id_claim");
    await failure(attest({ token, session_token: "x" }), 400, "invalid_session_token");
    await success(attest({ token }));
  });

  test("of an issuer whose keys were written down needs nobody to publish them", async () => {
    const rsa = await makeIssuerKey("RS256");
    const settings = { issuer: ISSUER, keys: { pems: [key.pem, rsa.pem] }, algorithms: ["RS256", "ES256"] };
    profile = await trustIssuer(tenant.id, settings);
    const offline = makeClient({}, client.clock, () => Promise.reject(new Error("no network")));
    for (const signer of [key, rsa]) {
      await success(attest({ token: await signToken(signer, claimsFor()) }, offline));
    }
  });

  test("names its organization by id or external id, and the request by slug as well", async () => {
    await update("customers", tenant.team.id, { slug: "the-team" });
    for (const name of [organizationId(tenant.team.id), tenant.team.id, tenant.team.externalId, "the-team"]) {
      if (name !== "the-team") await success(attest({ token: await tokenFor({ org: name }) }));
      await success(attest({ token: await tokenFor({ org: undefined }), organization_id: name }));
      await success(attest({ organization_id: name }));
    }
  });

  test("means nobody by a slug, which an organization's own people may choose", async () => {
    await update("customers", tenant.team.id, { slug: "bigcorp" });
    await failure(attest({ token: await tokenFor({ org: "bigcorp" }) }), 404, "organization_not_found");
  });

  test("signs in by a profile's id without its prefix, and ignores what it does not know", async () => {
    await success(attest({ profile_id: profile, telemetry_id: "x", locale: "en", session_token: null }));
    await success(attest({ profile_id: profile.toUpperCase(), session_token: "", session_jwt: "" }));
  });
});

describe("a member", () => {
  const memberOf = async (body: Promise<Response>): Promise<Json> => (await success(body)).member;

  test("who was only invited is active from now on", async () => {
    for (const status of ["pending", "invited"]) {
      await update("members", tenant.team.member.id, { status });
      expect((await memberOf(attest())).status).toBe("active");
    }
  });

  test("who has no external id gets the token's, and is known by it when the address is another", async () => {
    await update("members", tenant.team.member.id, { external_id: null });
    const first = await memberOf(attest({ token: await tokenFor({ sub: "auth0|1" }) }));
    expect(first).toMatchObject({ external_id: "auth0|1", email_address_verified: true });
    await update("members", tenant.team.member.id, { email_verified: 0 });
    const moved = await memberOf(attest({ token: await tokenFor({ sub: "auth0|1", email: "new@example.com" }) }));
    expect(moved).toMatchObject({
      member_id: memberId(tenant.team.member.id),
      email_address: tenant.team.member.email,
      email_address_verified: false,
    });
  });

  test("is meant by neither, where address and external id are of two, or the address is known by another id", async () => {
    for (const sub of [tenant.team.owner.externalId, "unknown"]) {
      const refused = attest({ token: await tokenFor({ sub }) });
      await failure(refused, 400, "trusted_token_profile_incorrect_external_id_mapping");
    }
  });

  test("is found by an external id within its own organization only", async () => {
    const token = await tokenFor({ sub: tenant.individual.owner.externalId, email: "nobody@example.com" });
    await failure(attest({ token }), 404, "member_not_found");
  });

  test("is found by its address in whatever case", async () => {
    const email = tenant.team.member.email.toUpperCase();
    expect((await memberOf(attest({ token: await tokenFor({ email }) }))).member_id).toBe(
      memberId(tenant.team.member.id),
    );
  });

  test("has the token's roles from now on beside its own, in the session at once, and none that nobody defines", async () => {
    const own = [{ id: "editor", description: "", permissions: [] }];
    await update("customers", tenant.team.id, { rbac_roles: JSON.stringify(own) });
    const token = await tokenFor({ roles: ["editor", "stytch_member"] });
    const answer = await success(attest({ token }));
    expect(answer.member_session.roles).toEqual(["stytch_member", "editor"]);
    expect(answer.member.roles.map(({ role_id }: Json) => role_id)).toEqual(["stytch_member", "editor"]);
    const admin = await success(attest({ token: await tokenFor({ roles: ["stytch_admin"] }) }));
    expect(admin.member_session.roles.toSorted()).toEqual(["editor", "stytch_admin", "stytch_member"]);
    expect(admin.member.is_admin).toBe(true);
    const unknown = await failure(
      attest({ token: await tokenFor({ roles: ["editor", "x"] }) }),
      400,
      "invalid_rbac_role_id",
    );
    expect(unknown.error_message).toBe("There is no role x.");
  });

  test("does not get a role back by a token that was used before it was taken away", async () => {
    const token = await tokenFor({ roles: ["stytch_admin"] });
    await success(attest({ token }));
    await update("members", tenant.team.member.id, { assigned_roles: "[]" });
    await failure(attest({ token }), 401, "invalid_trusted_auth_token");
    const { token: session_token } = await makeLink(client, tenant);
    await failure(attest({ token, session_token }), 401, "invalid_trusted_auth_token");
    const answer = await success(call(client, tenant, "POST", AUTHENTICATE, { session_token }));
    expect(answer.member_session.roles).toEqual(["stytch_member"]);
  });

  test("that is deleted, or was never there, is not let in", async () => {
    await failure(attest({ token: await tokenFor({ email: "nobody@example.com" }) }), 404, "member_not_found");
    await update("members", tenant.team.member.id, { deleted_at: 1 });
    await failure(attest(), 404, "member_not_found");
  });

  test("is made where the profile may, with what the token says, once", async () => {
    profile = await trustIssuer(tenant.id, { issuer: ISSUER, keys: { url: KEYS_URL }, canMakeMembers: true });
    const said = { email: "New@example.com", sub: "auth0|new", roles: ["billing_manager"] };
    const made = await success(attest({ token: await tokenFor(said) }));
    expect(made.member).toMatchObject({
      email_address: "New@example.com",
      email_address_verified: true,
      external_id: "auth0|new",
      status: "active",
      name: "",
    });
    expect(made.member_session.roles).toEqual(["stytch_member", "billing_manager"]);
    const again = await success(attest({ token: await tokenFor(said) }));
    expect(again.member_id).toBe(made.member_id);
    const tokens = await Promise.all(
      Array.from({ length: 10 }, () => tokenFor({ email: "race@example.com", sub: "auth0|race" })),
    );
    const race = await Promise.all(tokens.map((token) => attest({ token }).then(success)));
    expect(new Set(race.map(({ member_id }) => member_id)).size).toBe(1);
  });

  test("is made neither for an individual customer nor with roles that nobody defines", async () => {
    profile = await trustIssuer(tenant.id, { issuer: ISSUER, keys: { url: KEYS_URL }, canMakeMembers: true });
    const alone = await tokenFor({ email: "second@example.com", org: tenant.individual.id });
    await failure(attest({ token: alone }), 400, "bad_request");
    const unknown = await tokenFor({ email: "third@example.com", roles: ["x"] });
    await failure(attest({ token: unknown }), 400, "invalid_rbac_role_id");
    expect(await memberCount()).toBe(4);
  });

  test("is not made by a token that is refused: one used before, or for a life or claims that cannot be", async () => {
    profile = await trustIssuer(tenant.id, { issuer: ISSUER, keys: { url: KEYS_URL }, canMakeMembers: true });
    const token = await tokenFor({ email: "new@example.com" });
    await failure(attest({ token, session_duration_minutes: 500_000 }), 400, "invalid_session_duration");
    const session_custom_claims = { a: "x".repeat(4096) };
    await failure(attest({ token, session_custom_claims }), 400, "custom_claims_too_large");
    expect(await memberCount()).toBe(4);
    const { member_id } = await success(attest({ token }));
    await success(call(client, tenant, "DELETE", `/v1/b2b/organizations/${tenant.team.id}/members/${member_id}`));
    await failure(attest({ token }), 401, "invalid_trusted_auth_token");
    expect(await memberCount()).toBe(5);
  });

  test("is not made where customers have no members", async () => {
    tenant = await makeTenant({ member_model_enabled: 0, seat_based_pricing_enabled: 0 });
    profile = await trustIssuer(tenant.id, { issuer: ISSUER, keys: { url: KEYS_URL }, canMakeMembers: true });
    await failure(attest({ token: await tokenFor({ email: "new@example.com" }) }), 404, "member_not_found");
    expect(await memberCount()).toBe(4);
  });
});

describe("a session that there is", () => {
  test("gets the factor beside its own, by token or JWT, and goes on as it was", async () => {
    const { token: session_token, sessionId } = await makeLink(client, tenant);
    const jti = crypto.randomUUID();
    const first = await success(attest({ token: await tokenFor({ jti }), session_token }));
    expect(first.session_token).toBe(session_token);
    expect(first.member_session).toMatchObject({
      member_session_id: `session-live-${sessionId}`,
      authentication_factors: [factorOf(jti)],
    });
    client.clock.advance(60_000);
    const next = crypto.randomUUID();
    const second = await success(attest({ token: await tokenFor({ jti: next }), session_jwt: first.session_jwt }));
    expect(second.session_token).toBe(session_token);
    expect(second.member_session).toMatchObject({
      member_session_id: `session-live-${sessionId}`,
      authentication_factors: [factorOf(next)],
      expires_at: first.member_session.expires_at,
    });
    expect(second.member.email_address_verified).toBe(true);
  });

  test("is prolonged and gets claims where the call says so", async () => {
    const { token: session_token } = await makeLink(client, tenant);
    const wishes = { session_token, session_duration_minutes: 120, session_custom_claims: { a: 1 } };
    expect((await success(attest(wishes))).member_session).toMatchObject({
      expires_at: `${new Date(client.clock.now() + 7_200_000).toISOString().slice(0, 19)}Z`,
      custom_claims: { a: 1 },
    });
    const token = await tokenFor();
    const more = { session_custom_claims: { b: "x".repeat(4090) } };
    await failure(attest({ token, session_token, ...more }), 400, "custom_claims_too_large");
    await failure(attest({ token, session_token, session_duration_minutes: 50_000 }), 400, "invalid_session_duration");
    await success(attest({ token, session_token }));
  });

  test("of another member is left alone, and the token good as before", async () => {
    const { token: session_token } = await makeLink(client, tenant, tenant.team.owner);
    const token = await tokenFor();
    await failure(attest({ token, session_token }), 400, "member_session_member_id_mismatch");
    const answer = await success(call(client, tenant, "POST", AUTHENTICATE, { session_token }));
    expect(answer.member_session.authentication_factors).toEqual([]);
    await success(attest({ token }));
  });

  test("makes no member, whatever the profile may", async () => {
    profile = await trustIssuer(tenant.id, { issuer: ISSUER, keys: { url: KEYS_URL }, canMakeMembers: true });
    const { token: session_token } = await makeLink(client, tenant);
    const token = await tokenFor({ email: "new@example.com" });
    await failure(attest({ token, session_token }), 404, "member_not_found");
    await success(attest({ token }));
  });

  test("must live, be a member's and the project's own, and be shown in one way", async () => {
    const ended = await makeLink(client, tenant);
    await call(client, tenant, "POST", "/v1/b2b/sessions/revoke", { session_token: ended.token });
    const foreign = await makeLink(client, await makeTenant());
    const customers = await makeTenant({ member_model_enabled: 0 });
    const customer = await makeCustomerLink(client, customers);
    for (const { token } of [ended, foreign, customer]) {
      await failure(attest({ session_token: token }), 404, "session_not_found");
    }
    await failure(attest({ session_token: "x" }), 400, "invalid_session_token");
    await failure(attest({ session_jwt: "x" }), 400, "unable_to_parse_session_jwt");
    await failure(attest({ session_token: "x", session_jwt: "x" }), 400, "too_many_session_arguments");
  });
});

describe("is refused", () => {
  test("a profile that there is not: unknown, removed, another project's, for access tokens, or no id at all", async () => {
    const other = await makeTenant();
    const foreign = await trustIssuer(other.id, { issuer: ISSUER, keys: { url: KEYS_URL } });
    const forAccess = await trustIssuer(tenant.id, {
      purpose: "access_token",
      issuer: ISSUER,
      keys: { url: KEYS_URL },
    });
    const removed = await trustIssuer(tenant.id, { issuer: ISSUER, keys: { url: KEYS_URL } });
    await env.DB.prepare("UPDATE trusted_issuers SET revoked_at = 1 WHERE id = ?1").bind(removed).run();
    for (const profile_id of [crypto.randomUUID(), foreign, forAccess, removed, "ttp-live-x", "", "x"]) {
      await failure(attest({ profile_id }), 404, "trusted_token_profile_not_found");
    }
    const testId = attest({ profile_id: `ttp-test-${profile}` });
    await failure(testId, 400, "test_id_used_in_live_environment");
  });

  test("a token that nobody whom the profile trusts has signed", async () => {
    const stranger = await makeIssuerKey();
    const rsa = await makeIssuerKey("RS256");
    for (const token of [
      "",
      "x",
      "a.b.c",
      await signToken(stranger, claimsFor()),
      await signToken(stranger, claimsFor(), { kid: key.jwk.kid }),
      await signToken(rsa, claimsFor(), { kid: key.jwk.kid }),
      `${await tokenFor()}A`,
      "x".repeat(9000),
    ]) {
      await failure(attest({ token }), 401, "invalid_trusted_auth_token");
    }
  });

  test("a token of ours: a session JWT is no ID token", async () => {
    const { session_jwt } = await success(attest());
    await failure(attest({ token: session_jwt }), 401, "invalid_trusted_auth_token");
  });

  test.each([
    [{ iss: "https://other.example.com/" }, 401, "jwt_invalid_issuer", undefined],
    [{ aud: "https://other.example.com/" }, 401, "jwt_invalid_audience", undefined],
    [{ exp: 1 }, 401, "jwt_invalid_claims", "The token has expired."],
    [{ exp: undefined }, 401, "jwt_invalid_claims", "The claim exp is no whole number of seconds."],
    [{ nbf: 9e9 }, 401, "jwt_invalid_claims", "The claim nbf lies in the future."],
    [{ jti: undefined }, 401, "jwt_invalid_claims", "The claim jti is missing."],
    [{ email: undefined }, 401, "jwt_invalid_claims", "The claim email is missing."],
    [{ email: "x" }, 401, "jwt_invalid_claims", "The claim email is no e-mail address."],
    [
      { email_verified: false },
      401,
      "jwt_invalid_claims",
      "The claim email_verified says that the address is not verified.",
    ],
    [{ org: undefined }, 400, "token_missing_organization_id_claim", undefined],
    [{ org: "nowhere" }, 404, "organization_not_found", undefined],
    [
      { org: "organization-test-2c0c5b57-7d39-4a0d-8a44-111111111111" },
      400,
      "test_id_used_in_live_environment",
      undefined,
    ],
  ])("a token with %j: %i %s", async (claims, status, type, message) => {
    const body = await failure(attest({ token: await tokenFor(claims) }), status, type);
    if (message !== undefined) expect(body.error_message).toBe(message);
  });

  test("a token that is more than an hour old, however long it lives", async () => {
    const token = await tokenFor({ exp: client.clock.now() / 1000 + 86_400 });
    client.clock.advance(3_600_001);
    const body = await failure(attest({ token }), 401, "jwt_invalid_claims");
    expect(body.error_message).toBe("The token was issued more than 3600 seconds ago.");
  });

  test("an organization of another project, and one that is deleted", async () => {
    const other = await makeTenant();
    await failure(attest({ token: await tokenFor({ org: other.team.id }) }), 404, "organization_not_found");
    const gone = await makeCustomer(tenant.id, { type: "team", deleted_at: 1 });
    const token = await tokenFor({ org: undefined });
    await failure(attest({ token, organization_id: gone }), 404, "organization_not_found");
    await failure(attest({ token, organization_id: "" }), 400, "invalid_organization_id");
  });

  test.each([
    [{ profile_id: undefined }],
    [{ token: undefined }],
    [{ token: 1 }],
    [{ profile_id: {} }],
    [{ organization_id: 1 }],
    [{ session_token: 1 }],
    [{ session_custom_claims: [] }],
  ])("a body with %j", async (change) => {
    await failure(attest(change), 400, "bad_request");
  });

  test("a caller without the scope, or with another project's secret", async () => {
    const other = await makeTenant();
    const body = { profile_id: profile, token: await tokenFor() };
    const foreign = { id: tenant.id, apiKey: other.apiKey };
    await failure(call(client, foreign, "POST", ATTEST, body), 401, "unauthorized_credentials");
    await failure(call(client, other, "POST", ATTEST, body), 404, "trusted_token_profile_not_found");
  });
});

describe("it is an outage, and no verdict on the token,", () => {
  test.each<[string, Fetch]>([
    ["when the issuer's keys cannot be fetched", () => Promise.reject(new Error("Network connection lost."))],
    ["when their source has failed", async () => new Response(null, { status: 500 })],
    ["when their source leads elsewhere", async () => Response.redirect("https://evil.example/keys", 302)],
    ["when it answers with something else", async () => Response.json({ keys: "none" })],
  ])("%s", async (_, outside) => {
    const broken = makeClient({}, client.clock, outside);
    const token = await tokenFor();
    const response = await attest({ token }, broken);
    expect(response.headers.get("Retry-After")).toBe("5");
    await failure(response, 503, "server_unavailable");
    await success(attest({ token }));
  });

  test("when the profile's address of keys is one that is not called", async () => {
    profile = await trustIssuer(tenant.id, { issuer: ISSUER, keys: { url: "https://169.254.169.254/keys" } });
    await failure(attest(), 503, "server_unavailable");
  });

  test("when D1 is away, and the token is good afterwards", async () => {
    const { client: faulty, db } = makeFaultyClient(client.clock);
    profile = await trustIssuer(tenant.id, { issuer: ISSUER, keys: { pems: [key.pem] } });
    const token = await tokenFor();
    db.fail("any");
    await failure(attest({ token }, faulty), 503, "server_unavailable");
    db.heal();
    db.fail("batch");
    await failure(attest({ token }, faulty), 503, "server_unavailable");
    db.heal();
    await success(attest({ token }, faulty));
  });
});

test("keys that were rotated are found within a minute", async () => {
  const next = await makeIssuerKey();
  let published = [key];
  client = makeClient({}, client.clock, (url, init) => publishing(...published)(url, init));
  await success(attest());
  published = [key, next];
  const token = await signToken(next, claimsFor());
  await failure(attest({ token }), 401, "invalid_trusted_auth_token");
  client.clock.advance(60_000);
  await success(attest({ token }));
});

describe("the log says", () => {
  const stranger = { iss: "https://other.example.com", jti: "secret-id" };

  test.each<[what: string, token: () => Promise<string>, answer: string, reason: string]>([
    [
      "that nobody published the key",
      async () => signToken(await makeIssuerKey(), claimsFor()),
      "invalid_trusted_auth_token",
      `foreign_token_invalid: no key of ${ISSUER} fits its kid and algorithm`,
    ],
    [
      "that the key is another's",
      async () => signToken(await makeIssuerKey(), claimsFor(), { kid: key.jwk.kid }),
      "invalid_trusted_auth_token",
      `foreign_token_invalid: no key of ${ISSUER} signed it`,
    ],
    [
      "for whom the token is, and for whom it should be",
      () => tokenFor({ aud: ["a", "b"] }),
      "jwt_invalid_audience",
      `foreign_token_audience_wrong: ["a","b"] instead of "${AUDIENCE}"`,
    ],
    [
      "of whom it is, and of whom it should be",
      () => tokenFor(stranger),
      "jwt_invalid_issuer",
      `foreign_token_issuer_wrong: "https://other.example.com" instead of "${ISSUER}"`,
    ],
    [
      "which claim is wrong",
      () => tokenFor({ jti: undefined }),
      "jwt_invalid_claims",
      "foreign_token_claims_wrong: jti is missing",
    ],
  ])("%s", async (_, token, answer, reason) => {
    await failure(attest({ token: await token() }), 401, answer);
    expect(client.logged).toEqual([
      { level: "warn", event: "identity_refused", fields: { method: "POST", route: ATTEST, reason } },
    ]);
  });

  test("that a token was used before, and nothing that the token says", async () => {
    const token = await tokenFor();
    await success(attest({ token }));
    await failure(attest({ token }), 401, "invalid_trusted_auth_token");
    expect(client.logged.map(({ fields }) => fields["reason"])).toEqual(["foreign_token_spent"]);
  });

  test("nothing of members who are not there: no setting is wrong", async () => {
    await failure(attest({ token: await tokenFor({ email: "nobody@example.com" }) }), 404, "member_not_found");
    expect(client.logged).toEqual([]);
  });
});
