/**
 * The words of each kind of fault (contracts §2.5): type, place, message, what was sent, and what the message is about.
 * The rules themselves are tested where they belong; here it is how their breaking is told.
 */

import { describe, expect, test } from "vitest";
import { makeClient } from "../support/client.ts";
import { makeTenant } from "../support/fixtures.ts";
import { fault, type Json, json } from "./support.ts";

const NIL = "00000000-0000-0000-0000-000000000000";

const ask = async (method: string, path: string, body?: unknown) =>
  makeClient().call(method, path, (await makeTenant()).apiKey, body);
const told = async (method: string, path: string, body?: unknown) =>
  fault(await ask(method, path, body), "RequestValidationError");

describe("a body", () => {
  test("that is missing is told as a missing field, without an input", async () => {
    for (const body of ["", "null"]) {
      expect(await told("POST", "/v1/member-sessions/", body)).toEqual({
        type: "missing",
        loc: ["body"],
        msg: "Field required",
        input: null,
      });
    }
  });

  test.each([
    ['{"member_id": x}', 14],
    [`{"member_id": "${"x".repeat(500)}", tru}`, 518],
    ["{'a':1}", 1],
    ['{"a":1}x', 7],
    ['{"a":', 5],
    ['["a" "b"]', 5],
    ['{"a":"\n"}', 6],
  ])("that is broken JSON is told with the place of the break: %s", async (body, offset) => {
    expect(await told("POST", "/v1/member-sessions/", body)).toEqual({
      type: "json_invalid",
      loc: ["body", offset],
      msg: "JSON decode error",
      input: {},
      ctx: { error: expect.any(String) },
    });
  });

  test("that is no object is told as what has no fields", async () => {
    expect(await told("POST", "/v1/member-sessions/", "[1]")).toEqual({
      type: "model_attributes_type",
      loc: ["body"],
      msg: "Input should be a valid dictionary or object to extract fields from",
      input: [1],
    });
  });

  test("with several faults has all of them told at once", async () => {
    const body = { member_id: "x", return_url: "ftp://x.y", expires_in: 1 };
    const { detail } = await json(await ask("POST", "/v1/member-sessions/", body), 422);
    expect(detail.map(({ type, loc }: Json) => [type, loc.join(".")])).toEqual([
      ["uuid_parsing", "body.member_id"],
      ["url_scheme", "body.return_url"],
      ["greater_than_equal", "body.expires_in"],
    ]);
  });
});

test("a field that is missing is told with the object that lacks it", async () => {
  const input = { return_url: "https://example.com" };
  expect(await told("POST", "/v1/member-sessions/", input)).toEqual({
    type: "missing",
    loc: ["body", "member_id"],
    msg: "Field required",
    input,
  });
});

test.each<[unknown, string, unknown, unknown]>([
  [7, "uuid_type", "UUID input should be a string, bytes or UUID object", undefined],
  ["x", "uuid_parsing", expect.stringMatching(/^Input should be a valid UUID, ./), { error: expect.any(String) }],
  [NIL, "uuid_version", "UUID version 4 expected", { expected_version: 4 }],
])("the id %j is told as %s", async (input, type, msg, ctx) => {
  const expected = { type, loc: ["body", "member_id"], msg, input, ...(ctx !== undefined && { ctx }) };
  expect(await told("POST", "/v1/member-sessions/", { member_id: input })).toEqual(expected);
});

test.each<[string, string, unknown, unknown]>([
  ["url_parsing", "/account", expect.stringMatching(/^Input should be a valid URL, ./), { error: expect.any(String) }],
  ["url_scheme", "ftp://x.y", "URL scheme should be 'http' or 'https'", { expected_schemes: "'http' or 'https'" }],
  [
    "url_too_long",
    `https://example.com/${"x".repeat(2064)}`,
    "URL should have at most 2083 characters",
    { max_length: 2083 },
  ],
])("a URL is told as %s", async (type, input, msg, ctx) => {
  const body = { member_id: crypto.randomUUID(), return_url: input };
  const expected = { type, loc: ["body", "return_url"], msg, input, ctx };
  expect(await told("POST", "/v1/member-sessions/", body)).toEqual(expected);
});

