/**
 * Sessions out of what another party says, through Stytch's own Node SDKs, unmodified, over HTTP: its signed tokens,
 * its UserInfo, its access tokens, and an operator's leave to impersonate.
 */

import { B2BClient } from "stytch";
import { B2BClient as B2BClient12 } from "stytch-12";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { impersonationToken, makeProjectWithDoors, type ProjectWithDoors } from "./support/doors.ts";
import { refusal } from "./support/stytch.ts";
import { makeTwoSignedIn, type SignedIn } from "./support/stytch-people.ts";

let doors: ProjectWithDoors;

beforeAll(async () => {
  doors = await makeProjectWithDoors();
});
afterAll(() => doors?.outside.close());

describe.each([
  ["14.2", B2BClient],
  ["12.43", B2BClient12 as unknown as typeof B2BClient],
])("SDK %s", (_, Client) => {
  const newClient = () => new Client({ ...doors.project });
  let member: SignedIn;

  beforeAll(async () => {
    ({ member } = await makeTwoSignedIn(doors.project));
  });

  const tokenFor = (email: string, claims = {}) => doors.outside.sign({ email, ...claims });

  describe("attest", () => {
    test.each(["jwks", "pem"] as const)(
      "with the issuer's key by %s: once, and verified without the server",
      async (by) => {
        const { organization_id, member_id, email_address } = member;
        const { sessions } = newClient();
        const request = { profile_id: doors.profiles[by], organization_id, token: await tokenFor(email_address) };
        const answer = await sessions.attest({ ...request, session_custom_claims: { a: 1 } });
        const { member_session, session_token, session_jwt } = answer;
        expect(answer).toMatchObject({ status_code: 200, member_id, organization: { organization_id } });
        expect(answer.member).toMatchObject({ member_id, email_address_verified: true });
        expect(member_session).toMatchObject({
          member_id,
          authentication_factors: [{ type: "trusted_auth_token", delivery_method: "trusted_token_exchange" }],
          custom_claims: { a: 1 },
        });
        const local = await sessions.authenticateJwtLocal({ session_jwt });
        expect(local).toEqual({ ...member_session, expires_at: new Date(member_session.expires_at).toISOString() });
        const { member_session: same } = await sessions.authenticate({ session_token });
        expect(same.member_session_id).toBe(member_session.member_session_id);
        await expect(sessions.attest(request)).rejects.toMatchObject(refusal(401, "invalid_trusted_auth_token"));
      },
    );

    test("adds its factor to a session that is shown", async () => {
      const { organization_id, email_address, session_token, member_session_id } = member;
      const token = await tokenFor(email_address);
      const request = { profile_id: doors.profiles.jwks, organization_id, token, session_token };
      const { member_session } = await newClient().sessions.attest(request);
      expect(member_session.member_session_id).toBe(member_session_id);
      expect(member_session.authentication_factors).toHaveLength(1);
    });

    test("makes a member only where the profile says so", async () => {
      const { organization_id } = member;
      const { sessions } = newClient();
      const email = `new-${crypto.randomUUID().slice(0, 8)}@example.com`;
      const attest = async (profile_id: string) =>
        sessions.attest({ profile_id, organization_id, token: await tokenFor(email) });
      await expect(attest(doors.profiles.jwks)).rejects.toMatchObject(refusal(404, "member_not_found"));
      expect((await attest(doors.profiles.pem)).member).toMatchObject({ email_address: email, status: "active" });
    });

    test.each([
      ["a profile that is not there", {}, { profile_id: "none" }, 404, "trusted_token_profile_not_found"],
      ["another audience", { aud: "somebody-else" }, {}, 401, "jwt_invalid_audience"],
      ["another issuer", { iss: "https://else.example" }, {}, 401, "jwt_invalid_issuer"],
      ["no organization", {}, { organization_id: undefined }, 400, "token_missing_organization_id_claim"],
    ])("refuses %s", async (_, claims, changes, status, error_type) => {
      const { organization_id, email_address } = member;
      const token = await tokenFor(email_address, claims);
      const request = { profile_id: doors.profiles.jwks, organization_id, token, ...changes } as {
        profile_id: string;
        token: string;
      };
      await expect(newClient().sessions.attest(request)).rejects.toMatchObject(refusal(status, error_type));
    });
  });

  test("migrate: whose e-mail UserInfo tells, if a member has it", async () => {
    const { organization_id, member_id, email_address } = member;
    const { sessions } = newClient();
    const migrate = (email: string) =>
      sessions.migrate({ organization_id, session_token: doors.outside.bearerTokenOf(email) });
    const answer = await migrate(email_address);
    expect(answer).toMatchObject({ status_code: 200, member_id, member: { email_address } });
    expect(answer.member_session?.authentication_factors).toMatchObject([
      { type: "imported", delivery_method: "imported_auth0" },
    ]);
    expect(await sessions.authenticate({ session_token: answer.session_token })).toMatchObject({
      member: { member_id },
    });
    await expect(migrate("nobody@example.com")).rejects.toMatchObject(
      refusal(404, "migrate_from_external_email_does_not_exist"),
    );
    await expect(migrate("no address")).rejects.toMatchObject(
      refusal(400, "migrate_from_external_unexpected_response"),
    );
  });

  test("exchangeAccessToken: once, with the scope full_access", async () => {
    const { member_id, organization_id, email_address } = member;
    const { sessions } = newClient();
    const claims = { client_id: "first-party", scope: "openid full_access", organization_id };
    const access_token = await tokenFor(email_address, claims);
    const answer = await sessions.exchangeAccessToken({ access_token });
    expect(answer).toMatchObject({ status_code: 200, member_id, organization: { organization_id } });
    expect(answer.member_session?.authentication_factors).toMatchObject([
      { type: "oauth", delivery_method: "oauth_access_token_exchange" },
    ]);
    await expect(sessions.exchangeAccessToken({ access_token })).rejects.toMatchObject({ status_code: 404 });
    const withoutScope = await tokenFor(email_address, { ...claims, scope: "openid" });
    await expect(sessions.exchangeAccessToken({ access_token: withoutScope })).rejects.toMatchObject({
      error_type: "oauth_access_token_exchange_missing_full_access",
    });
  });

  test("impersonation.authenticate: once, for an hour that is not extended", async () => {
    const { member_id, organization_id } = member;
    const { impersonation, sessions } = newClient();
    const impersonation_token = await impersonationToken(doors.slug, member);
    const answer = await impersonation.authenticate({ impersonation_token });
    const { session_token } = answer;
    expect(answer).toMatchObject({
      status_code: 200,
      member_id,
      organization_id,
      member_authenticated: true,
      intermediate_session_token: "",
      member_session: { authentication_factors: [{ type: "impersonated", delivery_method: "impersonation" }] },
    });
    await sessions.authenticate({ session_token });
    await expect(sessions.authenticate({ session_token, session_duration_minutes: 60 })).rejects.toMatchObject({
      error_type: "session_not_mutable",
    });
    await expect(impersonation.authenticate({ impersonation_token })).rejects.toMatchObject({ status_code: 404 });
  });
});
