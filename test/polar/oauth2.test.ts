/** Introspection (RFC 7662) and revocation (RFC 7009) of session tokens. */

import { beforeAll, describe, expect, test } from "vitest";
import type { Client } from "../support/client.ts";
import { makeClient } from "../support/client.ts";
import { credentials, makeApiKey, makeTenant, type Tenant } from "../support/fixtures.ts";
import { isRevoked, makeCustomerLink, makeFaultyClient, makeLink, update } from "../support/portal.ts";
import { INVALID_TOKEN, isLive, type Json, json } from "./support.ts";

const FORM = "application/x-www-form-urlencoded";
const INACTIVE = '{"active":false}';
const INVALID_CLIENT = { error: "invalid_client", error_description: "Client authentication failed." };
const ENDPOINTS = ["introspect", "revoke"] as const;
type Endpoint = (typeof ENDPOINTS)[number];

function post(
  client: Client,
  endpoint: Endpoint,
  fields: Record<string, string> | string,
  headers: Record<string, string> = {},
) {
  const body = typeof fields === "string" ? fields : new URLSearchParams(fields).toString();
  return client.fetch(`/v1/oauth2/${endpoint}`, {
    method: "POST",
    headers: { "Content-Type": FORM, ...headers },
    body,
  });
}

const clientOf = ({ id, apiKey }: Tenant) => ({ client_id: id, client_secret: apiKey });
const basic = (id: string, secret: string) => ({ Authorization: `Basic ${btoa(`${id}:${secret}`)}` });
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

async function expectInvalidClient(response: Response): Promise<void> {
  expect(await json(response, 401)).toEqual(INVALID_CLIENT);
  expect(response.headers.get("WWW-Authenticate")).toBe('Bearer realm="polar", Basic realm="polar"');
}

/** Requests that change nothing share one world. */
let client: Client;
let tenant: Tenant;
let other: Tenant;
beforeAll(async () => {
  client = makeClient();
  [tenant, other] = [await makeTenant(), await makeTenant()];
});

const introspect = async (token: string, organization = tenant): Promise<Json> =>
  json(await post(client, "introspect", { token, ...clientOf(organization) }), 200);

