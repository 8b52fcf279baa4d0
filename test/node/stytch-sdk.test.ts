/**
 * Member sessions through Stytch's own Node SDKs, unmodified, over HTTP: listed, authenticated, verified without the
 * server, revoked. Assertions are on what the SDK made of the answers.
 */

import { B2BClient } from "stytch";
import { B2BClient as B2BClient12 } from "stytch-12";
import { beforeAll, describe, expect, test } from "vitest";
import { demoProject, refusal } from "./support/stytch.ts";
import { agedByAnHour, makeTwoSignedIn, type SignedIn, signInAgain } from "./support/stytch-people.ts";

const UNKNOWN = "0b9e7c6c-2f5e-4d7e-9c0f-1a2b3c4d5e6f";
const SESSION_NOT_FOUND = refusal(404, "session_not_found");
const SESSION_CLAIM = "https://stytch.com/session";
const lasting = (session_token: string, session_duration_minutes: number) => ({
  session_token,
  session_duration_minutes,
});
const claiming = (session_token: string, session_custom_claims: object) => ({ session_token, session_custom_claims });
const minutesFromNow = (time: string) => (Date.parse(time) - Date.now()) / 60_000;

describe.each([
  ["14.2", B2BClient],
  ["12.43", B2BClient12 as unknown as typeof B2BClient],
])("SDK %s", (_, Client) => {
  const { sessions } = new Client({ ...demoProject });
  let admin: SignedIn;
  let member: SignedIn;

  beforeAll(async () => {
    ({ admin, member } = await makeTwoSignedIn());
  });

  const jwtOf = async ({ session_token }: SignedIn) => (await sessions.authenticate({ session_token })).session_jwt;

  describe("get", () => {
    test("lists a member's live sessions, and nobody else's", async () => {
      const { organization_id, member_id, member_session_id } = member;
      const second = await signInAgain(member);
      const { member_sessions, status_code } = await sessions.get({ organization_id, member_id });
      expect(status_code).toBe(200);
      const ids = member_sessions.map((session) => session.member_session_id);
      expect(ids.sort()).toEqual([member_session_id, second.member_session_id].sort());
      expect(member_sessions[0]).toMatchObject({ organization_id, member_id, roles: ["stytch_member"] });
    });

    test.each([
      [
        "organization",
        () => ({ ...member, organization_id: `organization-live-${UNKNOWN}` }),
        "organization_not_found",
      ],
      ["member", () => ({ ...member, member_id: `member-live-${UNKNOWN}` }), "member_not_found"],
    ])("knows no other %s", async (_, named, error_type) => {
      const { organization_id, member_id } = named();
      await expect(sessions.get({ organization_id, member_id })).rejects.toMatchObject(refusal(404, error_type));
    });
  });

  describe("authenticate", () => {
    test("by token tells session, member and organization", async () => {
      const { organization_id, member_id, email_address, member_session_id, session_token } = member;
      const answer = await sessions.authenticate({ session_token });
      expect(answer).toMatchObject({
        status_code: 200,
        session_token,
        member_session: {
          member_session_id,
          member_id,
          organization_id,
          authentication_factors: [],
          custom_claims: {},
        },
        member: { member_id, organization_id, email_address, status: "active", is_admin: false },
        organization: { organization_id, organization_slug: answer.member_session.organization_slug },
      });
      expect(answer.session_jwt).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    });

    test("by JWT is the same session", async () => {
      const session_jwt = await jwtOf(admin);
      const { member_session, member } = await sessions.authenticate({ session_jwt });
      expect(member_session.member_session_id).toBe(admin.member_session_id);
      expect(member).toMatchObject({ member_id: admin.member_id, is_admin: true });
    });

    test("sets the lifetime, longer and shorter, and leaves it where none is named", async () => {
      const { session_token } = await signInAgain(member);
      for (const session_duration_minutes of [90, 5]) {
        const { member_session } = await sessions.authenticate({ session_token, session_duration_minutes });
        expect(minutesFromNow(member_session.expires_at)).toBeCloseTo(session_duration_minutes, 0);
        const again = await sessions.authenticate({ session_token });
        expect(again.member_session.expires_at).toBe(member_session.expires_at);
      }
    });

    test("merges custom claims: null takes away, objects merge, arrays are replaced", async () => {
      const { session_token } = await signInAgain(member);
      const merge = async (session_custom_claims: Record<string, unknown>) =>
        (await sessions.authenticate({ session_token, session_custom_claims })).member_session.custom_claims;
      const first = { plan: "pro", list: [1, 2], deep: { a: 1, b: { c: 2 } } };
      expect(await merge(first)).toEqual(first);
      expect(await merge({ plan: null, list: [3], deep: { b: { d: 4 } } })).toEqual({
        list: [3],
        deep: { a: 1, b: { c: 2, d: 4 } },
      });
      expect((await sessions.authenticate({ session_token })).member_session.custom_claims).toHaveProperty("list", [3]);
    });

    test.each<[string, (session_token: string) => object, string]>([
      ["nothing", () => ({}), "no_session_arguments"],
      ["a token and a JWT", (session_token) => ({ session_token, session_jwt: "b" }), "too_many_session_arguments"],
      ["no token of ours", () => ({ session_token: "nonsense" }), "invalid_session_token"],
      ["no JWT", () => ({ session_jwt: "nonsense" }), "unable_to_parse_session_jwt"],
      ["4 minutes", (token) => lasting(token, 4), "invalid_session_duration_minutes"],
      ["367 days", (token) => lasting(token, 367 * 24 * 60), "invalid_session_duration_minutes"],
      ["claims of 5 KB", (token) => claiming(token, { text: "x".repeat(5000) }), "custom_claims_too_large"],
      ["Stytch's own claims", (token) => claiming(token, { [SESSION_CLAIM]: {} }), "stytch_claims_in_custom_claims"],
    ])("refuses %s", async (_, request, error_type) => {
      const asked = sessions.authenticate(request(member.session_token));
      await expect(asked).rejects.toMatchObject(refusal(400, error_type));
    });

    test("refuses a secret, and a project, that is not the caller's", async () => {
      const { session_token } = member;
      for (const wrong of [{ secret: `${demoProject.secret}x` }, { project_id: `project-live-${UNKNOWN}` }]) {
        const client = new Client({ ...demoProject, ...wrong });
        await expect(client.sessions.authenticate({ session_token })).rejects.toMatchObject(
          refusal(401, "unauthorized_credentials"),
        );
      }
    });
  });

  describe("a JWT", () => {
    test("is verified without the server, and says what the server says", async () => {
      const session_custom_claims = { plan: "pro", deep: { a: [1, null] } };
      const { session_token } = admin;
      const { member_session, session_jwt } = await sessions.authenticate({ session_token, session_custom_claims });
      const local = await sessions.authenticateJwtLocal({ session_jwt });
      // The SDK writes this one time anew.
      expect(local).toEqual({ ...member_session, expires_at: new Date(member_session.expires_at).toISOString() });
      expect(await sessions.authenticateJwt({ session_jwt })).toEqual({ member_session: local, session_jwt });
    });

    test("that is too old for the caller is authenticated by the server", async () => {
      const session_jwt = await jwtOf(admin);
      const tooOld = { session_jwt, max_token_age_seconds: 0 };
      await expect(sessions.authenticateJwtLocal(tooOld)).rejects.toMatchObject({ code: "jwt_too_old" });
      expect(await sessions.authenticateJwt(tooOld)).toMatchObject({ member: { member_id: admin.member_id } });
    });

    test("that has expired is refreshed while its session lives", async () => {
      const expired = await agedByAnHour(await jwtOf(admin));
      await expect(sessions.authenticateJwtLocal({ session_jwt: expired })).rejects.toMatchObject({
        code: "jwt_invalid",
      });
      const { member_session, session_jwt } = await sessions.authenticateJwt({ session_jwt: expired });
      expect(member_session.member_session_id).toBe(admin.member_session_id);
      const local = await sessions.authenticateJwtLocal({ session_jwt });
      expect(local.member_session_id).toBe(admin.member_session_id);
    });

    test("that has expired is no good once its session has ended", async () => {
      const ended = await signInAgain(member);
      const expired = await agedByAnHour(await jwtOf(ended));
      await sessions.revoke({ session_token: ended.session_token });
      await expect(sessions.authenticateJwt({ session_jwt: expired })).rejects.toMatchObject(SESSION_NOT_FOUND);
    });

    test("that somebody altered is refused, by the SDK and by the server", async () => {
      const [header, , signature] = (await jwtOf(member)).split(".");
      const [, adminsPayload] = (await jwtOf(admin)).split(".");
      const session_jwt = [header, adminsPayload, signature].join(".");
      await expect(sessions.authenticateJwtLocal({ session_jwt })).rejects.toMatchObject({ code: "jwt_invalid" });
      await expect(sessions.authenticateJwt({ session_jwt })).rejects.toMatchObject({ status_code: 401 });
    });
  });

  test("getJWKS has the key that signs, with every member", async () => {
    const { keys, status_code } = await sessions.getJWKS({ project_id: demoProject.project_id });
    expect(status_code).toBe(200);
    const [header = ""] = (await jwtOf(admin)).split(".");
    const { kid } = JSON.parse(Buffer.from(header, "base64url").toString());
    const texts = { kid, n: expect.stringMatching(/./), e: "AQAB", x5tS256: "" };
    const jwk = { kty: "RSA", use: "sig", key_ops: ["verify"], alg: "RS256", x5c: [], ...texts };
    expect(keys).toContainEqual(jwk);
    await expect(sessions.getJWKS({ project_id: "no id" })).rejects.toMatchObject(refusal(400, "invalid_project_id"));
  });

  describe("revoke", () => {
    test.each([
      ["member_session_id", async ({ member_session_id }: SignedIn) => ({ member_session_id })],
      ["session_token", async ({ session_token }: SignedIn) => ({ session_token })],
      ["session_jwt", async (signedIn: SignedIn) => ({ session_jwt: await jwtOf(signedIn) })],
      ["an expired session_jwt", async (who: SignedIn) => ({ session_jwt: await agedByAnHour(await jwtOf(who)) })],
    ])("by %s ends that session only, and there is nothing to revoke then", async (_, selector) => {
      const [ended, kept] = [await signInAgain(member), await signInAgain(member)];
      const named = await selector(ended);
      expect(await sessions.revoke(named)).toMatchObject({ status_code: 200 });
      await expect(sessions.authenticate({ session_token: ended.session_token })).rejects.toMatchObject(
        SESSION_NOT_FOUND,
      );
      await expect(sessions.revoke(named)).rejects.toMatchObject(SESSION_NOT_FOUND);
      await sessions.authenticate({ session_token: kept.session_token });
    });

    test("by member_id ends all that member's sessions", async () => {
      const { member: person, admin: other } = await makeTwoSignedIn();
      const both = [person, await signInAgain(person)];
      const { organization_id, member_id } = person;
      await sessions.revoke({ member_id });
      for (const { session_token } of both) {
        await expect(sessions.authenticate({ session_token })).rejects.toMatchObject(SESSION_NOT_FOUND);
      }
      expect((await sessions.get({ organization_id, member_id })).member_sessions).toEqual([]);
      await sessions.revoke({ member_id });
      await sessions.authenticate({ session_token: other.session_token });
    });

    test.each([
      ["nothing", {}, "no_session_revoke_arguments"],
      ["two", { session_token: "a", member_id: "b" }, "too_many_session_revoke_arguments"],
    ])("refuses %s", async (_, request, error_type) => {
      await expect(sessions.revoke(request)).rejects.toMatchObject(refusal(400, error_type));
    });
  });
});
