/**
 * Moving in: what an import makes of Polar's export and of members.csv, what it refuses and on which line. Wrangler's
 * part, which costs two seconds a call, is replaced by SQLite with the real schema; test/node/import-end-to-end.test.ts
 * has it.
 */

import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Database, patiently, SqlFailure } from "../../scripts/database.ts";
import { importPeople } from "../../scripts/import-people.ts";
import { createProgress } from "../../scripts/progress.ts";

const POLAR_HEADER =
  "ID,External ID,Created At,Email,Name,Tax ID,Billing Address Line 1,Billing Address Line 2,Billing Address City," +
  "Billing Address State,Billing Address Zip,Billing Address Country,Metadata";
const MEMBERS_HEADER = "customer_id,customer_external_id,id,external_id,email,name,role,created_at";
/** Ids that are told apart at a glance. */
const id = (digit: string) => `${digit.repeat(8)}-1111-4111-8111-111111111111`;
const [A, B, C, D] = [id("a"), id("b"), id("c"), id("d")];

const folder = mkdtempSync(join(tmpdir(), "latchkey-import-"));
let sqlite: DatabaseSync;
let failOnFile: number | null;
let filesRun: number;
let out: string[];
let err: string[];

vi.mock("../../scripts/database.ts", async (importOriginal) => ({
  ...(await importOriginal<object>()),
  execute: async (_: Database, statements: string[]) => statements.map((statement) => sqlite.prepare(statement).all()),
  executeFile: async (_: Database, statements: string[]) => {
    sqlite.exec("BEGIN");
    try {
      for (const statement of statements) sqlite.exec(statement);
      if (++filesRun === failOnFile) throw new Error("D1 is away");
      sqlite.exec("COMMIT");
    } catch (error) {
      sqlite.exec("ROLLBACK");
      throw new SqlFailure((error as Error).message);
    }
  },
}));

vi.mock("node:timers/promises", () => ({ setTimeout: async () => {} }));

beforeEach(() => {
  sqlite = new DatabaseSync(":memory:");
  for (const file of readdirSync("migrations").sort()) sqlite.exec(readFileSync(join("migrations", file), "utf8"));
  sqlite.exec("INSERT INTO organizations (id, slug, name, created_at) VALUES ('o', 'acme', 'Acme', 1)");
  failOnFile = null;
  filesRun = 0;
  out = [];
  err = [];
  vi.spyOn(console, "log").mockImplementation((line) => void out.push(String(line)));
  vi.spyOn(console, "error").mockImplementation((line) => void err.push(String(line)));
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
});
afterEach(() => void vi.restoreAllMocks());
afterAll(() => rmSync(folder, { recursive: true }));

const rows = (sql: string) =>
  sqlite
    .prepare(sql)
    .all()
    .map((row) => ({ ...row }));
const everything = () => rows("SELECT * FROM customers ORDER BY id").concat(rows("SELECT * FROM members ORDER BY id"));

/** @param content lines, or the bytes of the whole. */
function file(name: string, ...content: string[] | [Buffer]): string {
  const path = join(mkdtempSync(join(folder, "files-")), name);
  const [whole] = content;
  writeFileSync(path, Buffer.isBuffer(whole) ? whole : `${content.join("\n")}\n`);
  return path;
}
const customersFile = (...lines: string[]) => file("customers.csv", "ID,External ID,Email,Name,Type", ...lines);
const membersFile = (...lines: string[]) => file("members.csv", MEMBERS_HEADER, ...lines);

async function run(paths: string[], options: Partial<Parameters<typeof importPeople>[2]> = {}): Promise<string> {
  out.length = 0;
  err.length = 0;
  const all = { organization: undefined, onError: "abort" as const, isDryRun: false, ...options };
  await importPeople({ place: "local", state: "unused" }, paths, all);
  return out.join("\n");
}

/** What the user sees of an import that writes nothing. */
async function refused(paths: string[]): Promise<string[]> {
  const before = everything();
  const refusal = await run(paths).then(
    () => expect.fail("it was not refused"),
    (error: Error) => error,
  );
  expect(refusal.name).toBe("Refusal");
  expect(everything()).toEqual(before);
  return [...err, ...refusal.message.split("\n")];
}

