/**
 * Reading, changing and removing one member by an API key (contracts §1.4, §2.9 rows 24 and 26): the same by whichever
 * of the four paths.
 */

import { describe, expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { markDeleted } from "../support/directory-changes.ts";
import { makeCustomer, makeMember, makeTenant, type Person, type Tenant } from "../support/fixtures.ts";
import { rolesIn } from "../support/roles.ts";
import { createSession, fault, INVALID_TOKEN, isLive, json } from "./support.ts";

type Of = { id: string; externalId: string };

const PATHS: [string, (customer: Of, member: Person) => string][] = [
  ["/v1/customers/{id}/members/{id}", (customer, { id }) => `/v1/customers/${customer.id}/members/${id}`],
  [
    "/v1/customers/external/{x}/members/{x}",
    (customer, { externalId }) => `/v1/customers/external/${customer.externalId}/members/${externalId}`,
  ],
  ["/v1/members/{id}", (_, { id }) => `/v1/members/${id}`],
  [
    "/v1/members/external/{x}?customer_id=",
    (customer, { externalId }) => `/v1/members/external/${externalId}?customer_id=${customer.id}`,
  ],
];

describe.each(PATHS)("%s", (_, path) => {
  const call = (client: Client, tenant: Tenant, method: string, member: Person, body?: unknown, of: Of = tenant.team) =>
    client.call(method, path(of, member), tenant.apiKey, body);

  test("shows the member", async () => {
    const tenant = await makeTenant();
    const { id, email, externalId } = tenant.team.billingManager;
    const found = await json(await call(makeClient(), tenant, "GET", tenant.team.billingManager), 200);
    expect(found).toEqual({
      id,
      created_at: "2026-03-03T16:23:51.123000Z",
      modified_at: null,
      customer_id: tenant.team.id,
      email,
      name: "A billing_manager",
      external_id: externalId,
      role: "billing_manager",
    });
  });

  test("changes name, e-mail and role, and says when", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { member } = tenant.team;
    const before = await json(await call(client, tenant, "GET", member), 200);
    const email = `New@${tenant.slug}.example.com`;
    const body = { name: " Ann ", email: ` ${email}`, role: "billing_manager" };
    const changed = await json(await call(client, tenant, "PATCH", member, body), 200);
    const modified_at = "2026-11-20T12:00:00Z";
    expect(changed).toEqual({ ...before, name: "Ann", email, role: "billing_manager", modified_at });
    expect(await json(await call(client, tenant, "GET", member), 200)).toEqual(changed);
  });

  test.each([
    ["null", { name: null, email: null, role: null }],
    ["blank", { name: " ", email: " " }],
    ["left out", {}],
    ["what it is already", { name: "A member", role: "member" }],
    ["unknown to Polar", { external_id: "other", customer_id: "other", id: "other", created_at: "other" }],
  ])("leaves as it is what is %s", async (_, body) => {
    const tenant = await makeTenant();
    const client = makeClient();
    const before = await json(await call(client, tenant, "GET", tenant.team.member), 200);
    expect(await json(await call(client, tenant, "PATCH", tenant.team.member, body), 200)).toEqual(before);
  });

  test("makes another the owner, and the old owner a billing manager", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { id, owner, billingManager, member } = tenant.team;
    expect(await json(await call(client, tenant, "PATCH", member, { role: "owner" }), 200)).toMatchObject({
      id: member.id,
      role: "owner",
    });
    const roles = { [owner.id]: "billing_manager", [billingManager.id]: "billing_manager", [member.id]: "owner" };
    expect(await rolesIn(id)).toEqual(roles);
    const demoted = await json(await call(client, tenant, "GET", owner), 200);
    expect(demoted).toMatchObject({ role: "billing_manager", modified_at: "2026-11-20T12:00:00Z" });
  });

  test("makes somebody the owner where there is none", async () => {
    const tenant = await makeTenant();
    const of = { externalId: "bare", id: await makeCustomer(tenant.id, { type: "team", external_id: "bare" }) };
    const member = await makeMember(tenant.id, of.id, "member", tenant.slug);
    await json(await call(makeClient(), tenant, "PATCH", member, { role: "owner" }, of), 200);
    expect(await rolesIn(of.id)).toEqual({ [member.id]: "owner" });
  });

  test.each(["billing_manager", "member"])("does not demote the only owner to %s", async (role) => {
    const tenant = await makeTenant();
    const { id, owner } = tenant.team;
    const before = await rolesIn(id);
    const refused = await call(makeClient(), tenant, "PATCH", owner, { role, name: "Not this either" });
    expect(await fault(refused, "PolarRequestValidationError")).toEqual({
      type: "value_error",
      loc: ["body", "role"],
      msg: "Cannot change role. Customer must have exactly one owner.",
      input: role,
    });
    expect(await rolesIn(id)).toEqual(before);
    expect((await json(await call(makeClient(), tenant, "GET", owner), 200)).name).toBe("A owner");
  });

  test("changes an individual's owner but for its e-mail and role", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { individual } = tenant;
    const patch = (body: unknown) => call(client, tenant, "PATCH", individual.owner, body, individual);
    const same = { name: "Solo", email: individual.email, role: "owner" };
    expect(await json(await patch(same), 200)).toMatchObject({ ...same, id: individual.owner.id });
    const email = `other@${tenant.slug}.example.com`;
    expect(await fault(await patch({ email }), "PolarRequestValidationError")).toEqual({
      type: "value_error",
      loc: ["body", "email"],
      msg: "Cannot change the email of an individual customer's owner. Update the customer's email instead.",
      input: email,
    });
    expect((await fault(await patch({ role: "member" }), "PolarRequestValidationError")).msg).toBe(
      "Cannot change role. Customer must have exactly one owner.",
    );
  });

  test("changes a team owner's e-mail", async () => {
    const tenant = await makeTenant();
    const email = `boss@${tenant.slug}.example.com`;
    const changed = await call(makeClient(), tenant, "PATCH", tenant.team.owner, { email });
    expect(await json(changed, 200)).toMatchObject({ email, role: "owner" });
  });

  test("refuses an e-mail that another member of the customer has, case aside in every script", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { member, owner } = tenant.team;
    await json(await call(client, tenant, "PATCH", owner, { email: "ЖАН@example.com" }), 200);
    const refused = await call(client, tenant, "PATCH", member, { email: "жан@example.com", role: "billing_manager" });
    expect(await fault(refused, "PolarRequestValidationError")).toEqual({
      type: "value_error",
      loc: ["body", "email"],
      msg: "A member with this email already exists for this customer.",
      input: "жан@example.com",
    });
    expect((await json(await call(client, tenant, "GET", member), 200)).role).toBe("member");
    const own = await call(client, tenant, "PATCH", owner, { email: "жАН@example.com" });
    expect((await json(own, 200)).email).toBe("жАН@example.com");
    const elsewhere = await call(client, tenant, "PATCH", member, { email: tenant.individual.email });
    await json(elsewhere, 200);
  });

  test.each([
    [{ role: "admin" }, "role", "enum", "Input should be 'owner', 'billing_manager' or 'member'"],
    [{ role: "" }, "role", "enum", "Input should be 'owner', 'billing_manager' or 'member'"],
    [
      { email: "nobody" },
      "email",
      "value_error",
      "value is not a valid email address: An email address must have an @-sign.",
    ],
    [{ email: 7 }, "email", "string_type", "Input should be a valid string"],
    [{ name: "x".repeat(257) }, "name", "string_too_long", "String should have at most 256 characters"],
  ])("refuses %j", async (body, field, type, msg) => {
    const tenant = await makeTenant();
    const refused = await call(makeClient(), tenant, "PATCH", tenant.team.member, body);
    expect(await fault(refused, "RequestValidationError")).toMatchObject({ loc: ["body", field], type, msg });
  });

  test("removes the member, and its sessions with it, at once and for good", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { id, member, owner } = tenant.team;
    const [first, second] = [await createSession(client, tenant), await createSession(client, tenant)];
    const others = await createSession(client, tenant, { member_id: owner.id });
    const removed = await call(client, tenant, "DELETE", member);
    expect([removed.status, await removed.text()]).toEqual([204, ""]);
    await client.settle();
    for (const { token } of [first, second]) {
      expect(await isLive(client, token)).toBe(false);
      // Another isolate, and an edge check: KV holds its tombstone.
      const atEdge = await makeClient().call("GET", "/v1/customer-portal/customer-session/introspect", token);
      expect([atEdge.status, await atEdge.text()]).toEqual([401, INVALID_TOKEN]);
    }
    expect(await isLive(client, others.token)).toBe(true);
    for (const method of ["GET", "PATCH", "DELETE"]) {
      const gone = await call(client, tenant, method, member, method === "PATCH" ? { name: "x" } : undefined);
      expect(await json(gone, 404)).toEqual({ error: "ResourceNotFound", detail: "Member not found" });
    }
    const again = { email: member.email, external_id: member.externalId };
    const readded = await json(await client.call("POST", `/v1/customers/${id}/members`, tenant.apiKey, again), 201);
    expect(readded.id).not.toBe(member.id);
    expect(await isLive(client, first.token)).toBe(false);
    expect(await isLive(client, (await createSession(client, tenant, { member_id: readded.id })).token)).toBe(true);
  });

  test("does not remove the only owner", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    for (const of of [tenant.team, tenant.individual]) {
      const { token } = await createSession(client, tenant, { member_id: of.owner.id });
      const refused = await call(client, tenant, "DELETE", of.owner, undefined, of);
      expect(await fault(refused, "PolarRequestValidationError")).toEqual({
        type: "value_error",
        loc: ["body"],
        msg: "Cannot delete the only owner. Transfer ownership first.",
        input: of.owner.id,
      });
      expect(await isLive(client, token)).toBe(true);
    }
  });

  test("shows a new role in open sessions at once, and ends none of them", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { token } = await createSession(client, tenant);
    await json(
      await call(client, tenant, "PATCH", tenant.team.member, { role: "owner", email: "new@example.com" }),
      200,
    );
    const user = await makeClient().call("GET", "/v1/customer-portal/customer-session/user", token);
    expect(await json(user, 200)).toMatchObject({ role: "owner", email: "new@example.com" });
  });

  test.each(["GET", "PATCH", "DELETE"])(
    "hides from %s whoever is unknown, foreign, or of a deleted customer",
    async (method) => {
      const tenant = await makeTenant();
      const client = makeClient();
      const body = method === "PATCH" ? { name: "x" } : undefined;
      const { team } = tenant;
      const nobody = { id: crypto.randomUUID(), externalId: "nobody", email: "" };
      const unknown = await call(client, tenant, method, nobody, body);
      expect(await json(unknown, 404)).toEqual({ error: "ResourceNotFound", detail: "Member not found" });
      const stranger = await makeTenant();
      const foreign = await client.call(method, path(team, team.member), stranger.apiKey, body);
      expect((await json(foreign, 404)).error).toBe("ResourceNotFound");
      expect(await rolesIn(team.id)).toMatchObject({ [team.member.id]: "member" });
      expect(await json(await call(client, tenant, "GET", team.member), 200)).toMatchObject({ name: "A member" });
      await markDeleted("customers", team.id, client.clock);
      const ofDeleted = await call(client, tenant, method, team.member, body);
      expect((await json(ofDeleted, 404)).error).toBe("ResourceNotFound");
      expect(await rolesIn(team.id)).toMatchObject({ [team.member.id]: "member" });
    },
  );
});
