/**
 * What `npm run admin` writes about identities from outside: trusted token profiles, the UserInfo URL, impersonations.
 * Against the real schema in SQLite: wrangler's part, which costs two seconds a call, is replaced.
 */

import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { impersonate } from "../../scripts/admin-impersonation.ts";
import { createOrganization, setOrganization } from "../../scripts/admin-organizations.ts";
import { addProfile, listProfiles, removeProfile } from "../../scripts/admin-trusted-tokens.ts";
import type { Database } from "../../scripts/database.ts";
import { ensureDemoOrganization } from "../../scripts/demo-organization.ts";
import { credentialsOf, ensureKeys } from "../../scripts/local-keys.ts";
import { requireUnused } from "../../scripts/token-key-use.ts";
import type { IssuerValues } from "../../scripts/trusted-token-options.ts";

const LOCAL: Database = { place: "local", state: "unused" };
const REMOTE: Database = { place: "remote" };
const folder = mkdtempSync(join(tmpdir(), "latchkey-identities-"));
const keysFile = join(folder, "keys.vars");
let sqlite: DatabaseSync;
let printed: string[];
let told: string[];

vi.mock("../../scripts/database.ts", async (importOriginal) => ({
  ...(await importOriginal<typeof import("../../scripts/database.ts")>()),
  execute: async (_: Database, statements: string[]) => statements.map((statement) => sqlite.prepare(statement).all()),
}));

beforeEach(async () => {
  sqlite = new DatabaseSync(":memory:");
  for (const name of readdirSync("migrations").sort()) sqlite.exec(readFileSync(join("migrations", name), "utf8"));
  ensureKeys(keysFile);
  [printed, told] = [[], []];
  vi.spyOn(console, "log").mockImplementation((line) => void printed.push(String(line)));
  vi.spyOn(console, "error").mockImplementation((line) => void told.push(String(line)));
  await createOrganization(LOCAL, "acme", "Acme", {}, null);
  printed.length = 0;
});

afterEach(() => void vi.restoreAllMocks());
afterAll(() => rmSync(folder, { recursive: true }));

