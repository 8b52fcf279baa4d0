/** Visitors of the portal who ask too often get a page that says so, and cost D1 nothing. */

import { expect, test } from "vitest";
import { makeClient, NAVIGATION } from "../support/client.ts";
import { makeTenant } from "../support/fixtures.ts";
import { counting, someAddress, statuses } from "../support/limiters.ts";
import { cookieWith, follow, makeFaultyClient, makeLink, signIn, submit } from "../support/portal.ts";

const from = (address: string, cookie?: string) => ({
  ...NAVIGATION,
  "CF-Connecting-IP": address,
  ...(cookie !== undefined && { Cookie: cookie }),
});

test("a visitor who tries one slug after another is stopped, and told when to come back", async () => {
  const { client, db } = makeFaultyClient(undefined, counting(3));
  const headers = from(someAddress());
  const visit = () => follow(client, `/${crypto.randomUUID().slice(0, 8)}/portal`, undefined, headers);
  expect(await statuses(5, visit)).toEqual([404, 404, 404, 429, 429]);
  expect(db.count()).toBe(3);
  const page = await visit();
  expect(page.headers.get("Retry-After")).toBe("60");
  expect(page.headers.get("Content-Type")).toBe("text/html; charset=UTF-8");
  expect(page.headers.get("Cache-Control")).toBe("private, no-store");
  expect(page.headers.get("Content-Security-Policy")).toContain("default-src 'none'");
  const html = await page.text();
  expect(html).toContain("<h1>Please wait a moment</h1>");
  expect(html).toContain("Please try again in a minute.");
});

test("cookies that are invented or dead give no new allowance", async () => {
  const tenant = await makeTenant();
  const maker = makeClient();
  const { token, cookie } = await signIn(maker, tenant);
  await submit(maker, `/${tenant.slug}/portal/sign-out`, {}, cookie);
  // A forged cookie counts twice: it is nobody's when the page is opened, and when the page asks whose it is.
  const client = makeClient(counting(4), maker.clock);
  const address = someAddress();
  const forged = () => cookieWith(`lk_mst_t${"A".repeat(50)}${crypto.randomUUID().slice(0, 6)}`);
  const visit = (presented?: string) => follow(client, `/${tenant.slug}/portal`, undefined, from(address, presented));
  expect((await visit(forged())).status).toBe(401);
  expect((await visit(cookieWith(token))).status).toBe(401);
  expect((await visit()).status).toBe(401);
  for (const presented of [forged(), cookieWith(token), undefined]) expect((await visit(presented)).status).toBe(429);
});

test("a member who is signed in has calls of their own, whatever their network does, and keeps the cookie", async () => {
  const tenant = await makeTenant();
  const maker = makeClient();
  const { cookie } = await signIn(maker, tenant);
  const client = makeClient(counting(2), maker.clock);
  const address = someAddress();
  const visit = (presented?: string) => follow(client, `/${tenant.slug}/portal`, undefined, from(address, presented));
  expect(await statuses(3, () => visit())).toEqual([401, 401, 429]);
  expect(await statuses(2, () => visit(cookie))).toEqual([200, 200]);
  const refused = await visit(cookie);
  expect(refused.status).toBe(429);
  expect(refused.headers.has("Set-Cookie")).toBe(false);
});

test("a link that was refused for the moment works afterwards", async () => {
  const tenant = await makeTenant();
  const maker = makeClient();
  const { url } = await makeLink(maker, tenant);
  const refused = await follow(makeClient(counting(0), maker.clock), url);
  expect(refused.status).toBe(429);
  expect((await follow(maker, url)).status).toBe(303);
});

test("forward-auth counts nobody, whoever asks: all come from the proxy's one address", async () => {
  const tenant = await makeTenant();
  const maker = makeClient();
  const { cookie } = await signIn(maker, tenant);
  await maker.settle();
  const limiters = counting(0);
  const client = makeClient(limiters, maker.clock);
  const address = someAddress();
  const path = `/v1/forward-auth?organization=${tenant.slug}`;
  const presented = [undefined, cookie, cookieWith(`lk_mst_t${"A".repeat(56)}`)];
  const seen = await Promise.all(presented.map((one) => client.fetch(path, { headers: from(address, one) })));
  expect(seen.map(({ status }) => status)).toEqual([401, 204, 401]);
  expect(Object.values(limiters).flatMap(({ keys }) => keys)).toEqual([]);
});
