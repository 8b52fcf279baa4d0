/**
 * Signing in by mail while D1 fails or the directory changes: never a session without its code used up, never a code
 * used up without its session, and no answer that is lost takes a member's only message away.
 */

import { describe, expect, test } from "vitest";
import { isLive } from "../polar/support.ts";
import type { D1Operation } from "../support/fault-d1.ts";
import { makeTenant } from "../support/fixtures.ts";
import { makeFaultyClient, update } from "../support/portal.ts";
import { ask, authenticate, codesOf, request, sessionsOf, typedBody, wrong } from "../support/sign-in.ts";

const AFTER_COMMIT = { when: "after", times: 1 } as const;
const BEFORE_COMMIT = { when: "before", times: 1 } as const;

async function prepare(settings: Record<string, string | number> = {}) {
  const tenant = await makeTenant(settings);
  const { client, db, kv } = makeFaultyClient();
  const message = await ask(client, tenant);
  return { tenant, client, db, kv, ...message };
}

describe("using a code", () => {
  test("that was committed without an answer yields the session that it made, and KV gets its record", async () => {
    const { tenant, client, db, kv, link } = await prepare();
    db.fail(/INSERT INTO sessions/, AFTER_COMMIT);
    const response = await authenticate(client, { code: link });
    expect(response.status).toBe(200);
    const { token } = (await response.json()) as { token: string };
    expect(await isLive(client, token)).toBe(true);
    expect(await sessionsOf(tenant)).toBe(1);
    await client.settle();
    expect(kv.count("put")).toBe(1);
  });

  test("that was not committed is unavailable, and the code works afterwards", async () => {
    const { tenant, client, db, link } = await prepare();
    db.fail(/INSERT INTO sessions/, BEFORE_COMMIT);
    expect((await authenticate(client, { code: link })).status).toBe(503);
    expect(await sessionsOf(tenant)).toBe(0);
    expect((await authenticate(client, { code: link })).status).toBe(200);
  });

  test("whose reading back fails too is unavailable, and made its session once", async () => {
    const { tenant, client, db, link } = await prepare();
    db.fail(/INSERT INTO sessions/, AFTER_COMMIT);
    const isReadBack = ({ kind, statements }: D1Operation) =>
      kind === "read" && statements.some(({ sql }) => sql.includes("FROM sessions s"));
    db.fail(isReadBack, { times: 1 });
    expect((await authenticate(client, { code: link })).status).toBe(503);
    expect((await authenticate(client, { code: link })).status).toBe(401);
    expect(await sessionsOf(tenant)).toBe(1);
  });

  for (const [what, table, columns] of [
    ["its member is deleted", "members", { deleted_at: 1 }],
    ["its member gets another address", "members", { email: "new@example.com", email_key: "new@example.com" }],
    ["its customer is deleted", "customers", { deleted_at: 1 }],
    ["its organization is deleted", "organizations", { deleted_at: 1 }],
  ] as const) {
    test(`is refused, and the code left unused, when ${what} after the code was recognised`, async () => {
      const { tenant, client, db, link } = await prepare();
      const gate = db.hold(/INSERT INTO sessions/);
      const using = authenticate(client, { code: link });
      await gate.reached;
      const ids = { members: tenant.team.member.id, customers: tenant.team.id, organizations: tenant.id };
      await update(table, ids[table], columns);
      gate.release();
      expect((await using).status).toBe(401);
      expect(await codesOf(tenant)).toMatchObject([{ used_at: null }]);
      expect(await sessionsOf(tenant)).toBe(0);
    });
  }

  test("verifies the address in the same transaction: not at all where no session was made", async () => {
    const tenant = await makeTenant();
    const { client, db } = makeFaultyClient();
    const { link } = await ask(client, tenant, tenant.individual.email);
    db.fail(/INSERT INTO sessions/, BEFORE_COMMIT);
    expect((await authenticate(client, { code: link })).status).toBe(503);
    const customer = async () =>
      (await client.call("GET", `/v1/customers/${tenant.individual.id}`, tenant.apiKey)).json();
    expect(await customer()).toMatchObject({ email_verified: false });
    await authenticate(client, { code: link });
    expect(await customer()).toMatchObject({ email_verified: true });
    expect(
      db.log.filter(({ statements }) => statements.some(({ sql }) => /email_verified = 1/.test(sql))),
    ).toHaveLength(2);
  });

  test("beside a revoke-all ends the session with the others or lets it outlive them as a whole", async () => {
    const { tenant, client, link } = await prepare();
    const [signedIn] = await Promise.all([
      authenticate(client, { code: link }),
      client.call("POST", "/v1/member-sessions/revoke", tenant.apiKey, { member_id: tenant.team.member.id }),
    ]);
    // Made before: ended. Made after: alive. Never refused for it.
    expect(signedIn.status).toBe(200);
    expect(await codesOf(tenant)).toMatchObject([{ used_by: expect.any(String) }]);
  });
});

describe("asking", () => {
  test("that was committed without an answer is asked for again, and mails the code that was stored", async () => {
    const tenant = await makeTenant();
    const { client, db } = makeFaultyClient();
    db.fail(/INSERT INTO sign_in_codes/, AFTER_COMMIT);
    const { link } = await ask(client, tenant);
    expect(await codesOf(tenant)).toHaveLength(1);
    expect((await authenticate(client, { code: link })).status).toBe(200);
  });

  test("that cannot be stored mails nothing and leaves the code before it alone", async () => {
    const { tenant, client, db, link } = await prepare();
    db.fail(/INSERT INTO sign_in_codes/, { when: "before" });
    const again = await request(client, { email: tenant.team.member.email, organization_id: tenant.id });
    expect(again.status).toBe(503);
    await client.settle();
    expect(client.mailed).toHaveLength(1);
    db.heal();
    expect((await authenticate(client, { code: link })).status).toBe(200);
  });
});

describe("guessing", () => {
  test("whose count is lost is unavailable, and was counted: nobody gets a free look by breaking the line", async () => {
    const { tenant, client, db, typed } = await prepare();
    db.fail(/attempts \+ 1/, { when: "after", times: 5 });
    for (let i = 1; i <= 5; i++) {
      expect((await authenticate(client, typedBody(tenant, wrong(typed, i)))).status).toBe(503);
    }
    expect(await codesOf(tenant)).toMatchObject([{ attempts: 5 }]);
    expect((await authenticate(client, typedBody(tenant, typed))).status).toBe(401);
  });

  test("while D1 is away is unavailable, and counts for nothing", async () => {
    const { tenant, client, db, typed } = await prepare();
    db.fail("any");
    expect((await authenticate(client, typedBody(tenant, wrong(typed)))).status).toBe(503);
    db.heal();
    expect(await codesOf(tenant)).toMatchObject([{ attempts: 0 }]);
    expect((await authenticate(client, typedBody(tenant, typed))).status).toBe(200);
  });
});
