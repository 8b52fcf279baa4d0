/** Forward-auth: what a reverse proxy learns about a request, and on whose word. */

import { describe, expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { credentials, makeTenant, type Tenant } from "../support/fixtures.ts";
import { cookieWith, isRevoked, makeCustomerLink, makeLink, update } from "../support/portal.ts";

const ask = (client: Client, organization: string, headers: Record<string, string>) =>
  client.fetch(`/v1/forward-auth?organization=${encodeURIComponent(organization)}`, { headers });

const withCookie = (token: string) => ({ Cookie: cookieWith(token) });
const withBearer = (token: string) => ({ Authorization: `Bearer ${token}` });

describe.each([
  ["cookie", withCookie],
  ["bearer token", withBearer],
])("a live session in a %s", (_, present) => {
  test("is answered with 204 and exactly these headers", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { token } = await makeLink(client, tenant, tenant.team.billingManager);
    const response = await ask(client, tenant.slug, present(token));
    expect(response.status).toBe(204);
    expect(Object.fromEntries(response.headers)).toEqual({
      "cache-control": "private, no-store",
      "x-customer-id": tenant.team.id,
      "x-member-id": tenant.team.billingManager.id,
      "x-member-role": "billing_manager",
      "x-organization-id": tenant.id,
    });
    expect(await response.text()).toBe("");
  });

  test("of a customer sends no member headers", async () => {
    const tenant = await makeTenant({ member_model_enabled: 0 });
    const client = makeClient();
    const { token } = await makeCustomerLink(client, tenant);
    const response = await ask(client, tenant.slug, present(token));
    expect(response.status).toBe(204);
    expect(Object.fromEntries(response.headers)).toEqual({
      "cache-control": "private, no-store",
      "x-customer-id": tenant.individual.id,
      "x-organization-id": tenant.id,
    });
  });

  test("is recognised for its organization by id, by slug and by upper-case id", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { token } = await makeLink(client, tenant);
    for (const name of [tenant.id, tenant.slug, tenant.id.toUpperCase()]) {
      expect((await ask(client, name, present(token))).status).toBe(204);
    }
  });

  test("is nobody for another organization, or for one that does not exist", async () => {
    const [tenant, other] = [await makeTenant(), await makeTenant()];
    const client = makeClient();
    const { token } = await makeLink(client, tenant);
    const near = [tenant.slug.toUpperCase(), `${tenant.slug} `, ` ${tenant.id}`, tenant.id.slice(1), "*", "%", "null"];
    for (const name of [other.id, other.slug, "nobody", ...near]) await expectNobody(ask(client, name, present(token)));
  });

  test("is nobody once it has ended", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const revoked = await makeLink(client, tenant);
    const expired = await makeLink(client, tenant, undefined, { expires_in: 60 });
    await client.call("DELETE", `/v1/member-sessions/${revoked.sessionId}`, tenant.apiKey);
    await expectNobody(ask(client, tenant.slug, present(revoked.token)));
    client.clock.advance(59_999);
    expect((await ask(client, tenant.slug, present(expired.token))).status).toBe(204);
    client.clock.advance(1);
    await expectNobody(ask(client, tenant.slug, present(expired.token)));
  });
});

test.each([["HEAD"], ["GET"]])("%s is served; the answer to nobody is 401 in JSON", async (method) => {
  const tenant = await makeTenant();
  const response = await makeClient().fetch(`/v1/forward-auth?organization=${tenant.slug}`, { method });
  expect(response.status).toBe(401);
  expect(response.headers.get("Content-Type")).toBe("application/json");
  expect(response.headers.get("Cache-Control")).toBe("private, no-store");
});

test.each(["", "?organization=", "?organisation=x", "?ORGANIZATION=x"])(
  "an address with the query %j answers 422 and says what is missing, signed in or not",
  async (query) => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { token } = await makeLink(client, tenant);
    for (const headers of [{}, withCookie(token), withBearer(token)]) {
      const response = await client.fetch(`/v1/forward-auth${query}`, { headers });
      expect(response.status).toBe(422);
      expect(await response.json()).toEqual({
        error: "RequestValidationError",
        detail: "Add ?organization=<id or slug> to the address that your proxy asks.",
      });
    }
  },
);

test.each([
  "Basic dXNlcjpwYXNz",
  "Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln",
  "Bearer sk_live_123",
  "Bearer polarx_mst_123",
  "Digest username=x",
  "Bearer",
  "Bearer ",
  "nonsense",
  "",
])("the application's own Authorization %j is ignored, and the cookie decides", async (authorization) => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { token } = await makeLink(client, tenant);
  const headers = { Authorization: authorization };
  expect((await ask(client, tenant.slug, { ...headers, ...withCookie(token) })).status).toBe(204);
  await expectNobody(ask(client, tenant.slug, headers));
});

