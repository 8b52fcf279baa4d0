/** A team's members in the portal, with a member's own session (contracts §1.4, §2.3, §2.9 rows 11 to 14). */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { markDeleted } from "../support/directory-changes.ts";
import { makeCustomer, makeMember, makeTenant, type Person, type Tenant } from "../support/fixtures.ts";
import { makeCustomerLink, makeFaultyClient, makeLink } from "../support/portal.ts";
import { ownerIn, rolesIn } from "../support/roles.ts";
import { fault, INVALID_TOKEN, isLive, type Json, json } from "./support.ts";

const TEAM = "/v1/customer-portal/members";
const NO_ROLE = { error: "NotPermitted", detail: "Insufficient role for this operation" };
const NOT_FOUND = { error: "ResourceNotFound", detail: "Member not found" };

async function signedIn(tenant: Tenant, member: Person, client: Client = makeClient()) {
  const { token } = await makeLink(client, tenant, member);
  await client.settle();
  const call = (method: string, path = "", body?: unknown) => client.call(method, `${TEAM}${path}`, token, body);
  return { client, token, call };
}

const requests = ({ team }: Tenant): [method: string, path: string, body?: unknown][] => [
  ["GET", ""],
  ["POST", "", { email: "new@example.com" }],
  ["PATCH", `/${team.member.id}`, { name: "New" }],
  ["DELETE", `/${team.member.id}`],
];

describe("who may", () => {
  test.each(["owner", "billingManager"] as const)("is the %s", async (manager) => {
    const tenant = await makeTenant();
    const { call } = await signedIn(tenant, tenant.team[manager]);
    const statuses: number[] = [];
    for (const [method, path, body] of requests(tenant)) statuses.push((await call(method, path, body)).status);
    expect(statuses).toEqual([200, 201, 200, 204]);
  });

  test("is not a plain member, whatever else is wrong with the request", async () => {
    const tenant = await makeTenant();
    const { call } = await signedIn(tenant, tenant.team.member);
    const before = await rolesIn(tenant.team.id);
    for (const [method, path, body] of requests(tenant))
      expect(await json(await call(method, path, body), 403)).toEqual(NO_ROLE);
    expect(await json(await call("POST", "", { email: 7 }), 403)).toEqual(NO_ROLE);
    expect(await json(await call("PATCH", "/abc", { role: "admin" }), 403)).toEqual(NO_ROLE);
    expect(await json(await call("DELETE", `/${crypto.randomUUID()}`), 403)).toEqual(NO_ROLE);
    expect(await rolesIn(tenant.team.id)).toEqual(before);
  });

  test("is nobody of an individual, its owner included", async () => {
    const tenant = await makeTenant();
    const { call } = await signedIn(tenant, tenant.individual.owner);
    for (const [method, path, body] of [...requests(tenant), ["POST", "", { email: 7 }] as const]) {
      expect(await json(await call(method, path, body), 403)).toEqual({
        error: "NotPermitted",
        detail:
          "Member management is only available for team customers. Purchase a seat-based product to enable team features.",
      });
    }
    const id = await makeCustomer(tenant.id, { type: "individual" });
    const plain = await signedIn(tenant, await makeMember(tenant.id, id, "member", tenant.slug));
    expect(await json(await plain.call("GET"), 403)).toEqual(NO_ROLE);
  });

  test("is not a customer session, an API key or nobody: 401, as without a credential", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const customers = await makeTenant({ member_model_enabled: 0 });
    const { token } = await makeCustomerLink(client, customers);
    for (const credential of [token, tenant.apiKey, null]) {
      for (const [method, path, body] of requests(tenant)) {
        const refused = await client.call(method, `${TEAM}${path}`, credential, body);
        expect(refused.headers.get("WWW-Authenticate")).toBe('Bearer realm="polar"');
        expect(await json(refused, 401)).toEqual({ error: "Unauthorized", detail: "Unauthorized" });
      }
    }
  });

  test("is not the holder of a dead token, which is told before the body is read", async () => {
    const tenant = await makeTenant();
    const { client, token, call } = await signedIn(tenant, tenant.team.owner);
    await client.call("POST", "/v1/member-sessions/revoke", tenant.apiKey, { member_id: tenant.team.owner.id });
    for (const [method, path, body] of requests(tenant)) {
      const refused = await call(method, path, body && "{");
      expect([refused.status, await refused.text()]).toEqual([401, INVALID_TOKEN]);
    }
    expect(await isLive(client, token)).toBe(false);
  });

  test("is asked after the body is read: malformed JSON is 422 to everybody else", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { token } = await signedIn(tenant, tenant.team.member);
    for (const credential of [null, tenant.apiKey, token]) {
      for (const [method, path] of requests(tenant).filter(([, , body]) => body !== undefined)) {
        const refused = await client.call(method, `${TEAM}${path}`, credential, "{");
        expect((await fault(refused, "RequestValidationError")).type).toBe("json_invalid");
      }
    }
  });
});

