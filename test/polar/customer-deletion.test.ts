/** Deleting a customer, and what ends with it (contracts §1.6, §2.9 rows 18 and 19, §3). */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { askForChange } from "../support/email-change.ts";
import { makeMember, makeTenant, type Tenant } from "../support/fixtures.ts";
import { makeFaultyClient } from "../support/portal.ts";
import { ask } from "../support/sign-in.ts";
import { createSession, fault, INVALID_TOKEN, isLive, json } from "./support.ts";

const NOT_FOUND = { error: "ResourceNotFound", detail: "Not found" };
const INTROSPECT = "/v1/customer-portal/customer-session/introspect";

const by = ({ id }: { id: string }) => `/v1/customers/${id}`;
const remove = (client: Client, { apiKey }: Tenant, path: string) => client.call("DELETE", path, apiKey);

async function expectDeleted(response: Response): Promise<void> {
  expect(await response.text()).toBe("");
  expect(response.status).toBe(204);
}

const rowOf = (id: string) => env.DB.prepare("SELECT * FROM customers WHERE id = ?1").bind(id).first<Row>();
const membersOf = async (id: string) =>
  (await env.DB.prepare("SELECT * FROM members WHERE customer_id = ?1 ORDER BY role").bind(id).all<Row>()).results;
type Row = Record<string, string | number | null>;

describe("a deletion", () => {
  test("takes the customer and all its members, the owner too, out of sight", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const { team } = tenant;
    await expectDeleted(await remove(client, tenant, by(team)));
    for (const [method, path] of [
      ["GET", by(team)],
      ["GET", `${by(team)}/state`],
      ["GET", `${by(team)}/members/${team.owner.id}`],
      ["GET", `/v1/customers/external/${team.externalId}`],
      ["POST", `${by(team)}/members`],
      ["PATCH", by(team)],
      ["DELETE", by(team)],
    ] as const) {
      const body = { POST: { email: "a@example.com" }, PATCH: { name: "x" } }[method as string];
      expect((await client.call(method, path, tenant.apiKey, body)).status, `${method} ${path}`).toBe(404);
    }
    const { items } = await json(await client.call("GET", "/v1/customers/", tenant.apiKey), 200);
    expect(items).toMatchObject([{ id: tenant.individual.id }]);
    expect(await rowOf(team.id)).toMatchObject({ deleted_at: client.clock.now(), session_epoch: 1 });
    for (const member of await membersOf(team.id)) {
      expect(member).toMatchObject({ deleted_at: client.clock.now(), session_epoch: 1 });
    }
    expect((await membersOf(tenant.individual.id)).map(({ deleted_at }) => deleted_at)).toEqual([null]);
  });

  test("frees the e-mail and the external id, and keeps the latter in the metadata", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const { id, email, externalId } = tenant.individual;
    await json(await client.call("PATCH", by({ id }), tenant.apiKey, { metadata: { k: 1.5 } }), 200);
    await expectDeleted(await remove(client, tenant, by({ id })));
    const stored = await rowOf(id);
    expect(stored).toMatchObject({ external_id: null, email, name: null });
    expect(JSON.parse(String(stored?.["metadata"]))).toEqual({ k: 1.5, __external_id: externalId });
    const again = { email, external_id: externalId };
    const made = await json(await client.call("POST", "/v1/customers/", tenant.apiKey, again), 201);
    expect(made.id).not.toBe(id);
  });

  test("goes by the external id too, slashes and all", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    for (const spelled of ["usr%201%2F2", "usr%201/2"]) {
      const body = { email: "u@example.com", external_id: "usr 1/2" };
      const { id } = await json(await client.call("POST", "/v1/customers/", tenant.apiKey, body), 201);
      await expectDeleted(await remove(client, tenant, `/v1/customers/external/${spelled}?anonymize=false`));
      expect((await rowOf(id))?.["deleted_at"]).toBe(client.clock.now());
    }
  });

  test("finds nobody a second time, in another organization, or under an unknown name", async () => {
    const client = makeClient();
    const [tenant, stranger] = [await makeTenant(), await makeTenant()];
    await expectDeleted(await remove(client, tenant, by(tenant.team)));
    const paths = [
      by(tenant.team),
      by(stranger.team),
      by({ id: crypto.randomUUID() }),
      "/v1/customers/external/nobody",
    ];
    for (const path of paths) expect(await json(await remove(client, tenant, path), 404)).toEqual(NOT_FOUND);
    expect((await rowOf(stranger.team.id))?.["deleted_at"]).toBeNull();
    const malformed = await remove(client, tenant, "/v1/customers/abc");
    expect((await fault(malformed, "RequestValidationError")).loc).toEqual(["path", "id"]);
  });

  test("refuses an anonymize that is neither true nor false, and deletes nobody", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const response = await remove(client, tenant, `${by(tenant.team)}?anonymize=perhaps`);
    expect(await fault(response, "RequestValidationError")).toMatchObject({
      type: "bool_parsing",
      loc: ["query", "anonymize"],
      msg: "Input should be a valid boolean, unable to interpret input",
    });
    await json(await client.call("GET", by(tenant.team), tenant.apiKey), 200);
  });
});

