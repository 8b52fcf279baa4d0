/** Machines open links too: previews, scanners, prefetchers. None of them may use up the one code that a member has. */

import { expect, test } from "vitest";
import { makeClient, NAVIGATION } from "../support/client.ts";
import { makeTenant } from "../support/fixtures.ts";
import {
  cookieWith,
  follow,
  isSpent,
  makeLink,
  pageStatus,
  submit,
  tokenSet,
  unescapeHtml,
} from "../support/portal.ts";

const MACHINES: [string, Record<string, string>][] = [
  ["without any Sec-Fetch header", {}],
  ["by curl", { "User-Agent": "curl/8.9.1", Accept: "*/*" }],
  ["as an image", { ...NAVIGATION, "Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors" }],
  ["in an iframe", { ...NAVIGATION, "Sec-Fetch-Dest": "iframe" }],
  ["as an embedded object", { ...NAVIGATION, "Sec-Fetch-Dest": "embed" }],
  ["by fetch()", { ...NAVIGATION, "Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors" }],
  ["by fetch() in mode navigate", { ...NAVIGATION, "Sec-Fetch-Dest": "empty" }],
  ["as a document, but not to navigate", { ...NAVIGATION, "Sec-Fetch-Mode": "no-cors" }],
  ["as a prefetch", { ...NAVIGATION, "Sec-Purpose": "prefetch" }],
  ["as a prerendered page", { ...NAVIGATION, "Sec-Purpose": "prefetch;prerender" }],
  ["as an anonymous prefetch", { ...NAVIGATION, "Sec-Purpose": "prefetch;anonymous-client-ip" }],
  ["as a prefetch of an old browser", { ...NAVIGATION, Purpose: "prefetch" }],
  ["with only Sec-Fetch-Mode", { "Sec-Fetch-Mode": "navigate" }],
  ["with only Sec-Fetch-Dest", { "Sec-Fetch-Dest": "document" }],
];

test.each(MACHINES)(
  "a link opened %s is not used up: the answer is a page with a button, and the button signs in",
  async (_, headers) => {
    const tenant = await makeTenant();
    const client = makeClient();
    const link = await makeLink(client, tenant);
    const page = await follow(client, link.url, undefined, headers);
    expect(page.status).toBe(200);
    expect(page.headers.has("Set-Cookie")).toBe(false);
    expect(await isSpent(link.sessionId)).toBe(false);

    const form = formOf(await page.text());
    expect(form).toEqual({ method: "post", action: `/${tenant.slug}/portal`, fields: { code: link.code } });
    const landing = await submit(client, form.action, form.fields);
    expect(landing.status).toBe(303);
    expect(landing.headers.get("Location")).toBe(`/${tenant.slug}/portal`);
    expect(landing.headers.get("Referrer-Policy")).toBe("no-referrer");
    expect(landing.headers.getSetCookie()).toEqual([
      `__Host-lk_session=${link.token}; Max-Age=3600; Path=/; HttpOnly; Secure; SameSite=Lax`,
    ]);
  },
);

test("a link asked for with HEAD is not used up and answers without a body and without a cookie", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const link = await makeLink(client, tenant);
  const head = await client.fetch(link.url, { method: "HEAD", headers: NAVIGATION });
  expect(head.status).toBe(200);
  expect(await head.text()).toBe("");
  expect(head.headers.has("Set-Cookie")).toBe(false);
  expect(await isSpent(link.sessionId)).toBe(false);
  expect((await follow(client, link.url)).status).toBe(303);
});

test("a link opened a hundred times by machines still works for the person", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const link = await makeLink(client, tenant);
  await Promise.all(Array.from({ length: 100 }, () => follow(client, link.url, undefined, {})));
  expect(tokenSet(await follow(client, link.url))).toBe(link.token);
});

test("a link with a token parameter gets the button too, under the parameter's own name", async () => {
  const tenant = await makeTenant({ portal_link: "token" });
  const client = makeClient();
  const link = await makeLink(client, tenant);
  const page = await follow(client, link.url, undefined, {});
  const form = formOf(await page.text());
  expect(form.fields).toEqual({ member_session_token: link.token });
  expect(page.headers.has("Set-Cookie")).toBe(false);
  expect(tokenSet(await submit(client, form.action, form.fields))).toBe(link.token);
});

test("the button works once: sent again it is a dead link, but not for the browser that it signed in", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const link = await makeLink(client, tenant);
  const path = `/${tenant.slug}/portal`;
  expect((await submit(client, path, { code: link.code })).status).toBe(303);
  expect((await submit(client, path, { code: link.code })).status).toBe(410);
  const doubleClick = await submit(client, path, { code: link.code }, cookieWith(link.token));
  expect(doubleClick.status).toBe(303);
  expect(doubleClick.headers.get("Location")).toBe(path);
});

test.each([
  ["another site", { "Sec-Fetch-Site": "cross-site" }],
  ["a sibling host", { "Sec-Fetch-Site": "same-site" }],
  ["nowhere", { "Sec-Fetch-Site": "none" }],
  ["another origin", { Origin: "https://evil.example" }],
  ["a page that does not say which", {}],
])("the button cannot be pressed by %s, and the code is not used up by the attempt", async (_, headers) => {
  const tenant = await makeTenant();
  const client = makeClient();
  const link = await makeLink(client, tenant);
  const response = await client.fetch(`/${tenant.slug}/portal`, {
    method: "POST",
    headers: { ...(headers as Record<string, string>), "Content-Type": "application/x-www-form-urlencoded" },
    body: `code=${link.code}`,
  });
  expect(response.status).toBe(403);
  expect(response.headers.has("Set-Cookie")).toBe(false);
  expect(await isSpent(link.sessionId)).toBe(false);
});

test("a machine that opens a dead link is told that it is dead", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const link = await makeLink(client, tenant);
  await follow(client, link.url);
  expect((await follow(client, link.url, undefined, {})).status).toBe(410);
});

test.each([
  ["no link at all", {}],
  ["an empty code", { code: "" }],
])("a form with %s leads to the portal and signs nobody in", async (_, fields) => {
  const tenant = await makeTenant();
  const client = makeClient();
  const response = await submit(client, `/${tenant.slug}/portal`, fields as Record<string, string>);
  expect(response.status).toBe(303);
  expect(response.headers.has("Set-Cookie")).toBe(false);
  expect(await pageStatus(client, tenant)).toBe(401);
});

test.each([
  ["multipart without a boundary", "multipart/form-data", "code=x"],
  ["multipart that never begins", "multipart/form-data; boundary=b", "code=x"],
  ["JSON", "application/json", '{"code":"x"}'],
  ["a broken escape", "application/x-www-form-urlencoded", "code=%zz%"],
])("a body that is %s is a form without a working link, and no error of ours", async (_, contentType, body) => {
  const tenant = await makeTenant();
  const headers = { "Sec-Fetch-Site": "same-origin", "Content-Type": contentType };
  const response = await makeClient().fetch(`/${tenant.slug}/portal`, { method: "POST", headers, body });
  expect([303, 410]).toContain(response.status);
  expect(response.headers.has("Set-Cookie")).toBe(false);
});

function formOf(html: string) {
  const [, method, action] = /<form method="(\w+)" action="([^"]*)">/.exec(html) as unknown as [string, string, string];
  const inputs = [...html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"\/>/g)];
  const fields = Object.fromEntries(inputs.map(([, name, value]) => [name, unescapeHtml(value as string)]));
  return { method, action: unescapeHtml(action), fields: fields as Record<string, string> };
}
