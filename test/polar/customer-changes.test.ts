/** Changing a customer (contracts §1.6, §2.9 rows 18 and 19). */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { makeCustomer, makeMember, makeTenant, type Tenant } from "../support/fixtures.ts";
import { makeFaultyClient } from "../support/portal.ts";
import { createSession, fault, isLive, type Json, json } from "./support.ts";

const NOW = "2026-11-20T12:00:00Z";
const NOT_FOUND = { error: "ResourceNotFound", detail: "Not found" };
const unique = (name: string) => `${name}-${crypto.randomUUID().slice(0, 8)}@example.com`;
const by = ({ id }: { id: string }) => `/v1/customers/${id}`;

const patch = (client: Client, { apiKey }: Tenant, path: string, body: unknown) =>
  client.call("PATCH", path, apiKey, body);
const read = async (client: Client, { apiKey }: Tenant, path: string) =>
  json(await client.call("GET", path, apiKey), 200);

/** Place and words of everything that a 422 complains of. */
async function faults(response: Response): Promise<Json> {
  const { error, detail } = await json(response, 422);
  expect(error).toBe("PolarRequestValidationError");
  return detail.map(({ type, loc, msg, input }: Json) => [type, loc.join("."), msg, input]);
}

const memberEmail = (id: string) =>
  env.DB.prepare("SELECT email, email_key, modified_at FROM members WHERE id = ?1").bind(id).first();

describe("a PATCH", () => {
  test("changes what it names, normalised, and leaves the rest as it is", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const before = await read(client, tenant, by(tenant.team));
    const body = {
      name: "  New  ",
      locale: "fr_fr",
      metadata: { plan: "pro", seats: 3, vip: false },
      billing_address: { country: "us", state: "NY", line1: " " },
    };
    const after = await json(await patch(client, tenant, by(tenant.team), body), 200);
    expect(after).toEqual({
      ...before,
      name: "New",
      billing_name: "New",
      locale: "fr-FR",
      metadata: body.metadata,
      billing_address: { line1: null, line2: null, postal_code: null, city: null, state: "US-NY", country: "US" },
      modified_at: NOW,
    });
    expect(await read(client, tenant, by(tenant.team))).toEqual(after);
    const second = await json(await patch(client, tenant, by(tenant.team), { name: "Third" }), 200);
    expect(second).toEqual({ ...after, name: "Third", billing_name: "Third" });
  });

  test("that names nothing, or says null to an e-mail, changes nothing", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const before = await read(client, tenant, by(tenant.individual));
    for (const body of [{}, { email: null }, { unknown: 1, id: "x", organization_id: "x", email_verified: true }]) {
      expect(await json(await patch(client, tenant, by(tenant.individual), body), 200)).toEqual(before);
    }
    expect(before.modified_at).toBeNull();
  });

  test("clears name and locale by null or blank, and replaces metadata as a whole", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const full = { name: "N", locale: "de", metadata: { a: "1", b: "2" } };
    await json(await patch(client, tenant, by(tenant.team), full), 200);
    const body = { name: null, locale: null, metadata: { b: "3" } };
    expect(await json(await patch(client, tenant, by(tenant.team), body), 200)).toMatchObject(body);
    await json(await patch(client, tenant, by(tenant.team), full), 200);
    const blank = await json(await patch(client, tenant, by(tenant.team), { name: " ", metadata: {} }), 200);
    expect(blank).toMatchObject({ name: null, locale: "de", metadata: {} });
  });

  test.each([
    [{ email: "foo" }, "email", "value_error"],
    [{ name: "x".repeat(257) }, "name", "string_too_long"],
    [{ metadata: null }, "metadata", "dict_type"],
    [{ metadata: [] }, "metadata", "dict_type"],
    [{ billing_address: {} }, "billing_address.country", "missing"],
    [{ billing_address: { country: "US", state: "XX" } }, "billing_address", "value_error"],
    [{ locale: "und" }, "locale", "value_error"],
    [{ locale: `en-x${"-abcdefgh".repeat(11)}` }, "locale", "value_error"],
    [{ external_id: "\0" }, "external_id", "value_error"],
    [{ type: "firm" }, "type", "enum"],
  ])("of %j is refused at %s", async (body, loc, type) => {
    const tenant = await makeTenant();
    const found = await fault(await patch(makeClient(), tenant, by(tenant.team), body), "RequestValidationError");
    expect([found.loc.join("."), found.type]).toEqual([`body.${loc}`, type]);
  });

  test("of an unknown, foreign or deleted customer, or one named wrongly, finds none", async () => {
    const client = makeClient();
    const [tenant, stranger] = [await makeTenant(), await makeTenant()];
    const paths = [`/v1/customers/${crypto.randomUUID()}`, "/v1/customers/external/nobody", by(stranger.team)];
    for (const path of paths) {
      expect(await json(await patch(client, tenant, path, { name: "X" }), 404)).toEqual(NOT_FOUND);
    }
    await env.DB.prepare("UPDATE customers SET deleted_at = 1 WHERE id = ?1").bind(tenant.team.id).run();
    expect(await json(await patch(client, tenant, by(tenant.team), { name: "X" }), 404)).toEqual(NOT_FOUND);
    const malformed = await patch(client, tenant, "/v1/customers/abc", { name: "X" });
    expect(await fault(malformed, "RequestValidationError")).toMatchObject({ loc: ["path", "id"] });
    expect(await read(client, stranger, by(stranger.team))).toMatchObject({ name: "Team & Sons", modified_at: null });
  });

  test("by an external id, slashes and all, takes the same fields but external_id and type", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const externalId = "usr 1/2/state";
    const body = { email: unique("s"), external_id: externalId };
    const made = await json(await client.call("POST", "/v1/customers/", tenant.apiKey, body), 201);
    for (const [name, spelled] of [
      ["One", "usr%201%2F2%2Fstate"],
      ["Two", "usr%201/2%2Fstate"],
    ]) {
      const change = { name, external_id: "other", type: "team" };
      const after = await json(await patch(client, tenant, `/v1/customers/external/${spelled}`, change), 200);
      expect(after).toEqual({ ...made, name, billing_name: name, modified_at: NOW });
    }
  });
});

