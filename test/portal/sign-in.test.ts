/** Signing in by e-mail on the portal's pages: the address, the code, the choice of a customer, the link of the mail. */

import { describe, expect, test } from "vitest";
import { type Client, makeClient, NAVIGATION } from "../support/client.ts";
import { credentials, makeTenant, type Tenant } from "../support/fixtures.ts";
import {
  cookieWith,
  follow,
  isRevoked,
  makeFaultyClient,
  pageStatus,
  sameForAll,
  signIn,
  submit,
  textOf,
  tokenSet,
  unescapeHtml,
  update,
} from "../support/portal.ts";
import { anotherTeam, codesOf, type Message, read, sessionsOf, wrong } from "../support/sign-in.ts";

const at = (tenant: Tenant) => `/${tenant.slug}/portal/sign-in`;
const portal = (tenant: Tenant) => `/${tenant.slug}/portal`;
const NOBODY = "nobody@example.com";

/** Asks on the page, and reads the message. */
async function askOnPage(client: Client, tenant: Tenant, email = tenant.team.member.email): Promise<Message> {
  const page = await submit(client, at(tenant), { email });
  expect(page.status, await page.clone().text()).toBe(200);
  await client.settle();
  return read(client.mailed.at(-1) as Message["mail"]);
}

interface Form {
  action: string;
  /** Hidden ones, with their values. */
  fields: Record<string, string>;
  buttons: [name: string, value: string][];
}

/** The form of a page, as a browser would send it. */
function formOf(html: string): Form {
  expect([...html.matchAll(/<form /g)], html).toHaveLength(1);
  const action = /<form method="post" action="([^"]*)">/.exec(html)?.[1] ?? "";
  const hidden = [...html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"\/>/g)];
  const buttons = [...html.matchAll(/<button type="submit"(?: name="([^"]*)" value="([^"]*)")?>/g)];
  return {
    action: unescapeHtml(action),
    fields: Object.fromEntries(hidden.map(([, name, value]) => [name, unescapeHtml(value as string)])),
    buttons: buttons.map(([, name = "", value = ""]) => [name, value]),
  };
}

async function expectSignedIn(client: Client, response: Response, tenant: Tenant, email: string): Promise<string> {
  expect(response.status, await response.clone().text()).toBe(303);
  expect(response.headers.get("Location")).toBe(portal(tenant));
  expect(response.headers.get("Referrer-Policy")).toBe("no-referrer");
  const cookie = cookieWith(tokenSet(response) ?? "none");
  const page = await (await follow(client, portal(tenant), cookie)).text();
  expect(textOf(page, "identity")).toContain(`(${email})`);
  return cookie;
}

