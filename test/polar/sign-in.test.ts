/** Portal sign-in by e-mail at the API: `…/customer-session/request` and `…/authenticate`. */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { credentials, makeTenant, type Tenant } from "../support/fixtures.ts";
import { makeFaultyClient, makeLink, sameForAll, update } from "../support/portal.ts";
import { anotherTeam, ask, authenticate, codesOf, request, sessionsOf, typedBody, wrong } from "../support/sign-in.ts";
import { fault, INVALID_TOKEN, isLive, json } from "./support.ts";

const MINUTES = 60_000;
const NOBODY = "nobody@example.com";
const INVALID = {
  error: "CustomerSessionCodeInvalidOrExpired",
  detail: "This customer session code is invalid or has expired.",
};

async function expectInvalid(response: Response): Promise<void> {
  expect(await json(response, 401)).toEqual(INVALID);
  expect(response.headers.has("WWW-Authenticate")).toBe(false);
}

async function tokenOf(response: Response): Promise<string> {
  const body = await json(response, 200);
  expect(Object.keys(body)).toEqual(["token"]);
  return body.token;
}

async function userOf(client: Client, token: string) {
  return json(await client.call("GET", "/v1/customer-portal/customer-session/user", token), 200);
}

const deleted = (table: string, id: string) => update(table, id, { deleted_at: 1 });

