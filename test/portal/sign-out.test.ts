/** Signing out: only from our own pages, in D1 before in the browser, and harmless when repeated. */

import { expect, test } from "vitest";
import { makeClient } from "../support/client.ts";
import { makeTenant, type Tenant } from "../support/fixtures.ts";
import { isRevoked, makeFaultyClient, pageStatus, signIn, submit } from "../support/portal.ts";

const CLEARED = "__Host-lk_session=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax";
const signOutPath = (tenant: Tenant) => `/${tenant.slug}/portal/sign-out`;

test("signing out ends the session, clears the cookie with the attributes that set it, and leads to the portal", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { cookie, sessionId, token } = await signIn(client, tenant);
  const response = await submit(client, signOutPath(tenant), {}, cookie);
  expect(response.status).toBe(303);
  expect(response.headers.get("Location")).toBe(`/${tenant.slug}/portal`);
  expect(response.headers.getSetCookie()).toEqual([CLEARED]);
  expect(response.headers.get("Cache-Control")).toBe("private, no-store");
  expect(await isRevoked(sessionId)).toBe(true);
  expect(await pageStatus(client, tenant, cookie)).toBe(401);
  const user = await client.call("GET", "/v1/customer-portal/customer-session/user", token);
  expect(user.status).toBe(401);
});

test("after signing out, a strict check on another isolate refuses at once", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { cookie } = await signIn(client, tenant);
  const other = makeClient({}, client.clock);
  const path = `/v1/forward-auth?organization=${tenant.slug}`;
  const strictly = { headers: { Cookie: cookie, "Session-Consistency": "strict" } };
  expect((await other.fetch(path, { headers: { Cookie: cookie } })).status).toBe(204);
  await submit(client, signOutPath(tenant), {}, cookie);
  expect((await other.fetch(path, strictly)).status).toBe(401);
});

test("only this session ends, not the member's others", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const [one, two] = [await signIn(client, tenant), await signIn(client, tenant)];
  await submit(client, signOutPath(tenant), {}, one.cookie);
  expect(await pageStatus(client, tenant, two.cookie)).toBe(200);
});

test("an Origin that is exactly ours will do for a browser without Sec-Fetch headers", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { cookie, sessionId } = await signIn(client, tenant);
  const headers = { Cookie: cookie, Origin: "https://portal.test" };
  expect((await client.fetch(signOutPath(tenant), { method: "POST", headers })).status).toBe(303);
  expect(await isRevoked(sessionId)).toBe(true);
});

const FOREIGN: [string, Record<string, string>][] = [
  ["another site", { "Sec-Fetch-Site": "cross-site" }],
  ["a sibling host", { "Sec-Fetch-Site": "same-site" }],
  ["the address bar", { "Sec-Fetch-Site": "none" }],
  ["another site that claims our Origin", { "Sec-Fetch-Site": "cross-site", Origin: "https://portal.test" }],
  ["a value that contains the right one", { "Sec-Fetch-Site": "not-same-origin" }],
  ["the right value in another case", { "Sec-Fetch-Site": "Same-Origin" }],
  ["an empty value", { "Sec-Fetch-Site": "", Origin: "https://portal.test" }],
  ["two values", { "Sec-Fetch-Site": "same-origin, cross-site" }],
  ["a foreign Origin", { Origin: "https://evil.example" }],
  ["a null Origin", { Origin: "null" }],
  ["our Origin over http", { Origin: "http://portal.test" }],
  ["our Origin on another port", { Origin: "https://portal.test:8443" }],
  ["our Origin with its default port", { Origin: "https://portal.test:443" }],
  ["our Origin with a path", { Origin: "https://portal.test/" }],
  ["our Origin in upper case", { Origin: "https://PORTAL.test" }],
  ["an Origin that begins like ours", { Origin: "https://portal.test.evil.example" }],
  ["an Origin that ends like ours", { Origin: "https://evilportal.test" }],
  ["an Origin with ours as its user", { Origin: "https://portal.test@evil.example" }],
  ["two Origins", { Origin: "https://portal.test, https://evil.example" }],
  ["an empty Origin", { Origin: "" }],
  ["nothing but our Referer", { Referer: "https://portal.test/x/portal" }],
  ["our Host", { Host: "portal.test" }],
  ["nothing at all", {}],
];

test.each(FOREIGN)("a request that comes with %s is refused with 403, and the session lives on", async (_, headers) => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { cookie, sessionId } = await signIn(client, tenant);
  const response = await client.fetch(signOutPath(tenant), { method: "POST", headers: { ...headers, Cookie: cookie } });
  expect(response.status).toBe(403);
  expect(response.headers.has("Set-Cookie")).toBe(false);
  expect(response.headers.get("Content-Type")).toBe("text/html; charset=UTF-8");
  expect(await isRevoked(sessionId)).toBe(false);
  expect(await pageStatus(client, tenant, cookie)).toBe(200);
});

/** Those that a form or a fetch() may send without a preflight, and those that may not. */
const CONTENT_TYPES = [
  "application/x-www-form-urlencoded",
  "application/x-www-form-urlencoded; charset=utf-8",
  "APPLICATION/X-WWW-FORM-URLENCODED",
  "multipart/form-data; boundary=b",
  "multipart/form-data",
  "multipart/mixed; boundary=b",
  "multipart/related; boundary=b",
  "text/plain",
  "text/plain; charset=utf-8",
  "text/plain;application/json",
  "TEXT/PLAIN",
  "text/html",
  "text/xml",
  "text/csv",
  "application/json",
  "application/json; charset=utf-8",
  "application/problem+json",
  "application/ld+json",
  "application/csp-report",
  "application/reports+json",
  "application/xml",
  "application/grpc",
  "application/graphql",
  "application/octet-stream",
  "application/pdf",
  "application/wasm",
  "image/png",
  "x/y",
  "nonsense",
  "*/*",
  "",
];

