/** Following a portal link: what the browser gets for it, once, and what it keeps of what it had. */

import { expect, test } from "vitest";
import { makeClient } from "../support/client.ts";
import { fakeClock } from "../support/clock.ts";
import { credentials, makeTenant } from "../support/fixtures.ts";
import {
  cookieWith,
  follow,
  isSpent,
  makeFaultyClient,
  makeLink,
  pageStatus,
  signIn,
  textOf,
  tokenSet,
} from "../support/portal.ts";

test("a link answers 303 to the clean address with the cookie exactly as designed, and caches and leaks nothing", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const link = await makeLink(client, tenant);
  const landing = await follow(client, link.url);
  expect(landing.status).toBe(303);
  expect(landing.headers.get("Location")).toBe(`/${tenant.slug}/portal`);
  expect(landing.headers.getSetCookie()).toEqual([
    `__Host-lk_session=${link.token}; Max-Age=3600; Path=/; HttpOnly; Secure; SameSite=Lax`,
  ]);
  expect(landing.headers.get("Cache-Control")).toBe("private, no-store");
  expect(landing.headers.get("Referrer-Policy")).toBe("no-referrer");
  expect(await landing.text()).toBe("");
  const others = [...landing.headers].filter(([name]) => name !== "set-cookie");
  expect(JSON.stringify(others)).not.toContain("lk_");
});

test("a link whose address ends in a slash, as Polar's own sign-in makes it, works too", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { url } = await makeLink(client, tenant);
  const response = await follow(client, url.replace("/portal?", "/portal/?"));
  expect(response.status).toBe(303);
  expect(response.headers.get("Location")).toBe(`/${tenant.slug}/portal`);
});

test("the cookie opens the portal page of the person whom the link was made for", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { cookie } = await signIn(client, tenant, tenant.team.billingManager, { return_url: "https://example.com/x" });
  const page = await follow(client, `/${tenant.slug}/portal`, cookie);
  expect(page.status).toBe(200);
  const html = await page.text();
  expect(textOf(html, "identity")).toBe(`A billing_manager (${tenant.team.billingManager.email})`);
  expect(textOf(html, "role")).toBe("billing manager");
});

test.each([
  { name: "an hour, a moment later", expires_in: 3600, waitMs: 100_000, maxAge: 3500 },
  { name: "a fraction of a second, rounded up", expires_in: 60, waitMs: 59_999, maxAge: 1 },
  {
    name: "366 days, the longest life that an organization can allow",
    expires_in: 31_622_400,
    waitMs: 0,
    maxAge: 31_622_400,
  },
])("the cookie lives as long as what is left of the session: $name", async ({ expires_in, waitMs, maxAge }) => {
  const tenant = await makeTenant({ session_max_ttl_seconds: 31_622_400 });
  const client = makeClient();
  const link = await makeLink(client, tenant, undefined, { expires_in });
  client.clock.advance(waitMs);
  const landing = await follow(client, link.url);
  expect(landing.headers.get("Set-Cookie")).toContain(`; Max-Age=${maxAge};`);
});

test("fifty browsers that follow one link at once get one cookie between them", async () => {
  const tenant = await makeTenant();
  const clock = fakeClock();
  const link = await makeLink(makeClient({}, clock), tenant);
  const isolates = [makeClient({}, clock), makeClient({}, clock), makeClient({}, clock)];
  const landings = await Promise.all(
    Array.from({ length: 50 }, (_, index) => follow(isolates[index % 3] as (typeof isolates)[0], link.url)),
  );
  expect(landings.filter((landing) => tokenSet(landing) === link.token)).toHaveLength(1);
  expect(landings.map(({ status }) => status).toSorted()).toEqual([303, ...Array<number>(49).fill(410)]);
});

test("following the link spends the code only: the session token goes on working as a bearer", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { token } = await signIn(client, tenant);
  const user = await client.call("GET", "/v1/customer-portal/customer-session/user", token);
  expect(user.status).toBe(200);
});

test("landing replaces the cookie of an earlier session of the same member and does not end that session", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const earlier = await signIn(client, tenant);
  const link = await makeLink(client, tenant);
  const landing = await follow(client, link.url, earlier.cookie);
  expect(landing.status).toBe(303);
  expect(tokenSet(landing)).toBe(link.token);
  expect(link.token).not.toBe(earlier.token);
  expect(await pageStatus(client, tenant, earlier.cookie)).toBe(200);
});

test("a cookie value that an attacker chose is never made into a session", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const unissued = (await credentials.mint("mst")).token;
  for (const chosen of ["chosen", unissued, `lk_mst_t${"A".repeat(56)}`]) {
    const link = await makeLink(client, tenant);
    const landing = await follow(client, link.url, cookieWith(chosen));
    expect(landing.status).toBe(303);
    expect(tokenSet(landing)).toBe(link.token);
    expect(await pageStatus(client, tenant, cookieWith(chosen))).toBe(401);
  }
});

test("with D1 away the link answers 503 without a cookie, and works once D1 is back", async () => {
  const tenant = await makeTenant();
  const { client, db } = makeFaultyClient();
  const link = await makeLink(client, tenant);
  db.fail("any");
  const landing = await follow(client, link.url);
  expect(landing.status).toBe(503);
  expect(landing.headers.get("Retry-After")).toBe("5");
  expect(landing.headers.has("Set-Cookie")).toBe(false);
  db.heal();
  expect(await isSpent(link.sessionId)).toBe(false);
  expect((await follow(client, link.url)).status).toBe(303);
});

test("an answer of D1 lost after the code was spent does not cost the member the link", async () => {
  const tenant = await makeTenant();
  const { client, db } = makeFaultyClient();
  const link = await makeLink(client, tenant);
  db.fail(/UPDATE portal_codes/, { times: 1, when: "after" });
  const landing = await follow(client, link.url);
  expect(await isSpent(link.sessionId)).toBe(true);
  expect(tokenSet(landing)).toBe(link.token);
});

test("KV is not needed to sign in", async () => {
  const tenant = await makeTenant();
  const { client, kv } = makeFaultyClient();
  kv.fail("any");
  const { cookie } = await signIn(client, tenant);
  expect(await pageStatus(client, tenant, cookie)).toBe(200);
});