describe("asking for a code", () => {
  test("answers 202 with the four bytes null, and mails a link and a typed code", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const response = await request(client, { email: tenant.team.member.email, organization_id: tenant.id });
    expect(response.status).toBe(202);
    expect(response.headers.get("Content-Type")).toBe("application/json");
    expect(await response.text()).toBe("null");
    await client.settle();
    expect(client.mailed).toHaveLength(1);
    const [mail] = client.mailed;
    expect(mail).toMatchObject({ to: tenant.team.member.email, subject: `Sign in to Organization ${tenant.slug}` });
    expect(mail?.text).toMatch(
      new RegExp(`^https://portal\\.test/${tenant.slug}/portal\\?code=lk_login_t[\\w-]{56}$`, "m"),
    );
    expect(mail?.text).toMatch(/^[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}$/m);
    for (const said of [`Organization ${tenant.slug}`, "30 minutes", "ignore this message"]) {
      expect(mail?.text).toContain(said);
    }
  });

  test("answers the same for whatever does not exist, sends nothing, and stores nothing", async () => {
    const [tenant, other, gone] = [await makeTenant(), await makeTenant(), await makeTenant()];
    await deleted("organizations", gone.id);
    await deleted("members", other.team.owner.id);
    await deleted("customers", other.individual.id);
    const { email } = tenant.team.member;
    const client = makeClient();
    const known = await sameForAll(await request(client, { email, organization_id: tenant.id }));
    await client.settle();
    client.mailed.length = 0;
    for (const body of [
      { email: NOBODY, organization_id: tenant.id },
      { email, organization_id: crypto.randomUUID() },
      { email, organization_id: other.id },
      { email, organization_id: tenant.id, customer_id: crypto.randomUUID() },
      { email, organization_id: tenant.id, customer_id: tenant.individual.id },
      { email, organization_id: tenant.id, customer_id: other.team.id },
      { email: gone.team.member.email, organization_id: gone.id },
      { email: other.team.owner.email, organization_id: other.id },
      { email: other.individual.email, organization_id: other.id },
    ]) {
      expect(await sameForAll(await request(client, body)), JSON.stringify(body)).toEqual(known);
    }
    await client.settle();
    expect(client.mailed).toEqual([]);
    expect(await codesOf(tenant)).toHaveLength(1);
    expect([...(await codesOf(other)), ...(await codesOf(gone))]).toEqual([]);
  });

  test("has D1 do the same work for an unknown address as for a known one: the same statements, and a write", async () => {
    const tenant = await makeTenant();
    const work = async (email: string) => {
      const { client, db } = makeFaultyClient();
      await request(client, { email, organization_id: tenant.id });
      await client.settle();
      const written = db.log.map(({ meta }) => meta.reduce((rows, { rows_written }) => rows + rows_written, 0));
      return {
        asked: db.log.map(({ kind, statements }) => [kind, statements.map(({ sql }) => sql)]),
        wrote: written.map((rows) => rows > 0),
      };
    };
    const unknown = await work(NOBODY);
    expect(unknown).toEqual(await work(tenant.team.member.email));
    expect(unknown.wrote).toContain(true);
  });

  test("does not wait for the mail service, and logs a failure without address or code", async () => {
    const tenant = await makeTenant();
    const sent = Promise.withResolvers<never>();
    const client = makeClient({ EMAIL: { send: () => sent.promise } as unknown as SendEmail });
    const { email } = tenant.team.member;
    expect((await request(client, { email, organization_id: tenant.id })).status).toBe(202);
    sent.reject(Object.assign(new Error(`550 <${email}> is unknown`), { code: "E_RECIPIENT_NOT_ALLOWED" }));
    await client.settle();
    expect(client.logged).toEqual([
      {
        level: "error",
        event: "mail_failed",
        fields: { organizationId: tenant.id, reason: "E_RECIPIENT_NOT_ALLOWED" },
      },
    ]);
    expect(JSON.stringify(client.logged)).not.toContain(email);
  });

  test("says 503 and logs why, whatever is asked, where mail is not set up", async () => {
    const tenant = await makeTenant();
    const client = makeClient({ MAIL_FROM: "" });
    for (const body of [{ email: tenant.team.member.email, organization_id: tenant.id }, "no JSON"]) {
      const response = await request(client, body);
      expect(await json(response, 503)).toMatchObject({ error: "ServiceUnavailable" });
      expect(response.headers.get("Retry-After")).toBe("5");
    }
    expect(client.logged.map(({ fields }) => String(fields["error"]))).toEqual(
      Array.from({ length: 2 }, () => expect.stringContaining("MAIL_FROM is empty")),
    );
  });

  test("refuses what is no address, no UUID 4, or missing, with 422", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const valid = { email: "a@example.com", organization_id: tenant.id };
    for (const [changes, loc, type] of [
      [{ email: undefined }, ["body", "email"], "missing"],
      [{ organization_id: undefined }, ["body", "organization_id"], "missing"],
      [{ email: "no address" }, ["body", "email"], "value_error"],
      [{ organization_id: "demo" }, ["body", "organization_id"], "uuid_parsing"],
      [{ organization_id: "00000000-0000-1000-8000-000000000000" }, ["body", "organization_id"], "uuid_version"],
      [{ customer_id: "x" }, ["body", "customer_id"], "uuid_parsing"],
    ] as const) {
      const body = { ...valid, ...changes };
      expect(await fault(await request(client, body), "RequestValidationError")).toMatchObject({ loc, type });
    }
    expect((await request(client, { ...valid, customer_id: null, more: "ignored" })).status).toBe(202);
  });

  test("finds an address in whatever case, and writes to it as it is compared: no look-alike mailbox gets the code", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    // KELVIN SIGN compares equal to k, and may be another mailbox.
    await update("members", tenant.team.member.id, { email: "Mi\u212ae@Example.com", email_key: "mike@example.com" });
    for (const email of ["MIKE@example.com", "mi\u212aE@EXAMPLE.COM"]) {
      expect((await ask(client, tenant, email)).mail.to).toBe("mike@example.com");
    }
  });

  test("keeps the organization's name out of the headers of the message, and on one line", async () => {
    const name = "Evil\r\nBcc: everybody@example.com\u2028\0 Ltd";
    const tenant = await makeTenant({ name });
    const { mail } = await ask(makeClient(), tenant);
    expect(mail.subject).toBe("Sign in to Evil Bcc: everybody@example.com Ltd");
    expect(mail.text).toContain("portal of Evil Bcc: everybody@example.com Ltd with this address");
  });

  test("is open to everybody, but tells whoever brings a dead token", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const body = { email: NOBODY, organization_id: tenant.id };
    const { token } = await makeLink(client, tenant);
    for (const alive of [null, tenant.apiKey, token]) expect((await request(client, body, alive)).status).toBe(202);
    const dead = (await credentials.mint("mst")).token;
    for (const refused of [request(client, body, dead), authenticate(client, { code: "x" }, dead)]) {
      const response = await refused;
      expect(response.status).toBe(401);
      expect(await response.text()).toBe(INVALID_TOKEN);
    }
  });
});

