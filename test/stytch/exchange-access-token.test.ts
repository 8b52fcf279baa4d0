/** Signing in by an access token of a trusted authorization server (contract §2.5): full access, new, and once. */

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import type { Fetch } from "../../src/outbound.ts";
import { type Client, makeClient } from "../support/client.ts";
import { makeTenant, type Tenant } from "../support/fixtures.ts";
import { AUDIENCE, makeIssuerKey, signToken, trustIssuer } from "../support/issuer.ts";
import { update } from "../support/portal.ts";
import { call, failure, memberId, organizationId, success } from "./support.ts";

const EXCHANGE = "/v1/b2b/sessions/exchange_access_token";
const ISSUER = "https://auth.example.com";
const KEYS = { url: "https://auth.example.com/jwks" };
const key = await makeIssuerKey();
const published: Fetch = async () => Response.json({ keys: [key.jwk] });

let client: Client;
let tenant: Tenant;
let issuerId: string;

beforeEach(async () => {
  client = makeClient({}, undefined, published);
  tenant = await makeTenant();
  issuerId = await trustIssuer(tenant.id, { purpose: "access_token", issuer: ISSUER, keys: KEYS });
});

const claimsFor = (changes: Record<string, unknown> = {}) => ({
  iss: ISSUER,
  aud: AUDIENCE,
  client_id: "first-party-app",
  scope: "openid full_access",
  email: tenant.team.member.email,
  jti: crypto.randomUUID(),
  iat: client.clock.now() / 1000,
  exp: client.clock.now() / 1000 + 3600,
  org: tenant.team.id,
  ...changes,
});

const tokenFor = (changes: Record<string, unknown> = {}) => signToken(key, claimsFor(changes), { typ: "at+jwt" });

const exchange = async (access_token: unknown, more: object = {}, by = client) =>
  call(by, tenant, "POST", EXCHANGE, { access_token, ...more });

describe("an access token", () => {
  test("signs its member in, with a session that names the client", async () => {
    const answer = await success(exchange(await tokenFor()));
    expect(answer).toMatchObject({
      member_id: memberId(tenant.team.member.id),
      organization_id: organizationId(tenant.team.id),
      member_authenticated: true,
      member_session: {
        authentication_factors: [
          {
            type: "oauth",
            delivery_method: "oauth_access_token_exchange",
            oauth_access_token_exchange_factor: { client_id: "first-party-app" },
          },
        ],
        expires_at: `${new Date(client.clock.now() + 3_600_000).toISOString().slice(0, 19)}Z`,
      },
      member: { email_address_verified: true },
    });
    const { session_token } = answer;
    await success(call(client, tenant, "POST", "/v1/b2b/sessions/authenticate", { session_token }));
  });

  test("gives a life and claims of the caller's choice", async () => {
    const wishes = { session_duration_minutes: 5, session_custom_claims: { a: 1 } };
    expect((await success(exchange(await tokenFor(), wishes))).member_session).toMatchObject({
      expires_at: `${new Date(client.clock.now() + 300_000).toISOString().slice(0, 19)}Z`,
      custom_claims: { a: 1 },
    });
    const token = await tokenFor();
    await failure(exchange(token, { session_duration_minutes: 4 }), 400, "invalid_session_duration_minutes");
    await failure(exchange(token, { session_duration_minutes: 100_000 }), 400, "invalid_session_duration");
    const large = { session_custom_claims: { a: "x".repeat(4096) } };
    await failure(exchange(token, large), 400, "custom_claims_too_large");
    await success(exchange(token));
  });

  test.each([
    [{ scope: undefined, scp: ["full_access"] }],
    [{ scope: undefined, scp: "a full_access" }],
    [{ scope: ["full_access"] }],
    [{ client_id: undefined, azp: "first-party-app" }],
    [{ aud: ["other", AUDIENCE] }],
  ])("may say the same as %j", async (change) => {
    const { member_session } = await success(exchange(await tokenFor(change)));
    const [{ oauth_access_token_exchange_factor: factor }] = member_session.authentication_factors;
    expect(factor).toEqual({ client_id: "first-party-app" });
  });

  test("is good once, by its id or, where it has none, by all that was signed", async () => {
    for (const jti of [crypto.randomUUID(), undefined]) {
      const token = await tokenFor({ jti });
      const answers = await Promise.all(Array.from({ length: 10 }, () => exchange(token)));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      await failure(exchange(token), 404, "idp_access_token_could_not_be_exchanged");
      // Whoever has one ECDSA signature has another: here a second one of the very same claims.
      const claims = JSON.parse(atob((token.split(".")[1] as string).replaceAll("-", "+").replaceAll("_", "/")));
      const again = await signToken(key, claims, { typ: "at+jwt" });
      expect(again).not.toBe(token);
      await failure(exchange(again), 404, "idp_access_token_could_not_be_exchanged");
    }
  });

  test("is of the issuer whose audience is meant, where several go by one name", async () => {
    await trustIssuer(tenant.id, {
      purpose: "access_token",
      issuer: ISSUER,
      audience: "another",
      keys: KEYS,
      claims: { email: "mail" },
    });
    await success(exchange(await tokenFor()));
    const other = { aud: "another", email: undefined, mail: tenant.team.owner.email };
    expect((await success(exchange(await tokenFor(other)))).member_id).toBe(memberId(tenant.team.owner.id));
  });
});