describe("the list", () => {
  test("has the team's members and nobody else, with what the portal shows, oldest first", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    client.clock.advance(1000);
    const { call } = await signedIn(tenant, tenant.team.billingManager, client);
    const added = await json(await call("POST", "", { email: "late@example.com" }), 201);
    const { items, pagination } = await json(await call("GET"), 200);
    expect(pagination).toEqual({ total_count: 4, max_page: 1 });
    expect(items.at(-1)).toEqual(added);
    const { owner, billingManager, member } = tenant.team;
    expect(
      items
        .slice(0, 3)
        .map(({ id }: Json) => id)
        .toSorted(),
    ).toEqual([owner.id, billingManager.id, member.id].toSorted());
    expect(items.find(({ id }: Json) => id === owner.id)).toEqual({
      created_at: "2026-03-03T16:23:51.123000Z",
      modified_at: null,
      id: owner.id,
      email: owner.email,
      name: "A owner",
      role: "owner",
    });
  });

  test("comes in pages", async () => {
    const tenant = await makeTenant();
    const { call } = await signedIn(tenant, tenant.team.owner);
    const pages = [];
    for (const page of [1, 2]) pages.push(await json(await call("GET", `?limit=2&page=${page}`), 200));
    expect(pages.map(({ items }) => items.length)).toEqual([2, 1]);
    expect(pages[0].pagination).toEqual({ total_count: 3, max_page: 2 });
    const ids = pages.flatMap(({ items }) => items.map(({ id }: Json) => id));
    expect(new Set(ids).size).toBe(3);
    expect((await fault(await call("GET", "?page=0"), "RequestValidationError")).loc).toEqual(["query", "page"]);
  });
});

