/**
 * The scripts' own logic, without wrangler: vars files, token keys, SQL text, settings, ports, exit codes.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { unstable_splitSqlQuery } from "wrangler";
import { devDirectory } from "../../scripts/dev-directory.ts";
import { readJwtKeys } from "../../scripts/jwt-key-file.ts";
import { ensureKeys } from "../../scripts/local-keys.ts";
import { settingColumns } from "../../scripts/organization-settings.ts";
import { readPort } from "../../scripts/port.ts";
import { latchkeyOrigins, requireOtherPortal } from "../../scripts/portal-url.ts";
import { serversBehind } from "../../scripts/running-servers.ts";
import { fitsStatement, sqlInsert, sqlInsertMissing, sqlLiteral, sqlText } from "../../scripts/sql.ts";
import { firstTokenKey, retireTokenKey, rotateTokenKeys } from "../../scripts/token-key-list.ts";
import { tokenPrefix } from "../../scripts/token-prefix.ts";
import { readVariable, setVariable } from "../../scripts/vars-file.ts";
import { parseTokenKeys } from "../../src/crypto/token-keys.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-scripts-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a script in a dev directory of its own. */
async function run(script: string, args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [`scripts/${script}.ts`, ...args], {
    env: { ...process.env, LATCHKEY_DEV_DIR: join(folder, "dev"), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: code as number, stdout, stderr };
}

const names = (keys: string) => parseTokenKeys(keys).map((key) => key.name);

describe("a vars file", () => {
  test("gets a variable that it lacks at its end, whether or not it ends with a line break", () => {
    expect(setVariable("", "TOKEN_KEYS", "v")).toBe('TOKEN_KEYS="v"\n');
    expect(setVariable("A=1", "TOKEN_KEYS", "v")).toBe('A=1\nTOKEN_KEYS="v"\n');
    expect(setVariable("A=1\n", "TOKEN_KEYS", "v")).toBe('A=1\nTOKEN_KEYS="v"\n');
  });

  test("keeps every other line when a variable changes, line ends included", () => {
    const before = `# mine\r\nA="x"\r\nexport TOKEN_KEYS='old' # note\r\n\r\nTOKEN_KEYS_OLD=2\r\n`;
    const after = `# mine\r\nA="x"\r\nexport TOKEN_KEYS="new"\r\n\r\nTOKEN_KEYS_OLD=2\r\n`;
    expect(setVariable(before, "TOKEN_KEYS", "new")).toBe(after);
  });

  test("counts a blank value as none, as copied from .dev.vars.example", () => {
    const example = readFileSync(".dev.vars.example", "utf8");
    expect(readVariable(example, "TOKEN_KEYS")).toBeNull();
    expect(setVariable(example, "TOKEN_KEYS", "v")).toBe(example.replace('TOKEN_KEYS=""', 'TOKEN_KEYS="v"'));
  });

  test("holds JSON between quotes of the other kind, and gives it back", () => {
    const json = '{"a":"b\\\\c","d":[1,"#"]}';
    const text = setVariable("A=1\nJSON=''\nB=2\n", "JSON", json);
    expect(text).toBe(`A=1\nJSON='${json}'\nB=2\n`);
    expect(readVariable(text, "JSON")).toBe(json);
    expect(setVariable(text, "JSON", "")).toBe('A=1\nJSON=""\nB=2\n');
  });

  test("is refused when the variable stands in it twice or over several lines", () => {
    expect(() => setVariable("A=1\nA=2\n", "A", "3")).toThrow("2 times");
    expect(() => setVariable('A="1\n2"\n', "A", "3")).toThrow("cannot be edited");
  });
});

describe("token keys", () => {
  test("are made strong, and rotated in front of the others, which stay as they are", () => {
    const first = firstTokenKey();
    const second = rotateTokenKeys(first);
    expect(names(second)).toEqual(["b", "a"]);
    expect(second.endsWith(`,${first}`)).toBe(true);
  });

  test("give a retired name out again as late as possible", () => {
    let keys = firstTokenKey();
    const given = new Set(names(keys));
    for (let i = 1; i < 62; i++) {
      keys = retireTokenKey(rotateTokenKeys(keys), names(keys)[0] as string);
      given.add(names(keys)[0] as string);
    }
    expect(given.size).toBe(62);
  });

  test("cannot be retired when they sign or are unknown", () => {
    const keys = rotateTokenKeys(rotateTokenKeys(firstTokenKey()));
    expect(names(retireTokenKey(keys, "b"))).toEqual(["c", "a"]);
    expect(() => retireTokenKey(keys, "c")).toThrow('Key "c" signs');
    expect(() => retireTokenKey(keys, "x")).toThrow("There is: c, b, a.");
  });

  test("and JWT keys are made once by npm start, readable by their owner only, and never replaced", () => {
    const file = join(folder, "fresh", ".dev.vars");
    expect(ensureKeys(file)).toEqual({ made: true });
    const made = readFileSync(file, "utf8");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(ensureKeys(file)).toEqual({ made: false });
    expect(readFileSync(file, "utf8")).toBe(made);
    expect(readdirSync(join(folder, "fresh"))).toEqual([".dev.vars"]);
  });

  test("stay as they are when npm start adds the JWT key that a file of an earlier version lacks", () => {
    const file = join(folder, "earlier.vars");
    writeFileSync(file, `# mine\nTOKEN_KEYS="${firstTokenKey()}"\n`);
    const earlier = readFileSync(file, "utf8");
    expect(ensureKeys(file)).toEqual({ made: true });
    const made = readFileSync(file, "utf8");
    expect(made.startsWith(earlier)).toBe(true);
    expect(readJwtKeys(made)).toMatchObject({ next: null, retired: [] });
    expect(ensureKeys(file)).toEqual({ made: false });
  });

  test("that are weak are refused, not replaced", () => {
    const file = join(folder, "weak.vars");
    writeFileSync(file, "TOKEN_KEYS=a:AAAA\n");
    expect(() => ensureKeys(file)).toThrow('TOKEN_KEYS key "a" is shorter than 32 bytes.');
    expect(readFileSync(file, "utf8")).toBe("TOKEN_KEYS=a:AAAA\n");
  });

  test("npm run keys makes, lists and rotates them, and shows no material", async () => {
    const file = join(folder, "production.vars");
    writeFileSync(file, "# production\nOTHER=1\n");
    const made = await run("keys", ["--file", file]);
    const rotated = await run("keys", ["rotate", "--file", file]);
    expect([made.code, rotated.code]).toEqual([0, 0]);
    expect(rotated.stdout).toMatch(/ {2}b {2}[0-9a-f]{12} {2}signs and verifies\n {2}a {2}[0-9a-f]{12} {2}verifies\n/);
    const content = readFileSync(file, "utf8");
    expect(content).toMatch(/^# production\nOTHER=1\nTOKEN_KEYS="b:[\w-]{43},a:[\w-]{43}"\nJWT_KEY='{.*}'\n/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    for (const material of content.replace(/jwk-live-[\w-]{36}/, "").match(/[\w-]{43}/g) ?? []) {
      expect(made.stdout + made.stderr + rotated.stdout + rotated.stderr).not.toContain(material);
    }
    const retired = await run("keys", ["retire", "a", "--file", file]);
    expect(retired).toMatchObject({ code: 1, stderr: expect.stringContaining("Say --remote or --local.") });
  });

  test("that a running server does not know yet are told apart from those that it started with", async () => {
    const LATCHKEY_DEV_DIR = join(folder, "served");
    const directory = devDirectory(LATCHKEY_DEV_DIR);
    ensureKeys(directory.varsFile);
    const pidFile = join(directory.path, "server-8787.pid");
    writeFileSync(pidFile, `${process.pid}\n`);
    expect(serversBehind(directory)).toEqual([]);
    utimesSync(pidFile, 1, 1);
    const hint = "The server on port 8787 does not know these keys yet: restart npm start to take them up.";
    expect(serversBehind(directory)).toEqual([hint]);
    expect((await run("keys", ["rotate"], { LATCHKEY_DEV_DIR })).stdout).toContain(hint);
    const elsewhere = await run("keys", ["--file", join(folder, "other.vars")], { LATCHKEY_DEV_DIR });
    expect(elsewhere.stdout).not.toContain("restart");
  });

  test.each([
    [["frob"]],
    [["retire"]],
    [["rotate", "a"]],
    [["drop-jwt"]],
    [["rotate-jwt", "jwk-live-1"]],
    [["rotate-jwt", "--upload"]],
    [["--frob"]],
    [["--upload"]],
    [["retire", "a", "--file", "f", "--local", "--upload"]],
  ])("npm run keys -- %j answers with its usage and exit code 2", async (args) => {
    const { code, stderr } = await run("keys", args);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("Usage: npm run keys") });
  });

  test.each(["keys", "admin", "import"])(
    "npm run %s -- --help answers with the usage, and that is no failure",
    async (script) => {
      for (const help of ["--help", "-h"]) {
        const { code, stdout, stderr } = await run(script, [help]);
        expect({ code, stdout, stderr }).toEqual({
          code: 0,
          stdout: expect.stringMatching(new RegExp(`^Usage: npm run ${script} `)),
          stderr: "",
        });
      }
    },
  );
});