test.each<[string, string, unknown, string, unknown]>([
  ["name", "string_type", 7, "Input should be a valid string", undefined],
  ["name", "string_too_long", "x".repeat(257), "String should have at most 256 characters", { max_length: 256 }],
  ["external_id", "value_error", "a\0", "Value error, This value contains invalid characters", { error: {} }],
  [
    "email",
    "value_error",
    "ann",
    "value is not a valid email address: An email address must have an @-sign.",
    { reason: "An email address must have an @-sign." },
  ],
  ["metadata", "dict_type", [], "Input should be a valid dictionary", undefined],
  ["type", "enum", "firm", "Input should be 'individual' or 'team'", { expected: "'individual' or 'team'" }],
])("a customer's %s is told as %s", async (field, type, input, msg, ctx) => {
  const expected = { type, loc: ["body", field], msg, input, ...(ctx !== undefined && { ctx }) };
  expect(await told("PATCH", `/v1/customers/${crypto.randomUUID()}`, { [field]: input })).toEqual(expected);
});

test("a role that nobody can be added with is told as a literal, one that nobody can have as an enumeration", async () => {
  const path = `/v1/customers/${crypto.randomUUID()}/members`;
  expect(await told("POST", path, { email: "a@example.com", role: "admin" })).toEqual({
    type: "literal_error",
    loc: ["body", "role"],
    msg: "Input should be 'member' or 'billing_manager'",
    input: "admin",
    ctx: { expected: "'member' or 'billing_manager'" },
  });
  expect(await told("PATCH", `${path}/${crypto.randomUUID()}`, { role: "admin" })).toEqual({
    type: "enum",
    loc: ["body", "role"],
    msg: "Input should be 'owner', 'billing_manager' or 'member'",
    input: "admin",
    ctx: { expected: "'owner', 'billing_manager' or 'member'" },
  });
});

test.each(["firm", null])(
  "a new customer's type of %j is told of the body, with the tags that there are",
  async (type) => {
    const input = { type, email: "a@example.com" };
    expect(await told("POST", "/v1/customers/", input)).toEqual({
      type: "union_tag_invalid",
      loc: ["body"],
      msg: expect.stringContaining("does not match any of the expected tags: 'individual', 'team'"),
      input,
      ctx: { discriminator: "'type'", tag: String(type), expected_tags: "'individual', 'team'" },
    });
  },
);

test("a new customer's faults are told under its type, individual where none is named", async () => {
  for (const [type, tag] of [
    [undefined, "individual"],
    ["individual", "individual"],
    ["team", "team"],
  ] as const) {
    const found = await told("POST", "/v1/customers/", { type, email: "a@example.com", name: 7 });
    expect(found.loc).toEqual(["body", tag, "name"]);
  }
});

test("a team that nobody can sign in to is told as a fault of the team", async () => {
  const input = { type: "team", name: "T" };
  expect(await told("POST", "/v1/customers/", input)).toEqual({
    type: "value_error",
    loc: ["body", "team"],
    msg: expect.stringMatching(/^Value error, An owner with an email address is required/),
    input,
    ctx: { error: {} },
  });
});

test.each([
  ["0", "greater_than", "Input should be greater than 0", { gt: 0 }],
  ["x", "int_parsing", "Input should be a valid integer, unable to parse string as an integer", undefined],
])("the page %s is told as %s", async (input, type, msg, ctx) => {
  const expected = { type, loc: ["query", "page"], msg, input, ...(ctx !== undefined && { ctx }) };
  expect(await told("GET", `/v1/customers/?page=${input}`)).toEqual(expected);
});

test("a switch that is neither on nor off is told as what cannot be read", async () => {
  expect(await told("GET", "/v1/customers/?active=maybe")).toEqual({
    type: "bool_parsing",
    loc: ["query", "active"],
    msg: "Input should be a valid boolean, unable to interpret input",
    input: "maybe",
  });
});

test("an id in a path is told at its place in the path", async () => {
  expect(await told("GET", "/v1/customers/abc")).toMatchObject({
    type: "uuid_parsing",
    loc: ["path", "id"],
    input: "abc",
  });
  expect(await told("GET", `/v1/customers/${crypto.randomUUID()}/members/abc`)).toMatchObject({
    type: "uuid_parsing",
    loc: ["path", "member_id"],
    input: "abc",
  });
});
