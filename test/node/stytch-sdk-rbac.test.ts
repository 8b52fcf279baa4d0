/**
 * What members may do, through Stytch's own Node SDKs, unmodified, over HTTP: the answer that the SDK finds by itself
 * with the policies that it fetches, and the one that the server gives.
 */

import { type AuthorizationCheck, B2BClient } from "stytch";
import { B2BClient as B2BClient12 } from "stytch-12";
import { beforeAll, describe, expect, test } from "vitest";
import { demoProject, refusal } from "./support/stytch.ts";
import { makeTwoSignedIn, type SignedIn, signInAgain } from "./support/stytch-people.ts";

const REVOKE = { resource_id: "stytch.member", action: "revoke-sessions" };
const UPDATE_SELF = { resource_id: "stytch.self", action: "update.info.name" };
const ELSEWHERE = "organization-live-0b9e7c6c-2f5e-4d7e-9c0f-1a2b3c4d5e6f";

describe.each([
  ["14.2", B2BClient],
  ["12.43", B2BClient12 as unknown as typeof B2BClient],
])("SDK %s", (_, Client) => {
  // SDKs keep policies for five minutes: each test has a client of its own.
  const newClient = () => new Client({ ...demoProject });
  let admin: SignedIn;
  let member: SignedIn;

  beforeAll(async () => {
    ({ admin, member } = await makeTwoSignedIn());
  });

  const jwtOf = async ({ session_token }: SignedIn) =>
    (await newClient().sessions.authenticate({ session_token })).session_jwt;

  describe("authorization_check", () => {
    test.each<[string, Omit<AuthorizationCheck, "organization_id">, string[], () => SignedIn]>([
      ["an admin", REVOKE, ["stytch_admin"], () => admin],
      ["an admin", UPDATE_SELF, ["stytch_member"], () => admin],
      ["a member", UPDATE_SELF, ["stytch_member"], () => member],
    ])("lets %s do %j, here and there: by %j", async (_, what, granting_roles, who) => {
      const { organization_id, session_token } = who();
      const { sessions } = newClient();
      const authorization_check = { organization_id, ...what };
      const remote = await sessions.authenticate({ session_token, authorization_check });
      expect(remote.verdict).toEqual({ authorized: true, granting_roles });
      const { session_jwt, member_session } = remote;
      const local = await sessions.authenticateJwtLocal({ session_jwt, authorization_check });
      expect(local).toEqual({ ...member_session, expires_at: new Date(member_session.expires_at).toISOString() });
    });

    test.each([
      ["what the member's roles do not allow", REVOKE, {}, "invalid_permissions", "session_authorization_error"],
      [
        "an action that nobody knows",
        { ...UPDATE_SELF, resource_id: "x" },
        {},
        "invalid_permissions",
        "session_authorization_error",
      ],
      [
        "another organization",
        UPDATE_SELF,
        { organization_id: ELSEWHERE },
        "tenancy_mismatch",
        "session_authorization_tenancy_error",
      ],
    ])("refuses %s, here and there, and changes nothing", async (_, what, where, code, error_type) => {
      const { organization_id, session_token } = member;
      const { sessions } = newClient();
      const authorization_check = { organization_id, ...what, ...where };
      const session_jwt = await jwtOf(member);
      await expect(sessions.authenticateJwtLocal({ session_jwt, authorization_check })).rejects.toMatchObject({ code });
      // Refused by itself, this SDK asks the server.
      const refused = refusal(403, error_type);
      await expect(sessions.authenticateJwt({ session_jwt, authorization_check })).rejects.toMatchObject(refused);
      const before = await sessions.authenticate({ session_token });
      const extending = { session_token, authorization_check, session_duration_minutes: 600 };
      await expect(sessions.authenticate(extending)).rejects.toMatchObject(refused);
      const after = await sessions.authenticate({ session_token });
      expect(after.member_session.expires_at).toBe(before.member_session.expires_at);
    });
  });

  describe("revoke as a member", () => {
    const authorization = ({ session_token }: SignedIn) => ({ authorization: { session_token } });

    test("an admin ends a member's session, by token and by JWT; a member ends its own", async () => {
      const { sessions } = newClient();
      const revoked = [await signInAgain(member), await signInAgain(member), await signInAgain(member)] as const;
      const by = [
        authorization(admin),
        { authorization: { session_jwt: await jwtOf(admin) } },
        authorization(revoked[2]),
      ];
      for (const [index, { session_token, member_session_id }] of revoked.entries()) {
        await sessions.revoke({ member_session_id }, by[index]);
        await expect(sessions.authenticate({ session_token })).rejects.toMatchObject({
          error_type: "session_not_found",
        });
      }
    });

    test("a member does not end another's, nor does anybody elsewhere, nor who shows two", async () => {
      const { sessions } = newClient();
      const { member_session_id, session_token, member_id } = admin;
      const stranger = (await makeTwoSignedIn()).admin;
      const two = { authorization: { session_token: member.session_token, session_jwt: await jwtOf(member) } };
      for (const [options, status, error_type] of [
        [authorization(member), 403, "session_authorization_error"],
        [authorization(stranger), 403, "session_authorization_tenancy_error"],
        [two, 400, "too_many_session_arguments"],
      ] as const) {
        for (const selector of [{ member_session_id }, { session_token }, { member_id }]) {
          await expect(sessions.revoke(selector, options)).rejects.toMatchObject(refusal(status, error_type));
        }
      }
      await sessions.authenticate({ session_token });
    });
  });
});
