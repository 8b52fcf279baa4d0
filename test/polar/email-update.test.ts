/** A customer's own change of e-mail address (contracts §2.9 rows 8 to 10, §3). */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import type { Mail } from "../../src/core/ports.ts";
import { type Client, makeClient } from "../support/client.ts";
import { type AskedChange, askForChange, CHECK, newAddress, REQUEST, VERIFY } from "../support/email-change.ts";
import { credentials, makeCustomer, makeTenant, type Tenant } from "../support/fixtures.ts";
import { makeCustomerLink, makeFaultyClient, makeLink, update } from "../support/portal.ts";
import { scanner } from "../support/scanner.ts";
import { fault, INVALID_TOKEN, isLive, json } from "./support.ts";

const MINUTE_MS = 60_000;
const INVALID = {
  error: "InvalidCustomerEmailUpdate",
  detail: "This email update request is invalid or has expired.",
};

const allowing = (settings: Record<string, number | string> = {}) => makeTenant({ allow_email_change: 1, ...settings });
const request = (client: Client, token: string, email: unknown) => client.call("POST", REQUEST, token, { email });
const check = (client: Client, token: string) => client.call("GET", `${CHECK}?token=${token}`, null);
const verify = (client: Client, token: string) => client.call("POST", VERIFY, null, { token });

/** Customer and owner as they are stored; read past the application. */
async function stored(tenant: Tenant) {
  const select = (table: string, columns: string, id: string) =>
    env.DB.prepare(`SELECT ${columns} FROM ${table} WHERE id = ?1`).bind(id).first();
  return {
    customer: await select("customers", "email, email_key, email_verified, modified_at", tenant.individual.id),
    owner: await select("members", "email, email_key, modified_at", tenant.individual.owner.id),
    sessions: await env.DB.prepare("SELECT COUNT(*) AS n FROM sessions WHERE customer_id = ?1")
      .bind(tenant.individual.id)
      .first("n"),
  };
}

async function expectDead(client: Client, token: string, what = token): Promise<void> {
  for (const refused of [await check(client, token), await verify(client, token)]) {
    expect(await json(refused, 401), what).toEqual(INVALID);
    expect(refused.headers.has("WWW-Authenticate")).toBe(false);
  }
}

