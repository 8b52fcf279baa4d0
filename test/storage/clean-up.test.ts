/** Expired rows go; live ones, and what hangs on them, stay. */

import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { Log } from "../../src/core/ports.ts";
import { deleteExpiredRows } from "../../src/storage/clean-up.ts";
import { codeDraft, memberOf, randomLookupKey, sessionDraft } from "../support/drafts.ts";
import { makeTenant } from "../support/fixtures.ts";
import { makeWorld } from "../support/world.ts";

function recordingLog() {
  const lines: unknown[] = [];
  const log: Log = { info: (event, fields) => lines.push({ event, ...fields }), warn: () => {}, error: () => {} };
  return { log, lines };
}

const count = (table: string, column: string, values: string[]) =>
  env.DB.prepare(`SELECT COUNT(*) AS n FROM ${table} WHERE ${column} IN (${values.map(() => "?").join(", ")})`)
    .bind(...values)
    .first<number>("n");

test("a session goes at its expiry, with its code; one that has a millisecond left stays", async () => {
  const world = makeWorld();
  const { clock } = world;
  const { store, database, settle } = world.isolate();
  const tenant = await makeTenant();
  const now = clock.now();
  const drafts = [60_000, 60_001].map((life) =>
    sessionDraft(memberOf(tenant), now, { expiresAt: now + life, code: codeDraft(now) }),
  );
  for (const draft of drafts) await store.insert(draft);
  await settle();
  const { log, lines } = recordingLog();
  await clock.advance(60_000);
  await deleteExpiredRows(database, clock, log);
  const [expired, live] = drafts.map(({ id }) => id) as [string, string];
  expect(await count("sessions", "id", [expired])).toBe(0);
  expect(await count("portal_codes", "session_id", [expired])).toBe(0);
  expect(await count("sessions", "id", [live])).toBe(1);
  expect(await count("portal_codes", "session_id", [live])).toBe(1);
  expect(lines).toContainEqual({ event: "expired_rows_deleted", table: "sessions", rows: 1, unfinished: false });
});

test("a sign-in code goes at its expiry, used or not; one that has a millisecond left stays", async () => {
  const world = makeWorld();
  const { database } = world.isolate();
  const tenant = await makeTenant();
  const now = world.clock.now();
  const insert = env.DB.prepare(
    `INSERT INTO sign_in_codes (lookup_key, token_key, organization_id, email_key, typed_mac, created_at, expires_at,
       used_at, used_by)
     VALUES (?1, 't', ?2, 'a@example.com', '', 1, ?3, ?4, ?5)`,
  );
  const [expired, used, live] = [randomLookupKey(), randomLookupKey(), randomLookupKey()];
  await insert.bind(expired, tenant.id, now, null, null).run();
  await insert.bind(used, tenant.id, now - 1, now, "s").run();
  await insert.bind(live, tenant.id, now + 1, null, null).run();
  const { log, lines } = recordingLog();
  await deleteExpiredRows(database, world.clock, log);
  expect(await count("sign_in_codes", "lookup_key", [expired, used])).toBe(0);
  expect(await count("sign_in_codes", "lookup_key", [live])).toBe(1);
  expect(lines).toContainEqual({ event: "expired_rows_deleted", table: "sign_in_codes", rows: 2, unfinished: false });
});

test("an e-mail change goes at its expiry, and the address with it; one that has a millisecond left stays", async () => {
  const world = makeWorld();
  const { database } = world.isolate();
  const now = world.clock.now();
  const insert = env.DB.prepare(
    `INSERT INTO email_changes (lookup_key, token_key, organization_id, customer_id, organization_epoch, customer_epoch,
       email, email_key, created_at, expires_at, used_by)
     VALUES (?1, 't', ?2, ?3, 0, 0, 'a@example.com', 'a@example.com', 1, ?4, ?5)`,
  );
  const [expired, used, live] = [randomLookupKey(), randomLookupKey(), randomLookupKey()];
  for (const [key, expiresAt, session] of [
    [expired, now, null],
    [used, now - 1, "s"],
    [live, now + 1, null],
  ] as const) {
    const tenant = await makeTenant();
    await insert.bind(key, tenant.id, tenant.individual.id, expiresAt, session).run();
  }
  const { log, lines } = recordingLog();
  await deleteExpiredRows(database, world.clock, log);
  expect(await count("email_changes", "lookup_key", [expired, used])).toBe(0);
  expect(await count("email_changes", "lookup_key", [live])).toBe(1);
  expect(lines).toContainEqual({ event: "expired_rows_deleted", table: "email_changes", rows: 2, unfinished: false });
});

test("a used token and an impersonation go at their expiry; those that have a millisecond left stay", async () => {
  const world = makeWorld();
  const { database } = world.isolate();
  const tenant = await makeTenant();
  const now = world.clock.now();
  const token = env.DB.prepare("INSERT INTO spent_tokens (lookup_key, used_by, expires_at) VALUES (?1, 's', ?2)");
  const impersonation = env.DB.prepare(
    `INSERT INTO impersonations (lookup_key, token_key, organization_id, member_id, impersonator_id, impersonator_email,
       created_at, expires_at)
     VALUES (?1, 't', ?3, ?4, 'o', 'o@example.com', 1, ?2)`,
  );
  const [expired, live] = [randomLookupKey(), randomLookupKey()];
  for (const [key, expiresAt] of [
    [expired, now],
    [live, now + 1],
  ] as const) {
    await token.bind(key, expiresAt).run();
    await impersonation.bind(key, expiresAt, tenant.id, tenant.team.member.id).run();
  }
  const { log, lines } = recordingLog();
  await deleteExpiredRows(database, world.clock, log);
  for (const table of ["spent_tokens", "impersonations"]) {
    expect(await count(table, "lookup_key", [expired])).toBe(0);
    expect(await count(table, "lookup_key", [live])).toBe(1);
    expect(lines).toContainEqual({ event: "expired_rows_deleted", table, rows: 1, unfinished: false });
  }
});

test("more than one statement's worth goes in one run", async () => {
  const tenant = await makeTenant();
  await env.DB.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2100)
     INSERT INTO sessions (lookup_key, id, token_key, token_sealed, kind, organization_id, customer_id,
       organization_epoch, customer_epoch, created_at, expires_at, absolute_expires_at)
     SELECT 'bulk-' || i, 'bulk-' || i, 't', '', 'customer', ?1, ?2, 0, 0, 1, 2, 3 FROM n`,
  )
    .bind(tenant.id, tenant.individual.id)
    .run();
  const world = makeWorld();
  const { log, lines } = recordingLog();
  await deleteExpiredRows(world.isolate().database, world.clock, log);
  expect(lines).toContainEqual({ event: "expired_rows_deleted", table: "sessions", rows: 2100, unfinished: false });
});

test("while D1 is away nothing is said to be deleted", async () => {
  const world = makeWorld();
  const isolate = world.isolate();
  isolate.db.fail("any");
  const { log, lines } = recordingLog();
  await expect(deleteExpiredRows(isolate.database, world.clock, log)).rejects.toMatchObject({ code: "unavailable" });
  expect(lines).toEqual([]);
});
