/** `POST /v1/customer-sessions/` (contracts §1.3, §2.9 row 1): both shapes, member and customer sessions. */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { makeCustomer, makeTenant, type Tenant } from "../support/fixtures.ts";
import { update } from "../support/portal.ts";
import { fault, isLive, type Json, json } from "./support.ts";

const create = (client: Client, tenant: Tenant, body: unknown) =>
  client.call("POST", "/v1/customer-sessions/", tenant.apiKey, body);

const created = async (client: Client, tenant: Tenant, body: unknown): Promise<Json> =>
  json(await create(client, tenant, body), 201);

test("the answer has Polar's keys: no member, and customer_portal_url in place of member_portal_url", async () => {
  const tenant = await makeTenant();
  const body = { customer_id: tenant.individual.id, return_url: "https://example.com" };
  const session = await created(makeClient(), tenant, body);
  expect(Object.keys(session).sort()).toEqual([
    "created_at",
    "customer",
    "customer_id",
    "customer_portal_url",
    "expires_at",
    "id",
    "modified_at",
    "return_url",
    "token",
  ]);
  expect(session.customer).toMatchObject({ id: tenant.individual.id, type: "individual" });
  expect(session).toMatchObject({
    created_at: "2026-11-20T12:00:00Z",
    modified_at: null,
    expires_at: "2026-11-20T13:00:00Z",
    return_url: "https://example.com/",
    customer_portal_url: expect.stringMatching(/\/portal\?code=lk_code_/),
  });
});

test("return_url obeys the rules that a member session's does, and a fault of it is told in both shapes", async () => {
  const body = { customer_id: crypto.randomUUID(), return_url: "javascript:alert(1)" };
  const { detail } = await json(await create(makeClient(), await makeTenant(), body), 422);
  const arms = ["CustomerSessionCustomerIDCreate", "CustomerSessionCustomerExternalIDCreate"];
  expect(detail.map(({ loc, type }: Json) => [loc.join("."), type])).toEqual(
    expect.arrayContaining(arms.map((arm) => [`body.${arm}.return_url`, "url_scheme"])),
  );
});