describe("what cannot be undone:", () => {
  test("a billing address is replaced, and never taken away", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const words = "Customer billing address cannot be reset to null once set.";
    const refused = ["value_error", "body.billing_address", words, null];
    expect(await faults(await patch(client, tenant, by(tenant.team), { billing_address: null }))).toEqual([refused]);
    const address = { billing_address: { country: "FR" } };
    await json(await patch(client, tenant, by(tenant.team), address), 200);
    expect(await faults(await patch(client, tenant, by(tenant.team), { billing_address: null }))).toEqual([refused]);
    expect((await read(client, tenant, by(tenant.team))).billing_address.country).toBe("FR");
  });

  test("an external id is given once: not changed, not cleared, and the same again is no change", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const team = { id: await makeCustomer(tenant.id, { type: "team" }) };
    expect((await json(await patch(client, tenant, by(team), { external_id: null }), 200)).external_id).toBeNull();
    expect((await json(await patch(client, tenant, by(team), { external_id: " mine " }), 200)).external_id).toBe(
      "mine",
    );
    await json(await patch(client, tenant, by(team), { external_id: "mine" }), 200);
    for (const [external_id, input] of [
      ["other", "other"],
      [null, null],
      [" ", null],
      ["MINE", "MINE"],
    ]) {
      expect(await faults(await patch(client, tenant, by(team), { external_id }))).toEqual([
        ["value_error", "body.external_id", "Customer external ID cannot be updated.", input],
      ]);
    }
    expect((await read(client, tenant, by(team))).external_id).toBe("mine");
  });

  test("becoming a team ends no session", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const { token } = await createSession(client, tenant, { member_id: tenant.individual.owner.id });
    await json(await patch(client, tenant, by(tenant.individual), { type: "team" }), 200);
    expect(await isLive(client, token)).toBe(true);
  });

  test("an individual becomes a team, and a team nothing else", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const path = by(tenant.individual);
    for (const type of [null, "individual"]) {
      expect((await json(await patch(client, tenant, path, { type }), 200)).type).toBe("individual");
    }
    expect((await json(await patch(client, tenant, path, { type: "team" }), 200)).type).toBe("team");
    for (const type of ["individual", null]) {
      const [[, loc, msg]] = await faults(await patch(client, tenant, path, { type }));
      expect([loc, msg]).toEqual(["body.type", "Customer type cannot be downgraded from 'team' to 'individual'."]);
    }
    const invited = { email: unique("m") };
    await json(await client.call("POST", `${path}/members`, tenant.apiKey, invited), 201);
  });
});

