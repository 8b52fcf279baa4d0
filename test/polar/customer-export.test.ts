/** The CSV of all customers (contracts §2.9 row 22). */

import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { makeClient } from "../support/client.ts";
import { makeCustomer, makeTenant, type Tenant } from "../support/fixtures.ts";
import { makeFaultyClient } from "../support/portal.ts";
import { fault, json } from "./support.ts";

const HEADER =
  "ID,External ID,Created At,Email,Name,Tax ID,Billing Address Line 1,Billing Address Line 2,Billing Address City,Billing Address State,Billing Address Zip,Billing Address Country,Metadata";

const exported = (client: ReturnType<typeof makeClient>, { apiKey }: Tenant, query = "") =>
  client.call("GET", `/v1/customers/export${query}`, apiKey);

/** As RFC 4180 has it: fields in quotes may hold commas, quotes (doubled) and line breaks. */
function parseCsv(text: string): string[][] {
  expect(text.endsWith("\r\n")).toBe(true);
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain ?? "");
    if (end === "\r\n") rows.push([]);
  }
  return rows.slice(0, -1);
}

async function clear(tenant: Tenant): Promise<void> {
  await env.DB.prepare("UPDATE customers SET deleted_at = 1 WHERE organization_id = ?1").bind(tenant.id).run();
}

test("has Polar's columns, one row for each living customer, the oldest first", async () => {
  const client = makeClient();
  const tenant = await makeTenant();
  await clear(tenant);
  const address = { line1: "1 Main St", line2: "2", postal_code: "75001", city: "Paris", state: null, country: "FR" };
  const young = await makeCustomer(tenant.id, { type: "team", created_at: 2000 });
  const old = await makeCustomer(tenant.id, {
    created_at: 1500,
    external_id: "e",
    email: "a@example.com",
    name: "Ann",
    tax_id: '["FR61954506077","eu_vat"]',
    billing_address: JSON.stringify(address),
    metadata: '{"k":"v"}',
  });
  const response = await exported(client, tenant);
  expect(response.status).toBe(200);
  expect(response.headers.get("Content-Type")).toBe("text/csv; charset=utf-8");
  expect(response.headers.get("Content-Disposition")).toBe('attachment; filename="customers.csv"');
  expect(await response.text()).toBe(
    [
      HEADER,
      `${old},e,1970-01-01T00:00:01.500000Z,a@example.com,Ann,"['FR61954506077', 'eu_vat']",1 Main St,2,Paris,,75001,FR,"{""k"":""v""}"`,
      `${young},,1970-01-01T00:00:02Z,,,,,,,,,,`,
      "",
    ].join("\r\n"),
  );
});

test("quotes what would break a row, and alters nothing", async () => {
  const client = makeClient();
  const tenant = await makeTenant();
  await clear(tenant);
  const names = ["a,b", 'say "hi"', "two\nlines", "two\r\nlines", "=1+1", "-x", "'x", ' " ', "Écu, Жан 🎉", ";", "\t"];
  for (const [index, name] of names.entries()) await makeCustomer(tenant.id, { name, created_at: index });
  const rows = parseCsv(await (await exported(client, tenant)).text());
  expect(rows.every((row) => row.length === 13)).toBe(true);
  expect(rows.slice(1).map((row) => row[4])).toEqual(names);
});

test("holds everybody exactly once, however many they are and whenever they were made", async () => {
  const client = makeClient();
  const tenant = await makeTenant();
  for (const [count, createdAt] of [
    [998, "5"],
    [3, "n"],
    [1200, "n % 7"],
  ]) {
    await env.DB.prepare(
      `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)
       INSERT INTO customers (id, organization_id, name, created_at)
       SELECT lower(hex(randomblob(16))), ?2, 'c' || n, ${createdAt} FROM numbers`,
    )
      .bind(count, tenant.id)
      .run();
    const [, ...rows] = parseCsv(await (await exported(client, tenant)).text());
    const { results } = await env.DB.prepare(
      "SELECT id FROM customers WHERE organization_id = ?1 AND deleted_at IS NULL",
    )
      .bind(tenant.id)
      .all();
    expect(rows.map(([id]) => id).sort()).toEqual(results.map(({ id }) => id).sort());
  }
});

test("of another organization is the header alone; of its own among others, its own", async () => {
  const client = makeClient();
  const [tenant, stranger] = [await makeTenant(), await makeTenant()];
  const foreign = await exported(client, tenant, `?organization_id=${stranger.id}`);
  expect(await foreign.text()).toBe(`${HEADER}\r\n`);
  const both = await exported(client, tenant, `?organization_id=${stranger.id}&organization_id=${tenant.id}`);
  const ids = parseCsv(await both.text()).map(([id]) => id);
  expect(ids.slice(1).sort()).toEqual([tenant.team.id, tenant.individual.id].sort());
  const malformed = await exported(client, tenant, "?organization_id=x");
  expect((await fault(malformed, "RequestValidationError")).loc).toEqual(["query", "organization_id", 0]);
});

test("is a 503 while D1 is away, and breaks off, logged, when D1 goes away in the middle: never a short file", async () => {
  const { client, db } = makeFaultyClient();
  const tenant = await makeTenant();
  await env.DB.prepare(
    `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5000)
     INSERT INTO customers (id, organization_id, created_at)
     SELECT lower(hex(randomblob(16))), ?1, n FROM numbers`,
  )
    .bind(tenant.id)
    .run();
  db.fail("any");
  await json(await exported(client, tenant), 503);
  db.heal();
  const gate = db.hold(/c\.created_at, c\.id\) >/, { when: "after" });
  const answering = exported(client, tenant);
  await gate.reached;
  db.fail("any");
  gate.release();
  const response = await answering;
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow();
  expect(client.logged.map(({ event }) => event)).toContain("export_broken_off");
});
