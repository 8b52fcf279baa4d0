/** Changing one's e-mail address in the portal: the link on the page, the form, the mailed link and its button. */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { type Client, makeClient, NAVIGATION } from "../support/client.ts";
import { askForChange, linkMailedTo, newAddress } from "../support/email-change.ts";
import { credentials, makeCustomer, makeTenant, type Tenant } from "../support/fixtures.ts";
import {
  follow,
  makeFaultyClient,
  pageStatus,
  signIn,
  submit,
  textOf,
  unescapeHtml,
  update,
} from "../support/portal.ts";

const allowing = (settings: Record<string, number | string | null> = {}) =>
  makeTenant({ allow_email_change: 1, ...settings });
const form = (tenant: Tenant) => `/${tenant.slug}/portal/change-email`;
const verification = (tenant: Tenant) => `/${tenant.slug}/portal/verify-email`;
const signInSolo = (client: Client, tenant: Tenant) => signIn(client, tenant, tenant.individual.owner);

async function addressOf(tenant: Tenant): Promise<unknown> {
  return env.DB.prepare("SELECT email FROM customers WHERE id = ?1").bind(tenant.individual.id).first("email");
}

/** Presses the page's one button: its form as the page has it. */
async function pressButton(client: Client, page: Response, cookie?: string): Promise<Response> {
  const html = await page.text();
  const action = /<form method="post" action="([^"]*)"/.exec(html)?.[1] ?? "";
  const hidden = [...html.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)];
  const fields = Object.fromEntries(hidden.map(([, name, value]) => [name, unescapeHtml(value as string)]));
  return submit(client, action, fields, cookie);
}

describe("the portal page", () => {
  test("leads an individual customer to the form where the organization allows it", async () => {
    const client = makeClient();
    const tenant = await allowing();
    const { cookie } = await signInSolo(client, tenant);
    const html = await (await follow(client, `/${tenant.slug}/portal`, cookie)).text();
    expect(html).toContain(`<a href="${form(tenant)}">Change e-mail address</a>`);
    expect((await follow(client, form(tenant), cookie)).status).toBe(200);
  });

  const plain = (tenant: Tenant) => update("members", tenant.individual.owner.id, { role: "member" });
  const team = (tenant: Tenant) => update("customers", tenant.individual.id, { type: "team" });
  const off = (tenant: Tenant) => update("organizations", tenant.id, { allow_email_change: 0 });
  test.each([
    ["the setting is off", {}, off],
    ["mail is not set up", { MAIL_FROM: "" }, () => {}],
    ["the customer is a team", {}, team],
    ["the member is a plain one", {}, plain],
  ] as const)("does not where %s, and there is no form then", async (_, bindings, make) => {
    const client = makeClient(bindings);
    const tenant = await allowing();
    const { cookie } = await signInSolo(client, tenant);
    await make(tenant);
    expect(await (await follow(client, `/${tenant.slug}/portal`, cookie)).text()).not.toContain("change-email");
    expect((await follow(client, form(tenant), cookie)).status).toBe(404);
    expect((await submit(client, form(tenant), { email: newAddress() }, cookie)).status).toBe(404);
    expect(client.mailed).toEqual([]);
  });
});

