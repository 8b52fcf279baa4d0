/** How often a code may be asked for and entered (§2.7): 6 in a minute, 12 in an hour, then 900 s of nothing. */

import { describe, expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { makeTenant, type Tenant } from "../support/fixtures.ts";
import { someAddress, statuses } from "../support/limiters.ts";
import { follow, makeFaultyClient, submit } from "../support/portal.ts";
import { ask, typedBody, wrong } from "../support/sign-in.ts";

const AREA = "/v1/customer-portal/customer-session";
const at = (address: string) => ({ "CF-Connecting-IP": address });

const request = (client: Client, tenant: Tenant, email: string, from = someAddress()) =>
  client.call("POST", `${AREA}/request`, null, { email, organization_id: tenant.id }, at(from));
const authenticate = (client: Client, body: unknown, from = someAddress()) =>
  client.call("POST", `${AREA}/authenticate`, null, body, at(from));
const someone = () => `${crypto.randomUUID()}@example.com`;

async function expectShutOut(response: Response, seconds = 900): Promise<void> {
  expect(response.status, await response.clone().text()).toBe(429);
  expect(response.headers.get("Retry-After")).toBe(String(seconds));
  expect(response.headers.has("Content-Type")).toBe(false);
  expect(await response.text()).toBe("");
}

describe("asking for a code", () => {
  test("works six times a minute for one address, from wherever it is asked; the seventh mails nothing", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { email } = tenant.team.member;
    expect(await statuses(6, () => request(client, tenant, email))).toEqual(Array(6).fill(202));
    await expectShutOut(await request(client, tenant, email.toUpperCase()));
    await client.settle();
    expect(client.mailed).toHaveLength(6);
    expect((await request(client, tenant, tenant.team.owner.email)).status, "for another address").toBe(202);
    client.clock.advance(899_001);
    await expectShutOut(await request(client, tenant, email), 1);
    client.clock.advance(999);
    expect((await request(client, tenant, email)).status).toBe(202);
  });

  test("is counted alike for addresses and organizations that nobody knows", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const email = someone();
    expect(await statuses(7, () => request(client, tenant, email))).toEqual([...Array(6).fill(202), 429]);
    const nowhere = { ...tenant, id: crypto.randomUUID() };
    expect(await statuses(7, () => request(client, nowhere, email))).toEqual([...Array(6).fill(202), 429]);
  });

  test("works six times a minute from one network, whichever addresses it tries", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const calls = Array.from({ length: 7 }, (_, i) => `2001:db8:99:1::${i + 1}`);
    const seen: number[] = [];
    for (const from of calls) seen.push((await request(client, tenant, someone(), from)).status);
    expect(seen).toEqual([...Array(6).fill(202), 429]);
    expect((await request(client, tenant, someone(), "2001:db8:99:2::1")).status).toBe(202);
  });

  test("fifty times at once mails six codes", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { email } = tenant.team.member;
    const responses = await Promise.all(Array.from({ length: 50 }, () => request(client, tenant, email)));
    await client.settle();
    expect(responses.filter(({ status }) => status === 202)).toHaveLength(6);
    expect(client.mailed).toHaveLength(6);
  });

  test("is one count with entering codes, and with the portal's pages", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const from = someAddress();
    const page = (fields: Record<string, string>) =>
      client.fetch(`/${tenant.slug}/portal/sign-in`, {
        method: "POST",
        headers: {
          ...at(from),
          "Sec-Fetch-Site": "same-origin",
          "Content-Type": "application/x-www-form-urlencoded",
        },
        body: new URLSearchParams(fields).toString(),
      });
    expect(await statuses(2, () => request(client, tenant, someone(), from))).toEqual([202, 202]);
    expect(await statuses(2, () => authenticate(client, { code: "ABCD-EFGH" }, from))).toEqual([401, 401]);
    expect((await page({ email: someone() })).status).toBe(200);
    expect((await page({ email: someone(), code: "ABCD-EFGH" })).status).toBe(401);
    const refused = await page({ email: someone(), code: "ABCD-EFGH" });
    expect(refused.status).toBe(429);
    expect(refused.headers.get("Retry-After")).toBe("900");
    expect(await refused.text()).toContain("in 15 minutes");
    await expectShutOut(await request(client, tenant, someone(), from));
    await expectShutOut(await authenticate(client, { code: "ABCD-EFGH" }, from));
  });

  test("from nobody knows where is counted as one network", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    expect(await statuses(7, () => request(client, tenant, someone(), ""))).toEqual([...Array(6).fill(202), 429]);
  });
});

describe("a stranger", () => {
  test("who asks for codes to a member's address keeps the member from no code that has come, typed or as a link", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { email } = tenant.team.member;
    const message = await ask(client, tenant);
    expect((await statuses(8, () => request(client, tenant, email))).slice(-2)).toEqual([429, 429]);
    await client.settle();
    const newest = client.mailed.at(-1)?.text ?? "";
    const typed = /^[0-9A-Z]{4}-[0-9A-Z]{4}$/m.exec(newest)?.[0] as string;
    expect(typed).not.toBe(message.typed);
    expect((await authenticate(client, typedBody(tenant, typed))).status).toBe(200);
  });

  test("who asks for a member's codes at customers that are not the member's keeps the member from none", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { email } = tenant.team.member;
    const elsewhere = (customer_id: string) =>
      client.call("POST", `${AREA}/request`, null, { email, organization_id: tenant.id, customer_id });
    const nobody = crypto.randomUUID();
    expect(await statuses(7, () => elsewhere(nobody))).toEqual([...Array(6).fill(202), 429]);
    expect(await statuses(3, () => elsewhere(crypto.randomUUID()))).toEqual(Array(3).fill(202));
    expect((await ask(client, tenant)).mail.to).toBe(email);
  });

  test("whose site has a browser fetch broken links uses none of its network's attempts up", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const from = someAddress();
    const broken = `/${tenant.slug}/portal?code=lk_login_t${"A".repeat(56)}`;
    expect(await statuses(7, () => follow(client, broken, undefined, at(from)))).toEqual(Array(7).fill(410));
    expect((await request(client, tenant, tenant.team.member.email, from)).status).toBe(202);
  });

  test("who shares a member's network and has used its attempts up keeps the member from no link", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { link, url, typed } = await ask(client, tenant);
    const from = someAddress();
    const guess = (by: number) => authenticate(client, typedBody(tenant, wrong(typed, by)), from);
    for (let i = 1; i <= 4; i++) expect((await guess(i)).status).toBe(401);
    expect((await authenticate(client, { code: "x" }, from)).status).toBe(401);
    expect((await authenticate(client, { code: `lk_login_t${"A".repeat(56)}` }, from)).status).toBe(401);
    await expectShutOut(await guess(5));
    expect((await follow(client, url, undefined, at(from))).status).toBe(200);
    expect((await authenticate(client, { code: link }, from)).status).toBe(200);
  });
});

test("while the counter cannot be asked, no code is mailed and none is entered; a link still signs in", async () => {
  const tenant = await makeTenant();
  const maker = makeClient();
  const { typed, link } = await ask(maker, tenant);
  const { client, db } = makeFaultyClient(maker.clock);
  db.fail(/attempts \(lookup_key/);
  expect((await request(client, tenant, tenant.team.member.email)).status).toBe(503);
  expect((await authenticate(client, typedBody(tenant, typed))).status).toBe(503);
  expect((await submit(client, `/${tenant.slug}/portal/sign-in`, { email: someone() })).status).toBe(503);
  expect(client.mailed).toEqual([]);
  expect((await authenticate(client, { code: link })).status).toBe(200);
});