describe("adding", () => {
  test("gives the member that was added, in the portal's shape", async () => {
    const tenant = await makeTenant();
    const { call } = await signedIn(tenant, tenant.team.owner);
    const added = await json(
      await call("POST", "", { email: "Ann@Example.com", name: "Ann", role: "billing_manager" }),
      201,
    );
    expect(added).toEqual({
      created_at: "2026-11-20T12:00:00Z",
      modified_at: null,
      id: expect.any(String),
      email: "Ann@example.com",
      name: "Ann",
      role: "billing_manager",
    });
    const stored = await json(await makeClient().call("GET", `/v1/members/${added.id}`, tenant.apiKey), 200);
    expect(stored).toEqual({ ...added, customer_id: tenant.team.id, external_id: null });
  });

  test("makes a plain member without a name unless it is told otherwise", async () => {
    const tenant = await makeTenant();
    const { call } = await signedIn(tenant, tenant.team.owner);
    const added = await json(await call("POST", "", { email: "ann@example.com" }), 201);
    expect(added).toMatchObject({ name: null, role: "member" });
  });

  test("gives the member who has the e-mail already, unchanged", async () => {
    const tenant = await makeTenant();
    const { call } = await signedIn(tenant, tenant.team.billingManager);
    const body = { email: tenant.team.owner.email.toUpperCase(), name: "Other", role: "member" };
    expect(await json(await call("POST", "", body), 201)).toMatchObject({
      id: tenant.team.owner.id,
      name: "A owner",
      role: "owner",
    });
  });

  test("makes no second owner, whether or not the e-mail is there", async () => {
    const tenant = await makeTenant();
    const { call } = await signedIn(tenant, tenant.team.owner);
    for (const email of ["new@example.com", tenant.team.member.email]) {
      expect(await fault(await call("POST", "", { email, role: "owner" }), "PolarRequestValidationError")).toEqual({
        type: "value_error",
        loc: ["body", "role"],
        msg: "Cannot add a member as owner. There must be exactly one owner.",
        input: "owner",
      });
    }
    expect(Object.keys(await rolesIn(tenant.team.id))).toHaveLength(3);
  });

  test.each([
    [{}, "email", "missing"],
    [{ email: "nobody" }, "email", "value_error"],
    [{ email: "a@example.com", role: "admin" }, "role", "enum"],
    [{ email: "a@example.com", role: null }, "role", "enum"],
    [{ email: "a@example.com", name: 7 }, "name", "string_type"],
  ])("refuses %j", async (body, field, type) => {
    const tenant = await makeTenant();
    const { call } = await signedIn(tenant, tenant.team.owner);
    expect(await fault(await call("POST", "", body), "RequestValidationError")).toMatchObject({
      loc: ["body", field],
      type,
    });
  });

  test("takes a name as it is, however long", async () => {
    const tenant = await makeTenant();
    const { call } = await signedIn(tenant, tenant.team.owner);
    for (const [index, name] of ["", " Ann ", "x".repeat(3000)].entries()) {
      expect((await json(await call("POST", "", { email: `n${index}@example.com`, name }), 201)).name).toBe(name);
    }
  });
});

