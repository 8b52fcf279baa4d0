/**
 * `npm run import` as printed, on the database of a running server: quickly enough, with wrangler's own ways, and with
 * sessions at its end.
 */

import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { openD1Api } from "./support/d1-api.ts";
import { api, demo, isLive, makeOrganization, signIn } from "./support/demo.ts";

const CUSTOMERS = 200;
const MEMBERS = 5000;
/** Wrangler cuts the first of them out of what it is given. */
const AWKWARD_NAME = "BEGIN TRANSACTION; COMMIT; O'Neil -- [\"/*\n;";

const folder = mkdtempSync(join(tmpdir(), "latchkey-import-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** @param env where the database is, if not with the running server. */
async function runImport(args: string[], env: Record<string, string> = { LATCHKEY_DEV_DIR: inject("stateDirectory") }) {
  try {
    return {
      code: 0,
      ...(await promisify(execFile)("npm", ["run", "--silent", "import", "--", ...args], {
        env: { ...process.env, ...env },
      })),
    };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);

function file(name: string, rows: string[][]): string {
  const path = join(folder, name);
  const lines = rows.map((row) => `${row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(",")}\r\n`);
  writeFileSync(path, lines.join(""));
  return path;
}

const customers = Array.from({ length: CUSTOMERS }, (_, n) => ({ id: randomUUID(), n }));
const members = Array.from({ length: MEMBERS }, (_, n) => ({
  id: randomUUID(),
  n,
  customer: customers[n % CUSTOMERS]?.id as string,
}));

const customersFile = file("customers.csv", [
  ["ID", "External ID", "Created At", "Email", "Name", "Tax ID", "Billing Address Country", "Metadata"],
  ...customers.map(({ id, n }) => [
    id,
    `team_${n}`,
    "2025-03-03T16:23:51.123456+00:00",
    `billing@company${n}.example.com`,
    n === 7 ? AWKWARD_NAME : `Company ${n}`,
    "['DE136695976', 'eu_vat']",
    "DE",
    JSON.stringify({ plan: 'the "pro", in\nfull', seats: n }),
  ]),
]);
const membersFile = file("members.csv", [
  ["customer_id", "id", "external_id", "email", "name", "role"],
  ...members.map(({ id, customer, n }) => [
    customer,
    id,
    `user_${n}`,
    `person${n}@example.com`,
    `Person ${n}`,
    n < CUSTOMERS ? "owner" : "member",
  ]),
]);

let organization: { slug: string; apiKey: string };
let first: Awaited<ReturnType<typeof runImport>>;
beforeAll(async () => {
  organization = await makeOrganization("imported");
  first = await runImport([customersFile, membersFile, "--organization", organization.slug]);
});

test("five thousand members come in, keep their ids and sign in", async () => {
  const { apiKey } = organization;
  expect(first).toMatchObject({
    code: 0,
    stdout: "customers: 200 new, 0 already there, 0 skipped; members: 5,000 new, 0 already there, 0 skipped\n",
    stderr: expect.stringContaining("Written: 200 of 200 customers, 5,000 of 5,000 members\n"),
  });
  const [last] = members.slice(-1);
  const session = await signIn(last?.id as string, { apiKey });
  expect(session.member).toMatchObject({ id: last?.id, customer_id: last?.customer, email: "person4999@example.com" });
  expect(await isLive(session.token)).toBe(true);
  const customer = await api("GET", `/v1/customers/${customers[7]?.id}`, undefined, apiKey);
  expect(customer).toMatchObject({
    type: "team",
    name: AWKWARD_NAME,
    external_id: "team_7",
    created_at: "2025-03-03T16:23:51.123000Z",
    tax_id: ["DE136695976", "eu_vat"],
    metadata: { plan: 'the "pro", in\nfull', seats: 7 },
  });
  const owner = await api("GET", "/v1/customers/external/team_7/members/user_7", undefined, apiKey);
  expect(owner).toMatchObject({ id: members[7]?.id, role: "owner" });
});

test("a second run changes nothing, and a bad row is told with its line and exit code 1", async () => {
  const { slug } = organization;
  expect(await runImport([membersFile, customersFile, "--organization", slug])).toMatchObject({
    code: 0,
    stdout: "customers: 0 new, 200 already there, 0 skipped; members: 0 new, 5,000 already there, 0 skipped\n",
  });
  const bad = file("bad.csv", [
    ["ID", "Email"],
    [randomUUID(), "nobody"],
  ]);
  expect(await runImport([bad, "--organization", slug])).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringContaining("bad.csv line 2: email: value is not a valid email address"),
  });
}, 120_000);

test("a deployed database takes our own export as file imports, and a run that failed goes on when repeated", async () => {
  const response = await fetch(`${demo.base_url}/v1/customers/export`, {
    headers: { Authorization: `Bearer ${organization.apiKey}` },
  });
  const exported = join(folder, "export.csv");
  writeFileSync(exported, await response.text());
  const d1 = await openD1Api();
  try {
    d1.sqlite.exec("INSERT INTO organizations (id, slug, name, created_at) VALUES ('o', 'acme', 'Acme', 1)");
    d1.sqlite.exec(`CREATE TRIGGER down BEFORE INSERT ON members WHEN NEW.role = 'member'
      BEGIN SELECT RAISE(ABORT, 'D1 is away'); END`);
    const failed = await runImport([exported, membersFile, "--remote"], d1.env);
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(failed.stderr).toContain("D1 is away");
    expect(failed.stderr).toContain(
      "Written: 200 of 200 customers, 200 of 5,000 members. Run the same command again: it goes on from there.\n",
    );
    d1.sqlite.exec("DROP TRIGGER down");
    expect(await runImport([exported, membersFile, "--remote"], d1.env)).toMatchObject({
      code: 0,
      stdout: "customers: 0 new, 200 already there, 0 skipped; members: 4,800 new, 200 already there, 0 skipped\n",
    });
    const ids = (table: string) => d1.sqlite.prepare(`SELECT id FROM ${table} ORDER BY id`).all();
    expect(ids("customers")).toEqual(customers.map(({ id }) => ({ id })).sort(byId));
    expect(ids("members")).toEqual(members.map(({ id }) => ({ id })).sort(byId));
    expect(d1.sqlite.prepare("SELECT * FROM customers WHERE external_id = 'team_7'").get()).toMatchObject({
      type: "team",
      email: "billing@company7.example.com",
      name: AWKWARD_NAME,
      tax_id: '["DE136695976","eu_vat"]',
      billing_address: expect.stringContaining('"country":"DE"'),
      metadata: JSON.stringify({ plan: 'the "pro", in\nfull', seats: 7 }),
      created_at: Date.parse("2025-03-03T16:23:51.123Z"),
    });
  } finally {
    await d1.close();
  }
}, 120_000);

test("its help names every column and option, and wrong arguments are answered with it", async () => {
  const help = await runImport(["--help"]);
  expect(help.code).toBe(0);
  for (const word of [
    "customer_external_id",
    "created_at",
    "Tax ID",
    "--on-error abort|skip",
    "--dry-run",
    "--remote",
  ]) {
    expect(help.stdout).toContain(word);
  }
  for (const args of [[], ["a", "b", "c"], ["a", "--on-error", "ignore"], ["a", "--frob"]]) {
    const { code, stderr } = await runImport(args);
    expect({ args, code, stderr }).toEqual({ args, code: 2, stderr: expect.stringContaining(help.stdout.trim()) });
  }
}, 120_000);