describe("introspection", () => {
  test("tells of a live member session whose it is, how long and for what, and no name or address", async () => {
    const { token, sessionId } = await makeLink(client, tenant);
    const now = client.clock.now() / 1000;
    expect(await introspect(token)).toEqual({
      active: true,
      token_type: "access_token",
      scope: "customer_portal:write",
      client_id: tenant.id,
      sub: tenant.team.member.id,
      aud: tenant.id,
      iss: "https://portal.test",
      iat: now,
      exp: now + 3600,
      sub_type: "user",
      organizations: [tenant.id],
      sid: sessionId,
      customer_id: tenant.team.id,
      member_id: tenant.team.member.id,
      role: "member",
    });
  });

  test("tells of a customer session its customer, and neither member nor role", async () => {
    const customers = await makeTenant({ member_model_enabled: 0 });
    const { token, sessionId } = await makeCustomerLink(client, customers);
    expect(await introspect(token, customers)).toMatchObject({
      active: true,
      sub: customers.individual.id,
      sid: sessionId,
      customer_id: customers.individual.id,
      member_id: null,
      role: null,
    });
  });

  test("gives whole seconds, and never more life than there is", async () => {
    const odd = makeClient();
    odd.clock.advance(999);
    const { token } = await makeLink(odd, tenant);
    const { iat, exp } = await json(await post(odd, "introspect", { token, ...clientOf(tenant) }), 200);
    expect([iat, exp]).toEqual([(odd.clock.now() - 999) / 1000, (odd.clock.now() - 999) / 1000 + 3600]);
  });

  test("of everything else is exactly inactive: unknown, expired, revoked, another organization's, no session", async () => {
    const world = makeClient();
    const [expired, revoked, deleted, alive] = [
      await makeLink(world, tenant, undefined, { expires_in: 300 }),
      await makeLink(world, tenant),
      await makeLink(world, tenant, tenant.team.owner),
      await makeLink(world, tenant, undefined, { expires_in: 3600 }),
    ];
    await update("sessions", revoked.sessionId, { revoked_at: 1 });
    const foreign = await makeLink(world, other);
    const victim = await makeTenant();
    const gone = await makeLink(world, victim);
    await update("members", victim.team.member.id, { deleted_at: 1 });
    world.clock.advance(300_000);
    const worthless: Record<string, string> = {
      "an expired session": expired.token,
      "a revoked session": revoked.token,
      "another organization's live session": foreign.token,
      "a session that was never made": (await credentials.mint("mst")).token,
      "a forged token": `lk_mst_t${"A".repeat(56)}`,
      "the caller's own API key": tenant.apiKey,
      "a live portal code": deleted.code,
      garbage: "x",
      "text that is not UTF-8": "\ufffd",
      NUL: "\0",
      "a long text": "a".repeat(10_000),
    };
    for (const [what, token] of Object.entries(worthless)) {
      const response = await post(world, "introspect", { token, ...clientOf(tenant) });
      expect([response.status, await response.text()], what).toEqual([200, INACTIVE]);
    }
    const orphan = await post(world, "introspect", { token: gone.token, ...clientOf(victim) });
    expect(await orphan.text()).toBe(INACTIVE);
    expect(await json(await post(world, "introspect", { token: alive.token, ...clientOf(tenant) }), 200)).toMatchObject(
      {
        active: true,
      },
    );
  });

  test("is strict: what another isolate has just ended is inactive at once", async () => {
    const elsewhere = makeClient();
    const { token, sessionId } = await makeLink(client, tenant);
    await client.settle();
    await client.call("GET", "/v1/customer-portal/customer-session/introspect", token);
    await elsewhere.call("DELETE", `/v1/member-sessions/${sessionId}`, tenant.apiKey);
    expect(await introspect(token)).toEqual({ active: false });
  });

  test("by another organization does not disturb the session", async () => {
    const { token } = await makeLink(client, tenant);
    expect(await introspect(token, other)).toEqual({ active: false });
    const edge = await client.call("GET", "/v1/customer-portal/customer-session/introspect", token);
    expect(edge.status).toBe(200);
  });

  test("that meets an outage is 503 and never inactive", async () => {
    const { token } = await makeLink(client, tenant);
    const faulty = makeFaultyClient();
    await post(faulty.client, "introspect", { token, ...clientOf(tenant) });
    faulty.db.fail("any");
    const response = await post(faulty.client, "introspect", { token, ...clientOf(tenant) });
    expect((await json(response, 503)).error).toBe("ServiceUnavailable");
    expect(response.headers.get("Retry-After")).toBe("5");
  });
});

describe("revocation", () => {
  const revoke = (token: string, organization = tenant) => post(client, "revoke", { token, ...clientOf(organization) });

  test("ends the session at once, with a tombstone, and may be repeated", async () => {
    const { token, sessionId } = await makeLink(client, tenant);
    const bystander = await makeLink(client, tenant);
    await client.settle();
    for (let time = 0; time < 3; time++) expect(await json(await revoke(token), 200)).toEqual({});
    await client.settle();
    expect(await isRevoked(sessionId)).toBe(true);
    expect(await isLive(makeClient(), token)).toBe(false);
    const atEdge = await makeClient().call("GET", "/v1/customer-portal/customer-session/introspect", token);
    expect(await atEdge.text()).toBe(INVALID_TOKEN);
    expect(await isLive(makeClient(), bystander.token)).toBe(true);
  });

  test("ends a customer session as well", async () => {
    const customers = await makeTenant({ member_model_enabled: 0 });
    const { token, sessionId } = await makeCustomerLink(client, customers);
    expect(await json(await revoke(token, customers), 200)).toEqual({});
    expect(await isRevoked(sessionId)).toBe(true);
  });

  test("of another organization's token gives the same answer and has no effect", async () => {
    const { token, sessionId } = await makeLink(client, tenant);
    expect(await json(await revoke(token, other), 200)).toEqual({});
    expect(await isRevoked(sessionId)).toBe(false);
    expect(await isLive(client, token)).toBe(true);
  });

  test("of what is no session gives the same answer, and an API key or a code lives on", async () => {
    const { token, code } = await makeLink(client, tenant);
    for (const worthless of [
      "x",
      `lk_mst_t${"A".repeat(56)}`,
      (await credentials.mint("mst")).token,
      code,
      tenant.apiKey,
    ])
      expect(await json(await revoke(worthless), 200)).toEqual({});
    const fresh = makeClient();
    expect((await fresh.call("GET", "/v1/member-sessions/", tenant.apiKey)).status).toBe(200);
    expect(await isLive(fresh, token)).toBe(true);
  });

  test("that meets an outage is 503 and never a success", async () => {
    const { token, sessionId } = await makeLink(client, tenant);
    const { client: faulty, db } = makeFaultyClient();
    await post(faulty, "introspect", { token, ...clientOf(tenant) });
    db.fail("any");
    await json(await post(faulty, "revoke", { token, ...clientOf(tenant) }), 503);
    db.heal();
    expect(await isRevoked(sessionId)).toBe(false);
  });
});