describe("a code", () => {
  test("signs in by the link's credential alone: 200 with a member's token, and nothing else", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const token = await tokenOf(await authenticate(client, { code: (await ask(client, tenant)).link }));
    expect(token).toMatch(/^lk_mst_/);
    expect(await userOf(client, token)).toMatchObject({
      type: "member",
      member_id: tenant.team.member.id,
      customer_id: tenant.team.id,
    });
  });

  test("signs in by what is typed, in whatever case, with or without hyphen and blanks", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    for (const typing of [
      (code: string) => code,
      (code: string) => code.toLowerCase(),
      (code: string) => code.replace("-", ""),
      (code: string) => ` ${[...code.replace("-", " ")].join(" ")}\t`,
      (code: string) => code.replace("-", "\u2011"),
    ]) {
      const { typed } = await ask(client, tenant);
      const body = { ...typedBody(tenant, typing(typed)), email: tenant.team.member.email.toUpperCase() };
      expect(await tokenOf(await authenticate(client, body))).toMatch(/^lk_mst_/);
    }
  });

  test("that is typed is worth nothing without its address and organization, or with others", async () => {
    const [tenant, other] = [await makeTenant(), await makeTenant()];
    const client = makeClient();
    const { typed } = await ask(client, tenant);
    await ask(client, tenant, tenant.team.owner.email);
    const body = typedBody(tenant, typed);
    await expectInvalid(await authenticate(client, { code: typed }));
    await expectInvalid(await authenticate(client, { ...body, organization_id: null }));
    await expectInvalid(await authenticate(client, { ...body, email: null }));
    await expectInvalid(await authenticate(client, { ...body, organization_id: other.id }));
    await expectInvalid(await authenticate(client, { ...body, email: tenant.team.owner.email }));
    await tokenOf(await authenticate(client, body));
  });

  test("moved to another address or organization in D1 is still not the code of that one", async () => {
    const [tenant, other] = [await makeTenant(), await makeTenant()];
    const client = makeClient();
    const { typed } = await ask(client, tenant);
    const move = (column: string, value: string) =>
      env.DB.prepare(`UPDATE sign_in_codes SET ${column} = ?1 WHERE organization_id = ?2`).bind(value, tenant.id).run();
    await move("email_key", tenant.team.owner.email);
    await expectInvalid(await authenticate(client, typedBody(tenant, typed, tenant.team.owner.email)));
    await move("email_key", tenant.team.member.email);
    await move("organization_id", other.id);
    await expectInvalid(await authenticate(client, typedBody(other, typed, tenant.team.member.email)));
  });

  test("of a link is refused where another organization is named with it", async () => {
    const [tenant, other] = [await makeTenant(), await makeTenant()];
    const client = makeClient();
    const { link } = await ask(client, tenant);
    await expectInvalid(await authenticate(client, { code: link, organization_id: other.id }));
    await tokenOf(await authenticate(client, { code: link, organization_id: tenant.id }));
  });

  test.each(["link", "typed"] as const)("works once: %s", async (how) => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { link, typed } = await ask(client, tenant);
    const first = how === "link" ? { code: link } : typedBody(tenant, typed);
    await tokenOf(await authenticate(client, first));
    await expectInvalid(await authenticate(client, { code: link }));
    await expectInvalid(await authenticate(client, typedBody(tenant, typed)));
    expect(await sessionsOf(tenant)).toBe(1);
  });

  test.each(["link", "typed"] as const)("used by 50 at the same time makes one session: %s", async (how) => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { link, typed } = await ask(client, tenant);
    const body = how === "link" ? { code: link } : typedBody(tenant, typed);
    const answers = await Promise.all(Array.from({ length: 50 }, () => authenticate(client, body)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(49);
    expect(await sessionsOf(tenant)).toBe(1);
  });

  test.each(["link", "typed"] as const)("works up to its thirtieth minute, and not in it: %s", async (how) => {
    const tenant = await makeTenant();
    for (const [wait, status] of [
      [30 * MINUTES - 1, 200],
      [30 * MINUTES, 401],
    ] as const) {
      const client = makeClient();
      const { link, typed } = await ask(client, tenant);
      client.clock.advance(wait);
      const body = how === "link" ? { code: link } : typedBody(tenant, typed);
      expect((await authenticate(client, body)).status).toBe(status);
    }
  });

  test("is ended by a newer one of the same address and organization, link and all", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const older = await ask(client, tenant);
    const newer = await ask(client, tenant, tenant.team.member.email.toUpperCase());
    await expectInvalid(await authenticate(client, { code: older.link }));
    await expectInvalid(await authenticate(client, typedBody(tenant, older.typed)));
    await tokenOf(await authenticate(client, typedBody(tenant, newer.typed)));
  });

  test("is not ended by a request that sends no message, nor by one for another address or organization", async () => {
    const [tenant, other] = [await makeTenant(), await makeTenant()];
    const client = makeClient();
    const { email } = tenant.team.member;
    await anotherTeam(other, email);
    const { typed } = await ask(client, tenant);
    await request(client, { email, organization_id: tenant.id, customer_id: crypto.randomUUID() });
    await request(client, { email, organization_id: tenant.id, customer_id: tenant.individual.id });
    await ask(client, tenant, tenant.team.owner.email);
    await ask(client, other, email);
    await tokenOf(await authenticate(client, typedBody(tenant, typed)));
  });

  test.each<[Record<string, unknown>, string, string]>([
    [{}, "code", "missing"],
    [{ code: 7 }, "code", "string_type"],
    [{ code: "x", email: "no address" }, "email", "value_error"],
    [{ code: "x", organization_id: "demo" }, "organization_id", "uuid_parsing"],
    [{ code: "x", customer_id: "x" }, "customer_id", "uuid_parsing"],
  ])("is not what %j has, which is told as a fault of the schema", async (body, field, type) => {
    const refused = await authenticate(makeClient(), body);
    expect(await fault(refused, "RequestValidationError")).toMatchObject({ loc: ["body", field], type });
  });

  test.each([
    ["a member's token", "mst"],
    ["a portal code", "code"],
    ["an API key", "oat"],
    ["a link that was never sent", "login"],
  ] as const)("is not %s", async (_, kind) => {
    await expectInvalid(await authenticate(makeClient(), { code: (await credentials.mint(kind)).token }));
  });

  test("opens no other door: it is no bearer token and no portal code", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { link } = await ask(client, tenant);
    expect(await isLive(client, link)).toBe(false);
    const redeemed = await client.call("POST", "/v1/member-sessions/redeem", tenant.apiKey, { code: link });
    expect(redeemed.status).toBe(422);
    await tokenOf(await authenticate(client, { code: link }));
  });

  test("that is malformed is refused like a wrong one, with no headers of its own, and counts for nothing", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { typed } = await ask(client, tenant);
    const refused = await sameForAll(await authenticate(client, typedBody(tenant, wrong(typed))));
    const forged = `lk_login_t${"A".repeat(56)}`;
    for (const code of ["", "-", "x", "0000-0000", "IIII-OOOO", `${typed}2`, "2".repeat(60_000), "👍👍👍👍", forged]) {
      expect(await sameForAll(await authenticate(client, typedBody(tenant, code))), code.slice(0, 70)).toEqual(refused);
    }
    expect(await codesOf(tenant)).toMatchObject([{ attempts: 1, used_at: null }]);
  });
});

