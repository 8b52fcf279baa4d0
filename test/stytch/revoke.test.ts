/** Ending sessions (contract §2.3): by each selector, alone, and at once. */

import { describe, expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { makeTenant, type Tenant } from "../support/fixtures.ts";
import { call, failure, memberId, success } from "./support.ts";

const AUTHENTICATE = "/v1/b2b/sessions/authenticate";
const REVOKE = "/v1/b2b/sessions/revoke";

interface Made {
  token: string;
  id: string;
  jwt: string;
}

async function makeSession(client: Client, tenant: Tenant, member_id = tenant.team.member.id): Promise<Made> {
  const made = await client.call("POST", "/v1/member-sessions/", tenant.apiKey, { member_id });
  const { token, id } = (await made.json()) as { token: string; id: string };
  await client.settle();
  const { session_jwt } = await success(call(client, tenant, "POST", AUTHENTICATE, { session_token: token }));
  return { token, id, jwt: session_jwt };
}

async function isLive(client: Client, tenant: Tenant, { token, jwt }: Made): Promise<boolean> {
  const byToken = await call(client, tenant, "POST", AUTHENTICATE, { session_token: token });
  const byJwt = await call(client, tenant, "POST", AUTHENTICATE, { session_jwt: jwt });
  expect(byJwt.status).toBe(byToken.status);
  if (byToken.status !== 200) await failure(byToken, 404, "session_not_found");
  return byToken.status === 200;
}

test.each([
  ["its id", ({ id }: Made) => ({ member_session_id: `session-live-${id}` })],
  ["its bare id", ({ id }: Made) => ({ member_session_id: id })],
  ["its token", ({ token }: Made) => ({ session_token: token })],
  ["a JWT of it", ({ jwt }: Made) => ({ session_jwt: jwt })],
])("a session ends by %s, and the member's others go on", async (_, selector) => {
  const client = makeClient();
  const tenant = await makeTenant();
  const [ended, other] = [await makeSession(client, tenant), await makeSession(client, tenant)];
  expect(await success(call(client, tenant, "POST", REVOKE, selector(ended)))).toEqual({});
  expect([await isLive(client, tenant, ended), await isLive(client, tenant, other)]).toEqual([false, true]);
  await failure(call(client, tenant, "POST", REVOKE, selector(ended)), 404, "session_not_found");
});

test("a session ends by a JWT of it that has expired", async () => {
  const client = makeClient();
  const tenant = await makeTenant();
  const made = await makeSession(client, tenant);
  client.clock.advance(600_000);
  await success(call(client, tenant, "POST", REVOKE, { session_jwt: made.jwt }));
  expect(await isLive(client, tenant, made)).toBe(false);
});

test.each([(id: string) => id, memberId])(
  "all of a member's sessions end by the member's id, and only these",
  async (named) => {
    const client = makeClient();
    const tenant = await makeTenant();
    const own = [await makeSession(client, tenant), await makeSession(client, tenant)];
    const other = await makeSession(client, tenant, tenant.team.owner.id);
    await success(call(client, tenant, "POST", REVOKE, { member_id: named(tenant.team.member.id) }));
    for (const session of own) expect(await isLive(client, tenant, session)).toBe(false);
    expect(await isLive(client, tenant, other)).toBe(true);
    // There is none left to end, and the member is still there.
    await success(call(client, tenant, "POST", REVOKE, { member_id: named(tenant.team.member.id) }));
  },
);

describe("nothing ends", () => {
  test("by no selector, or by two", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const made = await makeSession(client, tenant);
    for (const none of [{}, { member_id: null }, { session_token: "" }, ""]) {
      await failure(call(client, tenant, "POST", REVOKE, none), 400, "no_session_revoke_arguments");
    }
    const selectors = {
      member_session_id: made.id,
      session_token: made.token,
      session_jwt: made.jwt,
      member_id: tenant.team.member.id,
    };
    const pairs = Object.entries(selectors).flatMap((one, at, all) => all.slice(at + 1).map((two) => [one, two]));
    for (const pair of pairs) {
      const body = Object.fromEntries(pair);
      await failure(call(client, tenant, "POST", REVOKE, body), 400, "too_many_session_revoke_arguments");
    }
    expect(await isLive(client, tenant, made)).toBe(true);
  });

  test("by what is unknown, malformed or another project's", async () => {
    const client = makeClient();
    const [tenant, other] = [await makeTenant(), await makeTenant()];
    const made = await makeSession(client, tenant);
    const unknown = crypto.randomUUID();
    const cases: [object, number, string][] = [
      [{ member_session_id: "x" }, 400, "invalid_session_id"],
      [{ member_session_id: `member-live-${made.id}` }, 400, "invalid_session_id"],
      [{ member_session_id: `session-test-${made.id}` }, 400, "test_id_used_in_live_environment"],
      [{ member_session_id: unknown }, 404, "session_not_found"],
      [{ session_token: "x" }, 400, "invalid_session_token"],
      [{ session_token: `lk_mst_t${"A".repeat(56)}` }, 404, "session_not_found"],
      [{ session_jwt: "x" }, 400, "unable_to_parse_session_jwt"],
      [{ member_id: unknown }, 404, "member_not_found"],
      [{ member_id: "x" }, 404, "member_not_found"],
    ];
    for (const [body, status, type] of cases) await failure(call(client, tenant, "POST", REVOKE, body), status, type);
    await failure(call(client, other, "POST", REVOKE, { member_session_id: made.id }), 404, "session_not_found");
    await failure(call(client, other, "POST", REVOKE, { session_token: made.token }), 404, "session_not_found");
    await failure(call(client, other, "POST", REVOKE, { session_jwt: made.jwt }), 401, "jwt_invalid_issuer");
    await failure(call(client, other, "POST", REVOKE, { member_id: tenant.team.member.id }), 404, "member_not_found");
    expect(await isLive(client, tenant, made)).toBe(true);
  });
});