test("an address or an external id that another customer has is refused, together with all else, and nothing is changed", async () => {
  const client = makeClient();
  const tenant = await makeTenant();
  const { individual, team } = tenant;
  const email = individual.email.replace("solo", "SOLO");
  const taken = ["value_error", "body.email", "A customer with this email address already exists."];
  const before = await read(client, tenant, by(team));
  const all = { email, billing_address: null, external_id: individual.externalId, type: "individual", name: "No" };
  expect(
    (await faults(await patch(client, tenant, by(team), all))).map((issue: string[]) => issue.slice(1, 3)),
  ).toEqual([
    taken.slice(1),
    ["body.billing_address", "Customer billing address cannot be reset to null once set."],
    ["body.external_id", "Customer external ID cannot be updated."],
    ["body.type", "Customer type cannot be downgraded from 'team' to 'individual'."],
  ]);
  expect(await read(client, tenant, by(team))).toEqual(before);
  const bare = { id: await makeCustomer(tenant.id, { type: "team" }) };
  expect(await faults(await patch(client, tenant, by(bare), { email, external_id: individual.externalId }))).toEqual([
    [...taken, email],
    ["value_error", "body.external_id", "A customer with this external ID already exists.", individual.externalId],
  ]);
  const elsewhere = await makeTenant();
  const own = { email, external_id: individual.externalId };
  const free = { id: await makeCustomer(elsewhere.id, { type: "team" }) };
  expect(await json(await patch(client, elsewhere, by(free), own), 200)).toMatchObject({ email });
});

describe("a new e-mail", () => {
  const verify = (id: string) => env.DB.prepare("UPDATE customers SET email_verified = 1 WHERE id = ?1").bind(id).run();

  test("is unverified, and the same one in other letters is none", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const { individual } = tenant;
    await verify(individual.id);
    const same = await json(
      await patch(client, tenant, by(individual), { email: individual.email.toUpperCase(), name: "N" }),
      200,
    );
    expect(same).toMatchObject({ email: individual.email, email_verified: true, name: "N" });
    const email = unique("new");
    expect(await json(await patch(client, tenant, by(individual), { email }), 200)).toMatchObject({
      email,
      email_verified: false,
    });
  });

  test("of an individual is its owner's too, even one that had drifted; its open sessions go on", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const { individual } = tenant;
    const { token } = await createSession(client, tenant, { member_id: individual.owner.id });
    for (const drifted of [false, true]) {
      if (drifted) {
        await env.DB.prepare("UPDATE members SET email = 'd@d.co', email_key = 'd@d.co' WHERE id = ?1")
          .bind(individual.owner.id)
          .run();
      }
      const email = unique("New");
      await json(await patch(client, tenant, by(individual), { email }), 200);
      expect(await memberEmail(individual.owner.id)).toEqual({
        email,
        email_key: email.toLowerCase(),
        modified_at: client.clock.now(),
      });
    }
    expect(await isLive(client, token)).toBe(true);
  });

  test("of a team, or of what becomes one, is nobody else's", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const { team, individual } = tenant;
    await json(await patch(client, tenant, by(team), { email: unique("new") }), 200);
    expect((await memberEmail(team.owner.id))?.["email"]).toBe(team.owner.email);
    await json(await patch(client, tenant, by(individual), { email: unique("new"), type: "team" }), 200);
    expect((await memberEmail(individual.owner.id))?.["email"]).toBe(individual.email);
  });

  test("that is refused leaves the owner alone", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const { individual } = tenant;
    const body = { email: unique("new"), external_id: "other" };
    await faults(await patch(client, tenant, by(individual), body));
    expect(await memberEmail(individual.owner.id)).toMatchObject({ email: individual.email, modified_at: null });
  });
});

