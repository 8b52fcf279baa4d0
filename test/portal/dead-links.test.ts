/** Links that lead nowhere: all refused alike, so that the refusal tells nothing, and none of them used up by it. */

import { expect, test } from "vitest";
import { makeClient, NAVIGATION } from "../support/client.ts";
import { credentials, makeTenant, type Tenant } from "../support/fixtures.ts";
import {
  follow,
  isSpent,
  type Link,
  makeLink,
  sameForAll,
  signIn,
  submit,
  tokenSet,
  update,
} from "../support/portal.ts";

const APPLICATION = "https://app.example.com/sign-in";

/** What every dead link at this organization answers. */
async function refusal(tenant: Tenant) {
  const unknown = (await credentials.mint("code")).token;
  const response = await follow(makeClient(), `/${tenant.slug}/portal?code=${unknown}`);
  return sameForAll(response);
}

test("a refused link answers 410 with a page that says what to do, and sets no cookie", async () => {
  const tenant = await makeTenant();
  const { status, headers, body } = await refusal(tenant);
  expect(status).toBe(410);
  expect(body).toContain("This link no longer works");
  expect(body).toContain(`open the portal again from Organization ${tenant.slug}`);
  expect(headers.map(([name]) => name)).not.toContain("set-cookie");
});

const forged = `lk_code_t${"A".repeat(56)}`;
test.each([
  ["malformed", () => "x"],
  ["forged", () => forged],
  ["100 KB long", () => forged + "A".repeat(100_000)],
  ["with a character flipped", ({ code }: Link) => code.slice(0, 20) + (code[20] === "A" ? "B" : "A") + code.slice(21)],
  ["cut by one character", ({ code }: Link) => code.slice(0, -1)],
  ["longer by one character", ({ code }: Link) => `${code}A`],
  ["in upper case", ({ code }: Link) => code.toUpperCase()],
  ["followed by a blank", ({ code }: Link) => `${code} `],
  ["followed by NUL", ({ code }: Link) => `${code}\0`],
  ["a session token", ({ token }: Link) => token],
])("a code that is %s is refused like any other", async (_, codeOf) => {
  const tenant = await makeTenant();
  const client = makeClient();
  const link = await makeLink(client, tenant);
  const url = `/${tenant.slug}/portal?code=${encodeURIComponent(codeOf(link))}`;
  expect(await sameForAll(await follow(client, url))).toEqual(await refusal(tenant));
  expect(tokenSet(await follow(client, link.url))).toBe(link.token);
});

test("a spent code is refused like an unknown one", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const link = await makeLink(client, tenant);
  expect((await follow(client, link.url)).status).toBe(303);
  expect(await sameForAll(await follow(client, link.url))).toEqual(await refusal(tenant));
});

test("a code works up to its last millisecond and is refused from the next on", async () => {
  const tenant = await makeTenant({ portal_code_ttl_seconds: 30 });
  for (const [waitMs, status] of [
    [29_999, 303],
    [30_000, 410],
  ] as const) {
    const client = makeClient();
    const link = await makeLink(client, tenant);
    client.clock.advance(waitMs);
    const landing = await follow(client, link.url);
    expect(landing.status).toBe(status);
    if (status === 410) expect(await sameForAll(landing)).toEqual(await refusal(tenant));
  }
});

test("a code dies with its session, however long the code itself was good for", async () => {
  const tenant = await makeTenant({ portal_code_ttl_seconds: 3600 });
  const client = makeClient();
  const link = await makeLink(client, tenant, undefined, { expires_in: 60 });
  client.clock.advance(60_000);
  expect(await sameForAll(await follow(client, link.url))).toEqual(await refusal(tenant));
});

test("the code of a revoked session is refused", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const link = await makeLink(client, tenant);
  const revoked = await client.call("DELETE", `/v1/member-sessions/${link.sessionId}`, tenant.apiKey);
  expect(revoked.status).toBe(204);
  expect(await sameForAll(await follow(client, link.url))).toEqual(await refusal(tenant));
});