describe("asking for a code", () => {
  test("is offered on a page whose field holds the address of the query, if it may be one", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const fieldFor = async (email: string) => {
      const page = await follow(client, `${at(tenant)}?${new URLSearchParams({ email })}`);
      expect(page.status).toBe(200);
      return unescapeHtml(/<input id="email"[^>]*value="([^"]*)"/.exec(await page.text())?.[1] ?? "none");
    };
    expect(await fieldFor("ann@example.com")).toBe("ann@example.com");
    expect(await fieldFor("o'neil&co@example.com")).toBe("o'neil&co@example.com");
    const hostile = `"><script>x</script>@example.com`;
    for (const text of ["", "ann", "ann@globex", "a b@example.com", "a@b@c.co", "a\n@b.co", hostile]) {
      expect(await fieldFor(text)).toBe("");
    }
  });

  test("shows one and the same page, whether or not the address is known, and mails only the known one", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const seen = async (email: string) => {
      const { status, headers, body } = await sameForAll(await submit(client, at(tenant), { email }));
      return { status, headers, body: body.replaceAll(email, "A").replaceAll(encodeURIComponent(email), "A") };
    };
    const known = await seen(tenant.team.member.email);
    expect(known.status).toBe(200);
    expect(await seen(NOBODY)).toEqual(known);
    await client.settle();
    expect(client.mailed.map(({ to }) => to)).toEqual([tenant.team.member.email]);
  });

  test("has a form for the code on its page, with the address hidden in it", async () => {
    const tenant = await makeTenant();
    const page = await (await submit(makeClient(), at(tenant), { email: ` ${NOBODY} ` })).text();
    expect(textOf(page, "address")).toBe(NOBODY);
    expect(formOf(page)).toMatchObject({ action: at(tenant), fields: { email: NOBODY } });
    expect(page).toContain('<input id="code" name="code"');
  });

  test.each([
    ["", "An email address must have an @-sign."],
    ["no address", "An email address must have an @-sign."],
    [`"><script>x</script>`, "An email address must have an @-sign."],
    ["ann@globex", "The part after the @-sign is not valid. It should have a period."],
  ])("with what is no address says why, and asks for one again: %j", async (email, reason) => {
    const tenant = await makeTenant();
    const client = makeClient();
    const page = await submit(client, at(tenant), { email });
    expect(page.status).toBe(422);
    const html = await page.text();
    expect(html).toContain(`<p role="alert">${reason}</p>`);
    expect(unescapeHtml(/<input id="email"[^>]*value="([^"]*)"/.exec(html)?.[1] ?? "none")).toBe(email);
    expect(await codesOf(tenant)).toEqual([]);
  });

  test("without any address asks for one again", async () => {
    const page = await submit(makeClient(), at(await makeTenant()), {});
    expect(page.status).toBe(422);
    expect(await page.text()).toContain('<input id="email"');
  });

  test("cannot be done by another site, nor can a code be sent in by one", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { typed } = await askOnPage(client, tenant);
    for (const body of [`email=${NOBODY}`, `email=${tenant.team.member.email}&code=${typed}`]) {
      for (const headers of [{ "Sec-Fetch-Site": "cross-site" }, { Origin: "https://evil.example" }, {}]) {
        const type = { "Content-Type": "application/x-www-form-urlencoded" };
        const response = await client.fetch(at(tenant), {
          method: "POST",
          headers: { ...headers, ...type } as never,
          body,
        });
        expect(response.status).toBe(403);
        expect(response.headers.has("Set-Cookie")).toBe(false);
      }
    }
    expect(await codesOf(tenant)).toMatchObject([{ attempts: 0, used_at: null }]);
  });

  test("is not possible at a portal that does not exist", async () => {
    const client = makeClient();
    const fields = [{ email: NOBODY }, { email: NOBODY, code: "2345-6789" }, { code: `lk_login_t${"A".repeat(56)}` }];
    expect((await follow(client, "/nobody/portal/sign-in")).status).toBe(404);
    for (const sent of fields) {
      expect((await submit(client, "/nobody/portal/sign-in", sent as Record<string, string>)).status).toBe(404);
    }
  });

  test("is possible where the organization has its own application: the link leads to our portal", async () => {
    const tenant = await makeTenant({ portal_url: "https://app.example.com/" });
    const client = makeClient();
    const { url, link } = await askOnPage(client, tenant);
    expect(url).toBe(`https://portal.test${portal(tenant)}?code=${link}`);
    const landing = await submit(client, at(tenant), { code: link });
    await expectSignedIn(client, landing, tenant, tenant.team.member.email);
  });
});

