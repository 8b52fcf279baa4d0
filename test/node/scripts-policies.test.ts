/**
 * `npm run admin -- set-rbac-policy` and `show-rbac-policy`, against the real schema in SQLite: wrangler's part, which
 * costs two seconds a call, is replaced.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createOrganization, setOrganization } from "../../scripts/admin-organizations.ts";
import { setPolicy, showPolicy } from "../../scripts/admin-policies.ts";
import type { Database } from "../../scripts/database.ts";
import { DEFAULT_POLICY } from "../../src/core/default-policy.ts";
import { presentPolicy } from "../../src/stytch/policy-fields.ts";

const LOCAL: Database = { place: "local", state: "unused" };
const folder = mkdtempSync(join(tmpdir(), "latchkey-policies-"));
let sqlite: DatabaseSync;
let printed: string[];

vi.mock("../../scripts/database.ts", async (importOriginal) => ({
  ...(await importOriginal<typeof import("../../scripts/database.ts")>()),
  execute: async (_: Database, statements: string[]) => statements.map((statement) => sqlite.prepare(statement).all()),
}));

beforeEach(async () => {
  sqlite = new DatabaseSync(":memory:");
  for (const name of readdirSync("migrations").sort()) sqlite.exec(readFileSync(join("migrations", name), "utf8"));
  printed = [];
  vi.spyOn(console, "log").mockImplementation((line) => void printed.push(String(line)));
  vi.spyOn(console, "error").mockImplementation(() => {});
  await createOrganization(LOCAL, "acme", "Acme", {}, null);
  printed.length = 0;
});

afterEach(() => void vi.restoreAllMocks());
afterAll(() => rmSync(folder, { recursive: true }));

const stored = (slug = "acme") =>
  sqlite.prepare("SELECT rbac_policy, modified_at FROM organizations WHERE slug = ?").get(slug) as {
    rbac_policy: string | null;
    modified_at: number | null;
  };

function fileOf(content: unknown): string {
  const path = join(folder, "policy.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

const set = (content: unknown, slug = "acme") => setPolicy(LOCAL, slug, { file: fileOf(content), toDefault: false });

async function shown(slug = "acme"): Promise<unknown> {
  printed.length = 0;
  await showPolicy(LOCAL, slug);
  return JSON.parse(printed.join("\n"));
}

const EVERYBODY = { role_id: "stytch_member", description: "", permissions: [] };
const EXPORTED = {
  roles: [
    { ...EVERYBODY, permissions: [{ resource_id: "stytch.self", actions: ["*"] }] },
    { role_id: "it's", description: "“Quoted” \u0000", permissions: [{ resource_id: "doc", actions: ["read"] }] },
  ],
  resources: [
    { resource_id: "stytch.sso", description: "Builtin", actions: ["create", "newer"] },
    { resource_id: "doc", description: "", actions: ["read", "write"] },
  ],
  scopes: [{ scope: "read:doc", description: "", permissions: [{ resource_id: "doc", actions: ["read"] }] }],
};

describe("set-rbac-policy", () => {
  test("stores a policy as Stytch answers it, and show-rbac-policy gives it back with all reserved resources", async () => {
    await set({ status_code: 200, request_id: "r", policy: EXPORTED });
    expect(JSON.parse(stored().rbac_policy ?? "")).toEqual({
      roles: [
        { id: "stytch_member", description: "", permissions: [{ resource: "stytch.self", actions: ["*"] }] },
        { id: "it's", description: "“Quoted” \u0000", permissions: [{ resource: "doc", actions: ["read"] }] },
      ],
      resources: [
        { id: "stytch.sso", description: "Builtin", actions: ["create", "newer"] },
        { id: "doc", description: "", actions: ["read", "write"] },
      ],
      scopes: [{ id: "read:doc", description: "", permissions: [{ resource: "doc", actions: ["read"] }] }],
    });
    expect(stored().modified_at).toBeGreaterThan(Date.now() - 60_000);
    expect(printed).toEqual([
      "acme has a policy with 2 roles, 2 resources and 1 scopes.",
      'Owners have the role "stytch_admin", which this policy does not define: it permits nothing.',
      'Billing managers have the role "billing_manager", which this policy does not define: it permits nothing.',
      "Checks here follow at once; SDKs that check by themselves remember a policy for 5 to 10 minutes.",
    ]);
    const all = presentPolicy(DEFAULT_POLICY).resources.map((resource) =>
      resource.resource_id === "stytch.sso"
        ? { ...resource, description: "Builtin", actions: [...resource.actions, "newer"] }
        : resource,
    );
    expect(await shown()).toEqual({ ...EXPORTED, resources: [...all, EXPORTED.resources[1]] });
  });

  test("takes what show-rbac-policy shows, and changes nothing by it", async () => {
    await set(EXPORTED);
    const before = await shown();
    await set(before);
    expect(await shown()).toEqual(before);
  });

  test("takes lists and descriptions that are left out for empty ones, and a file that begins with a mark", async () => {
    await set(`\uFEFF${JSON.stringify({ roles: [{ role_id: "stytch_member" }], scopes: null, note: 1 })}`);
    expect(JSON.parse(stored().rbac_policy ?? "")).toEqual({
      roles: [{ id: "stytch_member", description: "", permissions: [] }],
      resources: [],
      scopes: [],
    });
  });

  test("goes back to the default, which is what an organization begins with", async () => {
    expect(await shown()).toEqual(presentPolicy(DEFAULT_POLICY));
    await set(EXPORTED);
    printed.length = 0;
    await setPolicy(LOCAL, "acme", { file: undefined, toDefault: true });
    expect(printed[0]).toBe("acme has the default policy.");
    expect(printed).toHaveLength(2);
    expect(stored().rbac_policy).toBeNull();
    expect(await shown()).toEqual(presentPolicy(DEFAULT_POLICY));
  });

  test("is said of an organization's settings in a word", async () => {
    const line = async () => {
      printed.length = 0;
      await setOrganization(LOCAL, "acme", "Acme", {}, null);
      return printed.find((text) => text.startsWith("rbac_policy"))?.split(/ {2,}/);
    };
    expect(await line()).toEqual(["rbac_policy", "default"]);
    await set(EXPORTED);
    expect(await line()).toEqual(["rbac_policy", "its own; show-rbac-policy shows it"]);
  });

  test("changes the named organization only, and refuses one that there is not", async () => {
    await createOrganization(LOCAL, "other", "Other", {}, null);
    await set(EXPORTED);
    expect(stored("other").rbac_policy).toBeNull();
    await expect(set(EXPORTED, "nope")).rejects.toThrow('There is no organization "nope".');
    await expect(showPolicy(LOCAL, "nope")).rejects.toThrow('There is no organization "nope".');
    sqlite.exec("UPDATE organizations SET deleted_at = 1 WHERE slug = 'other'");
    await expect(set(EXPORTED, "other")).rejects.toThrow('There is no organization "other".');
    await expect(showPolicy(LOCAL, "other")).rejects.toThrow('There is no organization "other".');
  });

  test("names every fault with its place, and writes nothing", async () => {
    await set(EXPORTED);
    const before = stored();
    const resource = { resource_id: "doc", description: "", actions: ["read"] };
    const roles = [
      { role_id: "stytch_boss", permissions: [{ resource_id: "dok", actions: ["read"] }] },
      { role_id: " ", permissions: [{ resource_id: "doc", actions: ["read", "fly"] }] },
    ];
    await expect(set({ roles, resources: [resource, resource] })).rejects.toThrow(
      [
        "policy.json is not a policy that can be set. Nothing was changed.",
        'roles[0]: "stytch_boss" begins with "stytch", which is kept for Stytch\'s own',
        "roles[1]: its id is blank",
        'roles: the role "stytch_member", which every member has, is missing',
        'roles[0].permissions[0]: the policy has no resource "dok"',
        'roles[1].permissions[0].actions[1]: "fly" is not among the actions of its resource',
        'resources[1]: the id "doc" is there twice',
      ].join("\n  "),
    );
    expect(stored()).toEqual(before);
  });

  test.each([
    [
      { roles: [{ role_id: 1 }, 5], resources: {} },
      "roles[0].role_id: this should be of type string\n  roles[1]: this should be of type object\n  resources: this should be of type array",
    ],
    [{ scopes: ["openid"] }, "scopes[0]: this should be of type object"],
    ["[]", "the whole: this should be of type object"],
    ["null", "the whole: this should be of type object"],
    ["{}", 'roles: the role "stytch_member"'],
    ["{", "policy.json is not JSON: "],
    ["", "policy.json is not JSON: "],
    [
      { roles: [EVERYBODY, { role_id: "x".repeat(5000) }] },
      `roles[1]: the id "${"x".repeat(64)}…" has more than 128 characters`,
    ],
    [
      {
        roles: [EVERYBODY],
        resources: Array.from({ length: 100 }, (_, i) => ({
          resource_id: `r${i}`,
          description: "x".repeat(1000),
          actions: ["a"],
        })),
      },
      "The policy is too long",
    ],
  ])("refuses %j", async (content, message) => {
    await expect(set(content)).rejects.toThrow(message);
    expect(stored().rbac_policy).toBeNull();
  });

  test("refuses a file that cannot be read", async () => {
    const missing = setPolicy(LOCAL, "acme", { file: join(folder, "missing.json"), toDefault: false });
    await expect(missing).rejects.toThrow("missing.json cannot be read: ENOENT.");
  });

  test.each([
    [["set-rbac-policy"], "takes a slug"],
    [["set-rbac-policy", "acme"], "either --policy-file or --default"],
    [["set-rbac-policy", "acme", "--default", "--policy-file", "p.json"], "either --policy-file or --default"],
    [["show-rbac-policy", "acme", "--default"], "takes no --default"],
    [["set-organization", "acme", "--default"], "takes no --default"],
  ])("%j answers with the usage and exit code 2", (args, message) => {
    const { status, stderr } = spawnSync(process.execPath, ["scripts/admin.ts", ...args], {
      env: { ...process.env, LATCHKEY_DEV_DIR: folder },
      encoding: "utf8",
    });
    // What is wrong stands last: the usage is longer than many a terminal.
    expect({ status, last: stderr.trimEnd().split("\n").at(-1) }).toEqual({
      status: 2,
      last: expect.stringContaining(message),
    });
    expect(stderr).toContain("Usage: npm run admin");
  });
});