describe("at the same time", () => {
  const UPDATE = /UPDATE customers SET modified_at/;

  test("50 external ids for one customer: one is given, 49 are told that it cannot be updated", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const team = { id: await makeCustomer(tenant.id, { type: "team" }) };
    const asked = Array.from({ length: 50 }, (_, i) => patch(client, tenant, by(team), { external_id: `e${i}` }));
    const responses = await Promise.all(asked);
    const given = responses.filter(({ status }) => status === 200);
    expect(given).toHaveLength(1);
    const { external_id } = await json(given[0] as Response, 200);
    expect((await read(client, tenant, by(team))).external_id).toBe(external_id);
    for (const refused of responses.filter((response) => response !== given[0])) {
      expect((await faults(refused))[0][2]).toBe("Customer external ID cannot be updated.");
    }
  });

  test("one external id for 20 customers: one gets it, 19 are told that it exists", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const ids = await Promise.all(Array.from({ length: 20 }, () => makeCustomer(tenant.id, { type: "team" })));
    const responses = await Promise.all(ids.map((id) => patch(client, tenant, by({ id }), { external_id: "one" })));
    expect(responses.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(422)]);
    for (const refused of responses.filter(({ status }) => status === 422)) {
      expect((await faults(refused))[0][2]).toBe("A customer with this external ID already exists.");
    }
  });

  test("one external id for one customer, twice: it is not taken by the customer itself", async () => {
    const { client, db } = makeFaultyClient();
    const tenant = await makeTenant();
    const team = { id: await makeCustomer(tenant.id, { type: "team" }) };
    const gate = db.hold(/c\.external_id = \?2 AND/, { when: "before" });
    const first = patch(client, tenant, by(team), { external_id: "mine" });
    await gate.reached;
    await json(await patch(makeClient(), tenant, by(team), { external_id: "mine" }), 200);
    gate.release();
    expect(await json(await first, 200)).toMatchObject({ external_id: "mine" });
  });

  test("different fields: none is lost", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const changes = [{ name: "N" }, { locale: "de" }, { metadata: { k: "v" } }, { email: unique("x") }];
    const responses = await Promise.all(changes.map((body) => patch(client, tenant, by(tenant.team), body)));
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await read(client, tenant, by(tenant.team))).toMatchObject(Object.assign({}, ...changes));
  });

  test("a type and an e-mail: an owner's address is never mirrored once the customer is a team", async () => {
    const { client, db } = makeFaultyClient();
    const tenant = await makeTenant();
    const { individual } = tenant;
    const gate = db.hold(UPDATE, { when: "before" });
    const email = unique("new");
    const changing = patch(client, tenant, by(individual), { email });
    await gate.reached;
    await json(await patch(makeClient(), tenant, by(individual), { type: "team" }), 200);
    gate.release();
    expect(await json(await changing, 200)).toMatchObject({ email, type: "team" });
    expect(await memberEmail(individual.owner.id)).toMatchObject({ email: individual.email });
  });

  test("a change and a deletion: the deletion wins, and the change finds nobody", async () => {
    const { client, db } = makeFaultyClient();
    const tenant = await makeTenant();
    const gate = db.hold(UPDATE, { when: "before" });
    const changing = patch(client, tenant, by(tenant.individual), { email: unique("new"), name: "Late" });
    await gate.reached;
    expect((await makeClient().call("DELETE", by(tenant.individual), tenant.apiKey)).status).toBe(204);
    gate.release();
    expect(await json(await changing, 404)).toEqual(NOT_FOUND);
    const stored = await env.DB.prepare("SELECT name, email FROM customers WHERE id = ?1")
      .bind(tenant.individual.id)
      .first();
    expect(stored).toEqual({ name: null, email: tenant.individual.email });
    expect(await memberEmail(tenant.individual.owner.id)).toMatchObject({ email: tenant.individual.email });
  });
});

describe("a change whose answer D1 owes", () => {
  test("is made once, and told", async () => {
    const { client, db } = makeFaultyClient();
    const tenant = await makeTenant();
    db.fail(/UPDATE customers SET/, { when: "after", times: 1 });
    const email = unique("new");
    const bare = await makeCustomer(tenant.id, { type: "individual" });
    const owner = await makeMember(tenant.id, bare, "owner", tenant.slug);
    const change = { email, external_id: "mine", name: "N" };
    expect(await json(await patch(client, tenant, by({ id: bare }), change), 200)).toMatchObject(change);
    expect(await memberEmail(owner.id)).toMatchObject({ email });
  });

  test("and goes on owing is a 503", async () => {
    const { client, db } = makeFaultyClient();
    const tenant = await makeTenant();
    db.fail(/UPDATE customers SET/);
    const response = await patch(client, tenant, by(tenant.team), { name: "N" });
    expect((await json(response, 503)).error).toBe("ServiceUnavailable");
    expect((await read(makeClient(), tenant, by(tenant.team))).name).toBe("Team & Sons");
  });
});
