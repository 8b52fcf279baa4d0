/** Tax ids (contracts §1.6, §2.9 rows 7, 17 and 18): accepted in either spelling, shown as a pair, never without a country. */

import { describe, expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { makeTenant, type Tenant } from "../support/fixtures.ts";
import { fault, json } from "./support.ts";

const FRANCE = { country: "FR" };
const NUMBER = "FR61954506077";

const create = (client: Client, tenant: Tenant, fields: Record<string, unknown>) =>
  client.call("POST", "/v1/customers/", tenant.apiKey, { email: `t-${crypto.randomUUID()}@example.com`, ...fields });

describe("a new customer's tax id", () => {
  test.each([
    ["the number", NUMBER],
    ["the number as people write it", " fr 61 954-506-077 "],
    ["the pair of older clients", [NUMBER, "eu_vat"]],
    ["a pair that names the wrong format", [NUMBER, "us_ein"]],
  ])("is given as %s, and shown as the pair", async (_, tax_id) => {
    const tenant = await makeTenant();
    const client = makeClient();
    const created = await json(await create(client, tenant, { tax_id, billing_address: FRANCE }), 201);
    expect(created.tax_id).toEqual([NUMBER, "eu_vat"]);
    expect(await json(await client.call("GET", `/v1/customers/${created.id}`, tenant.apiKey), 200)).toEqual(created);
  });

  test.each([[null], [""], ["  "], [["", "eu_vat"]]])("%j is none, and needs no country", async (tax_id) => {
    expect(await json(await create(makeClient(), await makeTenant(), { tax_id }), 201)).toMatchObject({ tax_id: null });
  });

  test("without a country is refused", async () => {
    const refused = await create(makeClient(), await makeTenant(), { tax_id: NUMBER });
    expect(await fault(refused, "PolarRequestValidationError")).toEqual({
      type: "missing",
      loc: ["body", "billing_address"],
      msg: "Country is required to validate tax ID.",
      input: null,
    });
  });

  test.each([
    ["a wrong check digit", "FR84323140391", FRANCE],
    ["no number of the customer's country", NUMBER, { country: "US" }],
    ["a country without tax ids", NUMBER, { country: "AQ" }],
    ["no number at all", "x".repeat(900), FRANCE],
  ])("with %s is refused", async (_, tax_id, billing_address) => {
    const refused = await create(makeClient(), await makeTenant(), { tax_id, billing_address });
    expect(await fault(refused, "PolarRequestValidationError")).toEqual({
      type: "invalid",
      loc: ["body", "tax_id"],
      msg: "Invalid tax ID.",
      input: tax_id,
    });
  });

  test.each([[7], [true], [{}], [[]], [[NUMBER]], [[NUMBER, "eu_vat", "x"]], [[7, "eu_vat"]]])(
    "%j is no tax id",
    async (tax_id) => {
      const refused = await create(makeClient(), await makeTenant(), { tax_id, billing_address: FRANCE });
      expect(await fault(refused, "RequestValidationError")).toEqual({
        type: "string_type",
        loc: ["body", "individual", "tax_id"],
        msg: "Input should be a valid string",
        input: tax_id,
      });
    },
  );
});

test.each(["", "nonsense", "EU_VAT", "eu_vat\0"])("a pair names a format, which %j is not", async (format) => {
  const tax_id = [NUMBER, format];
  const refused = await create(makeClient(), await makeTenant(), { tax_id, billing_address: FRANCE });
  expect(await fault(refused, "RequestValidationError")).toMatchObject({
    type: "enum",
    loc: ["body", "individual", "tax_id"],
    input: tax_id,
  });
});

describe("changing a customer's tax id or address", () => {
  /** A customer in France with a French number, and how to change it. */
  async function scene() {
    const tenant = await makeTenant();
    const client = makeClient();
    const made = await json(await create(client, tenant, { tax_id: NUMBER, billing_address: FRANCE }), 201);
    const path = `/v1/customers/${made.id}`;
    return {
      client,
      tenant,
      id: made.id as string,
      patch: (body: unknown) => client.call("PATCH", path, tenant.apiKey, body),
      read: async () => json(await client.call("GET", path, tenant.apiKey), 200),
    };
  }
  const invalid = (input: unknown) => ({ type: "invalid", loc: ["body", "tax_id"], msg: "Invalid tax ID.", input });

  test("judges a new number by the stored country, in either spelling", async () => {
    const { patch, read } = await scene();
    expect(await json(await patch({ tax_id: "de 136,695 976" }), 200)).toMatchObject({
      tax_id: ["DE136695976", "eu_vat"],
    });
    expect(await json(await patch({ tax_id: [NUMBER, "eu_vat"] }), 200)).toMatchObject({ tax_id: [NUMBER, "eu_vat"] });
    expect(await fault(await patch({ tax_id: "911144442" }), "PolarRequestValidationError")).toEqual(
      invalid("911144442"),
    );
    expect(await read()).toMatchObject({ tax_id: [NUMBER, "eu_vat"] });
  });

  test("judges a new number by the new country that comes with it", async () => {
    const { patch } = await scene();
    const changed = await json(await patch({ tax_id: "91-1144442", billing_address: { country: "US" } }), 200);
    expect(changed).toMatchObject({ tax_id: ["911144442", "us_ein"], billing_address: { country: "US" } });
  });

  test("judges the stored number by a new country, and changes nothing where it does not fit", async () => {
    const { patch, read } = await scene();
    const before = await read();
    const moved = { billing_address: { country: "US" }, name: "Moved" };
    expect(await fault(await patch(moved), "PolarRequestValidationError")).toEqual(invalid(NUMBER));
    expect(await read()).toEqual(before);
    expect(await json(await patch({ billing_address: { country: "DE" } }), 200)).toMatchObject({
      billing_address: { country: "DE" },
      tax_id: [NUMBER, "eu_vat"],
    });
  });

  test.each([[null], [""], [" "], [["", "eu_vat"]]])("clears it with %j", async (tax_id) => {
    const { patch, read } = await scene();
    expect(await json(await patch({ tax_id, billing_address: { country: "US" } }), 200)).toMatchObject({
      tax_id: null,
      billing_address: { country: "US" },
    });
    expect(await read()).toMatchObject({ tax_id: null });
  });

  test("leaves it alone where neither is named", async () => {
    const { patch } = await scene();
    expect(await json(await patch({ name: "New" }), 200)).toMatchObject({ name: "New", tax_id: [NUMBER, "eu_vat"] });
  });

  test("needs a country", async () => {
    const tenant = await makeTenant();
    const path = `/v1/customers/${tenant.team.id}`;
    const refused = await makeClient().call("PATCH", path, tenant.apiKey, { tax_id: NUMBER });
    expect(await fault(refused, "PolarRequestValidationError")).toMatchObject({
      type: "missing",
      loc: ["body", "billing_address"],
      msg: "Country is required to validate tax ID.",
    });
  });

  test("never ends with a number that does not fit, however two changes meet", async () => {
    for (let round = 0; round < 5; round++) {
      const { patch, read } = await scene();
      await Promise.all([
        patch({ billing_address: { country: "DE" } }),
        patch({ billing_address: { country: "US" }, tax_id: null }),
        patch({ tax_id: "DE136695976" }),
      ]);
      const { tax_id, billing_address } = await read();
      if (billing_address.country === "US") expect(tax_id).toBeNull();
    }
  });
});