describe("anonymizing", () => {
  test("forgets the addresses that were mailed to, too", async () => {
    const tenant = await makeTenant({ allow_email_change: 1 });
    const client = makeClient();
    const { email } = await askForChange(client, tenant);
    await ask(client, tenant, tenant.individual.email);
    const mailed = () =>
      env.DB.prepare(
        `SELECT (SELECT COUNT(*) FROM email_changes WHERE email = ?1)
          + (SELECT COUNT(*) FROM sign_in_codes WHERE organization_id = ?2) AS n`,
      )
        .bind(email, tenant.id)
        .first("n");
    expect(await mailed()).toBe(2);
    await expectDeleted(await remove(client, tenant, `${by(tenant.individual)}?anonymize=true`));
    expect(await mailed()).toBe(0);
  });

  const personal = {
    name: "Ann Smith",
    billing_name: "Smith & Co",
    billing_address: '{"line1":"1 Main St","line2":null,"postal_code":null,"city":null,"state":null,"country":"FR"}',
    email_verified: 1,
    slug: "ann-smith",
  };

  async function fill(id: string, columns: Record<string, string | number>): Promise<void> {
    const assignments = Object.keys(columns).map((column, index) => `${column} = ?${index + 2}`);
    await env.DB.prepare(`UPDATE customers SET ${assignments.join(", ")} WHERE id = ?1`)
      .bind(id, ...Object.values(columns))
      .run();
  }

  test("leaves nothing that tells who the customer was", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const { id, email, externalId } = tenant.individual;
    await fill(id, personal);
    await expectDeleted(await remove(client, tenant, `${by({ id })}?anonymize=true`));
    const stored = (await rowOf(id)) as Row;
    expect(stored).toMatchObject({
      email: `${id}@anonymized.invalid`,
      email_key: `${id}@anonymized.invalid`,
      email_verified: 0,
      name: expect.stringMatching(/^[0-9a-f]{64}$/),
      billing_name: expect.stringMatching(/^[0-9a-f]{64}$/),
      billing_address: null,
      slug: null,
      external_id: null,
      deleted_at: client.clock.now(),
    });
    expect(stored["billing_name"]).not.toBe(stored["name"]);
    expect(JSON.parse(String(stored["metadata"]))).toEqual({
      __anonymized_at: "2026-11-20T12:00:00.000Z",
      __external_id: externalId,
    });
    expect(JSON.stringify([stored, await membersOf(id)])).not.toMatch(/Ann|Smith|solo@|A owner/);
    await json(await client.call("POST", "/v1/customers/", tenant.apiKey, { email, external_id: externalId }), 201);
  });

  test("keeps the name of a business, which a tax id marks, and what was empty empty", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    await fill(tenant.individual.id, { ...personal, tax_id: '["FR61954506077","eu_vat"]' });
    await expectDeleted(await remove(client, tenant, `${by(tenant.individual)}?anonymize=true`));
    const business = await rowOf(tenant.individual.id);
    expect(business).toMatchObject({ name: "Ann Smith", tax_id: '["FR61954506077","eu_vat"]' });
    expect(business?.["billing_name"]).not.toBe("Smith & Co");
    await env.DB.prepare("UPDATE customers SET name = NULL WHERE id = ?1").bind(tenant.team.id).run();
    await expectDeleted(await remove(client, tenant, `${by(tenant.team)}?anonymize=true`));
    expect(await rowOf(tenant.team.id)).toMatchObject({ name: null, billing_name: null, email: null });
  });

  test("takes its members' names, addresses and what was kept with them, of those too that had left before", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const { team } = tenant;
    const left = await makeMember(tenant.id, team.id, "member", tenant.slug);
    await env.DB.prepare("UPDATE members SET deleted_at = 5 WHERE id = ?1").bind(left.id).run();
    for (const { id } of [left, team.member]) {
      await env.DB.prepare(
        `UPDATE members SET trusted_metadata = ?2, untrusted_metadata = ?2, sign_in_settings = ?2, retired_emails = ?3
         WHERE id = ?1`,
      )
        .bind(id, '{"k":"Ann"}', '[{"id":"x","email":"ann@example.com","key":"ann@example.com"}]')
        .run();
    }
    await expectDeleted(await remove(client, tenant, `${by(team)}?anonymize=1`));
    const members = await membersOf(team.id);
    expect(members).toHaveLength(4);
    for (const member of members) {
      const nobody = `${member["id"]}@anonymized.invalid`;
      expect(member).toMatchObject({ name: null, email: nobody, email_key: nobody });
      const { trusted_metadata, untrusted_metadata, sign_in_settings, retired_emails } = member;
      const kept = [trusted_metadata, untrusted_metadata, sign_in_settings, retired_emails];
      expect(kept).toEqual(["{}", "{}", "{}", "[]"]);
    }
    expect(members.find(({ id }) => id === left.id)).toMatchObject({ deleted_at: 5, session_epoch: 0 });
    expect((await membersOf(tenant.individual.id))[0]).toMatchObject({ name: "A owner" });
  });

  test("does not happen unasked", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    await fill(tenant.individual.id, personal);
    await expectDeleted(await remove(client, tenant, by(tenant.individual)));
    expect(await rowOf(tenant.individual.id)).toMatchObject({ ...personal, email: tenant.individual.email });
    expect((await membersOf(tenant.individual.id))[0]).toMatchObject({ name: "A owner" });
  });
});

