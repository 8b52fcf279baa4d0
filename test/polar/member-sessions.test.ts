/** `POST /v1/member-sessions/` as Polar had it (contracts §1.2, §2.4, §2.8), with `expires_in` beyond it. */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { makeClient } from "../support/client.ts";
import { makeCustomer, makeMember, makeTenant } from "../support/fixtures.ts";
import { createSession, fault, json } from "./support.ts";

const CUSTOMER_KEYS = [
  "avatar_url",
  "billing_address",
  "billing_name",
  "created_at",
  "default_payment_method_id",
  "deleted_at",
  "email",
  "email_verified",
  "external_id",
  "first_user_event_at",
  "id",
  "locale",
  "metadata",
  "modified_at",
  "name",
  "organization_id",
  "tax_id",
  "type",
];

test("the answer is 201 with every key of MemberSession, Member and Customer, loaded from D1", async () => {
  const tenant = await makeTenant();
  const session = await createSession(makeClient(), tenant, { return_url: "https://example.com" });
  expect(session).toEqual({
    created_at: "2026-11-20T12:00:00Z",
    modified_at: null,
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    token: expect.stringMatching(/^lk_mst_t[A-Za-z0-9_-]{56}$/),
    expires_at: "2026-11-20T13:00:00Z",
    return_url: "https://example.com/",
    member_portal_url: expect.stringMatching(
      new RegExp(`^https://portal\\.test/${tenant.slug}/portal\\?code=lk_code_t[A-Za-z0-9_-]{56}$`),
    ),
    member_id: tenant.team.member.id,
    member: {
      id: tenant.team.member.id,
      created_at: "2026-03-03T16:23:51.123000Z",
      modified_at: null,
      customer_id: tenant.team.id,
      email: tenant.team.member.email,
      name: "A member",
      external_id: tenant.team.member.externalId,
      role: "member",
    },
    customer_id: tenant.team.id,
    customer: expect.objectContaining({ id: tenant.team.id, type: "team", name: "Team & Sons", metadata: {} }),
  });
  expect(Object.keys(session.customer).sort()).toEqual(CUSTOMER_KEYS);
});

test("here a customer without e-mail shows its owner's, and has a picture: old clients refuse null", async () => {
  const tenant = await makeTenant();
  const { customer } = await createSession(makeClient(), tenant);
  expect(customer.email).toBe(tenant.team.owner.email);
  expect(customer.avatar_url).toMatch(/^https:\/\/www\.gravatar\.com\/avatar\/[0-9a-f]{64}\?d=404$/);
});

test("without an owner the member's own address stands in", async () => {
  const tenant = await makeTenant();
  const customerId = await makeCustomer(tenant.id, { type: "team" });
  const member = await makeMember(tenant.id, customerId, "member", tenant.slug);
  const { customer } = await createSession(makeClient(), tenant, { member_id: member.id });
  expect(customer.email).toBe(member.email);
});

test("member_id is understood in any case and without hyphens", async () => {
  const tenant = await makeTenant();
  const spelled = tenant.team.member.id.toUpperCase().replaceAll("-", "");
  expect((await createSession(makeClient(), tenant, { member_id: spelled })).member_id).toBe(tenant.team.member.id);
});

test("unknown request keys are ignored, those that name a tenant or a life included", async () => {
  const tenant = await makeTenant();
  const other = await makeTenant();
  const extra = { organization_id: other.id, expires_at: "2099-01-01T00:00:00Z", id: "x", nothing: { at: ["all"] } };
  const session = await createSession(makeClient(), tenant, extra);
  expect(session.customer.organization_id).toBe(tenant.id);
  expect(session.expires_at).toBe("2026-11-20T13:00:00Z");
});

describe("a member that does not exist for this organization is a 422, whatever the reason", () => {
  const expectUnknown = async (apiKey: string, memberId: string) => {
    const response = await makeClient().call("POST", "/v1/member-sessions/", apiKey, { member_id: memberId });
    expect(await fault(response, "PolarRequestValidationError")).toEqual({
      type: "value_error",
      loc: ["body", "member_id"],
      msg: "Member does not exist.",
      input: memberId,
    });
  };

  test("unknown", async () => {
    await expectUnknown((await makeTenant()).apiKey, crypto.randomUUID());
  });

  test("another organization's", async () => {
    await expectUnknown((await makeTenant()).apiKey, (await makeTenant()).team.member.id);
  });

  test.each(["members", "customers"])("deleted in %s", async (table) => {
    const tenant = await makeTenant();
    const id = table === "members" ? tenant.team.member.id : tenant.team.id;
    await env.DB.prepare(`UPDATE ${table} SET deleted_at = 1 WHERE id = ?1`).bind(id).run();
    await expectUnknown(tenant.apiKey, tenant.team.member.id);
  });
});