describe("asking for a change", () => {
  test("answers 202 with the body null and mails a link to the new address, in the organization's name", async () => {
    const client = makeClient();
    const tenant = await allowing({ name: "Acme" });
    const { token } = await makeLink(client, tenant, tenant.individual.owner);
    const answer = await request(client, token, " Ann <New.Ann@EXAMPLE.com> ");
    expect(answer.headers.get("Content-Type")).toBe("application/json");
    expect([answer.status, await answer.text()]).toEqual([202, "null"]);
    await client.settle();
    const [mail] = client.mailed as [Mail];
    expect(mail).toMatchObject({ to: "New.Ann@example.com", subject: "Confirm your new e-mail address for Acme" });
    expect(mail.text).toMatch(
      new RegExp(`^https://portal\\.test/${tenant.slug}/portal/verify-email\\?token=lk_cev_t[\\w-]{56}$`, "m"),
    );
    expect((await stored(tenant)).customer).toMatchObject({ email: tenant.individual.email, modified_at: null });
  });

  test("tells the old address, without a credential; where there is none, nobody", async () => {
    const client = makeClient();
    const tenant = await allowing();
    const { email } = await askForChange(client, tenant);
    const [, notice] = client.mailed as [Mail, Mail];
    expect(notice.to).toBe(tenant.individual.email);
    expect(notice.text).toContain(email);
    expect(notice.text).not.toMatch(/_cev_|https?:|token/);
    await update("customers", tenant.individual.id, { email: null, email_key: null });
    const next = await askForChange(client, tenant);
    expect(client.mailed.slice(2).map(({ to }) => to)).toEqual([next.email]);
  });

  test("keeps a line break in the organization's name out of the subject", async () => {
    const client = makeClient();
    const tenant = await allowing({ name: "Acme\r\nBcc: all@example.com\u0085\u2028x" });
    await askForChange(client, tenant);
    expect(client.mailed.map(({ subject }) => subject)).toEqual([
      "Confirm your new e-mail address for Acme Bcc: all@example.com x",
      "Your e-mail address at Acme Bcc: all@example.com x is about to change",
    ]);
  });

  test("is for customer sessions too", async () => {
    const client = makeClient();
    const tenant = await allowing({ member_model_enabled: 0 });
    const { token } = await makeCustomerLink(client, tenant);
    expect((await request(client, token, newAddress())).status).toBe(202);
  });

  test("refuses a plain member before it looks at the address or the setting", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const { token } = await makeLink(client, tenant, tenant.team.member);
    expect(await json(await request(client, token, 1), 403)).toEqual({
      error: "NotPermitted",
      detail: "Only owners and billing managers can access billing features.",
    });
  });

  test("refuses what is no address before it looks at the setting", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const { token } = await makeLink(client, tenant, tenant.individual.owner);
    const { loc, msg } = await fault(await request(client, token, "ann"), "RequestValidationError");
    expect([loc, msg]).toEqual([
      ["body", "email"],
      "value is not a valid email address: An email address must have an @-sign.",
    ]);
    expect(await fault(await client.call("POST", REQUEST, token, {}), "RequestValidationError")).toMatchObject({
      type: "missing",
      loc: ["body", "email"],
    });
  });

  test("refuses everybody while the organization's setting is off, a team included", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    for (const member of [tenant.individual.owner, tenant.team.owner]) {
      const { token } = await makeLink(client, tenant, member);
      expect(await json(await request(client, token, tenant.individual.email), 403)).toEqual({
        error: "NotPermitted",
        detail: "Email changes are not enabled for this organization.",
      });
    }
    expect(client.mailed).toEqual([]);
  });

  test.each(["owner", "billingManager"] as const)("refuses a team, asked by its %s", async (role) => {
    const client = makeClient();
    const tenant = await allowing();
    const { token } = await makeLink(client, tenant, tenant.team[role]);
    expect(await fault(await request(client, token, "new@example.com"), "PolarRequestValidationError")).toEqual({
      type: "value_error",
      loc: ["body", "email"],
      msg: "Only individual customers can change their email.",
      input: "new@example.com",
    });
  });

  test("refuses the address that the customer has, in whatever case", async () => {
    const client = makeClient();
    const tenant = await allowing();
    await update("customers", tenant.individual.id, { email: "Ärger@example.com", email_key: "ärger@example.com" });
    const { token } = await makeLink(client, tenant, tenant.individual.owner);
    expect(await fault(await request(client, token, "ÄRGER@example.com"), "PolarRequestValidationError")).toEqual({
      type: "value_error",
      loc: ["body", "email"],
      msg: "New email is the same as your current email.",
      input: "ÄRGER@example.com",
    });
    expect(client.mailed).toEqual([]);
  });

  test("does not tell whether the address is another customer's", async () => {
    const client = makeClient();
    const tenant = await allowing();
    const taken = newAddress();
    await makeCustomer(tenant.id, { email: taken, email_key: taken });
    const { token } = await makeLink(client, tenant, tenant.individual.owner);
    const answers = await Promise.all([taken, newAddress()].map((email) => request(client, token, email)));
    const [one, other] = await Promise.all(
      answers.map(async (answer) => [answer.status, [...answer.headers], await answer.text()]),
    );
    expect(one).toEqual(other);
  });

  test("answers 503 where mail is not set up, and stores nothing", async () => {
    const client = makeClient({ MAIL_FROM: "" });
    const tenant = await allowing();
    const { token } = await makeLink(client, tenant, tenant.individual.owner);
    await json(await request(client, token, newAddress()), 503);
    expect(await pendingChanges(tenant)).toBe(0);
  });

  test("that cannot be mailed is answered all the same, and the log learns that, without address or token", async () => {
    const EMAIL = {
      send: async ({ to, text }: Mail) => {
        throw new Error(`refused: ${to} ${text}`);
      },
    } as unknown as SendEmail;
    const client = makeClient({ EMAIL });
    const tenant = await allowing();
    const { token } = await makeLink(client, tenant, tenant.individual.owner);
    expect((await request(client, token, newAddress())).status).toBe(202);
    await client.settle();
    expect(client.logged).toEqual([
      {
        level: "error",
        event: "mail_failed",
        fields: { organizationId: tenant.id, reason: "the mail service gave no code" },
      },
      {
        level: "error",
        event: "mail_failed",
        fields: { organizationId: tenant.id, reason: "the mail service gave no code" },
      },
    ]);
  });

  test("by a session that ends at that moment is refused as that of a dead one, and mails nothing", async () => {
    const tenant = await allowing();
    const { client, db } = makeFaultyClient();
    const { token, sessionId } = await makeLink(client, tenant, tenant.individual.owner);
    await client.settle();
    const gate = db.hold(/INTO email_changes/);
    const asked = request(client, token, newAddress());
    await gate.reached;
    await update("sessions", sessionId, { revoked_at: 1 });
    gate.release();
    const refused = await asked;
    expect([refused.status, await refused.text()]).toEqual([401, INVALID_TOKEN]);
    expect(await pendingChanges(tenant)).toBe(0);
    expect(client.mailed).toEqual([]);
  });

  test("again ends the earlier request of the same customer, and of no other", async () => {
    const client = makeClient();
    const [tenant, other] = [await allowing(), await allowing()];
    const first = await askForChange(client, tenant);
    const elsewhere = await askForChange(client, other);
    const second = await askForChange(client, tenant);
    await expectDead(client, first.change);
    for (const { change } of [elsewhere, second]) expect((await check(client, change)).status).toBe(204);
  });
});