describe("the sessions of a deleted customer", () => {
  /** @see https://github.com/polarsource/polar/pull/13135 */
  test.each([
    ["members", {}],
    ["customer", { member_model_enabled: 0 }],
  ])("of its %s end: strictly at once, at the edge within the lease", async (_, settings) => {
    const [here, elsewhere] = [makeClient(), makeClient()];
    const tenant = await makeTenant(settings);
    const { id, owner } = tenant.individual;
    const body = { customer_id: id, ...("member_model_enabled" in settings ? {} : { member_id: owner.id }) };
    const { token } = await json(await here.call("POST", "/v1/customer-sessions/", tenant.apiKey, body), 201);
    await here.settle();
    await json(await elsewhere.call("GET", INTROSPECT, token), 200);
    await expectDeleted(await remove(here, tenant, by({ id })));
    await here.settle();
    expect(await isLive(here, token)).toBe(false);
    expect(await isLive(elsewhere, token)).toBe(false);
    for (const client of [here, elsewhere]) {
      client.clock.advance(300_000);
      const response = await client.call("GET", INTROSPECT, token);
      expect(response.status).toBe(401);
      expect(await response.text()).toBe(INVALID_TOKEN);
    }
  });

  test("do not come back with its address, and others' go on", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const { id, email, externalId, owner } = tenant.individual;
    const { token } = await createSession(client, tenant, { member_id: owner.id });
    const other = await createSession(client, tenant);
    await expectDeleted(await remove(client, tenant, by({ id })));
    await json(await client.call("POST", "/v1/customers/", tenant.apiKey, { email, external_id: externalId }), 201);
    expect(await isLive(client, token)).toBe(false);
    expect(await isLive(client, other.token)).toBe(true);
    const { items } = await json(await client.call("GET", "/v1/member-sessions/", tenant.apiKey), 200);
    expect(items).toMatchObject([{ id: other.id }]);
  });
});