test.each([
  [{ member_model_enabled: 0 }, "member_model_enabled"],
  [{ seat_based_pricing_enabled: 0 }, "seat_based_pricing_enabled"],
  [{ member_model_enabled: 0, seat_based_pricing_enabled: 0 }, "member_model_enabled, seat_based_pricing_enabled"],
])("with flags off (%o) the answer is 403 and names %s", async (flags, named) => {
  const tenant = await makeTenant(flags);
  const body = { member_id: tenant.team.member.id };
  const response = await makeClient().call("POST", "/v1/member-sessions/", tenant.apiKey, body);
  expect(await json(response, 403)).toEqual({
    error: "NotPermitted",
    detail: `Member sessions require ${named} to be enabled for the organization. Use customer sessions instead.`,
  });
});

test("an unknown member is told before the flags are", async () => {
  const tenant = await makeTenant({ member_model_enabled: 0 });
  const body = { member_id: crypto.randomUUID() };
  const response = await makeClient().call("POST", "/v1/member-sessions/", tenant.apiKey, body);
  await fault(response, "PolarRequestValidationError");
});

describe("member_id", () => {
  test.each([
    [{}, "missing", {}],
    [{ member_id: null }, "uuid_type", null],
    [{ member_id: 7 }, "uuid_type", 7],
    [{ member_id: "" }, "uuid_parsing", ""],
    [{ member_id: "not-a-uuid" }, "uuid_parsing", "not-a-uuid"],
    [{ member_id: "0b9e7c6c2-f5e-4d7e-9c0f-1a2b3c4d5e6f" }, "uuid_parsing", "0b9e7c6c2-f5e-4d7e-9c0f-1a2b3c4d5e6f"],
    [{ member_id: "00000000-0000-0000-0000-000000000000" }, "uuid_version", "00000000-0000-0000-0000-000000000000"],
    [{ member_id: "0b9e7c6c-2f5e-1d7e-9c0f-1a2b3c4d5e6f" }, "uuid_version", "0b9e7c6c-2f5e-1d7e-9c0f-1a2b3c4d5e6f"],
  ])("%o is refused as %s", async (body, type, input) => {
    const response = await makeClient().call("POST", "/v1/member-sessions/", (await makeTenant()).apiKey, body);
    const { loc, ...found } = await fault(response, "RequestValidationError");
    expect({ loc, type: found.type, input: found.input }).toEqual({ loc: ["body", "member_id"], type, input });
  });
});

describe("return_url", () => {
  test.each([
    ["https://example.com", "https://example.com/"],
    ["https://example.com/return", "https://example.com/return"],
    ["https://example.com?x=1", "https://example.com/?x=1"],
    ["HTTPS://EXAMPLE.com:443/a/../b#f", "https://example.com/b#f"],
    ["  https://example.com/a b{c} ", "https://example.com/a%20b%7Bc%7D"],
    ["https:\\\\example.com\\x", "https://example.com/x"],
    ["https://bücher.example/", "https://xn--bcher-kva.example/"],
    ["http://user:pw@127.0.0.1:3000/", "http://user:pw@127.0.0.1:3000/"],
    [null, null],
  ])("%s is kept as %s", async (sent, kept) => {
    const session = await createSession(makeClient(), await makeTenant(), { return_url: sent });
    expect(session.return_url).toBe(kept);
  });

  test.each([
    ["/account", "url_parsing"],
    ["", "url_parsing"],
    ["https://", "url_parsing"],
    ["javascript:alert(1)", "url_scheme"],
    ["ftp://x.y", "url_scheme"],
    [`https://example.com/${"x".repeat(2064)}`, "url_too_long"],
    ["https://example.com/\0", "value_error"],
    ["https://example.com/\ud800", "string_unicode"],
    [5, "url_type"],
  ])("%j is refused as %s", async (sent, type) => {
    const tenant = await makeTenant();
    const body = { member_id: tenant.team.member.id, return_url: sent };
    const response = await makeClient().call("POST", "/v1/member-sessions/", tenant.apiKey, body);
    expect(await fault(response, "RequestValidationError")).toMatchObject({ loc: ["body", "return_url"], type });
  });

  test("2083 characters are accepted, as long as Polar allows", async () => {
    const url = `https://example.com/${"x".repeat(2063)}`;
    expect((await createSession(makeClient(), await makeTenant(), { return_url: url })).return_url).toBe(url);
  });

  test("an organization that pins origins gets those and no look-alikes", async () => {
    const tenant = await makeTenant({ allowed_return_origins: '["https://app.example.com"]' });
    const client = makeClient();
    const allowed = await createSession(client, tenant, { return_url: "https://app.example.com/billing?x=1" });
    expect(allowed.return_url).toBe("https://app.example.com/billing?x=1");
    for (const return_url of [
      "https://app.example.com.evil.com/",
      "https://evil.com/https://app.example.com",
      "https://app.example.com@evil.com/",
      "https://user@app.example.com/",
      "https://app.example.com:8443/",
      "http://app.example.com/",
      "https:\\\\app.example.com\\",
      "https://xapp.example.com/",
    ]) {
      const body = { member_id: tenant.team.member.id, return_url };
      const response = await client.call("POST", "/v1/member-sessions/", tenant.apiKey, body);
      const found = await fault(response, "PolarRequestValidationError");
      expect(found).toMatchObject({ loc: ["body", "return_url"], input: return_url });
    }
  });
});