/** Faults without their words, where those are the API's, and each place once. */
function places(faults: string[], isWanted = (_: string) => true): string[] {
  const shortened = faults.map((fault) => {
    const place = /^\S+ line \d+: [\w.-]+:/.exec(fault)?.[0].replace(/(metadata\.\w+)\..*/, "$1:");
    return isWanted(fault) ? (place ?? fault) : fault;
  });
  return [...new Set(shortened)];
}

const ONE_MEMBER_ONLY =
  "role: Individual customers can only have one member (the owner). Upgrade to a team customer to add more members";
const ABORTED = (count: string) => `${count}, so nothing was written. --on-error skip leaves them out.`;

describe("customers.csv", () => {
  test("is taken as Polar writes it, every column of it, with an owner as POST /v1/customers/ makes it", async () => {
    const text = [
      POLAR_HEADER,
      `${A},user_ada,2026-03-03T16:23:51.123456+00:00,Ada@Keller.Example.com,"Ada ""the first"" Keller","['DE136695976', 'eu_vat']",Hauptstraße 1,,Köln,,50667,DE,"{""plan"": ""pro"", ""seats"": 3.0, ""vip"": true, ""note"": ""caf\\u00e9""}"`,
      `${B},,2025-01-01T00:00:00+00:00,bob@example.com,,,,,,US-CA,,US,`,
    ].join("\r\n");
    expect(await run([file("polar-customers.csv", Buffer.from(`${text}\r\n`))])).toBe(
      "customers: 2 new, 0 already there, 0 skipped; members: 2 new, 0 already there, 0 skipped\n" +
        "2 of the members are owners that no row names.",
    );
    expect(rows("SELECT * FROM customers ORDER BY id")).toMatchObject([
      {
        id: A,
        organization_id: "o",
        type: "individual",
        external_id: "user_ada",
        email: "Ada@keller.example.com",
        email_key: "ada@keller.example.com",
        name: 'Ada "the first" Keller',
        tax_id: '["DE136695976","eu_vat"]',
        billing_address:
          '{"line1":"Hauptstraße 1","line2":null,"postal_code":"50667","city":"Köln","state":null,"country":"DE"}',
        metadata: '{"plan":"pro","seats":3.0,"vip":true,"note":"café"}',
        created_at: Date.parse("2026-03-03T16:23:51.123Z"),
        modified_at: null,
        deleted_at: null,
      },
      {
        id: B,
        external_id: null,
        name: null,
        tax_id: null,
        billing_address: expect.stringContaining('"state":"US-CA","country":"US"'),
        metadata: "{}",
        created_at: Date.parse("2025-01-01T00:00:00Z"),
      },
    ]);
    expect(rows("SELECT * FROM members ORDER BY customer_id")).toMatchObject([
      {
        customer_id: A,
        organization_id: "o",
        email: "Ada@keller.example.com",
        email_key: "ada@keller.example.com",
        name: 'Ada "the first" Keller',
        external_id: "user_ada",
        role: "owner",
        created_at: Date.parse("2026-03-03T16:23:51.123Z"),
      },
      { customer_id: B, email: "bob@example.com", name: null, external_id: null, role: "owner" },
    ]);
  });

  test("may begin with a byte order mark, end its lines as it likes, and hold blank ones", async () => {
    const lines = ["\ufeffID,Email", `${A},a@example.com`, "", ",", `"${B}",b@example.com`];
    const mixed = `\ufeff"ID","Email"\r\n${lines.slice(1).join("\n")}`;
    for (const text of [...["\n", "\r\n", "\r"].map((end) => lines.join(end)), mixed]) {
      sqlite.exec("DELETE FROM members; DELETE FROM customers");
      expect(await run([file("c.csv", Buffer.from(text))]), JSON.stringify(text)).toContain("customers: 2 new");
    }
  });

  test("is judged by the API's rules, each fault with the line on which its row begins", async () => {
    const path = file(
      "customers.csv",
      Buffer.from(
        [
          POLAR_HEADER,
          `${A},,,ada@example.com,"Ada\r\nof\nthree lines",,,,,,,,`,
          `${B},,,nobody,,,,,,,,,`,
          "",
          `not-an-id,,yesterday,${"x".repeat(65)}@example.com,${"n".repeat(257)},DE136695976,,,,,,,{plan}`,
          `${C},,2026-02-30T00:00:00Z,c@example.com,,,Street 1,,,,,,"{""a"": [1]}"`,
          `${D},,,d@example.com,,,,,,Texas,,US,`,
          `${id("e")},,,e@example.com`,
          `,,,f@example.com,"a\u0000b",,,,,,,XX,`,
        ].join("\r\n"),
      ),
    );
    const told = await refused([path]);
    expect(places(told)).toEqual([
      "customers.csv line 5: email:",
      "customers.csv line 7: id:",
      "customers.csv line 7: created_at:",
      "customers.csv line 7: email:",
      "customers.csv line 7: name:",
      "customers.csv line 7: tax_id:",
      "customers.csv line 7: metadata:",
      "customers.csv line 8: created_at:",
      "customers.csv line 8: billing_address.country:",
      "customers.csv line 8: metadata.a:",
      "customers.csv line 9: billing_address:",
      "customers.csv line 10: 13 cells expected, 4 found.",
      "customers.csv line 11: id:",
      "customers.csv line 11: name:",
      "customers.csv line 11: billing_address.country:",
      ABORTED("6 bad rows"),
    ]);
    expect(told[0]).toMatch(/^customers\.csv line 5: email: value is not a valid email address: /);
    expect(told).toContain(
      "customers.csv line 8: created_at: Input should be a time with its zone, such as 2026-03-03T16:23:51.123456Z",
    );
    expect(await run([path], { onError: "skip" })).toContain("customers: 1 new, 0 already there, 6 skipped");
    expect(places(err)).toHaveLength(15);
    expect(rows("SELECT name FROM customers")).toEqual([{ name: "Ada\r\nof\nthree lines" }]);
  });

  test("may not name an id, an address or an external id twice", async () => {
    const path = customersFile(
      `${A},team_a,Ada@Example.com,,`,
      `${A.toUpperCase()},,other@example.com,,`,
      `${B},team_a,ADA@example.com,,`,
      `${C},,c@example.com,,`,
    );
    expect(await refused([path])).toEqual([
      "customers.csv line 3: id: The same ID stands on line 2",
      "customers.csv line 4: email: A customer with this email address already exists: line 2",
      "customers.csv line 4: external_id: A customer with this external ID already exists: line 2",
      ABORTED("2 bad rows"),
    ]);
    await run([path], { onError: "skip" });
    expect(rows("SELECT id FROM customers ORDER BY id")).toEqual([{ id: A }, { id: C }]);
  });

  test("may not clash with who is there, and may not take an id that was given out", async () => {
    sqlite.exec("INSERT INTO organizations (id, slug, name, created_at) VALUES ('p', 'other', 'Other', 1)");
    const acme = { organization: "acme" };
    await run([customersFile(`${A},team_a,ada@example.com,,`, `${B},,b@example.com,,`)], acme);
    await run([customersFile(`${C},team_a,ada@example.com,,`)], { organization: "other" });
    sqlite.exec(`UPDATE customers SET deleted_at = 1 WHERE id = '${B}'; UPDATE members SET deleted_at = 1`);
    const path = customersFile(
      `${A},renamed,renamed@example.com,,`,
      `${D},team_a,ADA@example.com,,`,
      `${B},,new@example.com,,`,
      `${C},,newer@example.com,,`,
      `${id("e")},,b@example.com,,`,
    );
    const spent = "This ID is taken: by somebody who was deleted, or in another organization";
    expect(await run([path], { ...acme, onError: "skip" })).toContain("customers: 1 new, 1 already there, 3 skipped");
    expect(err).toEqual([
      `customers.csv line 3: email: A customer with this email address already exists: customer ${A}`,
      `customers.csv line 3: external_id: A customer with this external ID already exists: customer ${A}`,
      `customers.csv line 4: id: ${spent}`,
      `customers.csv line 5: id: ${spent}`,
    ]);
    expect(rows(`SELECT external_id, email FROM customers WHERE id = '${A}'`)).toEqual([
      { external_id: "team_a", email: "ada@example.com" },
    ]);
  });

  test("with more metadata than a statement holds is refused, however much the API takes", async () => {
    const metadata = (value: string) =>
      JSON.stringify(Object.fromEntries(Array.from({ length: 50 }, (_, key) => [`key ${key}`, value])));
    const cell = (value: string) => `"${metadata(value).replaceAll('"', '""')}"`;
    const path = file(
      "customers.csv",
      "ID,Email,Metadata",
      `${A},a@example.com,${cell("€".repeat(500))}`,
      `${B},b@example.com,${cell("'".repeat(500))}`,
      `${C},c@example.com,${cell("'".repeat(500))}`,
    );
    expect(await run([path], { onError: "skip" })).toContain("customers: 3 new");
    // Six bytes each in JSON.
    const tooLong = file("customers.csv", "ID,Email,Metadata", `${D},d@example.com,${cell("\u0001".repeat(500))}`);
    expect(await refused([tooLong])).toEqual([
      "customers.csv line 2: metadata: With all of it the row is longer than D1 takes (100000 bytes)",
      ABORTED("1 bad row"),
    ]);
  });
});