describe("SQL text", () => {
  test("gives SQLite back exactly what went in, whatever it is", () => {
    const database = new DatabaseSync(":memory:");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        fc.pre(!value.includes("\0"));
        expect(database.prepare(`SELECT ${sqlText(value)} AS value`).get()).toEqual({ value });
      }),
    );
  });

  test("reaches SQLite whole, whatever wrangler takes for a statement of its own", () => {
    const database = new DatabaseSync(":memory:");
    for (const value of ["BEGIN TRANSACTION;", "a BEGIN TRANSACTION b COMMIT;", "'; --", '/* [ " ` ;\n', "\r\n"]) {
      const [select = "", rest] = unstable_splitSqlQuery(`SELECT ${sqlText(value)} AS value; SELECT 1;`);
      expect(database.prepare(select).get()).toEqual({ value });
      expect(rest).toBe("SELECT 1");
    }
  });

  test("of many rows is cut into statements as long as D1 takes them, and may run twice", () => {
    const database = new DatabaseSync(":memory:");
    database.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)");
    const rows = Array.from({ length: 500 }, (_, id) => ({ id, text: "€'".repeat(id) }));
    const statements = sqlInsertMissing("t", rows);
    const sizes = statements.map((statement) => Buffer.byteLength(statement));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100_000);
    expect(sizes.length).toBeLessThanOrEqual(Math.ceil(sizes.reduce((sum, size) => sum + size) / 97_000));
    for (const statement of [...statements, ...statements]) database.exec(statement);
    expect(database.prepare("SELECT id, text FROM t ORDER BY id").all()).toEqual(rows);
    expect(sqlInsertMissing("t", [])).toEqual([]);
    const longest = {
      id: 1,
      text: "x".repeat(100_000 - Buffer.byteLength(sqlInsertMissing("t", [{ id: 1, text: "" }])[0] ?? "")),
    };
    expect(fitsStatement("t", longest)).toBe(true);
    expect(Buffer.byteLength(sqlInsertMissing("t", [longest])[0] ?? "")).toBe(100_000);
    expect(fitsStatement("t", { ...longest, text: `${longest.text}x` })).toBe(false);
  });

  test("refuses what cannot be written as a literal", () => {
    expect(() => sqlText("a\0b")).toThrow("NUL");
    expect(() => sqlLiteral(1.5)).toThrow("integer");
    expect(sqlInsert("t", { a: "O'Neil", b: 1, c: null })).toBe("INSERT INTO t (a, b, c) VALUES ('O''Neil', 1, NULL)");
  });
});