describe("guessing at a typed code", () => {
  test("ends after five wrong attempts: then the right one is refused, and the link still works", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { link, typed } = await ask(client, tenant);
    for (let i = 1; i <= 5; i++) await expectInvalid(await authenticate(client, typedBody(tenant, wrong(typed, i))));
    await expectInvalid(await authenticate(client, typedBody(tenant, typed)));
    await tokenOf(await authenticate(client, { code: link }));
  });

  test("leaves four slips to whoever mistypes", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { typed } = await ask(client, tenant);
    for (let i = 1; i <= 4; i++) await expectInvalid(await authenticate(client, typedBody(tenant, wrong(typed, i))));
    await tokenOf(await authenticate(client, typedBody(tenant, typed)));
  });

  test("200 at a time has five of them looked at", async () => {
    const tenant = await makeTenant();
    const { client, db } = makeFaultyClient();
    const { link, typed } = await ask(client, tenant);
    const before = db.log.length;
    const guesses = Array.from({ length: 200 }, (_, i) => authenticate(client, typedBody(tenant, wrong(typed, i + 1))));
    for (const response of await Promise.all(guesses)) await expectInvalid(response);
    const ofCodes = db.log
      .slice(before)
      .filter(({ statements }) => statements.some(({ sql }) => /sign_in_codes/.test(sql)));
    const written = ofCodes.flatMap(({ meta }) => meta.map(({ rows_written }) => rows_written));
    expect(written.filter((rows) => rows > 0)).toHaveLength(5);
    expect(await codesOf(tenant)).toMatchObject([{ attempts: 5, used_at: null }]);
    await tokenOf(await authenticate(client, { code: link }));
  });

  test("starts anew with a new code", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { typed } = await ask(client, tenant);
    for (let i = 1; i <= 5; i++) await authenticate(client, typedBody(tenant, wrong(typed, i)));
    await tokenOf(await authenticate(client, typedBody(tenant, (await ask(client, tenant)).typed)));
  });
});

