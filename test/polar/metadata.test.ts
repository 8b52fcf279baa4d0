/** Metadata (contracts §1.1, §1.6, §2.5): what a customer's values may be, and that they come back as they were sent. */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { makeTenant, type Tenant } from "../support/fixtures.ts";
import { type Json, json } from "./support.ts";

/** The body is JSON text: a JavaScript object could not say `1.0`. */
const create = (client: Client, tenant: Tenant, metadata: string) => {
  const email = `m-${crypto.randomUUID()}@example.com`;
  return client.call("POST", "/v1/customers/", tenant.apiKey, `{"email":"${email}","metadata":${metadata}}`);
};

const METADATA = /"metadata":(\{[^{}]*\})/;

describe("numbers", () => {
  test.each([
    ['{"a":1,"b":1.0,"c":true,"d":"1"}', '{"a":1,"b":1.0,"c":true,"d":"1"}'],
    ['{"a":9007199254740993,"b":-123456789012345678901234567890}', null],
    [`{"a":1${"0".repeat(400)}}`, null],
    ['{"a":1e2,"b":-0,"c":-0.0,"d":1E-5,"e":1e16}', '{"a":100.0,"b":0,"c":-0.0,"d":1e-05,"e":1e+16}'],
    ['{"a":0.1,"b":123456789.123456789}', '{"a":0.1,"b":123456789.12345679}'],
  ])("%s come back as they were sent, from the write, from every read and from D1", async (sent, expected) => {
    const tenant = await makeTenant();
    const client = makeClient();
    const created = await create(client, tenant, sent);
    const text = await created.text();
    expect(created.status, text).toBe(201);
    expect(METADATA.exec(text)?.[1]).toBe(expected ?? sent);
    const { id } = JSON.parse(text);
    const read = await (await client.call("GET", `/v1/customers/${id}`, tenant.apiKey)).text();
    expect(METADATA.exec(read)?.[1]).toBe(expected ?? sent);
    const stored = await env.DB.prepare("SELECT metadata FROM customers WHERE id = ?1").bind(id).first("metadata");
    expect(stored).toBe(expected ?? sent);
  });

  test("come back so from a session too", async () => {
    const tenant = await makeTenant();
    await env.DB.prepare("UPDATE customers SET metadata = ?2 WHERE id = ?1")
      .bind(tenant.team.id, '{"a":1.0,"b":9007199254740993}')
      .run();
    const body = { member_id: tenant.team.member.id };
    const response = await makeClient().call("POST", "/v1/member-sessions/", tenant.apiKey, body);
    expect(await response.text()).toContain('"metadata":{"a":1.0,"b":9007199254740993}');
  });

  test("that no double can hold are refused", async () => {
    const { detail } = await json(await create(makeClient(), await makeTenant(), '{"k":1e400}'), 422);
    expect(detail.map(({ type, loc }: Json) => [type, loc.join(".")])).toEqual([
      ["string_type", "body.individual.metadata.k.constrained-str"],
      ["finite_number", "body.individual.metadata.k.int"],
      ["finite_number", "body.individual.metadata.k.float"],
      ["bool_type", "body.individual.metadata.k.bool"],
    ]);
  });
});

test("of a key that comes twice the last value counts", async () => {
  const response = await create(makeClient(), await makeTenant(), '{"a":"x","b":2,"a":1.0}');
  expect(METADATA.exec(await response.text())?.[1]).toBe('{"a":1.0,"b":2}');
});

const AT = ["body", "individual", "metadata"];
const faults = async (metadata: string) => {
  const response = await create(makeClient(), await makeTenant(), metadata);
  const { error, detail } = await json(response, 422);
  expect(error).toBe("RequestValidationError");
  return detail as Json[];
};

describe("a value of no permitted type", () => {
  test.each([
    ["null", null],
    ["[1]", [1]],
    ['{"rawJSON":"1"}', { rawJSON: "1" }],
  ])("%s is told by each type", async (value, input) => {
    expect(await faults(`{"k":${value}}`)).toEqual([
      { type: "string_type", loc: [...AT, "k", "constrained-str"], msg: "Input should be a valid string", input },
      { type: "int_type", loc: [...AT, "k", "int"], msg: "Input should be a valid integer", input },
      { type: "float_type", loc: [...AT, "k", "float"], msg: "Input should be a valid number", input },
      { type: "bool_type", loc: [...AT, "k", "bool"], msg: "Input should be a valid boolean", input },
    ]);
  });

  test("is told so whether blank or too long, too", async () => {
    const rest = [
      ["int_parsing", "int", "Input should be a valid integer, unable to parse string as an integer"],
      ["float_parsing", "float", "Input should be a valid number, unable to parse string as a number"],
      ["bool_parsing", "bool", "Input should be a valid boolean, unable to interpret input"],
    ];
    const told = (detail: Json[]) => detail.map(({ type, loc, msg }) => [type, loc.at(-1), msg]);
    expect(told(await faults('{"k":""}'))).toEqual([
      ["string_too_short", "constrained-str", "String should have at least 1 character"],
      ...rest,
    ]);
    expect(told(await faults(`{"k":"${"x".repeat(501)}"}`))).toEqual([
      ["string_too_long", "constrained-str", "String should have at most 500 characters"],
      ...rest,
    ]);
  });
});

test("a bad key is told beside its value, and every faulty entry is told", async () => {
  const long = "k".repeat(41);
  const detail = await faults(`{"":1,"${long}":[],"ok":1,"z":null}`);
  expect(detail.map(({ type, loc }) => [type, ...loc.slice(3)])).toEqual([
    ["string_too_short", "", "[key]"],
    ["string_too_long", long, "[key]"],
    ...["constrained-str", "int", "float", "bool"].map((arm) => [expect.any(String), long, arm]),
    ...["constrained-str", "int", "float", "bool"].map((arm) => [expect.any(String), "z", arm]),
  ]);
});

test("lengths are counted in characters, not in halves of them", async () => {
  const tenant = await makeTenant();
  const [key, value] = ["🔑".repeat(40), "💶".repeat(500)];
  const created = await json(await create(makeClient(), tenant, `{"${key}":"${value}"}`), 201);
  expect(created.metadata).toEqual({ [key]: value });
  expect(await faults(`{"${key}🔑":1}`)).toMatchObject([{ type: "string_too_long", input: `${key}🔑` }]);
});

test.each(["null", "[]", "1.0", '"x"', "true"])("%s is no dictionary", async (metadata) => {
  expect(await faults(metadata)).toMatchObject([{ type: "dict_type", loc: AT, input: JSON.parse(metadata) }]);
});

test("a whole number may be written as a float where seconds are asked for", async () => {
  const tenant = await makeTenant();
  const body = (seconds: string) => `{"member_id":"${tenant.team.member.id}","expires_in":${seconds}}`;
  const create = (seconds: string) => makeClient().call("POST", "/v1/member-sessions/", tenant.apiKey, body(seconds));
  for (const seconds of ["60.0", "6e1"]) {
    const { created_at, expires_at } = await json(await create(seconds), 201);
    expect(Date.parse(expires_at) - Date.parse(created_at)).toBe(60_000);
  }
  for (const seconds of ["60.5", "1e400"]) await json(await create(seconds), 422);
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
