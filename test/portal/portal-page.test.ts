/** The portal's own page: who sees what, from when to when, and names that stay text whatever they contain. */

import { expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { makeTenant, type Tenant } from "../support/fixtures.ts";
import {
  cookieWith,
  follow,
  makeCustomerLink,
  makeFaultyClient,
  sameForAll,
  signIn,
  textOf,
  update,
} from "../support/portal.ts";

test("the page shows who is signed in, for whom and as what, and the way back with its host", async () => {
  const tenant = await makeTenant({ name: "Acme Cloud" });
  const client = makeClient();
  const { cookie } = await signIn(client, tenant, tenant.team.owner, {
    return_url: "https://app.example.com:8443/b?c=1#d",
  });
  const page = await follow(client, `/${tenant.slug}/portal`, cookie);
  expect(page.status).toBe(200);
  expect(page.headers.get("Content-Type")).toBe("text/html; charset=UTF-8");
  const html = await page.text();
  expect(html).toContain("<h1>Acme Cloud customer portal</h1>");
  expect(textOf(html, "identity")).toBe(`A owner (${tenant.team.owner.email})`);
  expect(textOf(html, "customer")).toBe("Team & Sons");
  expect(textOf(html, "role")).toBe("owner");
  expect(html).toContain(
    '<a id="back" href="https://app.example.com:8443/b?c=1#d" rel="noreferrer">Back to app.example.com:8443</a>',
  );
  expect(html).toContain(`<form method="post" action="/${tenant.slug}/portal/sign-out">`);
});

test("a session without a return URL has no way back, and no page shows a token", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { cookie, token, code } = await signIn(client, tenant);
  const html = await (await follow(client, `/${tenant.slug}/portal`, cookie)).text();
  expect(html).not.toContain('id="back"');
  expect(html).not.toContain(token);
  expect(html).not.toContain(code);
});

test("a customer session shows the customer and no role", async () => {
  const tenant = await makeTenant({ member_model_enabled: 0 });
  const client = makeClient();
  const { token } = await makeCustomerLink(client, tenant);
  const page = await follow(client, `/${tenant.slug}/portal`, `__Host-lk_session=${token}`);
  const html = await page.text();
  expect(textOf(html, "identity")).toBe(tenant.individual.email);
  expect(textOf(html, "role")).toBeNull();
});

test("without a cookie the page says so with 401 and names the organization", async () => {
  const tenant = await makeTenant({ name: "Acme Cloud" });
  const page = await follow(makeClient(), `/${tenant.slug}/portal`);
  expect(page.status).toBe(401);
  expect(page.headers.has("Set-Cookie")).toBe(false);
  const html = await page.text();
  expect(html).toContain("You are not signed in");
  expect(html).toContain("open the portal again from Acme Cloud");
});

test.each(["nobody", "%00", "%ff", "%ED%A0%80", "..%2f", "ORG", "x".repeat(5000), "%2Fevil.example", "a%0d%0ab"])(
  "the portal of an unknown organization, /%s/portal, is 404",
  async (slug) => {
    const page = await follow(makeClient(), `https://portal.test/${slug}/portal`);
    expect(page.status).toBe(404);
    expect(await page.text()).toContain("There is no page at this address.");
  },
);

test("an organization's slug counts as it is written: in another case it is unknown", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { cookie } = await signIn(client, tenant);
  expect((await follow(client, `/${tenant.slug.toUpperCase()}/portal`, cookie)).status).toBe(404);
});

test("the slug of a deleted organization is unknown, signed in or not", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { cookie } = await signIn(client, tenant);
  await update("organizations", tenant.id, { deleted_at: 1 });
  expect((await follow(client, `/${tenant.slug}/portal`, cookie)).status).toBe(404);
});