describe("an address of several customers", () => {
  async function shared(settings: Record<string, string> = {}) {
    const tenant = await makeTenant(settings);
    const client = makeClient();
    const { email } = tenant.team.member;
    const another = await anotherTeam(tenant, email);
    const selection = {
      error: "customer_selection_required",
      detail: "Multiple customers found for this email. Please select one.",
      customers: expect.toSatisfy(
        (customers: { id: string; name: string }[]) =>
          JSON.stringify(customers.toSorted((a, b) => a.name.localeCompare(b.name))) ===
          JSON.stringify([
            { id: another.id, name: "Another Ltd" },
            { id: tenant.team.id, name: "Team & Sons" },
          ]),
      ),
    };
    return { tenant, client, email, another, selection };
  }

  test.each(["link", "typed"] as const)(
    "is told after the proof, 409 with ids and names, however often, and the choice signs in: %s",
    async (how) => {
      const { tenant, client, another, selection } = await shared();
      const { link, typed } = await ask(client, tenant);
      const body = how === "link" ? { code: link } : typedBody(tenant, typed);
      for (let i = 0; i < 7; i++) expect(await json(await authenticate(client, body), 409)).toEqual(selection);
      expect(await codesOf(tenant)).toMatchObject([{ attempts: 0, used_at: null }]);
      const token = await tokenOf(await authenticate(client, { ...body, customer_id: another.id }));
      expect(await userOf(client, token)).toMatchObject({ customer_id: another.id, member_id: another.member.id });
    },
  );

  test("is told to nobody who has not proved it", async () => {
    const { tenant, client, email } = await shared();
    const asked = await request(client, { email, organization_id: tenant.id });
    expect([asked.status, await asked.text()]).toEqual([202, "null"]);
    await expectInvalid(await authenticate(client, typedBody(tenant, "2345-6789")));
  });

  test("does not sign in for a customer that it does not belong to, and nothing is used up by trying", async () => {
    const { tenant, client } = await shared();
    const { link } = await ask(client, tenant);
    for (const customer_id of [tenant.individual.id, crypto.randomUUID(), (await makeTenant()).team.id]) {
      await expectInvalid(await authenticate(client, { code: link, customer_id }));
    }
    await tokenOf(await authenticate(client, { code: link, customer_id: tenant.team.id }));
  });

  test("that asked for one customer signs in for that one, and for no other", async () => {
    const { tenant, client, email, another } = await shared();
    const { link } = await ask(client, tenant, email, another.id);
    await expectInvalid(await authenticate(client, { code: link, customer_id: tenant.team.id }));
    const token = await tokenOf(await authenticate(client, { code: link }));
    expect(await userOf(client, token)).toMatchObject({ customer_id: another.id });
  });

  test("counts live customers and members only", async () => {
    const { tenant, client, another } = await shared();
    await deleted("customers", another.id);
    const token = await tokenOf(await authenticate(client, { code: (await ask(client, tenant)).link }));
    expect(await userOf(client, token)).toMatchObject({ customer_id: tenant.team.id });
  });

  test("is told at once, with 409, where login_picker is polar; nothing is sent, and what was sent before still works", async () => {
    const { tenant, client, email, another, selection } = await shared({ login_picker: "polar" });
    const { link } = await ask(client, tenant, email, another.id);
    expect(await json(await request(client, { email, organization_id: tenant.id }), 409)).toEqual(selection);
    await client.settle();
    expect(client.mailed).toHaveLength(1);
    await tokenOf(await authenticate(client, { code: link }));
    await deleted("customers", another.id);
    await ask(client, tenant, email);
  });
});

