/** Links followed in a browser that is signed in already: as somebody else, as the same person, or elsewhere. */

import { expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { makeTenant, type Tenant } from "../support/fixtures.ts";
import {
  cookieWith,
  follow,
  isRevoked,
  isSpent,
  makeCustomerLink,
  makeLink,
  pageStatus,
  signIn,
  submit,
  textOf,
  tokenSet,
  update,
} from "../support/portal.ts";

test("a link for a different member asks first, names both, and uses nothing up", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const current = await signIn(client, tenant, tenant.team.owner);
  const next = await makeLink(client, tenant, tenant.team.member);
  const page = await follow(client, next.url, current.cookie);
  expect(page.status).toBe(200);
  expect(page.headers.has("Set-Cookie")).toBe(false);
  const html = await page.text();
  expect(textOf(html, "current")).toBe(`A owner (${tenant.team.owner.email})`);
  expect(textOf(html, "next")).toBe(`A member (${tenant.team.member.email})`);
  expect(await isSpent(next.sessionId)).toBe(false);
  expect(html).toContain(`<input type="hidden" name="code" value="${next.code}"/>`);

  const switched = await submit(client, `/${tenant.slug}/portal`, { code: next.code }, current.cookie);
  expect(tokenSet(switched)).toBe(next.token);
  expect(await isRevoked(current.sessionId)).toBe(false);
});

test("whoever declines to switch stays signed in, and the link still works elsewhere", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const current = await signIn(client, tenant, tenant.team.owner);
  const next = await makeLink(client, tenant, tenant.team.member);
  await follow(client, next.url, current.cookie);
  expect(await pageStatus(client, tenant, current.cookie)).toBe(200);
  expect(tokenSet(await follow(client, next.url))).toBe(next.token);
});

test("a different member asks first even when a machine opens the link with the browser's cookie", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const current = await signIn(client, tenant, tenant.team.owner);
  const next = await makeLink(client, tenant, tenant.team.member);
  const page = await follow(client, next.url, current.cookie, { "Sec-Purpose": "prefetch" });
  expect(textOf(await page.text(), "next")).toContain(tenant.team.member.email);
  expect(await isSpent(next.sessionId)).toBe(false);
});

test("the same person of a different customer is a different member", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const current = await signIn(client, tenant, tenant.individual.owner);
  const next = await makeLink(client, tenant, tenant.team.owner);
  expect((await follow(client, next.url, current.cookie)).status).toBe(200);
  expect(await isSpent(next.sessionId)).toBe(false);
});

test("a customer session and a member session of one customer are different persons", async () => {
  const tenant = await makeTenant({ member_model_enabled: 0 });
  const client = makeClient();
  const ofCustomer = await makeCustomerLink(client, tenant);
  const landing = await follow(client, ofCustomer.url);
  expect(tokenSet(landing)).toBe(ofCustomer.token);
  const again = await makeCustomerLink(client, tenant);
  expect(tokenSet(await follow(client, again.url, cookieWith(ofCustomer.token)))).toBe(again.token);

  const member = await memberLinkOfCustomer(tenant);
  const page = await follow(client, member.url, cookieWith(ofCustomer.token));
  expect(page.status).toBe(200);
  expect(textOf(await page.text(), "current")).toBe(tenant.individual.email);
});

/** The same tenant with the member model on, seen by an isolate that has not read its settings yet. */
async function memberLinkOfCustomer(tenant: Tenant) {
  await update("organizations", tenant.id, { member_model_enabled: 1 });
  return makeLink(makeClient(), tenant, tenant.individual.owner);
}

test("a dead link does not ask: nobody is named on its page but the one who is signed in", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const current = await signIn(client, tenant, tenant.team.owner);
  const next = await makeLink(client, tenant, tenant.team.member);
  await follow(client, next.url);
  const page = await follow(client, next.url, current.cookie);
  expect(page.status).toBe(410);
  const html = await page.text();
  expect(html).not.toContain(tenant.team.member.email);
  expect(html).toContain(tenant.team.owner.email);
});

test("the same member's link for another session goes straight through", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const current = await signIn(client, tenant);
  const next = await makeLink(client, tenant);
  expect(tokenSet(await follow(client, next.url, current.cookie))).toBe(next.token);
});

test.each([
  [
    "revoked",
    async (client: Client, tenant: Tenant, id: string) => {
      await client.call("DELETE", `/v1/member-sessions/${id}`, tenant.apiKey);
    },
  ],
  ["expired", async (client: Client) => client.clock.advance(60_000)],
])("a different member whose own session is %s is not asked about", async (_, end) => {
  const tenant = await makeTenant();
  const client = makeClient();
  const current = await signIn(client, tenant, tenant.team.owner, { expires_in: 60 });
  await end(client, tenant, current.sessionId);
  const next = await makeLink(client, tenant);
  expect(tokenSet(await follow(client, next.url, current.cookie))).toBe(next.token);
});

test("the spent link leads on to the portal in the browser that it signed in, even after the code's time", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { url, cookie } = await signIn(client, tenant);
  for (const waitMs of [0, 301_000]) {
    client.clock.advance(waitMs);
    const again = await follow(client, url, cookie);
    expect(again.status).toBe(303);
    expect(again.headers.get("Location")).toBe(`/${tenant.slug}/portal`);
    expect(again.headers.has("Set-Cookie")).toBe(false);
  }
});

test("the spent link is dead in a browser that holds another session, even one of the same member", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const spent = await signIn(client, tenant);
  const other = await signIn(client, tenant);
  expect((await follow(client, spent.url, other.cookie)).status).toBe(410);
});

test("the spent link is dead once the session that it made has ended", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const spent = await signIn(client, tenant);
  await client.call("DELETE", `/v1/member-sessions/${spent.sessionId}`, tenant.apiKey);
  const page = await follow(client, spent.url, spent.cookie);
  expect(page.status).toBe(410);
  expect(await page.text()).not.toContain("still signed in");
});

test("another organization's cookie counts as not signed in: no question, its cookie is replaced, its session lives", async () => {
  const [tenant, other] = [await makeTenant(), await makeTenant()];
  const client = makeClient();
  const elsewhere = await signIn(client, other);
  const link = await makeLink(client, tenant);
  const landing = await follow(client, link.url, elsewhere.cookie);
  expect(landing.status).toBe(303);
  expect(tokenSet(landing)).toBe(link.token);
  expect(await isRevoked(elsewhere.sessionId)).toBe(false);
  expect(await pageStatus(client, other, elsewhere.cookie)).toBe(200);
});
