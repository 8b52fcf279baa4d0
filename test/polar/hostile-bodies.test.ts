/** Bodies that are legal JSON, or nearly, and meant to hurt: a clear 4xx, or kept exactly. */

import { describe, expect, test } from "vitest";
import { makeClient } from "../support/client.ts";
import { makeTenant } from "../support/fixtures.ts";
import { json } from "./support.ts";

describe("JSON nested 30,000 deep is a 422", () => {
  const deep = `${"[".repeat(30_000)}${"]".repeat(30_000)}`;
  test.each([
    ["as the body", "/v1/member-sessions/", deep],
    ["as a field", "/v1/member-sessions/", `{"member_id":${deep}}`],
    ["beside a missing field", "/v1/member-sessions/", `{"x":${deep}}`],
    ["in a union", "/v1/customer-sessions/", `{"customer_id":${deep}}`],
    ["as metadata", "/v1/customers/", `{"email":"a@example.com","metadata":{"k":${deep}}}`],
    ["as a type", "/v1/customers/", `{"type":${deep}}`],
    ["as a tax id", "/v1/customers/", `{"email":"a@example.com","tax_id":${deep}}`],
    ["as a revocation target", "/v1/member-sessions/revoke", `{"organization":${deep}}`],
  ])("%s", async (_, path, body) => {
    const { apiKey } = await makeTenant();
    const client = makeClient();
    const response = await client.call("POST", path, apiKey, body);
    const { detail } = await json(response, 422);
    expect(Array.isArray(detail)).toBe(true);
    expect(client.logged).toEqual([]);
  });
});

test("brackets inside strings are text, and 60 levels are still read", async () => {
  const { apiKey } = await makeTenant();
  const nested = `{"x":${"[".repeat(60)}${"]".repeat(60)},"email":"nobody","name":"${"[".repeat(200)}\\"{{{"}`;
  const { detail } = await json(await makeClient().call("POST", "/v1/customers/", apiKey, nested), 422);
  expect(detail.map((issue: { loc: string[] }) => issue.loc.at(-1))).toEqual(["email"]);
});

test("names that mean something to JavaScript mean nothing here", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const body = `{"email":"proto-${tenant.slug}@example.com","__proto__":{"name":"x","organization_id":"y"},"constructor":1,
    "metadata":{"constructor":"a","toString":"b","hasOwnProperty":"c"}}`;
  const made = await json(await client.call("POST", "/v1/customers/", tenant.apiKey, body), 201);
  expect(made.name).toBeNull();
  expect(made.metadata).toEqual({ constructor: "a", toString: "b", hasOwnProperty: "c" });
  const read = await json(await client.call("GET", `/v1/customers/${made.id}`, tenant.apiKey), 200);
  expect(read).toEqual(made);
});

test("a metadata key __proto__ is kept like any other", async () => {
  const tenant = await makeTenant();
  const body = `{"email":"p-${tenant.slug}@example.com","metadata":{"__proto__":"x"}}`;
  const response = await makeClient().call("POST", "/v1/customers/", tenant.apiKey, body);
  expect(await response.text()).toContain('"metadata":{"__proto__":"x"}');
});