const row = (sql: string) => sqlite.prepare(sql).get() as Record<string, unknown>;
const fileOf = (content: string) => {
  const path = join(folder, "keys.pem");
  writeFileSync(path, content);
  return path;
};

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const weak = generateKeyPairSync("rsa", { modulusLength: 1024 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const spki = (pair: { publicKey: { export(options: { type: "spki"; format: "pem" }): string | Buffer } }) =>
  String(pair.publicKey.export({ type: "spki", format: "pem" }));

/** Self-signed, and its private key is nowhere. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBijCCAS+gAwIBAgIUGM6ZCPwKXnsNT86tD6O1I7bVDQQwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOaWQuZXhhbXBsZS5jb20wIBcNMjYxMTIxMDkwMTMwWhgPMjEy
NjEwMjgwOTAxMzBaMBkxFzAVBgNVBAMMDmlkLmV4YW1wbGUuY29tMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEEbhc6ta6iyBg3cXiHhascwdqVTfe4pjtJfkjiuoM
qFJ8ej60QaDIsuzGcZV81iVUZ9CIzbovCyDG8usCSicSeKNTMFEwHQYDVR0OBBYE
FBqHhBDhj06wnCGXlzMMZODXU0wIMB8GA1UdIwQYMBaAFBqHhBDhj06wnCGXlzMM
ZODXU0wIMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhALV/LCdU
7VzStyEfrDChWMVDnasf6dIn1xdN1UXGP06yAiEA/TaGIQm4wj7/45hv5jSwUy/o
zifcerpr7/wCRDPP4ZA=
-----END CERTIFICATE-----`;
const KEY_OF_CERTIFICATE =
  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEbhc6ta6iyBg3cXiHhascwdqVTfe4pjtJfkjiuoMqFJ8ej60QaDIsuzGcZV81iVUZ9CIzbovCyDG8usCSicSeA==";

const VALUES: IssuerValues = {
  issuer: "https://id.example.com/",
  audience: "https://portal.example.com",
  "jwks-url": "https://id.example.com/keys",
};

const add = (values: IssuerValues = {}, database: Database = LOCAL, slug = "acme") =>
  addProfile(database, slug, "Our login", { ...VALUES, ...values });

describe("a trusted token profile", () => {
  test("is added with defaults, shown by the id that requests name, listed, and removed", async () => {
    await add();
    const stored = row("SELECT * FROM trusted_issuers");
    expect(printed).toEqual([`ttp-live-${stored["id"]}`]);
    expect(stored).toMatchObject({
      organization_id: row("SELECT id FROM organizations")["id"],
      purpose: "attest",
      name: "Our login",
      issuer: VALUES.issuer,
      audience: VALUES.audience,
      jwks_url: VALUES["jwks-url"],
      public_keys: null,
      algorithms: '["RS256","ES256"]',
      can_make_members: 0,
      revoked_at: null,
    });
    expect(JSON.parse(String(stored["claims"]))).toEqual({
      email: "email",
      tokenId: "jti",
      customer: null,
      externalMemberId: null,
      roles: null,
    });
    const [id] = printed.splice(0);
    await listProfiles(LOCAL, "acme");
    expect(printed.join("\n")).toContain(
      `${id}  acme  attest  Our login\n    https://id.example.com/ for https://portal`,
    );
    expect(printed.join("\n")).toContain("RS256, ES256; email: email, token id: jti");
    await removeProfile(LOCAL, id as string);
    expect(row("SELECT revoked_at FROM trusted_issuers")["revoked_at"]).not.toBeNull();
    await expect(removeProfile(LOCAL, id as string)).rejects.toThrow("There is no profile");
    printed.length = 0;
    await listProfiles(LOCAL, undefined);
    expect(printed).toEqual(["There is no trusted token profile yet."]);
    await expect(listProfiles(LOCAL, "nope")).rejects.toThrow('There is no organization "nope".');
  });

  test("takes every claim and setting by name", async () => {
    await add({
      purpose: "attest",
      algorithms: "EdDSA, PS512,EdDSA",
      "email-claim": "user.email",
      "token-id-claim": "https://example.com/id",
      "organization-claim": "org",
      "external-member-id-claim": "sub",
      "role-ids-claim": "roles",
      "can-make-members": "on",
    });
    const stored = row("SELECT algorithms, claims, can_make_members FROM trusted_issuers");
    expect(stored).toMatchObject({ algorithms: '["EdDSA","PS512"]', can_make_members: 1 });
    expect(JSON.parse(String(stored["claims"]))).toEqual({
      email: "user.email",
      tokenId: "https://example.com/id",
      customer: "org",
      externalMemberId: "sub",
      roles: "roles",
    });
  });

  test("takes public keys of any number from a file, whatever PEM they are in", async () => {
    const pkcs1 = rsa.publicKey.export({ type: "pkcs1", format: "pem" });
    const file = fileOf(`A comment\n${spki(ec)}\n${pkcs1}\n${CERTIFICATE}`);
    await add({ "jwks-url": undefined, "pem-file": file });
    const stored = row("SELECT jwks_url, public_keys FROM trusted_issuers");
    expect(stored["jwks_url"]).toBeNull();
    const [first, second, third] = JSON.parse(String(stored["public_keys"])) as string[];
    expect([first, second]).toEqual([spki(ec), spki(rsa)]);
    expect(third?.replaceAll(/-----.*-----|\n/g, "")).toBe(KEY_OF_CERTIFICATE);
    printed.length = 0;
    await listProfiles(LOCAL, undefined);
    expect(printed.join()).toContain("3 keys");
  });

  test("for access tokens needs the claim that names the organization, and makes no members", async () => {
    await add({ purpose: "access_token", "organization-claim": "org" });
    expect(row("SELECT purpose FROM trusted_issuers")["purpose"]).toBe("access_token");
    await expect(add({ purpose: "access_token" })).rejects.toThrow("needs --organization-claim");
    const makers = { purpose: "access_token", "organization-claim": "org", "can-make-members": "on" };
    await expect(add(makers)).rejects.toThrow("makes no members");
  });

  test("may have its keys on this machine in development only", async () => {
    const local = { "jwks-url": "http://127.0.0.1:9000/keys" };
    await add(local);
    expect(row("SELECT jwks_url FROM trusted_issuers")["jwks_url"]).toBe("http://127.0.0.1:9000/keys");
    await expect(add(local, REMOTE)).rejects.toThrow("--jwks-url must be an https URL");
  });

  test.each<[string, IssuerValues]>([
    ["Give either --jwks-url or --pem-file.", { "jwks-url": undefined }],
    ["Give either --jwks-url or --pem-file.", { "pem-file": "x" }],
    ["--jwks-url must be an https URL", { "jwks-url": "http://id.example.com/keys" }],
    ["--jwks-url must be on a host with a public name", { "jwks-url": "https://169.254.169.254/" }],
    ["--issuer is a text", { issuer: "" }],
    ["--audience is a text", { audience: "x " }],
    ["--email-claim is a text", { "email-claim": "" }],
    ['There is no algorithm "HS256".', { algorithms: "RS256,HS256" }],
    ['There is no algorithm "none".', { algorithms: "none" }],
    ['--purpose is attest or access_token, not "x".', { purpose: "x" }],
    ['--can-make-members is off or on, not "yes".', { "can-make-members": "yes" }],
    ["cannot be read: ENOENT", { "jwks-url": undefined, "pem-file": join(folder, "missing.pem") }],
  ])("is refused: %s", async (message, values) => {
    await expect(add(values)).rejects.toThrow(message);
    expect(row("SELECT COUNT(*) AS n FROM trusted_issuers")["n"]).toBe(0);
  });

  test.each<[string, string, string | undefined]>([
    ["There is no key in", "no PEM at all", undefined],
    ["private key", String(ec.privateKey.export({ type: "pkcs8", format: "pem" })), undefined],
    ["private key", String(ec.privateKey.export({ type: "sec1", format: "pem" })), undefined],
    ["cannot be read", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", undefined],
    ["weak, or for none of RS256, ES256", spki(weak), undefined],
    ["weak, or for none of RS256", `${spki(rsa)}${spki(ec)}`, "RS256"],
  ])("is refused for what is in its file: %s", async (message, content, algorithms) => {
    const values = { "jwks-url": undefined, "pem-file": fileOf(content), algorithms };
    await expect(add(values)).rejects.toThrow(message);
  });

  test("is of an organization that there is", async () => {
    await expect(add({}, LOCAL, "nope")).rejects.toThrow('There is no organization "nope".');
    await expect(addProfile(LOCAL, "acme", " ", VALUES)).rejects.toThrow("blank");
  });
});

test("--userinfo-url is set, taken away, and held to the rules for addresses", async () => {
  const set = (url: string, database: Database = LOCAL) =>
    setOrganization(database, "acme", undefined, { "userinfo-url": url }, null);
  const stored = () => row("SELECT userinfo_url FROM organizations")["userinfo_url"];
  await set("https://id.example.com/userinfo", REMOTE);
  expect(stored()).toBe("https://id.example.com/userinfo");
  await set("http://localhost:9000/userinfo");
  expect(stored()).toBe("http://localhost:9000/userinfo");
  await expect(set("http://localhost:9000/userinfo", REMOTE)).rejects.toThrow("--userinfo-url must be an https URL");
  await expect(set("https://10.0.0.1/")).rejects.toThrow("public name");
  await set("none");
  expect(stored()).toBeNull();
});

describe("impersonate", () => {
  async function prepare() {
    const { organization, customers } = await ensureDemoOrganization(LOCAL, credentialsOf(keysFile), null);
    const member = customers[1]?.members[2]?.id as string;
    [printed.length, told.length] = [0, 0];
    const ask = (id = member, as = "Operator@example.com", slug = organization.slug) =>
      impersonate(LOCAL, keysFile, slug, { member: id, as });
    return { organization, member, ask };
  }

  test("shows a token once that the Worker's keys recognise, and keeps who asked, for whom and until when", async () => {
    const { organization, member, ask } = await prepare();
    const before = Date.now();
    await ask(`member-live-${member.toUpperCase()}`);
    const [token] = printed as [string];
    expect(printed).toHaveLength(1);
    expect(token).toMatch(/^lk_imp_a[\w-]{56}$/);
    expect(told.join()).not.toContain(token.slice(-30));
    const credential = await credentialsOf(keysFile).verify(token);
    const stored = row("SELECT * FROM impersonations");
    expect(stored).toMatchObject({
      lookup_key: credential?.lookupKey,
      token_key: "a",
      organization_id: organization.id,
      member_id: member,
      impersonator_id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/),
      impersonator_email: "Operator@example.com",
      used_by: null,
    });
    expect(Number(stored["created_at"])).toBeGreaterThanOrEqual(before);
    expect(Number(stored["expires_at"]) - Number(stored["created_at"])).toBe(300_000);
    expect(Object.values(stored)).not.toContain(token);
  });

  test("gives an operator one id, in whatever case the address is", async () => {
    const { member, ask } = await prepare();
    for (const as of ["a@example.com", "A@example.com", "b@example.com"]) await ask(member, as);
    expect(row("SELECT COUNT(*) AS n, COUNT(DISTINCT impersonator_id) AS ids FROM impersonations")).toEqual({
      n: 3,
      ids: 2,
    });
  });

  test("is refused for whoever is no live member of that organization", async () => {
    const { organization, member, ask } = await prepare();
    await expect(ask(member, "nobody")).rejects.toThrow("--as is the e-mail address");
    await expect(ask(member, undefined, "nope")).rejects.toThrow('There is no organization "nope".');
    await expect(ask(member, undefined, "acme")).rejects.toThrow("acme has no member with the id");
    await expect(ask("x' OR 1=1 --")).rejects.toThrow(`${organization.slug} has no member`);
    sqlite.exec("UPDATE members SET deleted_at = 1");
    await expect(ask()).rejects.toThrow("has no member");
    expect(printed).toEqual([]);
    expect(row("SELECT COUNT(*) AS n FROM impersonations")["n"]).toBe(0);
  });

  test("keeps its token key in use until it is used or over", async () => {
    const { ask } = await prepare();
    sqlite.exec("UPDATE api_keys SET token_key = 'z'");
    await ask();
    await expect(requireUnused(LOCAL, "a")).rejects.toThrow("in use: 1 impersonations.");
    sqlite.exec("UPDATE impersonations SET used_by = 's'");
    await requireUnused(LOCAL, "a");
    sqlite.exec("UPDATE impersonations SET used_by = NULL, expires_at = 1");
    await requireUnused(LOCAL, "a");
  });
});

test.each([
  ["add-trusted-token-profile", "--organization", "acme", "--name", "x"],
  [
    "add-trusted-token-profile",
    "--organization",
    "a",
    "--name",
    "x",
    "--issuer",
    "i",
    "--audience",
    "a",
    "--member",
    "m",
  ],
  ["remove-trusted-token-profile"],
  ["list-trusted-token-profiles", "x"],
  ["impersonate", "--organization", "acme", "--member", "m"],
  ["impersonate", "--organization", "acme", "--member", "m", "--as", "a@b.example", "--issuer", "x"],
])("npm run admin -- %s … answers with its usage and exit code 2", (...args) => {
  const { status, stderr } = spawnSync(process.execPath, ["scripts/admin.ts", ...args], {
    env: { ...process.env, LATCHKEY_DEV_DIR: folder },
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining("Usage: npm run admin") });
});

test("with --remote an impersonation needs the production keys", () => {
  const args = ["impersonate", "--organization", "a", "--member", "m", "--as", "a@b.example", "--remote"];
  const { status, stderr } = spawnSync(process.execPath, ["scripts/admin.ts", ...args], {
    env: { ...process.env, LATCHKEY_DEV_DIR: folder },
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 1, stderr: "--remote needs --file, the production keys.\n" });
});
