/**
 * What the scripts write to the database and read from it, against the real schema in SQLite: wrangler's part, which
 * costs two seconds a call, is replaced.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createApiKey, listApiKeys, revokeApiKey } from "../../scripts/admin-api-keys.ts";
import { createOrganization, setOrganization } from "../../scripts/admin-organizations.ts";
import type { Database } from "../../scripts/database.ts";
import { ensureDemoOrganization } from "../../scripts/demo-organization.ts";
import { credentialsOf, ensureKeys } from "../../scripts/local-keys.ts";
import { requireUnused } from "../../scripts/token-key-use.ts";

const LOCAL: Database = { place: "local", state: "unused" };
let sqlite: DatabaseSync;
let folder: string;
let printed: string[];
const asked: string[] = [];
const keysFile = () => join(folder, "keys.vars");
const row = (sql: string) => sqlite.prepare(sql).get() as Record<string, unknown>;

vi.mock("../../scripts/database.ts", async (importOriginal) => {
  const original = await importOriginal<typeof import("../../scripts/database.ts")>();
  const execute = async (database: Database, statements: string[]) => {
    asked.push(...statements);
    try {
      return statements.map((statement) => sqlite.prepare(statement).all());
    } catch (error) {
      throw original.failure(database, (error as Error).message);
    }
  };
  return { ...original, execute };
});

beforeEach(() => {
  sqlite = new DatabaseSync(":memory:");
  for (const file of readdirSync("migrations").sort()) sqlite.exec(readFileSync(join("migrations", file), "utf8"));
  folder = mkdtempSync(join(tmpdir(), "latchkey-scripts-"));
  ensureKeys(keysFile());
  printed = [];
  vi.spyOn(console, "log").mockImplementation((line) => void printed.push(String(line)));
  vi.spyOn(console, "error").mockImplementation(() => {});
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

describe("the demo organization", () => {
  test("is seeded once, with an individual and a team of every role, and its key is used again", async () => {
    const credentials = credentialsOf(keysFile());
    const first = await ensureDemoOrganization(LOCAL, credentials, null);
    expect(first.project_id).toBe(`project-live-${first.organization.id}`);
    expect(first.customers.map(({ type, members }) => [type, members.map((member) => member.role)])).toEqual([
      ["individual", ["owner"]],
      ["team", ["owner", "billing_manager", "member"]],
    ]);
    expect(await ensureDemoOrganization(LOCAL, credentials, first.api_key)).toEqual(first);
  });

  test.each([
    ["unknown", "lk_oat_forged"],
    ["revoked", null],
  ])("gets a new key when the one at hand is %s", async (_, presented) => {
    const credentials = credentialsOf(keysFile());
    const first = await ensureDemoOrganization(LOCAL, credentials, null);
    if (presented === null) sqlite.exec("UPDATE api_keys SET revoked_at = 1");
    const again = await ensureDemoOrganization(LOCAL, credentials, presented ?? first.api_key);
    expect(again.api_key).not.toBe(first.api_key);
    expect(again).toEqual({ ...first, api_key: again.api_key });
  });

  test("keeps what was deleted deleted", async () => {
    const credentials = credentialsOf(keysFile());
    const first = await ensureDemoOrganization(LOCAL, credentials, null);
    sqlite.exec("UPDATE members SET deleted_at = 1 WHERE role = 'member'");
    const again = await ensureDemoOrganization(LOCAL, credentials, first.api_key);
    expect(again.customers[1]?.members.map((member) => member.role)).toEqual(["owner", "billing_manager"]);
  });
});

describe("npm run admin", () => {
  test("makes an organization, takes its settings, and tells when the slug is taken or unknown", async () => {
    await createOrganization(LOCAL, "acme", 'It\'s; -- "Acme"', { "portal-url": "https://app.example.com/in" }, null);
    await setOrganization(LOCAL, "acme", undefined, { "session-ttl": "600", "portal-url": "none" }, null);
    expect(row("SELECT slug, name, portal_url, session_ttl_seconds FROM organizations")).toEqual({
      slug: "acme",
      name: 'It\'s; -- "Acme"',
      portal_url: null,
      session_ttl_seconds: 600,
    });
    await expect(createOrganization(LOCAL, "acme", "Other", {}, null)).rejects.toThrow('The slug "acme" is taken.');
    await expect(setOrganization(LOCAL, "nope", "Other", {}, null)).rejects.toThrow('There is no organization "nope".');
    await expect(setOrganization(LOCAL, "acme", undefined, { "session-max-ttl": "300" }, null)).rejects.toThrow(
      "cannot be above",
    );
    for (const portal of ["https://portal.example.com/acme/portal", "http://localhost:8787/acme/portal"]) {
      const settings = { "portal-url": portal };
      await expect(setOrganization(LOCAL, "acme", undefined, settings, [new URL(portal).origin])).rejects.toThrow(
        "own",
      );
      await expect(createOrganization(LOCAL, "acme", "Acme", settings, null)).rejects.toThrow("own portal");
    }
    const schemaRefuses = ["v1", "api", "01234567-89ab-4def-8123-456789abcdef", "abcdefgh-ijkl-mnop-qrst-uvwxyz012345"];
    for (const slug of schemaRefuses) {
      const insert = `INSERT INTO organizations (id, slug, name, created_at) VALUES ('i', '${slug}', 'n', 1)`;
      expect(() => sqlite.exec(insert), slug).toThrow("CHECK");
    }
    for (const slug of [...schemaRefuses, "A", "-a", "a-", "a_b", ""]) {
      await expect(createOrganization(LOCAL, slug, "Name", {}, null), slug).rejects.toThrow(
        /cannot be a slug|is reserved/,
      );
    }
  });

  test("mints a key that the Worker's keys recognise, lists it without showing it, and revokes it", async () => {
    await createOrganization(LOCAL, "acme", "Acme", {}, null);
    const wishes = { name: "backend", scopes: "members:read, members:read", expiresInDays: "2" };
    await createApiKey(LOCAL, keysFile(), "acme", wishes);
    const key = printed.at(-1) as string;
    const credential = await credentialsOf(keysFile()).verify(key);
    const stored = row("SELECT id, lookup_key, token_key, scopes, expires_at - created_at AS life FROM api_keys");
    expect(stored).toMatchObject({ lookup_key: credential?.lookupKey, token_key: "a", scopes: "members:read" });
    expect(stored["life"]).toBe(2 * 86_400_000);
    printed.length = 0;
    await listApiKeys(LOCAL, "acme");
    expect(printed.join()).toContain(`${stored["id"]}  acme  live until`);
    expect(printed.join()).not.toContain(key);
    await revokeApiKey(LOCAL, stored["id"] as string);
    expect(row("SELECT revoked_at FROM api_keys")["revoked_at"]).not.toBeNull();
    await expect(createApiKey(LOCAL, keysFile(), "nope", wishes)).rejects.toThrow('There is no organization "nope".');
    await expect(createApiKey(LOCAL, keysFile(), "acme", { ...wishes, scopes: "all" })).rejects.toThrow(
      'no scope "all"',
    );
    await expect(revokeApiKey(LOCAL, "' OR 1=1 --")).rejects.toThrow("There is no API key");
  });
});

test("a token key is in use while a session, a code, an API key or an e-mail change of it lives, and no longer", async () => {
  const { organization, customers } = await ensureDemoOrganization(LOCAL, credentialsOf(keysFile()), null);
  sqlite
    .prepare(
      `INSERT INTO sessions (lookup_key, id, token_key, token_sealed, kind, organization_id, customer_id,
         organization_epoch, customer_epoch, created_at, expires_at, absolute_expires_at)
       VALUES ('l', 's', 'a', '', 'customer', ?, ?, 0, 0, 1, ?, ?)`,
    )
    .run(organization.id, customers[0]?.id ?? "", Date.now() + 60_000, Date.now() + 60_000);
  sqlite
    .prepare(
      "INSERT INTO portal_codes (lookup_key, token_key, session_id, door, created_at, expires_at) VALUES ('c', 'a', 's', 'browser', 1, ?)",
    )
    .run(Date.now() + 60_000);
  const inUse = (what: string) => expect(requireUnused(LOCAL, "a")).rejects.toThrow(`in use: ${what}.`);
  await inUse("1 sessions, 1 portal codes, 1 API keys");
  sqlite
    .prepare(
      `INSERT INTO email_changes (lookup_key, token_key, organization_id, customer_id, organization_epoch,
         customer_epoch, email, email_key, created_at, expires_at)
       VALUES ('e', 'a', ?, ?, 0, 0, 'new@example.com', 'new@example.com', 1, ?)`,
    )
    .run(organization.id, customers[0]?.id ?? "", Date.now() + 60_000);
  await inUse("1 sessions, 1 portal codes, 1 API keys, 1 e-mail changes");
  sqlite.exec("UPDATE email_changes SET expires_at = 1");
  await inUse("1 sessions, 1 portal codes, 1 API keys");
  sqlite.exec(`UPDATE email_changes SET expires_at = ${Date.now() + 60_000}, used_by = 's'`);
  sqlite.exec("UPDATE portal_codes SET redeemed_at = 1, redeemed_by = 'r'");
  await inUse("1 sessions, 1 API keys");
  sqlite.exec("UPDATE portal_codes SET redeemed_at = NULL, redeemed_by = NULL, expires_at = 1");
  await inUse("1 sessions, 1 API keys");
  sqlite.exec(`UPDATE portal_codes SET expires_at = ${Date.now() + 60_000}`);
  // The code's key may be a newer one than its session's.
  sqlite.exec("UPDATE sessions SET token_key = 'o'");
  await inUse("1 portal codes, 1 API keys");
  sqlite.exec("UPDATE sessions SET revoked_at = 1");
  await inUse("1 API keys");
  sqlite
    .prepare(
      `INSERT INTO sign_in_codes (lookup_key, token_key, organization_id, email_key, typed_mac, created_at, expires_at)
       VALUES ('m', 'a', ?, 'a@example.com', '', 1, ?)`,
    )
    .run(organization.id, Date.now() + 60_000);
  await inUse("1 sign-in codes, 1 API keys");
  sqlite.exec("UPDATE sign_in_codes SET used_at = 1, used_by = 's'");
  await inUse("1 API keys");
  sqlite.exec("UPDATE sign_in_codes SET used_at = NULL, used_by = NULL, expires_at = 1");
  await inUse("1 API keys");
  sqlite
    .prepare(
      `INSERT INTO impersonations (lookup_key, token_key, organization_id, member_id, impersonator_id,
         impersonator_email, created_at, expires_at) VALUES ('i', 'a', ?, ?, 'o', 'o@example.com', 1, ?)`,
    )
    .run(organization.id, customers[0]?.members[0]?.id ?? "", Date.now() + 60_000);
  await inUse("1 API keys, 1 impersonations");
  sqlite.exec("UPDATE impersonations SET used_by = 's'");
  await inUse("1 API keys");
  sqlite.exec("UPDATE impersonations SET used_by = NULL, expires_at = 1");
  await inUse("1 API keys");
  sqlite.exec("UPDATE api_keys SET expires_at = 1");
  await requireUnused(LOCAL, "a");
  await requireUnused(LOCAL, "b");
});

test("a token key counts as in use while the database lacks a later migration, and not while it has none", async () => {
  sqlite.exec("DROP TABLE email_changes");
  await expect(requireUnused(LOCAL, "a")).rejects.toThrow('no table "email_changes". Run "npm start" first.');
  for (const table of ["portal_codes", "sessions", "api_keys"]) sqlite.exec(`DROP TABLE ${table}`);
  await requireUnused(LOCAL, "a");
});

test("whether a token key is in use is asked without a scan of sessions, codes or e-mail changes", async () => {
  asked.length = 0;
  await requireUnused(LOCAL, "a");
  const plan = asked.flatMap((sql) => sqlite.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[]);
  const scans = plan.map(({ detail }) => detail).filter((detail) => /^SCAN (?!CONSTANT)/.test(detail));
  expect(scans).toEqual(["SCAN api_keys"]);
});

test("npm run reset removes data and keeps keys, and refuses while a server runs on them", () => {
  const reset = () =>
    spawnSync(process.execPath, ["scripts/reset.ts"], {
      env: { ...process.env, LATCHKEY_DEV_DIR: folder },
      encoding: "utf8",
    });
  mkdirSync(join(folder, "state"));
  for (const name of ["demo.json", ".dev.vars"]) writeFileSync(join(folder, name), "");
  const pidFile = join(folder, "server-8787.pid");
  writeFileSync(pidFile, `${process.pid}\n`);
  expect(reset()).toMatchObject({ status: 1, stderr: expect.stringContaining(`process ${process.pid}, port 8787`) });
  // A process that has ended: what a crash leaves behind.
  writeFileSync(pidFile, `${spawnSync(process.execPath, ["--version"]).pid}\n`);
  expect(reset()).toMatchObject({ status: 0, stdout: expect.stringContaining("demo.json") });
  expect(readdirSync(folder)).toEqual([".dev.vars", "keys.vars", "server-8787.pid"]);
});