describe("members.csv", () => {
  test("gives members to customers by either id, with their own ids, roles and times", async () => {
    const paths = [
      membersFile(
        `${A},,${id("1")},user_1,Olga@Example.com,Olga,owner,2026-03-03T16:23:51Z`,
        `,team_a,${id("2")},,bruno@example.com,,billing_manager,2026-03-04T00:00:00+02:00`,
        `,team_a,,,mia@example.com,Mia,,`,
      ),
      customersFile(`${A},team_a,,Acme,`),
    ];
    expect(await run(paths)).toBe(
      "customers: 1 new, 0 already there, 0 skipped; members: 3 new, 0 already there, 0 skipped",
    );
    expect(rows("SELECT type, email FROM customers")).toEqual([{ type: "team", email: null }]);
    expect(rows("SELECT * FROM members ORDER BY email_key DESC")).toMatchObject([
      {
        id: id("1"),
        organization_id: "o",
        customer_id: A,
        external_id: "user_1",
        email: "Olga@example.com",
        email_key: "olga@example.com",
        name: "Olga",
        role: "owner",
        created_at: Date.parse("2026-03-03T16:23:51Z"),
      },
      { email: "mia@example.com", external_id: null, role: "member" },
      { id: id("2"), name: null, role: "billing_manager", created_at: Date.parse("2026-03-03T22:00:00Z") },
    ]);
  });

  test("may come by itself, for customers that are there", async () => {
    await run([customersFile(`${A},team_a,olga@example.com,Acme,team`)]);
    expect(await run([membersFile(`,team_a,,,mia@example.com,Mia,member,`)])).toBe(
      "customers: 0 new, 0 already there, 0 skipped; members: 1 new, 0 already there, 0 skipped",
    );
  });

  test("makes a team of a customer with members besides its owner, and of no other", async () => {
    await run([
      customersFile(
        `${A},,a@example.com,,`,
        `${B},,b@example.com,,`,
        `${C},,c@example.com,,team`,
        `${D},,d@example.com,,`,
      ),
      membersFile(`${A},,,,olga@example.com,,owner,`, `${B},,,,mia@example.com,,member,`),
    ]);
    expect(rows("SELECT id, type FROM customers ORDER BY id").map(({ type }) => type)).toEqual([
      "individual",
      "team",
      "team",
      "individual",
    ]);
    expect(
      rows("SELECT email FROM members WHERE role = 'owner' ORDER BY customer_id").map(({ email }) => email),
    ).toEqual(["olga@example.com", "b@example.com", "c@example.com", "d@example.com"]);
  });

  test("is judged by the API's rules, and needs a customer that is there or comes in", async () => {
    const paths = [
      customersFile(`${A},team_a,nobody,,`, `${B},team_b,b@example.com,,team`),
      membersFile(
        `${A},,,,mia@example.com,,member,`,
        `,team_a,,,mia@example.com,,member,`,
        `${C},,,,mia@example.com,,member,`,
        `,nowhere,,,mia@example.com,,member,`,
        ",,,,mia@example.com,,member,",
        `${B},,7,,Mia <mia>,,boss,today`,
        `${B},,,,,,,`,
      ),
    ];
    expect(places(await refused(paths), (line) => / line 7:/.test(line))).toEqual([
      expect.stringMatching(/^customers\.csv line 2: email: value is not a valid email address: /),
      "members.csv line 2: customer_id: Its customer's row is bad: customers.csv line 2",
      "members.csv line 3: customer_external_id: Its customer's row is bad: customers.csv line 2",
      "members.csv line 4: customer_id: Customer does not exist",
      "members.csv line 5: customer_external_id: Customer does not exist",
      "members.csv line 6: customer_id: Field required, or customer_external_id",
      "members.csv line 7: id:",
      "members.csv line 7: email:",
      "members.csv line 7: role:",
      "members.csv line 7: created_at:",
      "members.csv line 8: email: Field required",
      ABORTED("8 bad rows"),
    ]);
    expect(await run(paths, { onError: "skip" })).toContain("members: 1 new, 0 already there, 7 skipped");
  });

  test("may give a customer one owner, and no address, external id or id twice", async () => {
    const paths = [
      customersFile(`${A},,a@example.com,,`, `${B},team_b,b@example.com,,`),
      membersFile(
        `${A},,${id("1")},x,mia@example.com,,member,`,
        `${A},,,,olga@example.com,,owner,`,
        `${A},,,,second@example.com,,owner,`,
        `${A},,,y,MIA@example.com,,member,`,
        `${A},,,x,max@example.com,,member,`,
        `${A},,${id("1")},,moe@example.com,,member,`,
        `${B},,,x,mia@example.com,,member,`,
        `${B},,,,b@example.com,,member,`,
        `${B},,,team_b,c@example.com,,member,`,
      ),
    ];
    const taken = (what: string) => `A member with this ${what} already exists for this customer`;
    expect(await refused(paths)).toEqual([
      "members.csv line 4: role: This customer has an owner: line 3",
      `members.csv line 5: email: ${taken("email")}: line 2`,
      `members.csv line 6: external_id: ${taken("external ID")}: line 2`,
      "members.csv line 7: id: The same ID stands on line 2",
      `members.csv line 9: email: ${taken("email")}: its owner, since no row has that role`,
      `members.csv line 10: external_id: ${taken("external ID")}: its owner, since no row has that role`,
      ABORTED("6 bad rows"),
    ]);
  });

  test("may not give an individual a second member, and none becomes two for want of an owner", async () => {
    const files = [
      customersFile(`${A},,a@example.com,,individual`, `${B},,b@example.com,,`),
      membersFile(`${A},,,,olga@example.com,,owner,`, `${A},,,,mia@example.com,,member,`),
    ];
    expect(await refused(files)).toEqual([`members.csv line 3: ${ONE_MEMBER_ONLY}`, ABORTED("1 bad row")]);
    await run(files, { onError: "skip" });
    sqlite.exec("UPDATE members SET role = 'member', email = 'x@example.com', email_key = 'x@example.com'");
    expect(await run(files.slice(0, 1))).toContain("2 already there, 0 skipped; members: 0 new");
  });

  test("may not clash with who is there", async () => {
    const files = [
      customersFile(`${A},,a@example.com,,`, `${B},,b@example.com,,`),
      membersFile(`${A},,${id("1")},x,olga@example.com,,owner,`, `${A},,${id("2")},,mia@example.com,,member,`),
    ];
    await run(files);
    sqlite.exec(`UPDATE members SET deleted_at = 1 WHERE id = '${id("2")}'`);
    const path = membersFile(
      `${A},,${id("3")},,OLGA@example.com,,member,`,
      `${A},,${id("4")},x,max@example.com,,member,`,
      `${A},,${id("2")},,mia@example.com,,member,`,
      `${B},,${id("1")},,new@example.com,,member,`,
      `${A},,${id("5")},,other@example.com,,owner,`,
      `${B},,${id("6")},,second@example.com,,member,`,
    );
    const taken = (what: string) => `A member with this ${what} already exists for this customer: member ${id("1")}`;
    const spent = "id: This ID is taken: by somebody who was deleted, or in another organization";
    expect(await refused([path])).toEqual([
      `members.csv line 2: email: ${taken("email")}`,
      `members.csv line 3: external_id: ${taken("external ID")}`,
      `members.csv line 4: ${spent}`,
      "members.csv line 5: id: A member of another customer has this ID",
      `members.csv line 5: ${ONE_MEMBER_ONLY}`,
      `members.csv line 6: role: This customer has an owner: member ${id("1")}`,
      `members.csv line 7: ${ONE_MEMBER_ONLY}`,
      ABORTED("6 bad rows"),
    ]);
  });

  test("must name the owner of a customer without an address", async () => {
    const files = [
      customersFile(`${A},team_a,,Acme,`, `${B},,,Globex,team`, `${C},,,Initech,individual`),
      membersFile(`,team_a,,,mia@example.com,,member,`, `${B},,,,olga@example.com,,owner,`),
    ];
    expect(await refused(files)).toEqual([
      "customers.csv line 2: email: An owner with an email address is required when a team customer has no email address",
      "customers.csv line 4: email: Field required",
      "members.csv line 2: customer_external_id: Its customer's row is bad: customers.csv line 2",
      ABORTED("3 bad rows"),
    ]);
    expect(await run(files, { onError: "skip" })).toContain("customers: 1 new, 0 already there, 2 skipped");
    expect(rows("SELECT id FROM customers")).toEqual([{ id: B }]);
  });

  test("is refused for an organization whose customers have no members, and no owner is made there", async () => {
    sqlite.exec("UPDATE organizations SET member_model_enabled = 0, seat_based_pricing_enabled = 0");
    const customers = customersFile(`${A},,a@example.com,,`);
    expect(await refused([customers, membersFile(`${A},,,,mia@example.com,,owner,`)])).toEqual([
      "The customers of acme have no members: both of its settings for them are off.",
    ]);
    expect(await run([customers])).toContain("members: 0 new");
    sqlite.exec("UPDATE organizations SET member_model_enabled = 1");
    expect(await run([customers])).toContain("1 already there, 0 skipped; members: 1 new");
  });
});