describe("the token of the link", () => {
  test("is stored nowhere: only its lookup key is", async () => {
    const client = makeClient();
    const tenant = await allowing();
    const { change } = await askForChange(client, tenant);
    const { results } = await env.DB.prepare("SELECT * FROM email_changes WHERE customer_id = ?1")
      .bind(tenant.individual.id)
      .all();
    expect(results).toHaveLength(1);
    expect(results[0]).toMatchObject({ lookup_key: (await credentials.verify(change))?.lookupKey, token_key: "t" });
    expect(JSON.stringify(results)).not.toContain(change.slice(-56, -20));
  });

  test("is good for 30 minutes, to the millisecond", async () => {
    const client = makeClient();
    const { change } = await askForChange(client, await allowing());
    client.clock.advance(30 * MINUTE_MS - 1);
    expect((await check(client, change)).status).toBe(204);
    client.clock.advance(1);
    await expectDead(client, change);
  });

  test("is checked without being used, by nobody in particular", async () => {
    const client = makeClient();
    const { change } = await askForChange(client, await allowing());
    for (let i = 0; i < 3; i++) {
      const checked = await check(client, change);
      expect([checked.status, await checked.text()]).toEqual([204, ""]);
    }
    expect((await verify(client, change)).status).toBe(200);
  });

  test("must be there", async () => {
    const client = makeClient();
    expect(await fault(await client.call("GET", CHECK, null), "RequestValidationError")).toEqual({
      type: "missing",
      loc: ["query", "token"],
      msg: "Field required",
      input: null,
    });
    expect(await fault(await client.call("POST", VERIFY, null, {}), "RequestValidationError")).toMatchObject({
      type: "missing",
      loc: ["body", "token"],
    });
  });

  test("that is none of ours, or one of another kind, is invalid; a forged one costs no question", async () => {
    const { client, db } = makeFaultyClient();
    const tenant = await allowing();
    const { change, token, code } = await askForChange(client, tenant);
    await expectDead(client, (await credentials.mint("cev")).token);
    const before = db.count();
    const forged = [change.replace("_cev_", "_code_"), `${change.slice(0, -1)}${change.endsWith("A") ? "B" : "A"}`];
    for (const text of ["x", token, code, tenant.apiKey, ...forged]) await expectDead(client, text);
    expect(db.count()).toBe(before);
  });

  test("does not excuse a dead bearer token, which is told so on both routes", async () => {
    const client = makeClient();
    const { change } = await askForChange(client, await allowing());
    const dead = (await credentials.mint("mst")).token;
    for (const refused of [
      await client.call("GET", `${CHECK}?token=${change}`, dead),
      await client.call("POST", VERIFY, dead, { token: change }),
    ]) {
      expect([refused.status, await refused.text()]).toEqual([401, INVALID_TOKEN]);
    }
    expect((await verify(client, change)).status).toBe(200);
  });
});