describe("settings of an organization", () => {
  test("become columns", () => {
    expect(
      settingColumns({
        "portal-link": "token",
        "portal-url": "http://localhost:3000/in?from=link",
        "allowed-return-origins": "https://a.example.com, http://localhost:3000",
        "session-ttl": "600",
        "member-model": "off",
      }),
    ).toEqual({
      portal_link: "token",
      portal_url: "http://localhost:3000/in?from=link",
      allowed_return_origins: '["https://a.example.com","http://localhost:3000"]',
      session_ttl_seconds: 600,
      member_model_enabled: 0,
    });
    expect(settingColumns({ "portal-url": "none", "allowed-return-origins": "none" })).toEqual({
      portal_url: null,
      allowed_return_origins: "[]",
    });
  });

  test.each([
    ["portal-url", "http://example.com/"],
    ["portal-url", "https://user@example.com/"],
    ["portal-url", "https://example.com/#"],
    ["portal-url", "https://example.com\\@evil.example"],
    ["portal-url", "javascript:alert(1)"],
    ["allowed-return-origins", "https://a.example.com/"],
    ["allowed-return-origins", "https://A.example.com"],
    ["allowed-return-origins", "*"],
    ["portal-link", "constructor"],
    ["session-ttl", "59"],
    ["session-ttl", "1e3"],
    ["max-sessions-per-member", "10001"],
  ])("--%s %s is refused", (option, value) => {
    expect(() => settingColumns({ [option]: value })).toThrow(/--|not an origin/);
  });
});