describe("changing", () => {
  test("a name and a role shows both, and when", async () => {
    const tenant = await makeTenant();
    const { member } = tenant.team;
    const { call } = await signedIn(tenant, tenant.team.billingManager);
    const changed = await json(await call("PATCH", `/${member.id}`, { name: " Ann ", role: "billing_manager" }), 200);
    expect(changed).toEqual({
      created_at: "2026-03-03T16:23:51.123000Z",
      modified_at: "2026-11-20T12:00:00Z",
      id: member.id,
      email: member.email,
      name: "Ann",
      role: "billing_manager",
    });
  });

  test.each([{}, { name: null, role: null }, { name: " " }, { role: "member" }, { email: "other@example.com" }])(
    "nothing by %j leaves everything as it is",
    async (body) => {
      const tenant = await makeTenant();
      const { member } = tenant.team;
      const { call } = await signedIn(tenant, tenant.team.owner);
      expect(await json(await call("PATCH", `/${member.id}`, body), 200)).toEqual({
        created_at: "2026-03-03T16:23:51.123000Z",
        modified_at: null,
        id: member.id,
        email: member.email,
        name: "A member",
        role: "member",
      });
    },
  );

  test.each([
    [{ name: "x".repeat(257) }, "name", "string_too_long"],
    [{ name: 7 }, "name", "string_type"],
    [{ role: "admin" }, "role", "enum"],
  ])("by %j is refused", async (body, field, type) => {
    const tenant = await makeTenant();
    const { call } = await signedIn(tenant, tenant.team.owner);
    const refused = await call("PATCH", `/${tenant.team.member.id}`, body);
    expect(await fault(refused, "RequestValidationError")).toMatchObject({ loc: ["body", field], type });
  });

  test("one's own name is allowed, one's own role is not, unless it is the same", async () => {
    const tenant = await makeTenant();
    for (const [own, role, other] of [
      [tenant.team.owner, "owner", "member"],
      [tenant.team.billingManager, "billing_manager", "owner"],
    ] as const) {
      const { call } = await signedIn(tenant, own);
      expect(await json(await call("PATCH", `/${own.id}`, { name: "I", role }), 200)).toMatchObject({
        name: "I",
        role,
      });
      expect(await fault(await call("PATCH", `/${own.id}`, { role: other }), "PolarRequestValidationError")).toEqual({
        type: "value_error",
        loc: ["path", "id"],
        msg: "You cannot modify your own role.",
        input: own.id,
      });
    }
    expect(await ownerIn(tenant.team.id)).toBe(tenant.team.owner.id);
  });

  test("hands ownership over only for the owner, who becomes a billing manager", async () => {
    const tenant = await makeTenant();
    const { id, owner, billingManager, member } = tenant.team;
    const manager = await signedIn(tenant, billingManager);
    const refused = await manager.call("PATCH", `/${member.id}`, { role: "owner" });
    expect(await fault(refused, "PolarRequestValidationError")).toEqual({
      type: "value_error",
      loc: ["body", "role"],
      msg: "Only the owner can transfer ownership.",
      input: "owner",
    });
    expect(await ownerIn(id)).toBe(owner.id);
    const boss = await signedIn(tenant, owner);
    expect((await json(await boss.call("PATCH", `/${member.id}`, { role: "owner" }), 200)).role).toBe("owner");
    expect(await rolesIn(id)).toEqual({
      [owner.id]: "billing_manager",
      [billingManager.id]: "billing_manager",
      [member.id]: "owner",
    });
    // Its session lives on, with the rights of its new role.
    const back = await boss.call("PATCH", `/${billingManager.id}`, { role: "owner" });
    expect((await fault(back, "PolarRequestValidationError")).msg).toBe("Only the owner can transfer ownership.");
    await json(await boss.call("GET"), 200);
  });

  test("makes nobody the owner by a billing manager, even where there is none", async () => {
    const tenant = await makeTenant();
    const { id, owner, billingManager, member } = tenant.team;
    const { call } = await signedIn(tenant, billingManager);
    await markDeleted("members", owner.id, makeClient().clock);
    const refused = await call("PATCH", `/${member.id}`, { role: "owner" });
    expect((await fault(refused, "PolarRequestValidationError")).msg).toBe("Only the owner can transfer ownership.");
    expect(await rolesIn(id)).toEqual({ [billingManager.id]: "billing_manager", [member.id]: "member" });
  });

  test("does not demote the only owner", async () => {
    const tenant = await makeTenant();
    const { call } = await signedIn(tenant, tenant.team.billingManager);
    const refused = await call("PATCH", `/${tenant.team.owner.id}`, { role: "member" });
    expect(await fault(refused, "PolarRequestValidationError")).toEqual({
      type: "value_error",
      loc: ["body", "role"],
      msg: "Cannot change role. Customer must have exactly one owner.",
      input: "member",
    });
  });

  test("takes effect in the other's open sessions at once", async () => {
    const tenant = await makeTenant();
    const boss = await signedIn(tenant, tenant.team.owner);
    const manager = await signedIn(tenant, tenant.team.billingManager);
    await json(await boss.call("PATCH", `/${tenant.team.billingManager.id}`, { role: "member" }), 200);
    expect(await json(await manager.call("GET"), 403)).toEqual(NO_ROLE);
  });
});

describe("removing", () => {
  test("a member ends its sessions", async () => {
    const tenant = await makeTenant();
    const { call } = await signedIn(tenant, tenant.team.billingManager);
    const other = await signedIn(tenant, tenant.team.member);
    const removed = await call("DELETE", `/${tenant.team.member.id}`);
    expect([removed.status, await removed.text()]).toEqual([204, ""]);
    expect(await isLive(other.client, other.token)).toBe(false);
    expect(await json(await call("DELETE", `/${tenant.team.member.id}`), 404)).toEqual(NOT_FOUND);
  });

  test("oneself is refused, to the owner too", async () => {
    const tenant = await makeTenant();
    for (const own of [tenant.team.owner, tenant.team.billingManager]) {
      const { call, client, token } = await signedIn(tenant, own);
      expect(await fault(await call("DELETE", `/${own.id}`), "PolarRequestValidationError")).toEqual({
        type: "value_error",
        loc: ["path", "id"],
        msg: "You cannot remove yourself from the team.",
        input: own.id,
      });
      expect(await isLive(client, token)).toBe(true);
    }
  });

  test("the owner is refused", async () => {
    const tenant = await makeTenant();
    const { call } = await signedIn(tenant, tenant.team.billingManager);
    const refused = await call("DELETE", `/${tenant.team.owner.id}`);
    expect(await fault(refused, "PolarRequestValidationError")).toEqual({
      type: "value_error",
      loc: ["body"],
      msg: "Cannot delete the only owner. Transfer ownership first.",
      input: tenant.team.owner.id,
    });
    expect(await ownerIn(tenant.team.id)).toBe(tenant.team.owner.id);
  });
});