describe("expires_in", () => {
  test("sets the life in seconds, from 60 to the organization's maximum", async () => {
    const tenant = await makeTenant({ session_max_ttl_seconds: 7200 });
    const client = makeClient();
    expect((await createSession(client, tenant, { expires_in: 60 })).expires_at).toBe("2026-11-20T12:01:00Z");
    expect((await createSession(client, tenant, { expires_in: 7200 })).expires_at).toBe("2026-11-20T14:00:00Z");
    expect((await createSession(client, tenant, { expires_in: null })).expires_at).toBe("2026-11-20T13:00:00Z");
  });

  test.each([
    [59, "RequestValidationError", "greater_than_equal"],
    [7201, "PolarRequestValidationError", "value_error"],
    [90.5, "RequestValidationError", "int_from_float"],
    ["90", "RequestValidationError", "int_type"],
  ] as const)("%j is refused", async (expires_in, error, type) => {
    const tenant = await makeTenant({ session_max_ttl_seconds: 7200 });
    const body = { member_id: tenant.team.member.id, expires_in };
    const response = await makeClient().call("POST", "/v1/member-sessions/", tenant.apiKey, body);
    const found = await fault(response, error);
    expect(found).toMatchObject({ loc: ["body", "expires_in"], type, input: expires_in });
  });

  test("the organization's own default holds without it", async () => {
    const tenant = await makeTenant({ session_ttl_seconds: 600 });
    expect((await createSession(makeClient(), tenant)).expires_at).toBe("2026-11-20T12:10:00Z");
  });
});

describe("the portal link", () => {
  test("carries the token in Polar's exact form where the organization asks for that", async () => {
    const tenant = await makeTenant({ portal_link: "token" });
    const member = await makeMember(tenant.id, tenant.team.id, "member", tenant.slug, "Ann+x@example.com");
    const session = await createSession(makeClient(), tenant, { member_id: member.id });
    expect(session.member_portal_url).toBe(
      `https://portal.test/${tenant.slug}/portal?member_session_token=${session.token}&email=Ann%2Bx%40example.com`,
    );
  });

  test("leads to the organization's own application if it has one, keeping that URL's query", async () => {
    const tenant = await makeTenant({ portal_url: "https://app.example.com/in?from=portal" });
    const { member_portal_url } = await createSession(makeClient(), tenant);
    expect(member_portal_url).toMatch(/^https:\/\/app\.example\.com\/in\?from=portal&code=lk_code_/);
  });

  test("is shaped by configuration alone, never by the request's host", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const headers = { "X-Forwarded-Host": "evil.example", Forwarded: "host=evil.example", Host: "evil.example" };
    const body = { member_id: tenant.team.member.id };
    const url = "https://evil.example/v1/member-sessions/";
    const session = await json(await client.call("POST", url, tenant.apiKey, body, headers), 201);
    expect(session.member_portal_url).toContain(`https://portal.test/${tenant.slug}/portal?`);
  });
});
