/** Members of a customer: create and read (contracts §1.4, §2.9 rows 23 and 24). */

import { describe, expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { makeTenant, type Tenant } from "../support/fixtures.ts";
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
    }
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

  test("an individual has its owner and no other", async () => {
    const tenant = await makeTenant();
    const response = await post(makeClient(), tenant, `/v1/customers/${tenant.individual.id}/members`, {
      email: unique("m"),
    });
    expect((await json(response, 403)).detail).toBe(
      "Individual customers can only have one member (the owner). Upgrade to a team customer to add more members.",
    );
  });

  test("cannot be managed where both flags are off", async () => {
    const tenant = await makeTenant({ member_model_enabled: 0, seat_based_pricing_enabled: 0 });
    const response = await post(makeClient(), tenant, `/v1/customers/${tenant.team.id}/members`, {
      email: unique("m"),
    });
    expect((await json(response, 403)).detail).toBe("Member management is not enabled for this organization");
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
