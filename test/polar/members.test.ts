/** The members of one customer: adding, listing, and whom a path names (contracts §1.4, §2.6, §2.9 rows 23 and 24). */

import { describe, expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { makeCustomer, makeMember, makeTenant, type Tenant } from "../support/fixtures.ts";
import { fault, type Json, json } from "./support.ts";

const post = (client: Client, tenant: Tenant, path: string, body: unknown) =>
  client.call("POST", path, tenant.apiKey, body);
const get = (client: Client, tenant: Tenant, path: string) => client.call("GET", path, tenant.apiKey);

const unique = (name: string) => `${name}-${crypto.randomUUID().slice(0, 8)}@example.com`;

describe("members", () => {
  test("are added to a team and read back, by our ids and by external ones", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const { id, externalId } = tenant.team;
    const email = unique("New");
    const body = { email, name: " New ", external_id: "emp/7", role: "billing_manager" };
    const made = await json(await post(client, tenant, `/v1/customers/${id}/members`, body), 201);
    expect(made).toEqual({
      id: expect.any(String),
      created_at: "2026-11-20T12:00:00Z",
      modified_at: null,
      customer_id: id,
      email,
      name: "New",
      external_id: "emp/7",
      role: "billing_manager",
    });
    expect(await json(await get(client, tenant, `/v1/customers/${id}/members/${made.id}`), 200)).toEqual(made);
    expect(await json(await get(client, tenant, `/v1/customers/external/${externalId}/members/emp%2F7`), 200)).toEqual(
      made,
    );
    const second = await post(client, tenant, `/v1/customers/external/${externalId}/members`, { email: unique("m") });
    expect(await json(second, 201)).toMatchObject({ customer_id: id, role: "member", external_id: null });
  });

  test("a slash in a customer's external id is found, encoded or not", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const owner = { email: unique("o"), external_id: "own" };
    await json(await post(client, tenant, "/v1/customers/", { type: "team", external_id: "usr 1/2", owner }), 201);
    for (const spelled of ["usr%201%2F2", "usr%201/2"]) {
      const found = await json(await get(client, tenant, `/v1/customers/external/${spelled}/members/own`), 200);
      expect(found.email, spelled).toBe(owner.email);
      const list = await json(await get(client, tenant, `/v1/customers/external/${spelled}/members`), 200);
      expect(list.items, spelled).toEqual([found]);
    }
  });

  test("a slash in a member's external id is found, encoded or not", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const path = `/v1/customers/external/${tenant.team.externalId}/members`;
    const body = { email: unique("m"), external_id: "emp/7/a b" };
    const made = await json(await post(client, tenant, path, body), 201);
    for (const spelled of ["emp%2F7%2Fa%20b", "emp/7/a%20b"]) {
      expect(await json(await get(client, tenant, `${path}/${spelled}`), 200), spelled).toEqual(made);
    }
  });

  test("what looks like the path's own words is told apart when it is encoded", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const owner = { email: unique("o"), external_id: "b/members/c" };
    await json(await post(client, tenant, "/v1/customers/", { type: "team", external_id: "a/members", owner }), 201);
    const path = "/v1/customers/external/a%2Fmembers/members/b%2Fmembers%2Fc";
    expect((await json(await get(client, tenant, path), 200)).email).toBe(owner.email);
  });

  test("an e-mail that is there already gives the existing member, unchanged", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const { id, member } = tenant.team;
    const body = { email: member.email.toUpperCase(), name: "Other", role: "billing_manager" };
    const again = await json(await post(client, tenant, `/v1/customers/${id}/members`, body), 201);
    expect(again).toMatchObject({ id: member.id, name: "A member", role: "member" });
  });

  test("an external id that is taken within the customer is refused", async () => {
    const tenant = await makeTenant();
    const body = { email: unique("m"), external_id: tenant.team.member.externalId };
    const response = await post(makeClient(), tenant, `/v1/customers/${tenant.team.id}/members`, body);
    expect((await fault(response, "PolarRequestValidationError")).loc).toEqual(["body", "external_id"]);
  });

  test("an individual has its owner and no other, nor is it told who that is", async () => {
    const tenant = await makeTenant();
    const { id, email } = tenant.individual;
    for (const address of [unique("m"), email]) {
      const response = await post(makeClient(), tenant, `/v1/customers/${id}/members`, { email: address });
      expect((await json(response, 403)).detail, address).toBe(
        "Individual customers can only have one member (the owner). Upgrade to a team customer to add more members.",
      );
    }
  });

  test("an individual without members gets one", async () => {
    const tenant = await makeTenant();
    const id = await makeCustomer(tenant.id, { type: "individual" });
    const client = makeClient();
    await json(await post(client, tenant, `/v1/customers/${id}/members`, { email: unique("m") }), 201);
    await json(await post(client, tenant, `/v1/customers/${id}/members`, { email: unique("m") }), 403);
  });

  test("cannot be managed where both flags are off", async () => {
    const tenant = await makeTenant({ member_model_enabled: 0, seat_based_pricing_enabled: 0 });
    const response = await post(makeClient(), tenant, `/v1/customers/${tenant.team.id}/members`, {
      email: unique("m"),
    });
    expect((await json(response, 403)).detail).toBe("Member management is not enabled for this organization");
  });

  test.each(["member_model_enabled", "seat_based_pricing_enabled"])(
    "can be managed where %s alone is off",
    async (flag) => {
      const tenant = await makeTenant({ [flag]: 0 });
      const path = `/v1/customers/${tenant.team.id}/members`;
      await json(await post(makeClient(), tenant, path, { email: unique("m") }), 201);
    },
  );

  test("may have neither a name nor an external id: blank is none", async () => {
    const tenant = await makeTenant();
    const body = { email: unique("m"), name: " ", external_id: "" };
    const made = await json(await post(makeClient(), tenant, `/v1/customers/${tenant.team.id}/members`, body), 201);
    expect(made).toMatchObject({ name: null, external_id: null });
  });

  test.each<[Json, string, string]>([
    [{}, "email", "missing"],
    [{ email: null }, "email", "string_type"],
    [{ email: "nobody" }, "email", "value_error"],
    [{ email: "a@example.com", name: "x".repeat(257) }, "name", "string_too_long"],
    [{ email: "a@example.com", name: 7 }, "name", "string_type"],
    [{ email: "a@example.com", external_id: "a\0" }, "external_id", "value_error"],
  ])("are not added by %j", async (body, field, type) => {
    const tenant = await makeTenant();
    for (const of of [tenant.team.id, `external/${tenant.team.externalId}`]) {
      const refused = await post(makeClient(), tenant, `/v1/customers/${of}/members`, body);
      expect(await fault(refused, "RequestValidationError")).toMatchObject({ loc: ["body", field], type });
    }
  });

  test("a member's id may be of any UUID version, its customer's may not", async () => {
    const tenant = await makeTenant();
    const old = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
    const unknown = await get(makeClient(), tenant, `/v1/customers/${tenant.team.id}/members/${old}`);
    expect((await json(unknown, 404)).detail).toBe("Member not found");
    const refused = await get(makeClient(), tenant, `/v1/customers/${old}/members/${tenant.team.member.id}`);
    expect(await fault(refused, "RequestValidationError")).toMatchObject({ type: "uuid_version", loc: ["path", "id"] });
  });

  test("nobody is made owner, and no unknown role given", async () => {
    const tenant = await makeTenant();
    for (const role of ["owner", "admin", null, 7]) {
      const body = { email: unique("m"), role };
      const response = await post(makeClient(), tenant, `/v1/customers/${tenant.team.id}/members`, body);
      expect(await fault(response, "RequestValidationError")).toMatchObject({
        loc: ["body", "role"],
        type: "literal_error",
      });
    }
  });

  test("of unknown, foreign or other customers are not found", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const stranger = await makeTenant();
    const { team, individual } = tenant;
    const customerGone = { error: "ResourceNotFound", detail: "Customer not found" };
    const memberGone = { error: "ResourceNotFound", detail: "Member not found" };
    const cases: [string, Tenant, Json][] = [
      [`/v1/customers/${crypto.randomUUID()}/members/${team.member.id}`, tenant, customerGone],
      [`/v1/customers/${team.id}/members/${team.member.id}`, stranger, customerGone],
      [`/v1/customers/${individual.id}/members/${team.member.id}`, tenant, memberGone],
      [`/v1/customers/${team.id}/members/${crypto.randomUUID()}`, tenant, memberGone],
      ["/v1/customers/external/nobody/members/x", tenant, customerGone],
      [`/v1/customers/external/${team.externalId}/members/nobody`, tenant, memberGone],
    ];
    for (const [path, caller, expected] of cases) {
      expect(await json(await get(client, caller, path), 404), path).toEqual(expected);
    }
    const added = await post(client, stranger, `/v1/customers/${team.id}/members`, { email: unique("m") });
    expect(await json(added, 404)).toEqual(customerGone);
  });
});

