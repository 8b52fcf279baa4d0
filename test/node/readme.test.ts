/**
 * The README is true: its commands run as printed, and each promise names a test that exists. So does each rule in the
 * tables of test/README.md.
 */

import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { B2BClient } from "stytch";
import { describe, expect, inject, test } from "vitest";
import { demo, unique } from "./support/demo.ts";
import { addProfile } from "./support/doors.ts";
import { openOutsideParty } from "./support/outside-party.ts";
import { openRecorder } from "./support/recorder.ts";
import { demoProject, refusal } from "./support/stytch.ts";

const readme = readFileSync("README.md", "utf8");

/** Opens a link as a browser does. Not by fetch(), which says of itself that it is none. */
async function navigate(url: string): Promise<IncomingMessage> {
  const headers = { "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document" };
  const [response] = (await once(get(url, { headers }), "response")) as [IncomingMessage];
  response.resume();
  return response;
}

test("the quick start's lines, pasted one after the other, make a link that opens signed in", async () => {
  const printed = /<!-- quick start: .*?-->\n```sh\n(.*?)```/s.exec(readme)?.[1] as string;
  const lines = printed
    .replace("http://127.0.0.1:8787", demo.base_url)
    .replace("./.dev/demo.json", `${inject("stateDirectory")}/demo.json`);
  for (const attempt of ["once", "and again"]) {
    const output = execFileSync("bash", ["-euo", "pipefail", "-c", lines], { encoding: "utf8" });
    const session = JSON.parse(output) as { member_portal_url: string; return_url: string };
    expect(session.return_url, attempt).toBe("https://example.com/account");
    const landing = await navigate(session.member_portal_url);
    expect(landing.statusCode).toBe(303);
    const cookie = landing.headers["set-cookie"]?.[0]?.split(";")[0] as string;
    const page = await fetch(new URL(landing.headers.location as string, demo.base_url), {
      headers: { Cookie: cookie },
    });
    const html = await page.text();
    expect(page.status).toBe(200);
    expect(html).toContain("Ann (ann@globex.example.com)");
    expect(html).toContain("Globex");
  }
});

test("the lines for moving in from Polar do what they say, with a new address and a new key", () => {
  const printed = /<!-- moving in: .*?-->\n```ts\n(.*?)```/s.exec(readme)?.[1] as string;
  mkdirSync(".tmp", { recursive: true });
  writeFileSync(
    ".tmp/moving-in.ts",
    [
      'import { Polar } from "@polar-sh/sdk";',
      printed.replace("https://portal.example.com", demo.base_url),
      "console.log(JSON.stringify([customer, session]));",
    ].join("\n"),
  );
  const env = { ...process.env, LATCHKEY_API_KEY: demo.api_key };
  const output = execFileSync(process.execPath, [".tmp/moving-in.ts"], { encoding: "utf8", env });
  const [team, individual] = ["team", "individual"].map((type) => demo.customers.find((one) => one.type === type));
  expect(JSON.parse(output)).toMatchObject([{ id: team?.id }, { customerId: individual?.id }]);
});