describe("the form", () => {
  test("has a link mailed to what was typed, and says where it went", async () => {
    const client = makeClient();
    const tenant = await allowing();
    const { cookie } = await signInSolo(client, tenant);
    const html = await (await follow(client, form(tenant), cookie)).text();
    expect(html).toContain(tenant.individual.email);
    expect(html).toContain(`<form method="post" action="${form(tenant)}">`);
    const email = newAddress();
    const sent = await submit(
      client,
      form(tenant),
      { email: `  ${email.replace("example.com", "EXAMPLE.com")} ` },
      cookie,
    );
    expect(sent.status).toBe(200);
    expect(await sent.text()).toContain(`We have sent a message to <strong>${email}</strong>`);
    expect((await follow(client, linkMailedTo(client, email))).status).toBe(200);
    expect(await addressOf(tenant)).toBe(tenant.individual.email);
  });

  test.each([
    ["", "An email address must have an @-sign."],
    ["ann@", "There must be something after the @-sign."],
    ["a\r\nBcc: b@example.com", "Carriage return and line feed characters are not allowed."],
  ])("is shown again, with what is wrong with %j", async (email, problem) => {
    const client = makeClient();
    const tenant = await allowing();
    const { cookie } = await signInSolo(client, tenant);
    const page = await submit(client, form(tenant), { email }, cookie);
    expect(page.status).toBe(422);
    expect(await page.text()).toContain(`<p role="alert">${problem}</p>`);
    expect(client.mailed).toEqual([]);
  });

  test("is shown again for the address that the customer has already, and for what is no form", async () => {
    const client = makeClient();
    const tenant = await allowing();
    const { cookie } = await signInSolo(client, tenant);
    const same = await submit(client, form(tenant), { email: tenant.individual.email.toUpperCase() }, cookie);
    expect(same.status).toBe(422);
    expect(await same.text()).toContain("That is your address already.");
    const headers = { Cookie: cookie, "Sec-Fetch-Site": "same-origin", "Content-Type": "multipart/form-data" };
    const noForm = await client.fetch(form(tenant), { method: "POST", headers, body: "x" });
    expect(noForm.status).toBe(422);
  });

  test("is for nobody without a session, whose way leads to the portal, nor for another site's requests", async () => {
    const client = makeClient();
    const [tenant, other] = [await allowing(), await allowing()];
    const { cookie } = await signInSolo(client, tenant);
    const foreign = await signInSolo(client, other);
    for (const presented of [undefined, foreign.cookie]) {
      for (const answer of [
        await follow(client, form(tenant), presented),
        await submit(client, form(tenant), { email: newAddress() }, presented),
      ]) {
        expect([answer.status, answer.headers.get("Location")]).toEqual([303, `/${tenant.slug}/portal`]);
      }
    }
    const headers = { Cookie: cookie, "Sec-Fetch-Site": "cross-site" };
    const body = new URLSearchParams({ email: newAddress() });
    expect((await client.fetch(form(tenant), { method: "POST", headers, body })).status).toBe(403);
    expect(client.mailed).toEqual([]);
  });

  test("sent by a session that ends at that moment leads to the portal, and mails nothing", async () => {
    const tenant = await allowing();
    const { client, db } = makeFaultyClient();
    const { cookie, sessionId } = await signInSolo(client, tenant);
    await client.settle();
    const gate = db.hold(/INTO email_changes/);
    const sent = submit(client, form(tenant), { email: newAddress() }, cookie);
    await gate.reached;
    await update("sessions", sessionId, { revoked_at: 1 });
    gate.release();
    expect((await sent).status).toBe(303);
    expect(client.mailed).toEqual([]);
  });
});