type Ending = (client: Client, tenant: Tenant, sessionId: string) => unknown;
const ENDINGS: [string, Ending][] = [
  ["expired", (client) => client.clock.advance(60_000)],
  ["was revoked", (client, tenant, id) => client.call("DELETE", `/v1/member-sessions/${id}`, tenant.apiKey)],
  [
    "was ended with all of its member's",
    (client, tenant) =>
      client.call("POST", "/v1/member-sessions/revoke", tenant.apiKey, { member_id: tenant.team.member.id }),
  ],
  [
    "was ended with all of its customer's",
    (client, tenant) =>
      client.call("POST", "/v1/member-sessions/revoke", tenant.apiKey, { customer_id: tenant.team.id }),
  ],
  [
    "was ended with all of its organization's",
    (client, tenant) => client.call("POST", "/v1/member-sessions/revoke", tenant.apiKey, { organization: true }),
  ],
  ["belongs to a deleted member", (_, tenant) => update("members", tenant.team.member.id, { deleted_at: 1 })],
  ["belongs to a deleted customer", (_, tenant) => update("customers", tenant.team.id, { deleted_at: 1 })],
];

test.each(ENDINGS)(
  "a session that %s is not signed in at once, and the answer is the one without a cookie",
  async (_, end) => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { cookie, sessionId } = await signIn(client, tenant, undefined, { expires_in: 60 });
    const path = `/${tenant.slug}/portal`;
    expect((await follow(client, path, cookie)).status).toBe(200);
    await end(client, tenant, sessionId);
    expect(await sameForAll(await follow(client, path, cookie))).toEqual(await sameForAll(await follow(client, path)));
  },
);

test("a session is signed in up to its last millisecond", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { cookie } = await signIn(client, tenant, undefined, { expires_in: 60 });
  client.clock.advance(59_999);
  expect((await follow(client, `/${tenant.slug}/portal`, cookie)).status).toBe(200);
});

test("another organization's cookie is not signed in here, and is left alone", async () => {
  const [tenant, other] = [await makeTenant(), await makeTenant()];
  const client = makeClient();
  const { cookie } = await signIn(client, other);
  const path = `/${tenant.slug}/portal`;
  const page = await follow(client, path, cookie);
  expect(page.headers.has("Set-Cookie")).toBe(false);
  expect(await sameForAll(page)).toEqual(await sameForAll(await follow(client, path)));
  expect((await follow(client, `/${other.slug}/portal`, cookie)).status).toBe(200);
});

test("with D1 away the page answers 503 and leaves the cookie alone, whoever asks", async () => {
  const tenant = await makeTenant();
  const { client, db } = makeFaultyClient();
  const { cookie } = await signIn(client, tenant);
  await client.settle();
  db.fail("any");
  for (const presented of [cookie, undefined]) {
    const page = await follow(client, `/${tenant.slug}/portal`, presented);
    expect(page.status).toBe(503);
    expect(page.headers.get("Retry-After")).toBe("5");
    expect(page.headers.has("Set-Cookie")).toBe(false);
  }
  db.heal();
  expect((await follow(client, `/${tenant.slug}/portal`, cookie)).status).toBe(200);
});

test("when only the question about the session fails, the member is told of an outage, not signed out", async () => {
  const tenant = await makeTenant();
  const { client, db } = makeFaultyClient();
  const { cookie } = await signIn(client, tenant);
  await client.settle();
  for (const path of [`/${tenant.slug}/portal`, `/${tenant.slug}/portal?code=x`]) {
    db.fail(/FROM sessions /, { times: 1 });
    const page = await follow(client, path, cookie);
    expect(page.status).toBe(503);
    expect(await page.text()).toContain("Nobody has been signed out");
  }
});

test("a change of name or role shows on the next page: the page is proved by D1, not by a copy", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { cookie } = await signIn(client, tenant);
  await update("members", tenant.team.member.id, { name: "New Name", role: "billing_manager" });
  const html = await (await follow(client, `/${tenant.slug}/portal`, cookie)).text();
  expect(textOf(html, "identity")).toContain("New Name");
  expect(textOf(html, "role")).toBe("billing manager");
});

test("forged cookies and codes, shown to a portal again and again, cost one look at its name and nothing else", async () => {
  const tenant = await makeTenant();
  const { client, db, kv } = makeFaultyClient();
  for (let i = 0; i < 200; i++) {
    const forged = `lk_mst_t${"A".repeat(50)}${String(i).padStart(6, "0")}`;
    expect((await follow(client, `/${tenant.slug}/portal`, cookieWith(forged))).status).toBe(401);
    expect((await follow(client, `/${tenant.slug}/portal?code=${forged.replace("mst", "code")}`)).status).toBe(410);
  }
  expect([db.count(), kv.count()]).toEqual([1, 0]);
});