test.each(["PATCH", "DELETE"])(
  "%s finds no one who is unknown, of another customer or another organization",
  async (method) => {
    const tenant = await makeTenant();
    const stranger = await makeTenant();
    const { call } = await signedIn(tenant, tenant.team.owner);
    const second = await makeCustomer(tenant.id, { type: "team" });
    const neighbour = await makeMember(tenant.id, second, "member", tenant.slug);
    const ids = [crypto.randomUUID(), neighbour.id, stranger.team.member.id, "6ba7b810-9dad-11d1-80b4-00c04fd430c8"];
    for (const id of ids) {
      expect(await json(await call(method, `/${id}`, method === "PATCH" ? { role: "owner" } : undefined), 404)).toEqual(
        NOT_FOUND,
      );
    }
    expect(await rolesIn(second)).toEqual({ [neighbour.id]: "member" });
    const malformed = await call(method, "/abc", method === "PATCH" ? {} : undefined);
    expect(await fault(malformed, "RequestValidationError")).toMatchObject({
      loc: ["path", "id"],
      type: "uuid_parsing",
    });
  },
);

describe("a member whose standing changes after it was recognised and before it writes", () => {
  const WRITES: [string, (tenant: Tenant) => [method: string, path: string, body?: unknown]][] = [
    ["adds nobody", () => ["POST", "", { email: "late@example.com" }]],
    ["renames nobody", ({ team }) => ["PATCH", `/${team.member.id}`, { name: "Late" }]],
    ["gives nobody a role", ({ team }) => ["PATCH", `/${team.member.id}`, { role: "billing_manager" }]],
    ["removes nobody", ({ team }) => ["DELETE", `/${team.member.id}`]],
  ];

  describe.each([
    ["a plain member by then", "role = 'member'", 403, NO_ROLE.error],
    ["removed by then", "deleted_at = 1", 401, "invalid_token"],
  ])("%s", (_, change, status, error) => {
    test.each(WRITES)("%s, and is told why", async (_, request) => {
      const tenant = await makeTenant();
      const { id, billingManager } = tenant.team;
      const { client, db } = makeFaultyClient();
      const { call } = await signedIn(tenant, billingManager, client);
      const others = async () =>
        (
          await env.DB.prepare("SELECT id, name, role, deleted_at FROM members WHERE customer_id = ?1 AND id != ?2")
            .bind(id, billingManager.id)
            .all()
        ).results;
      const before = await others();
      const gate = db.hold(/(INSERT INTO|UPDATE) members/);
      const asked = call(...request(tenant));
      await gate.reached;
      await env.DB.prepare(`UPDATE members SET ${change} WHERE id = ?1`).bind(billingManager.id).run();
      gate.release();
      expect((await json(await asked, status)).error).toBe(error);
      expect(await others()).toEqual(before);
    });
  });

  test("and has handed over ownership meanwhile does not hand it over again", async () => {
    const tenant = await makeTenant();
    const { id, owner, billingManager, member } = tenant.team;
    const { client, db } = makeFaultyClient();
    const { call } = await signedIn(tenant, owner, client);
    const gate = db.hold(/UPDATE members/);
    const asked = call("PATCH", `/${member.id}`, { role: "owner" });
    await gate.reached;
    const other = await signedIn(tenant, owner);
    await json(await other.call("PATCH", `/${billingManager.id}`, { role: "owner" }), 200);
    gate.release();
    expect((await fault(await asked, "PolarRequestValidationError")).msg).toBe(
      "Only the owner can transfer ownership.",
    );
    expect(await ownerIn(id)).toBe(billingManager.id);
  });
});