describe("the mailed link", () => {
  test("shows the address and a button, however often it is opened and by whatever", async () => {
    const client = makeClient();
    const tenant = await allowing();
    const { path, email } = await askForChange(client, tenant);
    for (const headers of [NAVIGATION, {}, { "Sec-Purpose": "prefetch" }]) {
      const page = await follow(client, path, undefined, headers);
      expect(page.status).toBe(200);
      expect(textOf(await page.text(), "address")).toBe(email);
      expect(page.headers.has("Set-Cookie")).toBe(false);
    }
    expect((await client.fetch(path, { method: "HEAD" })).status).toBe(200);
    expect(await addressOf(tenant)).toBe(tenant.individual.email);
  });

  test("sends its token nowhere but to its own button, whose page has none", async () => {
    const client = makeClient();
    const tenant = await allowing();
    const { path, change } = await askForChange(client, tenant);
    const page = await follow(client, path);
    expect(page.headers.get("Referrer-Policy")).toBe("no-referrer");
    const html = await page.clone().text();
    expect(html.split(change)).toHaveLength(2);
    expect(html).toContain(`<form method="post" action="${verification(tenant)}">`);
    const confirmed = await pressButton(client, page);
    expect(confirmed.status).toBe(200);
    expect(await confirmed.text()).not.toContain(change);
  });

  test("changes the address by its button, says so and leads to the portal", async () => {
    const client = makeClient();
    const tenant = await allowing();
    const { path, email } = await askForChange(client, tenant);
    const confirmed = await pressButton(client, await follow(client, path));
    expect(confirmed.status).toBe(200);
    const html = await confirmed.text();
    expect(textOf(html, "address")).toBe(email);
    expect(html).toContain(`<a href="/${tenant.slug}/portal">`);
    expect(await addressOf(tenant)).toBe(email);
  });

  test("signs nobody in, and leaves whoever is signed in as they are", async () => {
    const client = makeClient();
    const tenant = await allowing();
    const { path } = await askForChange(client, tenant);
    const { cookie } = await signIn(client, tenant, tenant.team.member);
    const page = await follow(client, path, cookie);
    const confirmed = await pressButton(client, page, cookie);
    expect(confirmed.status).toBe(200);
    for (const answer of [page, confirmed]) expect(answer.headers.has("Set-Cookie")).toBe(false);
    expect(await pageStatus(client, tenant, cookie)).toBe(200);
    expect(await confirmed.text()).not.toMatch(/lk_cst_/);
  });

  test("leaves no session behind that nobody holds", async () => {
    const client = makeClient();
    const tenant = await allowing();
    const { path } = await askForChange(client, tenant);
    const list = `/v1/member-sessions/?customer_id=${tenant.individual.id}`;
    const sessions = async () => (await client.call("GET", list, tenant.apiKey)).json();
    const before = await sessions();
    expect(before).toMatchObject({ pagination: { total_count: 1 } });
    expect((await pressButton(client, await follow(client, path))).status).toBe(200);
    expect(await sessions()).toMatchObject({ items: [{ type: "member" }], pagination: { total_count: 1 } });
  });

  test("leaves alone what the customer asks for next, be it while the session that nobody holds is being ended", async () => {
    const { client, db } = makeFaultyClient();
    const tenant = await allowing();
    const { path } = await askForChange(client, tenant);
    const page = await follow(client, path);
    const gate = db.hold(/COALESCE\(revoked_at/, { when: "before" });
    const pressed = pressButton(client, page);
    await gate.reached;
    const next = await askForChange(makeClient(), tenant);
    gate.release();
    expect((await pressed).status).toBe(200);
    expect((await follow(client, next.path)).status).toBe(200);
  });

  test("is not confirmed by another site's request", async () => {
    const client = makeClient();
    const tenant = await allowing();
    const { change } = await askForChange(client, tenant);
    const body = new URLSearchParams({ token: change });
    for (const headers of [{ "Sec-Fetch-Site": "cross-site" }, { Origin: "https://evil.example" }, {}]) {
      const refused = await client.fetch(verification(tenant), { method: "POST", headers, body: body.toString() });
      expect(refused.status).toBe(403);
    }
    expect(await addressOf(tenant)).toBe(tenant.individual.email);
  });

  test("to an address that is taken by now says so, and stays good", async () => {
    const client = makeClient();
    const tenant = await allowing();
    const { path, email, change } = await askForChange(client, tenant);
    const rival = await makeCustomer(tenant.id, { email, email_key: email });
    const refused = await submit(client, verification(tenant), { token: change });
    expect(refused.status).toBe(409);
    expect(await refused.text()).toContain("This address is in use");
    await update("customers", rival, { deleted_at: 1 });
    expect((await pressButton(client, await follow(client, path))).status).toBe(200);
  });

  test("that is spent, expired, replaced, forged or another organization's is dead, and says how to ask again", async () => {
    const client = makeClient();
    const [tenant, other] = [await allowing(), await allowing()];
    const spent = await askForChange(client, tenant);
    await submit(client, verification(tenant), { token: spent.change });
    const replaced = await askForChange(client, tenant);
    const foreign = await askForChange(client, other);
    await askForChange(client, tenant);
    const forged = (await credentials.mint("cev")).token;
    for (const token of [spent.change, replaced.change, foreign.change, forged, foreign.token, "x", ""]) {
      for (const dead of [
        await follow(client, `${verification(tenant)}?token=${token}`),
        await submit(client, verification(tenant), { token }),
      ]) {
        expect(dead.status, token).toBe(410);
        const html = await dead.text();
        expect(html).toContain("This link no longer works");
        expect(html).toContain(`<a href="/${tenant.slug}/portal">`);
      }
    }
    expect((await follow(client, foreign.path)).status).toBe(200);
    client.clock.advance(30 * 60_000);
    expect((await follow(client, foreign.path)).status).toBe(410);
  });

  test("of an unknown portal is a page that is not found", async () => {
    const client = makeClient();
    expect((await follow(client, "/nobody/portal/verify-email?token=x")).status).toBe(404);
    expect((await submit(client, "/nobody/portal/verify-email", { token: "x" })).status).toBe(404);
  });

  test("met by an outage is not dead: the page asks to try again, and the link stays good", async () => {
    const tenant = await allowing();
    const { client, db } = makeFaultyClient();
    const { path, change } = await askForChange(client, tenant);
    db.fail("any");
    for (const answer of [await follow(client, path), await submit(client, verification(tenant), { token: change })]) {
      expect([answer.status, answer.headers.get("Retry-After")]).toEqual([503, "5"]);
    }
    db.heal();
    expect((await pressButton(client, await follow(client, path))).status).toBe(200);
  });
});

test("names and addresses stay text on every page, whatever they contain", async () => {
  const client = makeClient();
  const tenant = await allowing({ name: "<b>A&B</b>" });
  const { cookie } = await signInSolo(client, tenant);
  const email = "a'&{b}@example.com";
  const pages = [
    await follow(client, form(tenant), cookie),
    await submit(client, form(tenant), { email }, cookie),
    await follow(client, linkMailedTo(client, email)),
    await follow(client, `${verification(tenant)}?token=x`),
  ];
  for (const page of pages) {
    const html = await page.text();
    expect(html).not.toContain("<b>");
    expect(html).not.toContain("&{");
    expect(unescapeHtml(html)).toContain("<b>A&B</b>");
  }
});