describe("confirming", () => {
  test("gives customer and owner the new address, verified, and a customer session even with the member model", async () => {
    const client = makeClient();
    const tenant = await allowing();
    const { change, token: before } = await askForChange(client, tenant, "New.Ärger@example.com");
    client.clock.advance(MINUTE_MS);
    const now = client.clock.now();
    const { token, ...rest } = await json(await verify(client, change), 200);
    expect(rest).toEqual({});
    expect(token).toMatch(/^lk_cst_/);
    const address = { email: "New.Ärger@example.com", email_key: "new.ärger@example.com", modified_at: now };
    expect(await stored(tenant)).toEqual({
      customer: { ...address, email_verified: 1 },
      owner: address,
      sessions: 2,
    });
    const user = await json(await client.call("GET", "/v1/customer-portal/customer-session/user", token), 200);
    expect(user).toMatchObject({ type: "customer", email: "New.Ärger@example.com", customer_id: tenant.individual.id });
    expect(await isLive(client, before)).toBe(true);
  });

  test("makes a session of the organization's default life, without a portal code", async () => {
    const client = makeClient();
    const tenant = await allowing({ session_ttl_seconds: 600 });
    const { change } = await askForChange(client, tenant);
    const { token } = await json(await verify(client, change), 200);
    const introspected = await client.call("GET", "/v1/customer-portal/customer-session/introspect", token);
    expect(await json(introspected, 200)).toEqual({ expires_at: "2026-11-20T12:10:00Z", return_url: null });
    const codes = await env.DB.prepare(
      "SELECT COUNT(*) AS n FROM portal_codes p JOIN sessions s ON s.id = p.session_id WHERE s.lookup_key = ?1",
    );
    const lookupKey = (await credentials.verify(token))?.lookupKey;
    expect(await codes.bind(lookupKey).first("n")).toBe(0);
  });

  test("repairs an owner whose address had drifted from the customer's", async () => {
    const client = makeClient();
    const tenant = await allowing();
    await update("members", tenant.individual.owner.id, { email: "drifted@x.example", email_key: "drifted@x.example" });
    const { change, email } = await askForChange(client, tenant);
    await json(await verify(client, change), 200);
    expect((await stored(tenant)).owner).toMatchObject({ email, email_key: email });
  });

  test("leaves an owner alone who has that address already", async () => {
    const client = makeClient();
    const tenant = await allowing();
    const { change, email } = await askForChange(client, tenant);
    await update("members", tenant.individual.owner.id, { email, email_key: email });
    await json(await verify(client, change), 200);
    expect((await stored(tenant)).owner).toEqual({ email, email_key: email, modified_at: null });
  });

  test("works once", async () => {
    const client = makeClient();
    const tenant = await allowing();
    const { change } = await askForChange(client, tenant);
    await json(await verify(client, change), 200);
    const after = await stored(tenant);
    client.clock.advance(1);
    await expectDead(client, change);
    expect(await stored(tenant)).toEqual(after);
  });

  test("fifty times at once works once", async () => {
    const clients = [makeClient(), makeClient()] as const;
    const tenant = await allowing();
    const { change } = await askForChange(clients[0], tenant);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => verify(clients[i % 2 ? 0 : 1], change)));
    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([200, ...Array(49).fill(401)]);
    expect((await stored(tenant)).sessions).toBe(2);
  });

  test("an address that is another customer's by now is refused, changes nothing, and leaves the link good", async () => {
    const client = makeClient();
    const tenant = await allowing();
    const { change, email } = await askForChange(client, tenant);
    const rival = await makeCustomer(tenant.id, { email: email.toUpperCase(), email_key: email });
    const before = await stored(tenant);
    for (let i = 0; i < 2; i++) {
      expect(await fault(await verify(client, change), "PolarRequestValidationError")).toEqual({
        type: "value_error",
        loc: ["body", "token"],
        msg: "This email address is already in use.",
        input: null,
      });
    }
    expect(await stored(tenant)).toEqual(before);
    await update("customers", rival, { deleted_at: 1 });
    await json(await verify(client, change), 200);
  });

  test("an address that another organization's customer has is free", async () => {
    const client = makeClient();
    const [tenant, other] = [await allowing(), await allowing()];
    const { change } = await askForChange(client, tenant, other.individual.email);
    await json(await verify(client, change), 200);
    expect((await stored(other)).customer).toMatchObject({ email: other.individual.email, email_verified: 0 });
  });
});

type Meanwhile = (tenant: Tenant, client: Client, asked: AskedChange) => unknown;
const MEANWHILE: [string, Meanwhile][] = [
  ["the customer was deleted", (tenant) => update("customers", tenant.individual.id, { deleted_at: 1 })],
  ["the member who asked was deleted", (tenant) => update("members", tenant.individual.owner.id, { deleted_at: 1 })],
  ["the organization was deleted", (tenant) => update("organizations", tenant.id, { deleted_at: 1 })],
  ["the setting was switched off", (tenant) => update("organizations", tenant.id, { allow_email_change: 0 })],
  ["the customer became a team", (tenant) => update("customers", tenant.individual.id, { type: "team" })],
  ...[{ member_id: "owner" }, { customer_id: "customer" }, { organization: true }].map(
    (target): [string, Meanwhile] => [
      `all sessions were ended by ${Object.keys(target)[0]}`,
      async (tenant, client) => {
        const ids = { owner: tenant.individual.owner.id, customer: tenant.individual.id };
        const [[name, value]] = Object.entries(target) as [[string, keyof typeof ids | true]];
        const body = { [name]: value === true ? true : ids[value] };
        expect((await client.call("POST", "/v1/member-sessions/revoke", tenant.apiKey, body)).status).toBe(204);
      },
    ],
  ),
];