test.each([
  ["member's", (tenant: Tenant) => ({ member_id: tenant.team.member.id })],
  ["customer's", (tenant: Tenant) => ({ customer_id: tenant.team.id })],
  ["organization's", () => ({ organization: true })],
])("the code is refused once all of the %s sessions were ended", async (_, target) => {
  const tenant = await makeTenant();
  const client = makeClient();
  const link = await makeLink(client, tenant);
  const revoked = await client.call("POST", "/v1/member-sessions/revoke", tenant.apiKey, target(tenant));
  expect(revoked.status).toBe(204);
  expect(await sameForAll(await follow(client, link.url))).toEqual(await refusal(tenant));
  const fresh = await makeLink(client, tenant);
  expect(tokenSet(await follow(client, fresh.url))).toBe(fresh.token);
});

test.each(["members", "customers"])("the code is refused once its row in %s is deleted", async (table) => {
  const tenant = await makeTenant();
  const client = makeClient();
  const link = await makeLink(client, tenant);
  await update(table, table === "members" ? tenant.team.member.id : tenant.team.id, { deleted_at: 1 });
  expect(await sameForAll(await follow(client, link.url))).toEqual(await refusal(tenant));
});

test("a code is refused at another organization's portal, and not used up there", async () => {
  const [tenant, other] = [await makeTenant(), await makeTenant()];
  const client = makeClient();
  const link = await makeLink(client, tenant);
  const atOther = await follow(client, `/${other.slug}/portal?code=${link.code}`);
  expect(await sameForAll(atOther)).toEqual(await refusal(other));
  expect(await isSpent(link.sessionId)).toBe(false);
  expect(tokenSet(await follow(client, link.url))).toBe(link.token);
});

test("without using it up, too: a machine, or whoever is signed in there, learns nothing of another organization's code", async () => {
  const [tenant, other] = [await makeTenant(), await makeTenant()];
  const client = makeClient();
  const link = await makeLink(client, tenant);
  const url = `/${other.slug}/portal?code=${link.code}`;
  expect(await sameForAll(await follow(client, url, undefined, {}))).toEqual(await refusal(other));
  const { cookie } = await signIn(client, other);
  const page = await follow(client, url, cookie);
  expect(page.status).toBe(410);
  expect(await page.text()).not.toContain(tenant.team.member.email);
});

test("a portal that does not exist, or whose organization is deleted, answers 404 whatever the code", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const link = await makeLink(client, tenant);
  const nowhere = await follow(client, `/nobody/portal?code=${link.code}`);
  expect(nowhere.status).toBe(404);
  await update("organizations", tenant.id, { deleted_at: 1 });
  expect(await sameForAll(await follow(client, link.url))).toEqual(await sameForAll(nowhere));
  expect(await isSpent(link.sessionId)).toBe(false);
});

test("the code for an organization's own application is refused in the browser and still redeems at the API", async () => {
  const tenant = await makeTenant({ portal_url: APPLICATION });
  const client = makeClient();
  const link = await makeLink(client, tenant);
  expect(link.url).toBe(`${APPLICATION}?code=${link.code}`);
  for (const headers of [NAVIGATION, {}]) {
    const landing = await follow(client, `/${tenant.slug}/portal?code=${link.code}`, undefined, headers);
    expect(await sameForAll(landing)).toEqual(await refusal(tenant));
  }
  const pressed = await submit(client, `/${tenant.slug}/portal`, { code: link.code });
  expect(await sameForAll(pressed)).toEqual(await refusal(tenant));

  const redeemed = await client.call("POST", "/v1/member-sessions/redeem", tenant.apiKey, { code: link.code });
  expect(redeemed.status).toBe(200);
  expect(await redeemed.json()).toMatchObject({ id: link.sessionId, token: link.token });
});

test("a browser's code is refused at the API, like one that never was, and still works in the browser", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const link = await makeLink(client, tenant);
  const redeem = (code: string) => client.call("POST", "/v1/member-sessions/redeem", tenant.apiKey, { code });
  const refused = await redeem(link.code);
  expect(refused.status).toBe(422);
  expect(await refused.text()).toBe(await (await redeem((await credentials.mint("code")).token)).text());
  expect(tokenSet(await follow(client, link.url))).toBe(link.token);
});

test("whoever is still signed in by an earlier link is told so on the page of a dead one", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const link = await makeLink(client, tenant);
  const cookie = `__Host-lk_session=${link.token}`;
  const page = await follow(client, `/${tenant.slug}/portal?code=${forged}`, cookie);
  expect(page.status).toBe(410);
  const html = await page.text();
  expect(html).toContain(`You are still signed in as A member (${tenant.team.member.email})`);
  expect(html).toContain(`<a href="/${tenant.slug}/portal">`);
});