describe("with the member model on", () => {
  test("an individual is signed in as its owner, with a member token", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { token } = await created(client, tenant, { customer_id: tenant.individual.id });
    expect(token).toMatch(/^lk_mst_/);
    const user = await client.call("GET", "/v1/customer-portal/customer-session/user", token);
    expect(await json(user, 200)).toMatchObject({
      type: "member",
      member_id: tenant.individual.owner.id,
      role: "owner",
    });
  });

  test.each(["member_id", "external_member_id"] as const)("a team's member is named by %s", async (field) => {
    const tenant = await makeTenant();
    const { member } = tenant.team;
    const client = makeClient();
    const body = {
      external_customer_id: tenant.team.externalId,
      [field]: field === "member_id" ? member.id : member.externalId,
    };
    const { token } = await created(client, tenant, body);
    const current = await json(await client.call("GET", "/v1/member-sessions/current", token), 200);
    expect(current.member_id).toBe(member.id);
  });

  test("external_member_id is taken to the letter, blanks included", async () => {
    const tenant = await makeTenant();
    const input = ` ${tenant.team.member.externalId} `;
    const body = { customer_id: tenant.team.id, external_member_id: input };
    const refused = await create(makeClient(), tenant, body);
    expect(await fault(refused, "PolarRequestValidationError")).toMatchObject({
      loc: ["body", "external_member_id"],
      input,
    });
  });

  test("in token links a member's token stands under customer_session_token, with the member's e-mail after it", async () => {
    const tenant = await makeTenant({ portal_link: "token" });
    await update("members", tenant.team.member.id, { email: "Ann+x@example.com", email_key: "ann+x@example.com" });
    const body = { customer_id: tenant.team.id, member_id: tenant.team.member.id };
    const { token, customer_portal_url } = await created(makeClient(), tenant, body);
    expect(token).toMatch(/^lk_mst_/);
    expect(customer_portal_url).toBe(
      `https://portal.test/${tenant.slug}/portal?customer_session_token=${token}&email=Ann%2Bx%40example.com`,
    );
  });

  test("member_id wins over external_member_id", async () => {
    const tenant = await makeTenant();
    const { team } = tenant;
    const client = makeClient();
    const body = { customer_id: team.id, member_id: team.member.id, external_member_id: team.owner.externalId };
    const { token } = await created(client, tenant, body);
    const current = await json(await client.call("GET", "/v1/member-sessions/current", token), 200);
    expect(current.member_id).toBe(team.member.id);
  });

  test("a team needs to be told which member", async () => {
    const tenant = await makeTenant();
    expect(
      await fault(await create(makeClient(), tenant, { customer_id: tenant.team.id }), "PolarRequestValidationError"),
    ).toEqual({
      type: "value_error",
      loc: ["body", "member_id"],
      msg: "member_id is required for team customers.",
      input: null,
    });
  });

  test.each(["member_id", "external_member_id"] as const)("a %s of another customer is refused", async (field) => {
    const tenant = await makeTenant();
    const { owner } = tenant.individual;
    const input = field === "member_id" ? owner.id : owner.externalId;
    const response = await create(makeClient(), tenant, { customer_id: tenant.team.id, [field]: input });
    expect(await fault(response, "PolarRequestValidationError")).toMatchObject({
      loc: ["body", field],
      msg: "Member does not exist for this customer.",
      input,
    });
  });

  test("an individual without an owner gets one on the fly, and keeps it", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const id = await makeCustomer(tenant.id, {
      email: "Late@x.example.com",
      email_key: "late@x.example.com",
      name: "Late",
    });
    const owners = new Set<string>();
    for (let i = 0; i < 2; i++) {
      const { token } = await created(client, tenant, { customer_id: id });
      const current = await json(await client.call("GET", "/v1/member-sessions/current", token), 200);
      expect(current.member).toMatchObject({ email: "Late@x.example.com", name: "Late", role: "owner" });
      owners.add(current.member_id);
    }
    expect(owners.size).toBe(1);
  });

  test("an owner made on the fly is as old as its customer, and has its external id", async () => {
    const tenant = await makeTenant();
    const email = `late@${tenant.slug}.example.com`;
    const id = await makeCustomer(tenant.id, { email, email_key: email, external_id: "late" });
    const { customer } = await created(makeClient(), tenant, { customer_id: id });
    const path = `/v1/customers/external/late/members/late`;
    const owner = await json(await makeClient().call("GET", path, tenant.apiKey), 200);
    expect(owner).toMatchObject({ created_at: customer.created_at, external_id: "late", role: "owner", name: null });
  });

  test("an individual without an owner and without e-mail cannot be signed in", async () => {
    const tenant = await makeTenant();
    const id = await makeCustomer(tenant.id, { type: "individual" });
    const found = await fault(await create(makeClient(), tenant, { customer_id: id }), "PolarRequestValidationError");
    expect(found).toMatchObject({ loc: ["body", "email"], msg: "An email is required to create an owner member." });
  });
});