describe("a typed code", () => {
  test("signs in: cookie, 303, a clean URL", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { email } = tenant.team.member;
    const { typed } = await askOnPage(client, tenant);
    const response = await submit(client, at(tenant), { email, code: typed.toLowerCase() });
    expect(response.headers.getSetCookie()[0]).toMatch(
      /^__Host-lk_session=lk_mst_[^;]+; Max-Age=3600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    await expectSignedIn(client, response, tenant, email);
  });

  test("that is wrong shows the form again with 401; after five of them the link still signs in", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { email } = tenant.team.member;
    const { typed, link } = await askOnPage(client, tenant);
    for (let i = 1; i <= 5; i++) {
      const page = await submit(client, at(tenant), { email, code: wrong(typed, i) });
      expect(page.status).toBe(401);
      expect(page.headers.has("Set-Cookie")).toBe(false);
      const html = await page.text();
      expect(html).toContain("That code is not right, or no longer works");
      expect(formOf(html).fields).toEqual({ email });
    }
    expect((await submit(client, at(tenant), { email, code: typed })).status).toBe(401);
    await expectSignedIn(client, await submit(client, at(tenant), { code: link }), tenant, email);
  });

  test("is refused alike whether the address is known, has a code, or neither", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    await askOnPage(client, tenant);
    const seen = async (email: string) => {
      const { status, headers, body } = await sameForAll(
        await submit(client, at(tenant), { email, code: "2345-6789" }),
      );
      return { status, headers, body: body.replaceAll(email, "A").replaceAll(encodeURIComponent(email), "A") };
    };
    const known = await seen(tenant.team.member.email);
    expect(await seen(tenant.team.owner.email)).toEqual(known);
    expect(await seen(NOBODY)).toEqual(known);
  });

  test("works at its own organization's portal only", async () => {
    const [tenant, other] = [await makeTenant(), await makeTenant()];
    const client = makeClient();
    const { email } = tenant.team.member;
    await anotherTeam(other, email);
    const { typed, link } = await askOnPage(client, tenant);
    expect((await submit(client, at(other), { email, code: typed })).status).toBe(401);
    expect((await submit(client, at(other), { code: link })).status).toBe(410);
    expect((await follow(client, `${portal(other)}?code=${link}`)).status).toBe(410);
    await expectSignedIn(client, await submit(client, at(tenant), { email, code: typed }), tenant, email);
  });
});

describe("the link of the message", () => {
  test.each([
    ["a person", NAVIGATION],
    ["a scanner in a real browser", { ...NAVIGATION, "Sec-Fetch-Site": "none", "Sec-Fetch-User": "?1" }],
    ["a machine", {}],
    ["a prefetch", { ...NAVIGATION, "Sec-Purpose": "prefetch" }],
  ])("opened by %s uses nothing up: a page says who will be signed in, and its button does it", async (_, headers) => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { url, link } = await askOnPage(client, tenant);
    for (let i = 0; i < 3; i++) {
      const page = await follow(client, url, undefined, headers as Record<string, string>);
      expect(page.status).toBe(200);
      expect(page.headers.has("Set-Cookie")).toBe(false);
      const html = await page.text();
      expect(textOf(html, "next")).toBe(`A member (${tenant.team.member.email})`);
      expect(formOf(html)).toMatchObject({ action: at(tenant), fields: { code: link } });
    }
    expect(await codesOf(tenant)).toMatchObject([{ attempts: 0, used_at: null }]);
    expect(await sessionsOf(tenant)).toBe(0);
    const { action, fields } = formOf(await (await follow(client, url)).text());
    await expectSignedIn(client, await submit(client, action, fields), tenant, tenant.team.member.email);
  });

  test("asked for with HEAD uses nothing up", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { url } = await askOnPage(client, tenant);
    const head = await client.fetch(url, { method: "HEAD", headers: NAVIGATION });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect(await codesOf(tenant)).toMatchObject([{ used_at: null }]);
  });

  test("that is spent, ended, expired, forged or unknown is dead: 410, with an offer to send another", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const spent = await askOnPage(client, tenant);
    await submit(client, at(tenant), { code: spent.link });
    const ended = await askOnPage(client, tenant, tenant.team.owner.email);
    await askOnPage(client, tenant, tenant.team.owner.email);
    const unknown = (await credentials.mint("login")).token;
    const answers = [];
    for (const code of [spent.link, ended.link, unknown, `lk_login_t${"A".repeat(56)}`]) {
      answers.push(await sameForAll(await follow(client, `${portal(tenant)}?code=${code}`)));
      answers.push(await sameForAll(await submit(client, at(tenant), { code })));
    }
    expect(answers[0]?.status).toBe(410);
    expect(answers[0]?.body).toContain("This link no longer works");
    expect(formOf(answers[0]?.body ?? "").action).toBe(at(tenant));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  test("leads on to the portal in the browser that it signed in, and is dead in one that holds another session", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { url, link } = await askOnPage(client, tenant);
    const own = cookieWith(tokenSet(await submit(client, at(tenant), { code: link })) ?? "");
    const { cookie: others } = await signIn(client, tenant);
    for (const again of [follow(client, url, own), submit(client, at(tenant), { code: link }, own)]) {
      const response = await again;
      expect(response.status).toBe(303);
      expect(response.headers.has("Set-Cookie")).toBe(false);
    }
    expect((await follow(client, url, others)).status).toBe(410);
  });

  test("used on fifty buttons at once signs one browser in", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { link } = await askOnPage(client, tenant);
    const pressed = await Promise.all(Array.from({ length: 50 }, () => submit(client, at(tenant), { code: link })));
    expect(pressed.filter((response) => tokenSet(response) !== null)).toHaveLength(1);
    expect(await sessionsOf(tenant)).toBe(1);
  });

  test("pasted into the field of the code works too", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { link } = await askOnPage(client, tenant);
    const response = await submit(client, at(tenant), { email: NOBODY, code: link });
    await expectSignedIn(client, response, tenant, tenant.team.member.email);
  });
});

