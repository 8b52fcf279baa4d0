/** Names and URLs come from outside. Whatever they contain, the pages have the same elements, and show them as text. */

import { expect, test } from "vitest";
import { makeClient } from "../support/client.ts";
import { makeTenant } from "../support/fixtures.ts";
import { cookieWith, follow, makeLink, signIn, textOf, unescapeHtml, update } from "../support/portal.ts";

const HOSTILE = [
  "<script>alert(1)</script>",
  "</title><script>alert(1)</script>",
  "</dd></dl><img src=x onerror=alert(1)>",
  "<svg/onload=alert(1)>",
  "<style>*{display:none}</style>",
  '"><b>bold</b>',
  "'><b>bold</b>",
  '" autofocus onfocus="alert(1)',
  "<!-- comment",
  "]]><b>",
  "&lt;b&gt;already escaped&lt;/b&gt;",
  "&#x3c;b&#x3e;",
  "<iframe srcdoc='<script>alert(1)</script>'>",
  "<meta http-equiv=refresh content=0;url=https://evil.example>",
  "<base href=https://evil.example>",
  "<form action=https://evil.example><input name=code>",
  "<a href=javascript:alert(1)>x</a>",
  "{{7*7}} <%= 7*7 %> #{7*7}",
  "\u202eecnerefer rorrim\u202c",
  "＜script＞alert(1)＜/script＞",
  "line\nbreak\r\n<b>",
  "back`tick`",
];

test.each(HOSTILE)("a name like %j is shown as text on every page that shows it", async (text) => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { cookie } = await signIn(client, tenant);
  const next = await makeLink(client, tenant, tenant.team.owner);
  const pages = { portal: `/${tenant.slug}/portal`, switch: next.url, dead: `/${tenant.slug}/portal?code=x` };
  const read = async (url: string, presented?: string) => (await follow(client, url, presented)).text();
  const plain = {
    portal: await elementsOf(await read(pages.portal, cookie)),
    switch: await elementsOf(await read(pages.switch, cookie)),
    dead: await elementsOf(await read(pages.dead, cookie)),
    signedOut: await elementsOf(await read(pages.portal)),
  };

  await update("organizations", tenant.id, { name: text });
  await update("customers", tenant.team.id, { name: text });
  await update("members", tenant.team.member.id, { name: text });
  await update("members", tenant.team.owner.id, { name: text });
  const [portal, switched, dead] = [
    await read(pages.portal, cookie),
    await read(pages.switch, cookie),
    await read(pages.dead, cookie),
  ];
  expect(await elementsOf(portal)).toEqual(plain.portal);
  expect(await elementsOf(switched)).toEqual(plain.switch);
  expect(await elementsOf(dead)).toEqual(plain.dead);
  expect(await elementsOf(await read(pages.portal))).toEqual(plain.signedOut);
  expect(textOf(portal, "identity")).toBe(`${text} (${tenant.team.member.email})`);
  expect(textOf(portal, "customer")).toBe(text);
  expect(textOf(switched, "next")).toBe(`${text} (${tenant.team.owner.email})`);
  expect(unescapeHtml(/<h1>([^<]*)<\/h1>/.exec(portal)?.[1] ?? "")).toBe(`${text} customer portal`);
});

test.each([
  'https://example.com/?a="onmouseover="alert(1)',
  "https://example.com/?a='><script>alert(1)</script>",
  "https://example.com/#\"'><img src=x onerror=alert(1)>",
  "https://user:pass@example.com/&quot;onclick=&quot;",
  "https://xn--e1afmkfd.example/\u202e",
])("a return URL like %j stays one link, with its host as the text", async (returnUrl) => {
  const tenant = await makeTenant();
  const client = makeClient();
  const plain = await signIn(client, tenant, undefined, { return_url: "https://example.com/" });
  const hostile = await signIn(client, tenant, undefined, { return_url: returnUrl });
  // Past the rule that made it a clean URL: the page relies on nothing that was checked earlier.
  await update("sessions", hostile.sessionId, { return_url: returnUrl });
  const read = async (cookie: string) => (await follow(client, `/${tenant.slug}/portal`, cookie)).text();
  const html = await read(hostile.cookie);
  expect(await elementsOf(html)).toEqual(await elementsOf(await read(plain.cookie)));
  expect(unescapeHtml(/<a id="back" href="([^"]*)"/.exec(html)?.[1] ?? "")).toBe(returnUrl);
  expect(textOf(html, "back")).toBe(`Back to ${new URL(returnUrl).host}`);
});

test("what stands in a code or a token parameter is not repeated on any page", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  for (const parameter of ["code", "member_session_token", "customer_session_token", "email"]) {
    for (const headers of [undefined, {}]) {
      const url = `/${tenant.slug}/portal?${new URLSearchParams({ [parameter]: '"><script>alert("C4NARY")</script>' })}`;
      expect(await (await follow(client, url, undefined, headers)).text()).not.toContain("C4NARY");
    }
  }
});

test("the slug in the address is not repeated on the page of an unknown portal", async () => {
  const page = await follow(makeClient(), "/%3Cscript%3EC4NARY%3C%2Fscript%3E/portal");
  expect(page.status).toBe(404);
  expect(await page.text()).not.toContain("C4NARY");
});

test("the back link carries no credential", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const link = await makeLink(client, tenant, undefined, { return_url: "https://example.com/back" });
  const html = await (await follow(client, `/${tenant.slug}/portal`, cookieWith(link.token))).text();
  expect(html).toContain('<a id="back" href="https://example.com/back" rel="noreferrer">');
});

/** Every element of the page with the names of its attributes, as an HTML parser sees them. */
async function elementsOf(html: string): Promise<string[]> {
  const elements: string[] = [];
  const parsed = new HTMLRewriter()
    .on("*", {
      element: ({ tagName, attributes }) => {
        elements.push(`${tagName} ${[...attributes].map(([name]) => name).join(" ")}`);
      },
    })
    .onDocument({
      comments: () => {
        elements.push("comment");
      },
    })
    .transform(new Response(html));
  await parsed.text();
  return elements;
}