describe("a change is over, and nothing of it happens, when meanwhile", () => {
  test.each(MEANWHILE)("%s", async (_, happens) => {
    const client = makeClient();
    const tenant = await allowing();
    const asked = await askForChange(client, tenant);
    await happens(tenant, client, asked);
    const before = await stored(tenant);
    await expectDead(client, asked.change);
    expect(await stored(tenant)).toEqual(before);
  });

  test.each(MEANWHILE)("%s, even between the look at it and the write", async (_, happens) => {
    const tenant = await allowing();
    const { client, db } = makeFaultyClient();
    const asked = await askForChange(client, tenant);
    const before = await stored(tenant);
    const gate = db.hold(/UPDATE email_changes/);
    const answer = verify(client, asked.change);
    await gate.reached;
    await happens(tenant, client, asked);
    const { customer, owner } = await stored(tenant);
    gate.release();
    expect(await json(await answer, 401)).toEqual(INVALID);
    expect(await stored(tenant)).toEqual({ customer, owner, sessions: before.sessions });
  });
});

test("a change ends when a session of its customer has leaked: whoever took that gets no new one; others go on", async () => {
  const client = makeClient();
  const { change, token } = await askForChange(client, await allowing());
  const other = await askForChange(client, await allowing());
  const report = JSON.stringify([{ token, type: "lk_member_session_token", source: "content", url: null }]);
  const signature = await scanner.sign(new TextEncoder().encode(report));
  const path = "/v1/integrations/github/secret-scanning";
  expect((await client.call("POST", path, null, report, signature)).status).toBe(200);
  await expectDead(client, change);
  expect((await check(client, other.change)).status).toBe(204);
});

test.each(["by its id", "by its token"])(
  "a change ends when the organization ends a session of its customer %s; another organization's key ends nothing",
  async (by) => {
    const client = makeClient();
    const tenant = await allowing();
    const other = await allowing();
    const { change, token, sessionId } = await askForChange(client, tenant);
    const end = ({ id, apiKey }: Tenant) =>
      by === "by its id"
        ? client.call("DELETE", `/v1/member-sessions/${sessionId}`, apiKey)
        : client.fetch("/v1/oauth2/revoke", {
            method: "POST",
            body: new URLSearchParams({ token, client_id: id, client_secret: apiKey }),
          });
    expect((await end(other)).status).toBe(by === "by its id" ? 404 : 200);
    expect((await check(client, change)).status).toBe(204);
    expect((await end(tenant)).ok).toBe(true);
    await expectDead(client, change);
  },
);

test("a change outlives the session that asked for it: signing out does not end it", async () => {
  const client = makeClient();
  const { change, token } = await askForChange(client, await allowing());
  await client.call("DELETE", "/v1/member-sessions/current", token);
  await json(await verify(client, change), 200);
});

describe("when D1's answer is lost", () => {
  test("a confirmation that was committed yields its session all the same", async () => {
    const tenant = await allowing();
    const { client, db } = makeFaultyClient();
    const { change, email } = await askForChange(client, tenant);
    db.fail(/UPDATE email_changes/, { when: "after", times: 1 });
    const { token } = await json(await verify(client, change), 200);
    expect(await isLive(client, token)).toBe(true);
    expect((await stored(tenant)).customer).toMatchObject({ email });
  });

  test("one that was not committed is a 503, and the link stays good", async () => {
    const tenant = await allowing();
    const { client, db } = makeFaultyClient();
    const { change } = await askForChange(client, tenant);
    const before = await stored(tenant);
    db.fail(/UPDATE email_changes/, { when: "before", times: 1 });
    await json(await verify(client, change), 503);
    expect(await stored(tenant)).toEqual(before);
    await json(await verify(client, change), 200);
  });

  test("a request is repeated, and its link is good", async () => {
    const tenant = await allowing();
    const { client, db } = makeFaultyClient();
    db.fail(/INTO email_changes/, { when: "after", times: 1 });
    const { change } = await askForChange(client, tenant);
    expect((await check(client, change)).status).toBe(204);
  });
});

async function pendingChanges(tenant: Tenant): Promise<unknown> {
  return env.DB.prepare("SELECT COUNT(*) AS n FROM email_changes WHERE organization_id = ?1")
    .bind(tenant.id)
    .first("n");
}
