/** Members without their customer in the path (contracts §2.6, §2.9 rows 25 and 26). */

import { describe, expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { makeCustomer, makeMember, makeTenant, type Tenant } from "../support/fixtures.ts";
import { rolesIn } from "../support/roles.ts";
import { fault, type Json, json } from "./support.ts";

const get = (client: Client, tenant: Tenant, path: string) => client.call("GET", path, tenant.apiKey);

describe("the list of members", () => {
  const list = async (tenant: Tenant, query: Record<string, string> = {}) => {
    const page = await json(await get(makeClient(), tenant, `/v1/members/?${new URLSearchParams(query)}`), 200);
    return page.items.map(({ id }: Json) => id).toSorted();
  };
  const idsOf = ({ team }: Tenant) => [team.owner.id, team.billingManager.id, team.member.id].toSorted();

  test("has all of the organization, and nobody of another", async () => {
    const tenant = await makeTenant();
    await makeTenant();
    expect(await list(tenant)).toEqual([...idsOf(tenant), tenant.individual.owner.id].toSorted());
  });

  test("is filtered by customer, by its external id, by role, and by all of them", async () => {
    const tenant = await makeTenant();
    const { team, individual } = tenant;
    expect(await list(tenant, { customer_id: team.id })).toEqual(idsOf(tenant));
    expect(await list(tenant, { customer_id: team.id.toUpperCase().replaceAll("-", "") })).toEqual(idsOf(tenant));
    expect(await list(tenant, { external_customer_id: team.externalId })).toEqual(idsOf(tenant));
    expect(await list(tenant, { role: "owner" })).toEqual([team.owner.id, individual.owner.id].toSorted());
    const both = { customer_id: team.id, external_customer_id: team.externalId };
    expect(await list(tenant, { ...both, role: "owner" })).toEqual([team.owner.id]);
    expect(await list(tenant, { ...both, external_customer_id: individual.externalId })).toEqual([]);
  });

  test("is empty, not missing, for a customer that is unknown or another organization's", async () => {
    const tenant = await makeTenant();
    const { team } = await makeTenant();
    expect(await list(tenant, { customer_id: crypto.randomUUID() })).toEqual([]);
    expect(await list(tenant, { customer_id: team.id })).toEqual([]);
    expect(await list(tenant, { external_customer_id: team.externalId })).toEqual([]);
  });

  test("answers a customer_id that is no UUID with 404, not 422", async () => {
    const answer = await get(makeClient(), await makeTenant(), "/v1/members/?customer_id=abc");
    expect(await json(answer, 404)).toEqual({ error: "ResourceNotFound", detail: "Invalid customer ID format" });
  });

  test("comes newest first, or as sorted, in pages", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    client.clock.advance(1000);
    const body = { customer_id: tenant.team.id, email: "late@example.com" };
    const { id } = await json(await client.call("POST", "/v1/members/", tenant.apiKey, body), 201);
    const page = await json(await get(client, tenant, "/v1/members/?limit=1"), 200);
    expect(page).toMatchObject({ items: [{ id }], pagination: { total_count: 5, max_page: 5 } });
    const last = await json(await get(client, tenant, "/v1/members/?limit=1&page=5&sorting=created_at"), 200);
    expect(last.items).toMatchObject([{ id }]);
  });

  test("has ten to a page unless it is told otherwise, and a hundred at most", async () => {
    const tenant = await makeTenant();
    for (let i = 0; i < 98; i++) await makeMember(tenant.id, tenant.team.id, "member", tenant.slug);
    for (const [query, length, max_page] of [
      ["", 10, 11],
      ["?limit=1000", 100, 2],
    ] as const) {
      const { items, pagination } = await json(await get(makeClient(), tenant, `/v1/members/${query}`), 200);
      expect([items.length, pagination]).toEqual([length, { total_count: 102, max_page }]);
    }
  });

  test.each([
    ["role=admin", ["query", "role"], "enum"],
    ["sorting=name", ["query", "sorting", 0], "enum"],
    ["page=0", ["query", "page"], "greater_than"],
    ["limit=x", ["query", "limit"], "int_parsing"],
  ])("refuses ?%s", async (query, loc, type) => {
    const refused = await get(makeClient(), await makeTenant(), `/v1/members/?${query}`);
    expect(await fault(refused, "RequestValidationError")).toMatchObject({ loc, type });
  });

  test("has no member who was removed", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    await client.call("DELETE", `/v1/members/${tenant.team.member.id}`, tenant.apiKey);
    expect(await list(tenant, { customer_id: tenant.team.id })).not.toContain(tenant.team.member.id);
  });
});

