/** Billing addresses (contracts §1.6): which countries and states there are, and how a fault of either is told. */

import { expect, test } from "vitest";
import { makeClient } from "../support/client.ts";
import { makeTenant, type Tenant } from "../support/fixtures.ts";
import { fault, type Json, json } from "./support.ts";

const send = (tenant: Tenant, billing_address: unknown) =>
  makeClient().call("POST", "/v1/customers/", tenant.apiKey, {
    email: `a-${crypto.randomUUID()}@example.com`,
    billing_address,
  });

const accepted = async (address: Json) =>
  (await json(await send(await makeTenant(), address), 201)).billing_address as Json;
const refused = async (address: unknown) =>
  fault(await send(await makeTenant(), address), "RequestValidationError") as Promise<Json>;

const AT = ["body", "individual", "billing_address"];

test("keeps every line, trimmed, and has all six keys", async () => {
  expect(await accepted({ country: "SE", line1: " 1 ", line2: "", postal_code: "3", city: "4", state: "5" })).toEqual({
    country: "SE",
    line1: "1",
    line2: null,
    postal_code: "3",
    city: "4",
    state: "5",
  });
});

test("a country comes in either case; all but the five that are not served are known", async () => {
  expect(await accepted({ country: "se" })).toMatchObject({ country: "SE" });
  const { type, loc, msg, ctx, input } = await refused({ country: "XX" });
  expect({ type, loc, input }).toEqual({ type: "enum", loc: [...AT, "country"], input: "XX" });
  expect(msg).toBe(`Input should be ${ctx.expected}`);
  expect(msg).toMatch(/^Input should be 'AD', 'AE', .*, 'ZM' or 'ZW'$/);
  const codes = msg.match(/'..'/g)?.map((code: string) => code.slice(1, 3)) as string[];
  expect(codes).toHaveLength(244);
  expect(codes).toEqual([...new Set(codes)].sort());
  const names = new Intl.DisplayNames("en", { type: "region", fallback: "none" });
  expect(codes.filter((code) => names.of(code) === undefined)).toEqual([]);
});

test.each(["CU", "IR", "KP", "SY", "RU", "EU", "UK", "XK", "", "USA", 7, null, ["SE"]])(
  "%j is no country that is served",
  async (country) => {
    expect(await refused({ country })).toMatchObject({ type: "enum", loc: [...AT, "country"], input: country });
  },
);

test("a country is required", async () => {
  expect(await refused({ city: "Paris" })).toEqual({
    type: "missing",
    loc: [...AT, "country"],
    msg: "Field required",
    input: { city: "Paris" },
  });
});

test.each([["x"], [7], [[]], [true]])("%j is no address", async (address) => {
  expect(await refused(address)).toMatchObject({ type: "model_attributes_type", loc: AT, input: address });
});

test("states of the US and subdivisions of Canada get their country's prefix", async () => {
  for (const [country, state, stored] of [
    ["US", "NY", "US-NY"],
    ["us", "US-DC", "US-DC"],
    ["CA", " QC ", "CA-QC"],
    ["SE", "NY", "NY"],
    ["US", "", null],
  ]) {
    expect(await accepted({ country, state })).toMatchObject({ state: stored });
  }
});

test.each([
  ["US", "PR", "Value error, Invalid US state"],
  ["US", "ny", "Value error, Invalid US state"],
  ["US", "CA-ON", "Value error, Invalid US state"],
  ["CA", "NY", "Value error, Invalid CA subdivision"],
])("%s has no %s, which is told of the address as a whole", async (country, state, msg) => {
  const input = { country, state };
  expect(await refused(input)).toEqual({ type: "value_error", loc: AT, msg, input, ctx: { error: {} } });
});