test.each(CONTENT_TYPES)("the content type %j does not get another site past the guard", async (contentType) => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { cookie, sessionId } = await signIn(client, tenant);
  for (const body of [undefined, "code=x", "{}"]) {
    for (const origin of [{ "Sec-Fetch-Site": "cross-site" }, { Origin: "https://evil.example" }, {}]) {
      const headers = { ...(origin as Record<string, string>), Cookie: cookie, "Content-Type": contentType };
      const init = { method: "POST", headers, ...(body !== undefined && { body }) };
      expect((await client.fetch(signOutPath(tenant), init)).status).toBe(403);
      expect((await client.fetch(`/${tenant.slug}/portal`, init)).status).toBe(403);
    }
  }
  expect(await isRevoked(sessionId)).toBe(false);
});

test.each(["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])("%s does not sign out", async (method) => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { cookie, sessionId } = await signIn(client, tenant);
  const headers = { Cookie: cookie, "Sec-Fetch-Site": "same-origin", "X-HTTP-Method-Override": "POST" };
  const response = await client.fetch(`${signOutPath(tenant)}?_method=POST`, { method, headers });
  expect([404, 405]).toContain(response.status);
  expect(response.headers.has("Set-Cookie")).toBe(false);
  expect(await isRevoked(sessionId)).toBe(false);
});

test("signing out twice answers the same; the dead cookie is cleared again", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { cookie } = await signIn(client, tenant);
  for (let time = 0; time < 2; time++) {
    const response = await submit(client, signOutPath(tenant), {}, cookie);
    expect(response.status).toBe(303);
    expect(response.headers.getSetCookie()).toEqual([CLEARED]);
  }
});

test.each(["lk_mst_dead", "", "chosen"])("a cookie that holds no session, %j, is cleared", async (value) => {
  const tenant = await makeTenant();
  const response = await submit(makeClient(), signOutPath(tenant), {}, `__Host-lk_session=${value}`);
  expect(response.status).toBe(303);
  expect(response.headers.getSetCookie()).toEqual([CLEARED]);
});

test("two cookies of our name with different values are nobody's session, and are cleared", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { cookie } = await signIn(client, tenant);
  const response = await submit(client, signOutPath(tenant), {}, `${cookie}; __Host-lk_session=other`);
  expect(response.status).toBe(303);
  expect(response.headers.getSetCookie()).toEqual([CLEARED]);
});

test("without a cookie there is nothing to clear", async () => {
  const tenant = await makeTenant();
  const response = await submit(makeClient(), signOutPath(tenant), {});
  expect(response.status).toBe(303);
  expect(response.headers.has("Set-Cookie")).toBe(false);
});

test("another organization's cookie is left alone, and its session lives", async () => {
  const [tenant, other] = [await makeTenant(), await makeTenant()];
  const client = makeClient();
  const { cookie, sessionId } = await signIn(client, other);
  const response = await submit(client, signOutPath(tenant), {}, cookie);
  expect(response.status).toBe(303);
  expect(response.headers.has("Set-Cookie")).toBe(false);
  expect(await isRevoked(sessionId)).toBe(false);
  expect(await pageStatus(client, other, cookie)).toBe(200);
});

test.each([
  ["away", "any"],
  ["refusing writes", /UPDATE sessions SET revoked_at/],
] as const)("with D1 %s signing out answers 503, the cookie stays, and so does the session", async (_, selector) => {
  const tenant = await makeTenant();
  const { client, db } = makeFaultyClient();
  const { cookie, sessionId } = await signIn(client, tenant);
  await client.settle();
  db.fail(selector);
  const response = await submit(client, signOutPath(tenant), {}, cookie);
  expect(response.status).toBe(503);
  expect(response.headers.get("Retry-After")).toBe("5");
  expect(response.headers.has("Set-Cookie")).toBe(false);
  expect(await isRevoked(sessionId)).toBe(false);
  db.heal();
  expect(await pageStatus(client, tenant, cookie)).toBe(200);
});

test("signing out does not need KV", async () => {
  const tenant = await makeTenant();
  const { client, kv } = makeFaultyClient();
  const { cookie, sessionId } = await signIn(client, tenant);
  await client.settle();
  kv.fail("any");
  const response = await submit(client, signOutPath(tenant), {}, cookie);
  expect(response.status).toBe(303);
  expect(response.headers.getSetCookie()).toEqual([CLEARED]);
  expect(await isRevoked(sessionId)).toBe(true);
  expect(await pageStatus(client, tenant, cookie)).toBe(401);
});

test.each(["%2Fevil.example", "%5Cevil.example", "%0d%0aSet-Cookie:x=1", "%E2%82%AC", "..", "a%3Fb%23c"])(
  "the slug /%s/ in the address never leads to another host or into another header",
  async (slug) => {
    const client = makeClient();
    for (const path of [`/${slug}/portal/sign-out`, `/${slug}/portal`]) {
      const response = await submit(client, `https://portal.test${path}`, {});
      expect([303, 404]).toContain(response.status);
      const location = response.headers.get("Location") ?? "/";
      expect(location).toMatch(/^\/[\x21-\x5b\x5d-\x7e]*$/);
      expect(new URL(location, "https://portal.test").origin).toBe("https://portal.test");
      expect(response.headers.has("Set-Cookie")).toBe(false);
    }
  },
);