describe("adding a member to the customer that the body names", () => {
  const add = (client: Client, tenant: Tenant, body: unknown) =>
    client.call("POST", "/v1/members/", tenant.apiKey, body);

  test("adds it, as the nested route does", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const body = { customer_id: tenant.team.id, email: "New@example.com", name: " New ", external_id: "e1" };
    const made = await json(await add(client, tenant, body), 201);
    expect(made).toMatchObject({ ...body, name: "New", role: "member", modified_at: null });
    const path = `/v1/customers/${tenant.team.id}/members/${made.id}`;
    expect(await json(await get(client, tenant, path), 200)).toEqual(made);
  });

  test("gives the member who has the e-mail already, unchanged", async () => {
    const tenant = await makeTenant();
    const body = {
      customer_id: tenant.team.id,
      email: tenant.team.member.email.toUpperCase(),
      role: "billing_manager",
    };
    expect(await json(await add(makeClient(), tenant, body), 201)).toMatchObject({
      id: tenant.team.member.id,
      role: "member",
    });
  });

  test("finds no customer that is unknown or another organization's", async () => {
    const tenant = await makeTenant();
    for (const customer_id of [crypto.randomUUID(), (await makeTenant()).team.id]) {
      const refused = await add(makeClient(), tenant, { customer_id, email: "a@example.com" });
      expect(await json(refused, 404)).toEqual({ error: "ResourceNotFound", detail: "Customer not found" });
    }
  });

  test.each([
    [{ email: "a@example.com" }, "customer_id", "missing"],
    [{ customer_id: "x", email: "a@example.com" }, "customer_id", "uuid_parsing"],
    [{ customer_id: "6ba7b810-9dad-11d1-80b4-00c04fd430c8", email: "a@example.com" }, "customer_id", "uuid_version"],
    [{ customer_id: crypto.randomUUID() }, "email", "missing"],
    [{ customer_id: crypto.randomUUID(), email: "a@example.com", role: "owner" }, "role", "literal_error"],
  ])("refuses %j", async (body, field, type) => {
    const refused = await add(makeClient(), await makeTenant(), body);
    expect(await fault(refused, "RequestValidationError")).toMatchObject({ loc: ["body", field], type });
  });
});

describe("a member named by its external id", () => {
  const call = (
    tenant: Tenant,
    method: string,
    query: Record<string, string>,
    externalId = tenant.team.member.externalId,
  ) =>
    makeClient().call(
      method,
      `/v1/members/external/${externalId}?${new URLSearchParams(query)}`,
      tenant.apiKey,
      method === "PATCH" ? { name: "New" } : undefined,
    );

  test("is found within the customer that the query names in either way", async () => {
    const tenant = await makeTenant();
    const { team } = tenant;
    for (const query of [{ customer_id: team.id }, { external_customer_id: team.externalId }]) {
      expect((await json(await call(tenant, "GET", query), 200)).id).toBe(team.member.id);
      expect((await json(await call(tenant, "PATCH", query), 200)).name).toBe("New");
    }
    expect((await call(tenant, "DELETE", { external_customer_id: team.externalId })).status).toBe(204);
    expect(await rolesIn(team.id)).not.toHaveProperty(team.member.id);
  });

  test("is not found within another", async () => {
    const tenant = await makeTenant();
    for (const query of [
      { customer_id: tenant.individual.id },
      { external_customer_id: tenant.individual.externalId },
    ]) {
      for (const method of ["GET", "PATCH", "DELETE"]) {
        expect((await json(await call(tenant, method, query), 404)).detail).toBe("Member not found");
      }
    }
    expect(await rolesIn(tenant.team.id)).toHaveProperty(tenant.team.member.id);
  });

  test("may have a slash in its id, encoded or not", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const body = { customer_id: tenant.team.id, email: "s@example.com", external_id: "emp/7" };
    const made = await json(await client.call("POST", "/v1/members/", tenant.apiKey, body), 201);
    for (const spelled of ["emp%2F7", "emp/7"]) {
      expect(await json(await call(tenant, "GET", { customer_id: tenant.team.id }, spelled), 200)).toEqual(made);
    }
  });

  test.each(["GET", "PATCH", "DELETE"])("needs exactly one customer, for %s", async (method) => {
    const tenant = await makeTenant();
    const { id, externalId } = tenant.team;
    expect(await fault(await call(tenant, method, {}), "PolarRequestValidationError")).toEqual({
      type: "missing",
      loc: ["query"],
      msg: "One of customer_id or external_customer_id must be provided.",
      input: null,
    });
    const both = { customer_id: id, external_customer_id: externalId };
    expect(await fault(await call(tenant, method, both), "PolarRequestValidationError")).toEqual({
      type: "value_error",
      loc: ["query"],
      msg: "Only one of customer_id or external_customer_id may be provided.",
      input: null,
    });
    const malformed = await fault(await call(tenant, method, { customer_id: "x" }), "RequestValidationError");
    expect(malformed).toMatchObject({ loc: ["query", "customer_id"], type: "uuid_parsing" });
    expect(await rolesIn(id)).toHaveProperty(tenant.team.member.id);
  });

  test("is one of two who have the same id in two customers", async () => {
    const tenant = await makeTenant();
    const id = await makeCustomer(tenant.id, { type: "team", external_id: "second" });
    await makeMember(tenant.id, id, "owner", tenant.slug);
    const client = makeClient();
    const made: Json[] = [];
    for (const customer_id of [tenant.team.id, id]) {
      const body = { customer_id, email: "same@example.com", external_id: "same" };
      made.push(await json(await client.call("POST", "/v1/members/", tenant.apiKey, body), 201));
      expect(await json(await call(tenant, "GET", { customer_id }, "same"), 200)).toEqual(made.at(-1));
    }
    expect(made[0].id).not.toBe(made[1].id);
  });
});

test("a member's id in the path may be of any UUID version, but must be one", async () => {
  const tenant = await makeTenant();
  const old = await get(makeClient(), tenant, "/v1/members/6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  expect((await json(old, 404)).detail).toBe("Member not found");
  const malformed = await fault(await get(makeClient(), tenant, "/v1/members/abc"), "RequestValidationError");
  expect(malformed).toMatchObject({ loc: ["path", "id"], type: "uuid_parsing" });
});
