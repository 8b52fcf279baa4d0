/** What every response of the portal wears, whatever its status: no cache, no frame, no script, nobody else's origin. */

import { describe, expect, test } from "vitest";
import { STYLE_HASH } from "../../src/portal/style.ts";
import { type Client, makeClient, NAVIGATION } from "../support/client.ts";
import { fakeClock } from "../support/clock.ts";
import { makeTenant, type Tenant } from "../support/fixtures.ts";
import { cookieWith, follow, makeFaultyClient, makeLink, signIn, submit } from "../support/portal.ts";
import { ask } from "../support/sign-in.ts";

/** Referrer-Policy is told apart below. */
const EVERYWHERE = {
  "cache-control": "private, no-store",
  "content-security-policy": `default-src 'none'; style-src '${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "strict-transport-security": "max-age=31536000",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

interface Case {
  name: string;
  status: number;
  referrerPolicy?: string;
  ask(client: Client, tenant: Tenant): Promise<Response>;
}

const portal = (tenant: Tenant) => `/${tenant.slug}/portal`;
const POST = { method: "POST", headers: { "Sec-Fetch-Site": "same-origin" } };

const CASES: Case[] = [
  {
    name: "the page of a member",
    status: 200,
    ask: async (client, tenant) => follow(client, portal(tenant), (await signIn(client, tenant)).cookie),
  },
  { name: "the page of nobody", status: 401, ask: (client, tenant) => follow(client, portal(tenant)) },
  {
    name: "landing",
    status: 303,
    referrerPolicy: "no-referrer",
    ask: async (client, tenant) => follow(client, (await makeLink(client, tenant)).url),
  },
  {
    name: "landing by the button",
    status: 303,
    referrerPolicy: "no-referrer",
    ask: async (client, tenant) => submit(client, portal(tenant), { code: (await makeLink(client, tenant)).code }),
  },
  {
    name: "the page with the button",
    status: 200,
    ask: async (client, tenant) => follow(client, (await makeLink(client, tenant)).url, undefined, {}),
  },
  {
    name: "the page that asks whether to switch",
    status: 200,
    ask: async (client, tenant) => {
      const { cookie } = await signIn(client, tenant, tenant.team.owner);
      return follow(client, (await makeLink(client, tenant)).url, cookie);
    },
  },
  { name: "a dead link", status: 410, ask: (client, tenant) => follow(client, `${portal(tenant)}?code=x`) },
  { name: "an unknown portal", status: 404, ask: (client) => follow(client, "/nobody/portal") },
  { name: "an unknown address below a portal", status: 404, ask: (client, t) => follow(client, `${portal(t)}/x`) },
  { name: "the address with a slash", status: 401, ask: (client, t) => follow(client, `${portal(t)}/`) },
  { name: "a method that is not served", status: 404, ask: (client, t) => client.fetch(portal(t), { method: "PUT" }) },
  {
    name: "a form of another site",
    status: 403,
    ask: (client, tenant) =>
      client.fetch(portal(tenant), { method: "POST", headers: { "Sec-Fetch-Site": "cross-site" } }),
  },
  {
    name: "a form that is too large",
    status: 413,
    ask: (client, tenant) => client.fetch(portal(tenant), { ...POST, body: "x".repeat(8193) }),
  },
  {
    name: "the page that asks for an address",
    status: 200,
    ask: (client, t) => follow(client, `${portal(t)}/sign-in`),
  },
  {
    name: "the page that asks for a code",
    status: 200,
    ask: (client, tenant) => submit(client, `${portal(tenant)}/sign-in`, { email: "a@example.com" }),
  },
  {
    name: "a code that is wrong",
    status: 401,
    ask: (client, tenant) => submit(client, `${portal(tenant)}/sign-in`, { email: "a@example.com", code: "x" }),
  },
  {
    name: "the link of a message",
    status: 200,
    ask: async (client, tenant) => follow(client, (await ask(client, tenant)).url),
  },
  {
    name: "signing in by it",
    status: 303,
    referrerPolicy: "no-referrer",
    ask: async (client, tenant) =>
      submit(client, `${portal(tenant)}/sign-in`, { code: (await ask(client, tenant)).link }),
  },
  {
    name: "signing out",
    status: 303,
    ask: async (client, tenant) =>
      submit(client, `${portal(tenant)}/sign-out`, {}, (await signIn(client, tenant)).cookie),
  },
  { name: "HEAD", status: 401, ask: (client, tenant) => client.fetch(portal(tenant), { method: "HEAD" }) },
];

describe.each(CASES)("$name", ({ status, referrerPolicy = "same-origin", ask }) => {
  test(`answers ${status} with every header of the portal`, async () => {
    const response = await ask(makeClient(), await makeTenant());
    expect(response.status).toBe(status);
    expectPortalHeaders(response, referrerPolicy);
  });
});

test.each([undefined, "a live session"])(
  "an outage, met with %s in the cookie, wears the same headers",
  async (who) => {
    const tenant = await makeTenant();
    const { client, db } = makeFaultyClient();
    const cookie = who && (await signIn(client, tenant)).cookie;
    db.fail("any");
    const response = await follow(client, portal(tenant), cookie);
    expect(response.status).toBe(503);
    expectPortalHeaders(response);
  },
);

test("an error that nobody foresaw wears the same headers and shows nothing of itself", async () => {
  const tenant = await makeTenant();
  const clock = fakeClock();
  const client = makeClient({}, clock);
  const { token } = await makeLink(client, tenant);
  const broken = makeClient(
    {},
    {
      ...clock,
      now: () => {
        throw new Error("SECRET-CANARY");
      },
    },
  );
  const response = await follow(broken, portal(tenant), cookieWith(token));
  expect(response.status).toBe(500);
  expectPortalHeaders(response);
  expect(response.headers.has("Set-Cookie")).toBe(false);
  const html = await response.text();
  expect(html).toContain("Something went wrong");
  expect(html).not.toContain("SECRET-CANARY");
  expect(broken.logged.map(({ event }) => event)).toEqual(["request_failed"]);
});

test("the policy allows the page's one style by its hash, and there is nothing else to allow", async () => {
  const html = await (await follow(makeClient(), portal(await makeTenant()))).text();
  const [, style] = /<style>([^<]*)<\/style>/.exec(html) as unknown as [string, string];
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style)));
  expect(`sha256-${btoa(String.fromCharCode(...digest))}`).toBe(STYLE_HASH);
  expect(html).not.toMatch(/<script| style=| on\w+=/i);
});

test("no page of the portal may be read by another origin", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { cookie } = await signIn(client, tenant);
  for (const origin of ["https://evil.example", "null", "https://portal.test"]) {
    const response = await follow(client, portal(tenant), cookie, { ...NAVIGATION, Origin: origin });
    expect([...response.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    const preflight = await client.fetch(portal(tenant), {
      method: "OPTIONS",
      headers: { Origin: origin, "Access-Control-Request-Method": "POST" },
    });
    expect(preflight.status).toBe(404);
    expect([...preflight.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  }
});

function expectPortalHeaders(response: Response, referrerPolicy = "same-origin"): void {
  const expected = { ...EVERYWHERE, "referrer-policy": referrerPolicy };
  expect(Object.fromEntries(response.headers)).toMatchObject(expected);
}