test("the lines for moving in from Stytch sign in, verify offline, switch organization and sign out", async () => {
  const { organizations, sessions } = new B2BClient({ ...demoProject });
  const { email } = unique("mover");
  const join = async (organization_name: string) => {
    const { organization_id } = (await organizations.create({ organization_name })).organization;
    await organizations.members.create({ organization_id, email_address: email });
    return organization_id;
  };
  const [first, second] = [await join("First"), await join("Second")];
  const [outside, recorder] = [await openOutsideParty(), await openRecorder()];
  const profile = await addProfile(demo.organization.slug, outside, ["--jwks-url", outside.jwksUrl]);

  const printed = /<!-- moving in from stytch: .*?-->\n```ts\n(.*?)```/s.exec(readme)?.[1] as string;
  mkdirSync(".tmp", { recursive: true });
  writeFileSync(
    ".tmp/moving-in-from-stytch.ts",
    [
      'import { B2BClient } from "stytch";',
      "const [profile_id, organization_id, another_organization_id, token] = process.argv.slice(2);",
      // That option takes https only.
      printed.replace('custom_base_url: "https://portal.example.com"', `env: "${recorder.origin}"`),
      "console.log(JSON.stringify({ session_token, member_session, switched }));",
    ].join("\n"),
  );
  const env = { ...process.env, LATCHKEY_PROJECT_ID: demo.project_id, LATCHKEY_API_KEY: demo.api_key };
  const given = [profile, first, second, await outside.sign({ email })];
  const { stdout } = await promisify(execFile)(process.execPath, [".tmp/moving-in-from-stytch.ts", ...given], { env });
  await Promise.all([outside.close(), recorder.close()]);

  const { session_token, member_session, switched } = JSON.parse(stdout);
  expect(member_session).toMatchObject({
    organization_id: first,
    authentication_factors: [{ type: "trusted_auth_token" }],
  });
  expect(switched).toMatchObject({ organization_id: second, member: { email_address: email } });
  expect(recorder.requests).toEqual([
    "POST /v1/b2b/sessions/attest",
    `GET /v1/b2b/sessions/jwks/${demo.project_id}`,
    "POST /v1/b2b/sessions/exchange",
    "POST /v1/b2b/sessions/revoke",
  ]);
  await sessions.authenticate({ session_token });
  const signedOut = { session_token: switched.session_token };
  await expect(sessions.authenticate(signedOut)).rejects.toMatchObject(refusal(404, "session_not_found"));
});

/** The cells of a table's rows, but for its head. */
function rowsOf(table: string): string[][] {
  const lines = table.split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) => line.split("|").map((cell) => cell.trim()));
}

/** A cell names its tests as `file`: “name”, by the name's end at least. */
function expectTests(cell: string): void {
  const named = [...cell.matchAll(/`([^`]+\.test\.tsx?)`: “([^”]+)”/g)] as unknown as [string, string, string][];
  expect(named.length, cell).toBeGreaterThan(0);
  for (const [, file, name] of named) {
    expect(existsSync(file), file).toBe(true);
    const source = readFileSync(file, "utf8");
    const isThere = source.includes(`${name}"`) || source.includes(`${name}\``);
    expect(isThere, `${file}: ${name}`).toBe(true);
  }
}

describe("the table of promises", () => {
  const rows = rowsOf(/<!-- promises: .*?-->\n(.*?)<!-- \/promises -->/s.exec(readme)?.[1] as string);

  test("has a row for each promise of the design", () => {
    expect(rows.length).toBeGreaterThanOrEqual(10);
  });

  test.each(rows.map((cells) => [cells[1], cells.at(-2)] as [string, string]))("%s: its tests exist", (_, cell) => {
    expectTests(cell);
  });
});

/** The parts of a text that begin with a heading of this level, each with what the heading says. */
const sectionsOf = (text: string, level: "##" | "###") =>
  text
    .split(new RegExp(`^${level} `, "m"))
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf("\n")), section] as const);

const dialects = sectionsOf(readFileSync("test/README.md", "utf8"), "##");

test("the rules of both dialects have their tables", () => {
  const titles = ["Polar", "Stytch"].map((name) => `${name}'s rules, and the tests that hold us to them`);
  expect(dialects.map(([title]) => title)).toEqual(titles);
});

describe.each(dialects)("the tables of %s", (_, part) => {
  const tables = sectionsOf(part, "###").map(([title, section]) => [title, rowsOf(section)] as const);

  test("hold a few hundred of them", () => {
    expect(tables.flatMap(([, rows]) => rows).length).toBeGreaterThan(200);
  });

  test.each(tables)("%s: the tests of each rule exist", (_, rows) => {
    for (const [, rule, cell] of rows as [string, string, string][]) {
      expect(rule).not.toBe("");
      expectTests(cell);
    }
  });
});

test("the files that it sends a reader to exist", () => {
  const map = readme.slice(readme.indexOf("## Where things are"));
  for (const [, path] of map.matchAll(/`((?:src|migrations)\/[\w./-]*)`/g) as IterableIterator<[string, string]>) {
    expect(existsSync(path), path).toBe(true);
  }
});