describe("a second run", () => {
  const files = () => [
    customersFile(`${A},team_a,a@example.com,Acme,`, `${B},,b@example.com,Bob,`),
    membersFile(
      `${A},,${id("1")},,olga@example.com,,owner,`,
      `${A},,,user_2,mia@example.com,,member,`,
      `${A},,,,max@example.com,,member,`,
    ),
  ];

  test("changes nothing", async () => {
    const paths = files();
    await run(paths);
    const before = everything();
    expect(await run(paths)).toBe(
      "customers: 0 new, 2 already there, 0 skipped; members: 0 new, 3 already there, 0 skipped",
    );
    expect(everything()).toEqual(before);
  });

  test("changes nothing either when there is more than one look or one write can take", async () => {
    const paths = [
      customersFile(`${A},,a@example.com,,`),
      membersFile(...Array.from({ length: 20_001 }, (_, n) => `${A},,,user_${n},person${n}@example.com,,member,`)),
    ];
    expect(await run(paths)).toContain("members: 20,002 new, 0 already there, 0 skipped");
    expect(rows("SELECT count(*) AS count FROM members")).toEqual([{ count: 20_002 }]);
    expect(await run(paths)).toContain("members: 0 new, 20,001 already there, 0 skipped");
    expect(filesRun).toBe(4);
  });

  test("leaves alone what has changed since, whoever is known by id or external id", async () => {
    const paths = files();
    await run(paths);
    sqlite.exec(`UPDATE members SET email = 'new@example.com', email_key = 'new@example.com' WHERE role <> 'owner'
      AND external_id IS NOT NULL; UPDATE members SET role = 'billing_manager' WHERE id = '${id("1")}';
      UPDATE customers SET email = 'new@example.com', email_key = 'new@example.com' WHERE id = '${A}'`);
    sqlite.exec(`UPDATE members SET role = 'owner' WHERE email_key = 'max@example.com'`);
    const before = everything();
    expect(await run(paths)).toContain("2 already there, 0 skipped; members: 0 new, 3 already there, 0 skipped");
    expect(everything()).toEqual(before);
  });

  test("goes on where a failure stopped the first", async () => {
    const paths = files();
    failOnFile = 2;
    await expect(run(paths)).rejects.toThrow(
      "D1 is away\nWritten: 2 of 2 customers, 2 of 4 members. Run the same command again: it goes on from there.",
    );
    expect(rows("SELECT role FROM members")).toEqual([{ role: "owner" }, { role: "owner" }]);
    expect(await run(paths)).toBe(
      "customers: 0 new, 2 already there, 0 skipped; members: 2 new, 1 already there, 0 skipped",
    );
    expect(await run(paths)).toContain("members: 0 new, 3 already there");
  });
});