describe.each([
  ["/v1/customers/{id}/members", ({ team }: Tenant) => `/v1/customers/${team.id}/members`],
  ["/v1/customers/external/{x}/members", ({ team }: Tenant) => `/v1/customers/external/${team.externalId}/members`],
])("%s", (_, path) => {
  const list = async (tenant: Tenant, query = "") =>
    json(await get(makeClient(), tenant, `${path(tenant)}${query}`), 200);

  test("lists the customer's members and nobody else, in Polar's envelope", async () => {
    const tenant = await makeTenant();
    const { items, pagination } = await list(tenant);
    const { owner, billingManager, member } = tenant.team;
    expect(items.map(({ id }: Json) => id).toSorted()).toEqual([owner.id, billingManager.id, member.id].toSorted());
    expect(pagination).toEqual({ total_count: 3, max_page: 1 });
    for (const item of items) {
      expect(item).toEqual(await json(await get(makeClient(), tenant, `/v1/members/${item.id}`), 200));
    }
  });

  test("lists the newest first, or the oldest, or those of one role", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const added: string[] = [];
    for (const role of ["member", "billing_manager", "member"]) {
      client.clock.advance(1000);
      const body = { email: unique("m"), role };
      added.push((await json(await post(client, tenant, path(tenant), body), 201)).id);
    }
    const [first, second, third] = added as [string, string, string];
    const ids = async (query: string) => (await list(tenant, query)).items.map(({ id }: Json) => id);
    expect((await ids("")).slice(0, 3)).toEqual([third, second, first]);
    expect((await ids("?sorting=-created_at")).slice(0, 3)).toEqual([third, second, first]);
    expect((await ids("?sorting=created_at")).slice(-3)).toEqual([first, second, third]);
    expect(await ids("?role=member")).toEqual([third, first, tenant.team.member.id]);
    expect(await ids("?role=owner")).toEqual([tenant.team.owner.id]);
  });

  test("counts pages over all members, and beyond the last one is empty", async () => {
    const tenant = await makeTenant();
    const pages = await Promise.all([1, 2, 3].map((page) => list(tenant, `?limit=2&page=${page}`)));
    expect(pages.map(({ items }) => items.length)).toEqual([2, 1, 0]);
    for (const { pagination } of pages) expect(pagination).toEqual({ total_count: 3, max_page: 2 });
    const seen = pages.flatMap(({ items }) => items.map(({ id }: Json) => id));
    expect(new Set(seen).size).toBe(3);
  });

  test("caps a limit at 100 without a word", async () => {
    const tenant = await makeTenant();
    for (let i = 0; i < 98; i++) await makeMember(tenant.id, tenant.team.id, "member", tenant.slug);
    const { items, pagination } = await list(tenant, "?limit=1000");
    expect([items.length, pagination]).toEqual([100, { total_count: 101, max_page: 2 }]);
  });

  test("is empty where no member has the role, and not found where there is no such customer", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    await client.call("DELETE", `/v1/members/${tenant.team.billingManager.id}`, tenant.apiKey);
    expect(await list(tenant, "?role=billing_manager")).toEqual({
      items: [],
      pagination: { total_count: 0, max_page: 0 },
    });
    const customerGone = { error: "ResourceNotFound", detail: "Customer not found" };
    const ghost = { ...tenant, team: { ...tenant.team, id: crypto.randomUUID(), externalId: "nobody" } };
    expect(await json(await get(client, tenant, path(ghost)), 404)).toEqual(customerGone);
    expect(await json(await get(client, await makeTenant(), path(tenant)), 404)).toEqual(customerGone);
  });

  test.each([
    ["role=admin", ["query", "role"], "enum", "Input should be 'owner', 'billing_manager' or 'member'"],
    ["sorting=name", ["query", "sorting", 0], "enum", "Input should be 'created_at' or '-created_at'"],
    ["page=0", ["query", "page"], "greater_than", "Input should be greater than 0"],
    [
      "limit=x",
      ["query", "limit"],
      "int_parsing",
      "Input should be a valid integer, unable to parse string as an integer",
    ],
  ])("refuses ?%s", async (query, loc, type, msg) => {
    const tenant = await makeTenant();
    const refused = await get(makeClient(), tenant, `${path(tenant)}?${query}`);
    expect(await fault(refused, "RequestValidationError")).toMatchObject({ loc, type, msg });
  });
});