describe("with the member model off", () => {
  const off = { member_model_enabled: 0, seat_based_pricing_enabled: 0 };

  test("the customer itself is signed in, with a customer token, whatever member is named", async () => {
    const tenant = await makeTenant(off);
    const client = makeClient();
    for (const named of [
      {},
      { member_id: tenant.team.member.id },
      { member_id: crypto.randomUUID() },
      { external_member_id: "nobody" },
    ]) {
      const { token } = await created(client, tenant, { customer_id: tenant.team.id, ...named });
      expect(token).toMatch(/^lk_cst_/);
      const current = await json(await client.call("GET", "/v1/member-sessions/current", token), 200);
      expect(current).toMatchObject({ type: "customer", member_id: null, member: null, customer_id: tenant.team.id });
    }
  });

  test("in token links the customer's token comes first and its e-mail after it, encoded as a form is", async () => {
    const tenant = await makeTenant({ ...off, portal_link: "token" });
    const body = { email: `Solo+x@${tenant.slug}.example.com` };
    const { id } = await json(await makeClient().call("POST", "/v1/customers/", tenant.apiKey, body), 201);
    const { token, customer_portal_url } = await created(makeClient(), tenant, { customer_id: id });
    expect(customer_portal_url).toBe(
      `https://portal.test/${tenant.slug}/portal?customer_session_token=${token}&email=Solo%2Bx%40${tenant.slug}.example.com`,
    );
  });

  test("the cap counts the customer's own sessions, and the oldest goes", async () => {
    const tenant = await makeTenant({ ...off, max_sessions_per_member: 2 });
    const client = makeClient();
    const tokens: string[] = [];
    for (let i = 0; i < 3; i++) {
      tokens.push((await created(client, tenant, { customer_id: tenant.individual.id })).token);
      client.clock.advance(1000);
    }
    expect(await Promise.all(tokens.map((token) => isLive(client, token)))).toEqual([false, true, true]);
  });

  test("in token links a customer without e-mail has no email parameter", async () => {
    const tenant = await makeTenant({ ...off, portal_link: "token" });
    const session = await created(makeClient(), tenant, { customer_id: tenant.team.id });
    expect(session.customer_portal_url).toBe(
      `https://portal.test/${tenant.slug}/portal?customer_session_token=${session.token}`,
    );
  });
});

describe("naming the customer", () => {
  test("the alias customer_external_id is understood", async () => {
    const tenant = await makeTenant();
    const session = await created(makeClient(), tenant, { customer_external_id: tenant.individual.externalId });
    expect(session.customer_id).toBe(tenant.individual.id);
  });

  test("the external id wins if both are sent", async () => {
    const tenant = await makeTenant();
    for (const customer_id of [tenant.team.id, "no UUID", null]) {
      const body = { customer_id, external_customer_id: tenant.individual.externalId };
      expect((await created(makeClient(), tenant, body)).customer_id).toBe(tenant.individual.id);
    }
  });

  test("neither is told as both arms of Polar's union", async () => {
    const body = await json(await create(makeClient(), await makeTenant(), { customer_id: "x", member_id: "y" }), 422);
    expect(body.detail.map(({ loc, type }: Json) => [loc.join("."), type])).toEqual([
      ["body.CustomerSessionCustomerIDCreate.customer_id", "uuid_parsing"],
      ["body.CustomerSessionCustomerIDCreate.member_id", "uuid_parsing"],
      ["body.CustomerSessionCustomerExternalIDCreate.external_customer_id", "missing"],
      ["body.CustomerSessionCustomerExternalIDCreate.member_id", "uuid_parsing"],
    ]);
  });

  test.each(["unknown", "foreign", "deleted"])("%s customers do not exist", async (which) => {
    const tenant = await makeTenant();
    const id = which === "foreign" ? (await makeTenant()).individual.id : tenant.individual.id;
    if (which === "deleted") await env.DB.prepare("UPDATE customers SET deleted_at = 1 WHERE id = ?1").bind(id).run();
    const input = which === "unknown" ? crypto.randomUUID() : id;
    const found = await fault(
      await create(makeClient(), tenant, { customer_id: input }),
      "PolarRequestValidationError",
    );
    expect(found).toEqual({
      type: "value_error",
      loc: ["body", "customer_id"],
      msg: "Customer does not exist.",
      input,
    });
  });

  test("an unknown external id is told under its own name", async () => {
    const response = await create(makeClient(), await makeTenant(), { external_customer_id: "nobody" });
    expect(await fault(response, "PolarRequestValidationError")).toMatchObject({
      loc: ["body", "external_customer_id"],
      input: "nobody",
    });
  });
});
