/** The customer in the portal (contracts §1.7, §2.9 rows 6 and 7). */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { makeTenant, type Person, type Tenant } from "../support/fixtures.ts";
import { makeCustomerLink, makeLink } from "../support/portal.ts";
import { fault, INVALID_TOKEN, type Json, json } from "./support.ts";

const PATH = "/v1/customer-portal/customers/me";
const NOW = "2026-11-20T12:00:00Z";
const ADDRESS = { line1: "1", line2: null, postal_code: "75001", city: "Paris", state: null, country: "FR" };

const tokenOf = async (client: Client, tenant: Tenant, person: Person) =>
  (await makeLink(client, tenant, person)).token;
const get = (client: Client, token: string | null) => client.call("GET", PATH, token);
const patch = (client: Client, token: string | null, body: unknown) => client.call("PATCH", PATH, token, body);

/** A team, and its billing manager signed in. */
async function scene() {
  const tenant = await makeTenant();
  const client = makeClient();
  const token = await tokenOf(client, tenant, tenant.team.billingManager);
  return { tenant, client, token };
}

describe("GET", () => {
  test("shows any member the customer, without what the organization keeps to itself", async () => {
    const { client, tenant } = await scene();
    const { team } = tenant;
    await env.DB.prepare(
      `UPDATE customers SET email = 'team@example.com', email_verified = 1, locale = 'fr-FR', metadata = '{"secret":1}',
         billing_name = 'Team Ltd', billing_address = ?2, tax_id = '["FR61954506077","eu_vat"]' WHERE id = ?1`,
    )
      .bind(team.id, JSON.stringify(ADDRESS))
      .run();
    for (const person of [team.owner, team.billingManager, team.member]) {
      expect(await json(await get(client, await tokenOf(client, tenant, person)), 200)).toEqual({
        created_at: "2026-03-03T16:23:51.123000Z",
        modified_at: null,
        id: team.id,
        email: "team@example.com",
        email_verified: true,
        name: "Team & Sons",
        billing_name: "Team Ltd",
        billing_address: ADDRESS,
        tax_id: ["FR61954506077", "eu_vat"],
        oauth_accounts: {},
        default_payment_method_id: null,
        type: "team",
        locale: "fr-FR",
      });
    }
  });

  test("shows a customer session its customer, and null where there is nothing", async () => {
    const tenant = await makeTenant({ member_model_enabled: 0 });
    const client = makeClient();
    const { token } = await makeCustomerLink(client, tenant);
    expect(await json(await get(client, token), 200)).toEqual({
      created_at: "2026-03-03T16:23:51.123000Z",
      modified_at: null,
      id: tenant.individual.id,
      email: tenant.individual.email,
      email_verified: false,
      name: null,
      billing_name: null,
      billing_address: null,
      tax_id: null,
      oauth_accounts: {},
      default_payment_method_id: null,
      type: "individual",
      locale: null,
    });
  });

  test("shows a team without an address null, and its own name for a billing name", async () => {
    const { client, token } = await scene();
    expect(await json(await get(client, token), 200)).toMatchObject({ email: null, billing_name: "Team & Sons" });
  });
});