describe("in the name of a member", () => {
  const acting = ({ token }: Made) => ({ "X-Stytch-Member-Session": token });

  async function prepare() {
    const client = makeClient();
    const tenant = await makeTenant();
    const { owner, billingManager, member } = tenant.team;
    const [admin, manager, own] = [
      await makeSession(client, tenant, owner.id),
      await makeSession(client, tenant, billingManager.id),
      await makeSession(client, tenant, member.id),
    ];
    const revoke = (actor: Made, selector: object) => call(client, tenant, "POST", REVOKE, selector, acting(actor));
    return { client, tenant, admin, manager, own, revoke };
  }

  const selectors = ({ id, token, jwt }: Made, member_id: string) => [
    { member_session_id: id },
    { session_token: token },
    { session_jwt: jwt },
    { member_id },
  ];

  test("others' sessions are ended by those whose roles permit it, and by no others", async () => {
    const { client, tenant, admin, manager, own, revoke } = await prepare();
    const { team } = tenant;
    for (const actor of [own, manager]) {
      for (const selector of selectors(admin, team.owner.id)) {
        await failure(revoke(actor, selector), 403, "session_authorization_error");
      }
    }
    expect(await isLive(client, tenant, admin)).toBe(true);
    for (const at of [0, 1, 2, 3]) {
      const other = await makeSession(client, tenant, team.member.id);
      expect(await success(revoke(admin, selectors(other, team.member.id)[at] as object))).toEqual({});
      expect(await isLive(client, tenant, other)).toBe(false);
    }
    expect([await isLive(client, tenant, admin), await isLive(client, tenant, own)]).toEqual([true, false]);
  });

  test("their own sessions are ended by everybody, the one that is shown included", async () => {
    const { client, tenant, own, revoke } = await prepare();
    const { member } = tenant.team;
    for (const at of [0, 1, 2]) {
      const another = await makeSession(client, tenant, member.id);
      await success(revoke(own, selectors(another, member.id)[at] as object));
      expect(await isLive(client, tenant, another)).toBe(false);
    }
    await success(revoke(own, { member_id: member.id }));
    expect(await isLive(client, tenant, own)).toBe(false);
    await failure(revoke(own, { member_id: member.id }), 404, "session_not_found");
  });

  test("sessions of another organization are out of reach, even an administrator's", async () => {
    const { client, tenant, admin, revoke } = await prepare();
    const { owner } = tenant.individual;
    const other = await makeSession(client, tenant, owner.id);
    for (const selector of selectors(other, owner.id)) {
      await failure(revoke(admin, selector), 403, "session_authorization_tenancy_error");
    }
    expect(await isLive(client, tenant, other)).toBe(true);
  });
});