type DeadBearer = (client: Client, tenant: Tenant) => Promise<string> | string;
const DEAD_BEARERS: [string, DeadBearer][] = [
  [
    "revoked",
    async (client, tenant) => {
      const { token, sessionId } = await makeLink(client, tenant);
      await client.call("DELETE", `/v1/member-sessions/${sessionId}`, tenant.apiKey);
      return token;
    },
  ],
  ["another organization's", async (client) => (await makeLink(client, await makeTenant())).token],
  ["unknown", async () => (await credentials.mint("mst")).token],
  ["forged", () => `lk_mst_t${"A".repeat(56)}`],
  ["cut", async (client, tenant) => (await makeLink(client, tenant)).token.slice(0, -1)],
  ["an API key", (_, tenant) => tenant.apiKey],
  ["a portal code", async (client, tenant) => (await makeLink(client, tenant)).code],
  ["of a kind that we do not have", () => "lk_jwt_x"],
  ["of our older prefix", () => "polar_mst_x"],
  ["our prefix only", () => "lk_"],
];

test.each(DEAD_BEARERS)(
  "a bearer with our prefix that is %s decides alone: 401 even beside a good cookie",
  async (_, bearerOf) => {
    const tenant = await makeTenant();
    const client = makeClient();
    const good = await makeLink(client, tenant);
    const bearer = await bearerOf(client, tenant);
    const headers = { ...withCookie(good.token), ...withBearer(bearer) };
    await expectNobody(ask(client, tenant.slug, headers));
    expect((await ask(client, tenant.slug, withCookie(good.token))).status).toBe(204);
  },
);

test("a live bearer decides alone, whoever the cookie is", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const ofCookie = await makeLink(client, tenant, tenant.team.owner);
  const ofBearer = await makeLink(client, tenant, tenant.team.member);
  const headers = { ...withCookie(ofCookie.token), Authorization: `bEaReR  ${ofBearer.token}` };
  const response = await ask(client, tenant.slug, headers);
  expect(response.headers.get("X-Member-Id")).toBe(tenant.team.member.id);
  const dead = await ask(client, tenant.slug, { ...withCookie("dead"), ...withBearer(ofBearer.token) });
  expect(dead.status).toBe(204);
});

test("tokens in the query, in a form or in other headers are not looked at", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { token } = await makeLink(client, tenant);
  const query = new URLSearchParams({
    organization: tenant.slug,
    access_token: token,
    member_session_token: token,
    Authorization: `Bearer ${token}`,
  });
  const headers = {
    "Proxy-Authorization": `Bearer ${token}`,
    "X-Forwarded-Authorization": `Bearer ${token}`,
    "X-Original-Cookie": cookieWith(token),
    "X-Member-Id": tenant.team.member.id,
    "X-Organization-Id": tenant.id,
  };
  const response = await client.fetch(`/v1/forward-auth?${query}`, { headers });
  expect(response.status).toBe(401);
  expect([...response.headers.keys()].filter((name) => /^x-(member|customer|organization)/.test(name))).toEqual([]);
});

test("asked twice for an organization, the first one counts", async () => {
  const [tenant, other] = [await makeTenant(), await makeTenant()];
  const client = makeClient();
  const { token } = await makeLink(client, tenant);
  const path = `/v1/forward-auth?organization=${other.slug}&organization=${tenant.slug}`;
  expect((await client.fetch(path, { headers: withCookie(token) })).status).toBe(401);
});

test("a changed role is told within the lease, and at once when asked strictly", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { token } = await makeLink(client, tenant);
  await client.settle();
  await update("members", tenant.team.member.id, { role: "billing_manager" });
  const role = async (headers: Record<string, string>) =>
    (await ask(client, tenant.slug, { ...withBearer(token), ...headers })).headers.get("X-Member-Role");
  expect(await role({})).toBe("member");
  expect(await role({ "Session-Consistency": " Strict " })).toBe("billing_manager");
  client.clock.advance(300_000);
  expect(await role({})).toBe("billing_manager");
});

test.each(["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PROPFIND"])(
  "%s is answered like GET: some proxies repeat the visitor's method",
  async (method) => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { token } = await makeLink(client, tenant);
    const path = `/v1/forward-auth?organization=${tenant.slug}`;
    const preflight = { Origin: "https://evil.example", "Access-Control-Request-Method": "POST" };
    const nobody = await client.fetch(path, { method, headers: preflight });
    expect(nobody.status).toBe(401);
    expect(nobody.headers.has("Access-Control-Allow-Origin")).toBe(false);
    const member = await client.fetch(path, { method, headers: { ...preflight, Authorization: `Bearer ${token}` } });
    expect(member.status).toBe(204);
    expect(member.headers.get("X-Member-Id")).toBe(tenant.team.member.id);
  },
);

test("asking does not end, extend or spend anything", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { token, sessionId } = await makeLink(client, tenant);
  for (let time = 0; time < 3; time++) await ask(client, tenant.slug, withCookie(token));
  expect(await isRevoked(sessionId)).toBe(false);
});

/** The same words for everybody who is not signed in: which of the reasons it was is not told. */
async function expectNobody(asked: Promise<Response>): Promise<void> {
  const response = await asked;
  expect(response.status).toBe(401);
  expect(Object.fromEntries(response.headers)).toEqual({
    "cache-control": "private, no-store",
    "content-type": "application/json",
    "www-authenticate": "Bearer",
  });
  expect(await response.json()).toEqual({ error: "Unauthorized", detail: "Unauthorized" });
}