describe("an address of several customers", () => {
  test("has to be proved before anybody is shown them; the choice signs in", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { email } = tenant.team.member;
    const another = await anotherTeam(tenant, email, '<b>Another & "Sons"');
    const { typed, url, link } = await askOnPage(client, tenant);
    const sent = { email, code: typed };
    for (const page of [
      submit(client, at(tenant), sent),
      follow(client, url),
      submit(client, at(tenant), { code: link }),
    ]) {
      const response = await page;
      expect(response.status).toBe(200);
      const html = await response.text();
      expect(html).toContain("&lt;b&gt;Another &amp; &quot;Sons&quot;");
      const { buttons } = formOf(html);
      expect(buttons.map(([name]) => name)).toEqual(["customer_id", "customer_id"]);
      expect(buttons.map(([, value]) => value).toSorted()).toEqual([tenant.team.id, another.id].toSorted());
    }
    const { action, fields } = formOf(await (await submit(client, at(tenant), sent)).text());
    expect(fields).toEqual(sent);
    const chosen = await submit(client, action, { ...fields, customer_id: another.id });
    const cookie = await expectSignedIn(client, chosen, tenant, email);
    expect(textOf(await (await follow(client, portal(tenant), cookie)).text(), "customer")).toContain("Another");
  });

  test("is shown them at once where login_picker is polar; the choice has the code sent", async () => {
    const tenant = await makeTenant({ login_picker: "polar" });
    const client = makeClient();
    const { email } = tenant.team.member;
    const another = await anotherTeam(tenant, email);
    const picker = formOf(await (await submit(client, at(tenant), { email })).text());
    await client.settle();
    expect(client.mailed).toEqual([]);
    expect(picker.fields).toEqual({ email });
    await submit(client, picker.action, { ...picker.fields, customer_id: another.id });
    await client.settle();
    const { link } = read(client.mailed[0] as Message["mail"]);
    const html = await (await follow(client, `${portal(tenant)}?code=${link}`)).text();
    expect(textOf(html, "next")).toBe(`A owner (${email})`);
  });
});