describe("an import", () => {
  test("writes nothing in a dry run, and says what it would", async () => {
    const path = customersFile(`${A},,a@example.com,,`);
    expect(await run([path], { isDryRun: true })).toMatch(
      /^customers: 1 new.*\n.*\nNothing was written: this was a dry run\.$/,
    );
    expect(everything()).toEqual([]);
  });

  test("asks which organization is meant where there are several, and knows the others not", async () => {
    const path = customersFile(`${A},,a@example.com,,`);
    sqlite.exec("INSERT INTO organizations (id, slug, name, created_at) VALUES ('p', 'other', 'Other', 1)");
    expect(await refused([path])).toEqual([
      "There are several organizations. Say which:",
      "  --organization acme",
      "  --organization other",
    ]);
    await expect(run([path], { organization: "nope" })).rejects.toThrow('There is no organization "nope".');
    await run([path], { organization: "other" });
    expect(rows("SELECT organization_id FROM customers")).toEqual([{ organization_id: "p" }]);
  });

  test("shows the first hundred faults of files that are all wrong, and all that it leaves out", async () => {
    const path = customersFile(...Array.from({ length: 150 }, () => `${randomUUID()},,nobody,,`));
    expect(await refused([path])).toHaveLength(102);
    expect(err.at(-1)).toBe("… and 50 more.");
    await run([path], { onError: "skip" });
    expect(err).toHaveLength(150);
  });

  test("names the columns that it does not take", async () => {
    await run([file("c.csv", "ID,Email,Shoe Size", `${A},a@example.com,44`)]);
    expect(err).toEqual(["c.csv: left out the columns shoe_size."]);
  });

  const header = Buffer.from(`ID,Email,Name\n${A},a@example.com,"two\nlines"\n`);
  test.each([
    ["an unknown header", "x.csv line 1: the header has no id. ", Buffer.from("Identifier,Email\n")],
    ["a header without addresses", "x.csv line 1: the header has no email. ", Buffer.from("customer_id,name\n")],
    ["a column twice", "x.csv line 1: the header has email twice.", Buffer.from("ID,Email,Email\n")],
    ["nothing", "x.csv is empty.", Buffer.from("\n\n")],
    ["a quote in the middle", "x.csv line 4: a quote stands", Buffer.concat([header, Buffer.from(`${B},b"b,\n`)])],
    ["text behind a quote", "x.csv line 4: a quote stands", Buffer.concat([header, Buffer.from(`${B},"b"b,\n`)])],
    ["an open quote", "x.csv line 4: a quote is opened", Buffer.concat([header, Buffer.from(`${B},"b\n\n\n`)])],
    ["Latin-1", "x.csv line 4: this is not UTF-8.", Buffer.concat([header, Buffer.from(`${B},b,é\n`, "latin1")])],
  ])("refuses a file with %s, in skip mode too", async (_, message, content) => {
    await expect(run([file("x.csv", content)], { onError: "skip" })).rejects.toThrow(message);
    expect(everything()).toEqual([]);
  });

  test("refuses two files of one kind, and one that it cannot read", async () => {
    await expect(run([customersFile(), customersFile()])).rejects.toThrow("customers.csv are both of customers.");
    await expect(run([join(folder, "nowhere.csv")])).rejects.toThrow(/nowhere\.csv cannot be read: ENOENT\.$/);
  });

  test("tries again while the local database is busy, and gives up in the end", async () => {
    let attempts = 0;
    const busyUntil = (last: number) => () => {
      if (++attempts < last) throw new SqlFailure("busy", true);
      return Promise.resolve(attempts);
    };
    expect(await patiently(async () => busyUntil(3)(), 3)).toBe(3);
    attempts = 0;
    await expect(patiently(async () => busyUntil(3)(), 2)).rejects.toThrow("busy");
    attempts = 0;
    await expect(patiently(async () => Promise.reject(new SqlFailure("wrong")), 2)).rejects.toThrow("wrong");
  });

  test("moves one line on a terminal and prints plain lines elsewhere", () => {
    const shown = (isTTY: boolean) => {
      const pieces: string[] = [];
      const stream = { isTTY, write: (piece: string) => pieces.push(piece) };
      const progress = createProgress(stream as unknown as NodeJS.WriteStream);
      progress.show("1 of 2");
      progress.show("2 of 2");
      progress.end();
      return pieces.join("");
    };
    expect(shown(true)).toBe("\r\x1b[K1 of 2\r\x1b[K2 of 2\n");
    expect(shown(false)).toBe("1 of 2\n2 of 2\n");
  });
});