describe("PATCH", () => {
  test("changes billing name, address and tax id, as the merchant then sees them", async () => {
    const { client, tenant, token } = await scene();
    const before = await json(await get(client, token), 200);
    const body = { billing_name: " ACME ", billing_address: { ...ADDRESS, country: "fr" }, tax_id: "fr 61954506077" };
    const after = await json(await patch(client, token, body), 200);
    expect(after).toEqual({
      ...before,
      billing_name: "ACME",
      billing_address: ADDRESS,
      tax_id: ["FR61954506077", "eu_vat"],
      modified_at: NOW,
    });
    expect(await json(await get(client, token), 200)).toEqual(after);
    const seen = await client.call("GET", `/v1/customers/${tenant.team.id}`, tenant.apiKey);
    const { billing_name, billing_address, tax_id, name } = await json(seen, 200);
    expect({ billing_name, billing_address, tax_id, name }).toEqual({
      billing_name: "ACME",
      billing_address: ADDRESS,
      tax_id: ["FR61954506077", "eu_vat"],
      name: "Team & Sons",
    });
  });

  test("is open to owners and to customer sessions as well", async () => {
    const { client, tenant } = await scene();
    const owner = await tokenOf(client, tenant, tenant.team.owner);
    expect(await json(await patch(client, owner, { billing_name: "A" }), 200)).toMatchObject({ billing_name: "A" });
    const flat = await makeTenant({ member_model_enabled: 0 });
    const { token } = await makeCustomerLink(client, flat);
    expect(await json(await patch(client, token, { billing_name: "B" }), 200)).toMatchObject({ billing_name: "B" });
  });

  test("is closed to plain members, whatever they send, and from the moment that they become one", async () => {
    const { client, tenant, token } = await scene();
    const refusal = {
      error: "NotPermitted",
      detail: "Only owners and billing managers can access billing features.",
    };
    const member = await tokenOf(client, tenant, tenant.team.member);
    for (const body of [{ billing_name: "A" }, { billing_name: 7 }, {}]) {
      expect(await json(await patch(client, member, body), 403)).toEqual(refusal);
    }
    await env.DB.prepare("UPDATE members SET role = 'member' WHERE id = ?1").bind(tenant.team.billingManager.id).run();
    expect(await json(await patch(client, token, { billing_name: "A" }), 403)).toEqual(refusal);
    expect(await json(await get(client, token), 200)).toMatchObject({ billing_name: "Team & Sons" });
  });

  test("of nothing, of a null or blank billing name, and of what is not theirs to change, changes nothing", async () => {
    const { client, token } = await scene();
    await json(await patch(client, token, { billing_name: "ACME" }), 200);
    const before = await json(await get(client, token), 200);
    const others = {
      name: "x",
      email: "x@example.com",
      locale: "fr",
      type: "individual",
      metadata: {},
      external_id: "x",
    };
    for (const body of [{}, { billing_name: null }, { billing_name: " " }, others]) {
      expect(await json(await patch(client, token, body), 200)).toEqual(before);
    }
  });

  test.each([
    [{ billing_address: null }, "missing", "Customer billing address cannot be reset to null once set."],
    [{ default_payment_method_id: null }, "missing", "Default payment method cannot be reset to null."],
    [{ default_payment_method_id: "0B9E7C6C-2f5e-4d7e-9c0f-1a2b3c4d5e6f" }, "invalid", "Payment method not found."],
  ])("refuses %j", async (body, type, msg) => {
    const { client, token } = await scene();
    const before = await json(await get(client, token), 200);
    const [[field, sent]] = Object.entries(body) as [[string, string | null]];
    const refused = await patch(client, token, { billing_name: "ACME", ...body });
    const input = sent?.toLowerCase() ?? null;
    expect(await fault(refused, "PolarRequestValidationError")).toEqual({ type, loc: ["body", field], msg, input });
    expect(await json(await get(client, token), 200)).toEqual(before);
  });

  test.each<[Json, string, string]>([
    [{ billing_name: 7 }, "string_type", "body.billing_name"],
    [{ billing_name: "x".repeat(1001) }, "string_too_long", "body.billing_name"],
    [{ billing_address: "x" }, "model_attributes_type", "body.billing_address"],
    [{ billing_address: {} }, "missing", "body.billing_address.country"],
    [{ billing_address: { country: "KP" } }, "enum", "body.billing_address.country"],
    [{ tax_id: 7 }, "string_type", "body.tax_id"],
    [{ default_payment_method_id: "x" }, "uuid_parsing", "body.default_payment_method_id"],
  ])("refuses %j as %s", async (body, type, loc) => {
    const { client, token } = await scene();
    const found = await fault(await patch(client, token, body), "RequestValidationError");
    expect([found.type, found.loc.join(".")]).toEqual([type, loc]);
  });

  test("needs a country for a tax id, and keeps the two in step", async () => {
    const { client, token } = await scene();
    expect(await fault(await patch(client, token, { tax_id: "911144442" }), "PolarRequestValidationError")).toEqual({
      type: "missing",
      loc: ["body", "billing_address"],
      msg: "Country is required to validate tax ID.",
      input: null,
    });
    const french = { billing_address: { country: "FR" }, tax_id: "FR61954506077" };
    expect(await json(await patch(client, token, french), 200)).toMatchObject({ tax_id: ["FR61954506077", "eu_vat"] });
    for (const body of [{ tax_id: "911144442" }, { billing_address: { country: "US" } }]) {
      expect(await fault(await patch(client, token, body), "PolarRequestValidationError")).toMatchObject({
        type: "invalid",
        loc: ["body", "tax_id"],
        msg: "Invalid tax ID.",
      });
    }
    for (const tax_id of [null, ""]) {
      await json(await patch(client, token, french), 200);
      expect(await json(await patch(client, token, { tax_id }), 200)).toMatchObject({ tax_id: null });
    }
  });

  test("tells of broken JSON before it asks who is calling, and of a dead token before that", async () => {
    const { client, tenant, token } = await scene();
    expect((await json(await patch(client, null, "{"), 422)).error).toBe("RequestValidationError");
    expect((await json(await patch(client, null, "{}"), 401)).error).toBe("Unauthorized");
    expect((await json(await patch(client, tenant.apiKey, {}), 401)).error).toBe("Unauthorized");
    const ended = await client.call("DELETE", "/v1/member-sessions/current", token);
    expect(ended.status).toBe(204);
    const dead = await patch(client, token, "{");
    expect([dead.status, await dead.text()]).toEqual([401, INVALID_TOKEN]);
  });
});