describe("in a browser where somebody else is signed in", () => {
  test.each(["link", "typed"] as const)("asks first, names both, uses nothing up: %s", async (how) => {
    const tenant = await makeTenant();
    const client = makeClient();
    const current = await signIn(client, tenant, tenant.team.owner);
    const { email } = tenant.team.member;
    const { typed, link, url } = await askOnPage(client, tenant);
    const sent: Record<string, string> = how === "link" ? { code: link } : { email, code: typed };
    const pages = [await submit(client, at(tenant), sent, current.cookie)];
    if (how === "link") pages.push(await follow(client, url, current.cookie));
    for (const page of pages) {
      expect(page.status).toBe(200);
      expect(page.headers.has("Set-Cookie")).toBe(false);
      const html = await page.text();
      expect(textOf(html, "current")).toBe(`A owner (${tenant.team.owner.email})`);
      expect(textOf(html, "next")).toBe(`A member (${email})`);
      expect(formOf(html)).toMatchObject({ action: at(tenant), fields: { ...sent, replace: "yes" } });
    }
    expect(await codesOf(tenant)).toMatchObject([{ attempts: 0, used_at: null }]);
    expect(await pageStatus(client, tenant, current.cookie)).toBe(200);
    const switched = await submit(client, at(tenant), { ...sent, replace: "yes" }, current.cookie);
    await expectSignedIn(client, switched, tenant, email);
    expect(await isRevoked(current.sessionId)).toBe(false);
  });

  test("asks nothing where it is the same member, or one of another organization", async () => {
    const [tenant, other] = [await makeTenant(), await makeTenant()];
    const client = makeClient();
    for (const { cookie } of [await signIn(client, tenant), await signIn(client, other)]) {
      const { link } = await askOnPage(client, tenant);
      const response = await submit(client, at(tenant), { code: link }, cookie);
      await expectSignedIn(client, response, tenant, tenant.team.member.email);
    }
  });
});

describe("pages that sign nobody in", () => {
  const POLARS = "customer_session_token=lk_mst_dead&email=a%40b.co";

  test.each([
    ["a dead link", "?code=x&email=a%40b.co", 410],
    ["Polar's expired link", `?${POLARS}`, 410],
    ["the page of nobody", "?email=a%40b.co", 401],
  ])("offer a code by e-mail, the address filled in: %s", async (_, query, status) => {
    const tenant = await makeTenant();
    const client = makeClient();
    const page = await follow(client, portal(tenant) + query);
    expect(page.status).toBe(status);
    const html = await page.text();
    expect(formOf(html).action).toBe(at(tenant));
    expect(html).toMatch(/<input id="email"[^>]*value="a@b\.co"/);
  });

  test("offer nothing to whoever is signed in all the same", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { cookie } = await signIn(client, tenant);
    const html = await (await follow(client, `${portal(tenant)}?${POLARS}`, cookie)).text();
    expect(html).not.toContain("<form");
  });

  test("offer nothing where mail is not set up: there is no such page, and asking all the same is a 503 and logged", async () => {
    const tenant = await makeTenant();
    const client = makeClient({ MAIL_FROM: "" });
    for (const query of ["", `?${POLARS}`]) {
      const html = await (await follow(client, portal(tenant) + query)).text();
      expect(html).not.toContain("<form");
      expect(html).toContain(`open the portal again from Organization ${tenant.slug}`);
    }
    const asked = [await follow(client, at(tenant)), await submit(client, at(tenant), { email: NOBODY })];
    expect(asked.map(({ status }) => status)).toEqual([404, 503]);
    expect(client.logged.map(({ event }) => event)).toEqual(["request_failed"]);
  });
});

test("names of people and customers are shown as text on the pages of signing in", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { url } = await askOnPage(client, tenant);
  const hostile = `"><script>alert(1)</script>`;
  await update("members", tenant.team.member.id, { name: hostile });
  await update("customers", tenant.team.id, { name: hostile });
  await update("organizations", tenant.id, { name: hostile });
  for (const path of [url, at(tenant)]) {
    const html = await (await follow(makeClient(), path)).text();
    expect(html).not.toContain("<script");
    expect(html).toContain("&lt;script&gt;");
  }
});

test("an outage is told as such, and the code outlives it", async () => {
  const tenant = await makeTenant();
  const { client, db } = makeFaultyClient();
  const { url, link } = await askOnPage(client, tenant);
  db.fail("any");
  expect((await follow(client, url)).status).toBe(503);
  expect((await submit(client, at(tenant), { code: link })).status).toBe(503);
  expect((await submit(client, at(tenant), { email: NOBODY })).status).toBe(503);
  db.heal();
  await expectSignedIn(client, await submit(client, at(tenant), { code: link }), tenant, tenant.team.member.email);
});