describe("at the same time", () => {
  test("of 20 deletions one finds the customer", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const asked = Array.from({ length: 20 }, () => remove(client, tenant, by(tenant.team)));
    const statuses = (await Promise.all(asked)).map(({ status }) => status).sort();
    expect(statuses).toEqual([204, ...Array(19).fill(404)]);
    expect(await rowOf(tenant.team.id)).toMatchObject({ session_epoch: 1 });
  });

  test("a customer with the same e-mail is made after the deletion or refused before it, and lives either way", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const { email } = tenant.individual;
    const create = () => client.call("POST", "/v1/customers/", tenant.apiKey, { email });
    const attempts = [create(), create(), remove(client, tenant, by(tenant.individual)), create(), create()];
    const responses = await Promise.all(attempts);
    await expectDeleted(responses[2] as Response);
    const made = responses.filter(({ status }) => status === 201);
    expect(responses.filter(({ status }) => status === 422)).toHaveLength(4 - made.length);
    expect(made.length).toBeLessThanOrEqual(1);
    for (const response of made) {
      const { id } = await json(response, 201);
      expect((await membersOf(id)).map(({ deleted_at }) => deleted_at)).toEqual([null]);
    }
    expect((await create()).status).toBe(made.length === 1 ? 422 : 201);
  });

  test("a member is added before the deletion and goes with it, or finds no customer", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const add = (index: number) =>
      client.call("POST", `${by(tenant.team)}/members`, tenant.apiKey, { email: `m${index}@example.com` });
    await Promise.all([add(1), add(2), remove(client, tenant, by(tenant.team)), add(3), add(4)]);
    expect((await membersOf(tenant.team.id)).filter(({ deleted_at }) => deleted_at === null)).toEqual([]);
  });
});

describe("a deletion whose answer D1 owes", () => {
  const DELETE = /UPDATE customers SET deleted_at/;

  test.each(["", "?anonymize=true"])("is read back, not repeated: 204%s", async (query) => {
    const { client, db } = makeFaultyClient();
    const tenant = await makeTenant();
    db.fail(DELETE, { when: "after", times: 1 });
    await expectDeleted(await remove(client, tenant, `${by(tenant.team)}${query}`));
    expect(db.count(DELETE)).toBe(1);
    expect(await rowOf(tenant.team.id)).toMatchObject({ session_epoch: 1 });
  });

  test("is a 503 if it did not happen, and nothing of it did", async () => {
    const { client, db } = makeFaultyClient();
    const tenant = await makeTenant();
    db.fail(DELETE, { when: "before", times: 1 });
    await json(await remove(client, tenant, `${by(tenant.team)}?anonymize=true`), 503);
    expect(await rowOf(tenant.team.id)).toMatchObject({ deleted_at: null, session_epoch: 0, name: "Team & Sons" });
    for (const member of await membersOf(tenant.team.id)) expect(member).toMatchObject({ deleted_at: null });
  });

  test("is a 503 if meanwhile somebody deleted the customer without anonymizing it", async () => {
    const { client, db } = makeFaultyClient();
    const tenant = await makeTenant();
    db.fail(DELETE, { when: "before", times: 1 });
    const gate = db.hold(/SELECT 1 FROM customers/, { when: "before" });
    const anonymizing = remove(client, tenant, `${by(tenant.team)}?anonymize=true`);
    await gate.reached;
    await expectDeleted(await remove(makeClient(), tenant, by(tenant.team)));
    gate.release();
    await json(await anonymizing, 503);
    expect(await rowOf(tenant.team.id)).toMatchObject({ name: "Team & Sons" });
  });
});