describe("what a code proves", () => {
  async function isVerified(customerId: string): Promise<boolean> {
    const row = await env.DB.prepare("SELECT email_verified FROM customers WHERE id = ?1").bind(customerId).first();
    return row?.["email_verified"] === 1;
  }

  test("makes the customer's e-mail verified if it is that address, in whatever case", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { id, email } = tenant.individual;
    const { link } = await ask(client, tenant, email.toUpperCase());
    expect(await isVerified(id)).toBe(false);
    await tokenOf(await authenticate(client, { code: link }));
    expect(await isVerified(id)).toBe(true);
    const customer = await json(await client.call("GET", `/v1/customers/${id}`, tenant.apiKey), 200);
    expect(customer).toMatchObject({ email_verified: true, modified_at: "2026-11-20T12:00:00Z" });
  });

  test("makes no other address verified: neither the customer's own, nor another customer's", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    await update("customers", tenant.team.id, { email: "office@example.com", email_key: "office@example.com" });
    await tokenOf(await authenticate(client, { code: (await ask(client, tenant)).link }));
    expect(await isVerified(tenant.team.id)).toBe(false);
    expect(await isVerified(tenant.individual.id)).toBe(false);
  });

  test("is the customer itself where the member model is off: a customer session", async () => {
    const tenant = await makeTenant({ member_model_enabled: 0 });
    const client = makeClient();
    const { link } = await ask(client, tenant, tenant.individual.email);
    const token = await tokenOf(await authenticate(client, { code: link }));
    expect(token).toMatch(/^lk_cst_/);
    expect(await userOf(client, token)).toMatchObject({ type: "customer", customer_id: tenant.individual.id });
    expect(await isVerified(tenant.individual.id)).toBe(true);
    expect((await request(client, { email: tenant.team.member.email, organization_id: tenant.id })).status).toBe(202);
    await client.settle();
    expect(client.mailed).toHaveLength(1);
  });

  const changeEmail = (table: string, id: string) =>
    update(table, id, { email: "new@example.com", email_key: "new@example.com" });

  test.each<[string, (tenant: Tenant) => Promise<unknown>]>([
    ["the member was deleted", (tenant) => deleted("members", tenant.team.member.id)],
    ["the customer was deleted", (tenant) => deleted("customers", tenant.team.id)],
    ["the organization was deleted", (tenant) => deleted("organizations", tenant.id)],
    ["the member's e-mail was changed", (tenant) => changeEmail("members", tenant.team.member.id)],
  ])("is nothing any more once %s; the code is not used up", async (_, change) => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { link, typed } = await ask(client, tenant);
    await change(tenant);
    await expectInvalid(await authenticate(client, { code: link }));
    await expectInvalid(await authenticate(client, typedBody(tenant, typed)));
    expect(await codesOf(tenant)).toMatchObject([{ used_at: null }]);
    expect(await sessionsOf(tenant)).toBe(0);
  });

  test("is nothing any more once a customer's e-mail was changed, where the member model is off", async () => {
    const tenant = await makeTenant({ member_model_enabled: 0 });
    const client = makeClient();
    const { link } = await ask(client, tenant, tenant.individual.email);
    await changeEmail("customers", tenant.individual.id);
    await expectInvalid(await authenticate(client, { code: link }));
  });

  test("is a session like any other: the organization's lifetime and cap hold", async () => {
    const tenant = await makeTenant({ max_sessions_per_member: 1, session_ttl_seconds: 120 });
    const client = makeClient();
    const first = await tokenOf(await authenticate(client, { code: (await ask(client, tenant)).link }));
    const second = await tokenOf(await authenticate(client, { code: (await ask(client, tenant)).link }));
    expect([await isLive(client, first), await isLive(client, second)]).toEqual([false, true]);
    client.clock.advance(120_000);
    expect(await isLive(client, second)).toBe(false);
  });
});