describe("--portal-url", () => {
  const at = (origins: string[] | null, url: string) => () => requireOtherPortal(url, "acme", origins);

  test("is refused when it is Latchkey's own portal", () => {
    const known = ["https://portal.example.com"];
    expect(at(known, "https://portal.example.com/acme/portal")).toThrow("is Latchkey's own portal");
    expect(at(known, "https://portal.example.com/acme/portal/?a=b")).toThrow("is Latchkey's own portal");
    expect(at(known, "https://portal.example.com/in")).not.toThrow();
    expect(at(known, "https://app.example.com/acme/portal")).not.toThrow();
  });

  test("is judged by its path where Latchkey's origin is unknown", () => {
    expect(at(null, "https://app.example.com/acme/portal")).toThrow("looks like Latchkey's own portal");
    expect(at(null, "https://app.example.com/other/portal")).not.toThrow();
  });

  test("is compared with the servers that run on the local data", () => {
    const path = mkdtempSync(join(folder, "origins-"));
    expect(latchkeyOrigins("local", devDirectory(path))).toBeNull();
    writeFileSync(join(path, "server-8790.pid"), `${process.pid}\n`);
    expect(latchkeyOrigins("local", devDirectory(path))).toEqual(["http://127.0.0.1:8790", "http://localhost:8790"]);
  });
});

test("token prefixes that the Worker would refuse are refused for minting", () => {
  expect(tokenPrefix("TOKEN_PREFIXES=polar,lk")).toBe("polar");
  expect(() => tokenPrefix("TOKEN_PREFIXES=lk,No")).toThrow("TOKEN_PREFIXES must be lower-case words");
});

describe("npm start", () => {
  test("takes PORT, or 8787, and refuses anything else", () => {
    expect([readPort(undefined), readPort(""), readPort("9000")]).toEqual([8787, 8787, 9000]);
    for (const text of ["abc", "0", "65536", "80 ", "-1", "8e3"]) expect(() => readPort(text)).toThrow("PORT must be");
  });

  test("says in one line that its port is taken, and has done nothing else", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const untouched = join(folder, "untouched");
    const { code, stdout, stderr } = await run("start", [], { PORT: String(port), LATCHKEY_DEV_DIR: untouched });
    server.close();
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: "",
      stderr: `Port ${port} is taken. Stop what uses it, or run PORT=${port + 1} npm start.\n`,
    });
    expect(existsSync(untouched)).toBe(false);
  });
});