describe("is refused", () => {
  const GRANT = "oauth_access_token_exchange_token_invalid_grant";

  test("a token of an issuer that is not trusted for this: unknown, removed, another project's, for ID tokens", async () => {
    const other = await makeTenant();
    await trustIssuer(other.id, { purpose: "access_token", issuer: "https://b.example/", keys: KEYS });
    await trustIssuer(tenant.id, { purpose: "attest", issuer: "https://c.example/", keys: KEYS });
    for (const iss of ["https://a.example/", "https://b.example/", "https://c.example/", undefined, 1]) {
      await failure(exchange(await tokenFor({ iss })), 404, "idp_access_token_not_found");
    }
    await env.DB.prepare("UPDATE trusted_issuers SET revoked_at = 1 WHERE id = ?1").bind(issuerId).run();
    await failure(exchange(await tokenFor()), 404, "idp_access_token_not_found");
  });

  test.each([
    [{ aud: "other" }, 400, GRANT, undefined],
    [{ iat: 9e9 }, 400, GRANT, "The claim iat lies in the future."],
    [{ email: undefined }, 400, GRANT, "The claim email is missing."],
    [{ email_verified: false }, 400, GRANT, "The claim email_verified says that the address is not verified."],
    [{ client_id: undefined }, 400, GRANT, "The claim client_id is missing."],
    [{ exp: 1 }, 401, "idp_access_token_expired", undefined],
    [{ scope: "openid" }, 403, "oauth_access_token_exchange_missing_full_access", undefined],
    [{ scope: undefined }, 403, "oauth_access_token_exchange_missing_full_access", undefined],
    [{ scope: "full_accessory xfull_access" }, 403, "oauth_access_token_exchange_missing_full_access", undefined],
    [{ scope: { full_access: true } }, 403, "oauth_access_token_exchange_missing_full_access", undefined],
    [{ org: undefined }, 400, "token_missing_organization_id_claim", undefined],
    [{ org: "nowhere" }, 404, "organization_not_found", undefined],
    [{ email: "nobody@example.com" }, 404, "member_not_found", undefined],
    [{ roles: ["x"] }, 400, "invalid_rbac_role_id", undefined],
  ])("a token with %j: %i %s", async (claims, status, type, message) => {
    const body = await failure(exchange(await tokenFor(claims)), status, type);
    if (message !== undefined) expect(body.error_message).toBe(message);
    if (type === GRANT) expect(client.logged).toMatchObject([{ level: "warn", event: "identity_refused" }]);
  });

  test("a token that is more than five minutes old, to the second", async () => {
    const [first, second] = [await tokenFor(), await tokenFor()];
    client.clock.advance(300_000);
    await success(exchange(first));
    client.clock.advance(1);
    await failure(exchange(second), 400, "oauth_access_token_exchange_token_too_old");
  });

  test("what nobody signed, or is no token", async () => {
    const stranger = await makeIssuerKey();
    for (const token of [await signToken(stranger, claimsFor(), { kid: key.jwk.kid }), "", "x", "a.b.c"]) {
      await failure(exchange(token), 400, GRANT);
    }
    for (const token of [undefined, null, 1]) await failure(exchange(token), 400, "bad_request");
  });

  test("a member where external id and address are of two", async () => {
    const token = await tokenFor({ sub: tenant.team.owner.externalId });
    await failure(exchange(token), 400, "trusted_token_profile_incorrect_external_id_mapping");
    await update("members", tenant.team.member.id, { deleted_at: 1 });
    await failure(exchange(await tokenFor()), 404, "member_not_found");
  });

  test("nothing, where the keys cannot be had: that is an outage", async () => {
    const broken = makeClient({}, client.clock, () => Promise.reject(new Error("Network connection lost.")));
    const token = await tokenFor();
    await failure(exchange(token, {}, broken), 503, "server_unavailable");
    await success(exchange(token));
  });
});
