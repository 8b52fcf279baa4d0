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