describe.each(ENDPOINTS)("the client of %s", (endpoint) => {
  let token: string;
  beforeAll(async () => {
    token = (await credentials.mint("mst")).token;
  });
  const served = async (response: Response) => expect(response.status, await response.text()).toBe(200);

  test("may name its organization by id or slug, in the form or as HTTP Basic", async () => {
    for (const id of [tenant.id, tenant.id.toUpperCase(), tenant.slug]) {
      await served(await post(client, endpoint, { token, client_id: id, client_secret: tenant.apiKey }));
      await served(await post(client, endpoint, { token }, basic(id, tenant.apiKey)));
    }
  });

  test("may encode its Basic credentials for a form first, and write the scheme as it likes", async () => {
    const encode = (text: string) => text.replace(/[-_]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
    await served(await post(client, endpoint, { token }, basic(encode(tenant.slug), encode(tenant.apiKey))));
    const { Authorization } = basic(tenant.slug, tenant.apiKey);
    await served(await post(client, endpoint, { token }, { Authorization: Authorization.replace("Basic", "bASIC") }));
  });

  test("may present its API key as a bearer token, whatever client_id says", async () => {
    await served(await post(client, endpoint, { token }, bearer(tenant.apiKey)));
    await served(await post(client, endpoint, { token, client_id: "anything" }, bearer(tenant.apiKey)));
  });

  test("is refused as invalid_client without an API key that lives and is its organization's", async () => {
    const expired = await makeApiKey(tenant.id, ["member_sessions:write"], { expires_at: 1 });
    const session = await makeLink(client, tenant);
    for (const [id, secret] of [
      [tenant.id, "x"],
      [tenant.id, expired],
      [tenant.id, session.token],
      [tenant.id, (await credentials.mint("oat")).token],
      [other.id, tenant.apiKey],
      [other.slug, tenant.apiKey],
      ["", tenant.apiKey],
      [tenant.apiKey, ""],
      [tenant.apiKey, tenant.apiKey],
      [tenant.id, `${tenant.apiKey}:x`],
      ["", ""],
    ] as [string, string][]) {
      await expectInvalidClient(await post(client, endpoint, { token, client_id: id, client_secret: secret }));
      await expectInvalidClient(await post(client, endpoint, { token }, basic(id, secret)));
    }
    for (const value of [
      "Basic",
      "Basic ",
      "Basic !!!",
      `Basic ${btoa("no colon")}`,
      `Basic ${btoa("%zz:%")}`,
      "Digest x",
    ])
      await expectInvalidClient(await post(client, endpoint, { token }, { Authorization: value }));
    await expectInvalidClient(await post(client, endpoint, { token }));
    await expectInvalidClient(await post(client, endpoint, { token, client_id: tenant.id }));
    await expectInvalidClient(await post(client, endpoint, { token, client_secret: tenant.apiKey }));
  });

  test("with a bearer token is refused as everywhere: dead is invalid_token, a session no credential", async () => {
    const dead = await post(client, endpoint, { token, ...clientOf(tenant) }, bearer("lk_oat_x"));
    expect([dead.status, await dead.text()]).toEqual([401, INVALID_TOKEN]);
    const session = await makeLink(client, tenant);
    const refused = await post(client, endpoint, { token }, bearer(session.token));
    expect(await json(refused, 401)).toEqual({ error: "Unauthorized", detail: "Unauthorized" });
  });

  test("may not authenticate in two ways at once", async () => {
    for (const headers of [bearer(tenant.apiKey), basic(tenant.id, tenant.apiKey)]) {
      const refused = await post(client, endpoint, { token, ...clientOf(tenant) }, headers);
      expect((await json(refused, 400)).error).toBe("invalid_request");
    }
  });

  test("needs the scope, which reading alone gives for introspection only", async () => {
    const none = await makeApiKey(tenant.id, ["customers:read"]);
    const reader = await makeApiKey(tenant.id, ["member_sessions:read"]);
    const writer = await makeApiKey(tenant.id, ["member_sessions:write"]);
    const asking = async (key: string) => {
      const response = await post(client, endpoint, { token, client_id: tenant.id, client_secret: key });
      if (response.status === 403) expect((await json(response, 403)).error).toBe("insufficient_scope");
      return response.status;
    };
    expect(await asking(none)).toBe(403);
    expect(await asking(reader)).toBe(endpoint === "introspect" ? 200 : 403);
    expect(await asking(writer)).toBe(200);
  });

  test("meets an outage as 503, never as invalid_client", async () => {
    const { client: faulty, db } = makeFaultyClient();
    db.fail("any");
    for (const headers of [bearer(tenant.apiKey), basic(tenant.id, tenant.apiKey)])
      await json(await post(faulty, endpoint, { token }, headers), 503);
    await json(await post(faulty, endpoint, { token, ...clientOf(tenant) }), 503);
  });
});

describe.each(ENDPOINTS)("the form of %s", (endpoint) => {
  const expectMalformed = async (response: Response) => {
    const body = await json(response, 400);
    expect(body).toEqual({ error: "invalid_request", error_description: expect.any(String) });
  };

  test("must hold a token with a value", async () => {
    await expectMalformed(await post(client, endpoint, clientOf(tenant)));
    await expectMalformed(await post(client, endpoint, { ...clientOf(tenant), token: "" }));
    await expectMalformed(await post(client, endpoint, "", bearer(tenant.apiKey)));
  });

  test("may hold what is not known, and any token_type_hint", async () => {
    for (const token_type_hint of ["access_token", "refresh_token", "nonsense", ""]) {
      const fields = { token: "x", ...clientOf(tenant), token_type_hint, extra: "1" };
      expect((await post(client, endpoint, fields)).status).toBe(200);
    }
  });

  test("may hold no parameter twice", async () => {
    const { token, sessionId } = await makeLink(client, tenant);
    const valid = new URLSearchParams({ token, ...clientOf(tenant), extra: "1" }).toString();
    for (const again of [
      "token=x",
      "token=",
      `token=${token}`,
      `client_id=${tenant.id}`,
      "client_secret=x",
      "extra=2",
    ]) {
      await expectMalformed(await post(client, endpoint, `${valid}&${again}`));
    }
    expect(await isRevoked(sessionId)).toBe(false);
    expect((await post(client, endpoint, valid)).status).toBe(200);
  });

  test("must be sent as one: no JSON, no multipart, no query", async () => {
    const fields = { token: "x", ...clientOf(tenant) };
    const valid = new URLSearchParams(fields).toString();
    for (const type of [
      "",
      "application/json",
      "text/plain",
      "multipart/form-data; boundary=b",
      `${FORM}x`,
      `x${FORM}`,
    ])
      await expectMalformed(await post(client, endpoint, valid, { "Content-Type": type }));
    await expectMalformed(await client.call("POST", `/v1/oauth2/${endpoint}`, tenant.apiKey, fields));
    await expectMalformed(await client.fetch(`/v1/oauth2/${endpoint}?${valid}`, { method: "POST" }));
    for (const type of [`${FORM};charset=UTF-8`, `${FORM} ; charset=utf-8`, FORM.toUpperCase()])
      expect((await post(client, endpoint, valid, { "Content-Type": type })).status).toBe(200);
  });

  test("is read as UTF-8, and broken escapes are just another unknown token", async () => {
    for (const token of ["%", "%zz", "%ff%fe", "%00", "%ED%A0%80", "a+b"]) {
      const body = `token=${token}&${new URLSearchParams(clientOf(tenant))}`;
      expect((await post(client, endpoint, body)).status).toBe(200);
    }
  });
});
