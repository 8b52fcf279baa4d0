/** Polar's own form of a link, with the session token in the URL: accepted, and gone from the URL at once. */

import { expect, test } from "vitest";
import { makeClient } from "../support/client.ts";
import { credentials, makeTenant } from "../support/fixtures.ts";
import { follow, makeCustomerLink, makeLink, sameForAll, tokenSet } from "../support/portal.ts";

test("a token link signs in and leaves neither token nor e-mail in the address", async () => {
  const tenant = await makeTenant({ portal_link: "token" });
  const client = makeClient();
  const link = await makeLink(client, tenant);
  const query = new URLSearchParams({ member_session_token: link.token, email: tenant.team.member.email });
  expect(link.url).toBe(`https://portal.test/${tenant.slug}/portal?${query}`);
  const landing = await follow(client, link.url);
  expect(landing.status).toBe(303);
  expect(landing.headers.get("Location")).toBe(`/${tenant.slug}/portal`);
  expect(landing.headers.get("Referrer-Policy")).toBe("no-referrer");
  expect(landing.headers.getSetCookie()).toEqual([
    `__Host-lk_session=${link.token}; Max-Age=3600; Path=/; HttpOnly; Secure; SameSite=Lax`,
  ]);
});

test.each(["member_session_token", "customer_session_token"])("%s takes either kind of token", async (parameter) => {
  const tenant = await makeTenant({ member_model_enabled: 0 });
  const client = makeClient();
  const ofCustomer = await makeCustomerLink(client, tenant);
  const withMembers = await makeTenant();
  const ofMember = await makeLink(client, withMembers);
  for (const [{ slug }, { token }] of [
    [tenant, ofCustomer],
    [withMembers, ofMember],
  ] as const) {
    expect(tokenSet(await follow(client, `/${slug}/portal?${parameter}=${token}`))).toBe(token);
  }
});

test("of two token parameters the customer's wins, dead or alive, and a code wins over both", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const [one, two] = [await makeLink(client, tenant), await makeLink(client, tenant)];
  const open = (query: Record<string, string>) =>
    follow(client, `/${tenant.slug}/portal?${new URLSearchParams(query)}`);
  const both = { member_session_token: one.token, customer_session_token: two.token };
  expect(tokenSet(await open(both))).toBe(two.token);
  expect((await open({ ...both, customer_session_token: "dead" })).status).toBe(410);
  expect(tokenSet(await open({ ...both, code: one.code }))).toBe(one.token);
  expect((await open({ ...both, code: one.code })).status).toBe(410);
});

test("a token link may be followed again as long as its session lives, and not after", async () => {
  const tenant = await makeTenant({ portal_link: "token" });
  const client = makeClient();
  const link = await makeLink(client, tenant);
  for (let visit = 0; visit < 3; visit++) expect(tokenSet(await follow(client, link.url))).toBe(link.token);
  client.clock.advance(3_599_999);
  expect((await follow(client, link.url)).headers.get("Set-Cookie")).toContain("; Max-Age=1;");
  client.clock.advance(1);
  expect((await follow(client, link.url)).status).toBe(410);
});

test("tokens that are revoked, forged, of another organization or no session tokens are refused alike", async () => {
  const [tenant, other] = [await makeTenant(), await makeTenant()];
  const client = makeClient();
  const foreign = await makeLink(client, other);
  const revoked = await makeLink(client, tenant);
  await client.call("DELETE", `/v1/member-sessions/${revoked.sessionId}`, tenant.apiKey);
  const live = await makeLink(client, tenant);
  const dead = [
    foreign.token,
    revoked.token,
    (await credentials.mint("mst")).token,
    `lk_mst_t${"A".repeat(56)}`,
    tenant.apiKey,
    live.code,
    live.token.slice(0, -1),
    live.token + live.token,
    `${live.token} `,
    "x".repeat(100_000),
  ];
  const refusals = await Promise.all(
    dead.map(async (token) =>
      sameForAll(await follow(client, `/${tenant.slug}/portal?member_session_token=${encodeURIComponent(token)}`)),
    ),
  );
  expect(refusals[0]?.status).toBe(410);
  for (const refusal of refusals) expect(refusal).toEqual(refusals[0]);
  expect(refusals[0]?.headers.map(([name]) => name)).not.toContain("set-cookie");
  expect((await follow(client, `/${other.slug}/portal?member_session_token=${foreign.token}`)).status).toBe(303);
});
