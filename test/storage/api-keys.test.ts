/** API keys: looked up in D1, remembered by the isolate for half a minute and no longer. */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { createApiKeyCache, createApiKeyStore } from "../../src/storage/api-key-store.ts";
import { createDatabase } from "../../src/storage/database.ts";
import { fakeClock } from "../support/clock.ts";
import { markDeleted } from "../support/directory-changes.ts";
import { randomLookupKey } from "../support/drafts.ts";
import { createFaultD1 } from "../support/fault-d1.ts";
import { credentials, makeApiKey, makeTenant } from "../support/fixtures.ts";

const UNAVAILABLE = { name: "LatchkeyError", code: "unavailable" };

async function prepare(columns: Record<string, number> = {}, scopes = ["members:read", "members:write"]) {
  const tenant = await makeTenant();
  const clock = fakeClock();
  const token = await makeApiKey(tenant.id, scopes, columns);
  const lookupKey = (await credentials.verify(token))?.lookupKey ?? "";
  const db = createFaultD1(env.DB);
  const makeStore = () => createApiKeyStore(createDatabase(db.binding), createApiKeyCache(), clock);
  const change = (assignment: string) =>
    env.DB.prepare(`UPDATE api_keys SET ${assignment} WHERE lookup_key = ?1`).bind(lookupKey).run();
  return { tenant, clock, lookupKey, db, store: makeStore(), makeStore, change };
}

describe("an API key", () => {
  test("speaks for its organization, with its scopes", async () => {
    const { store, tenant, lookupKey } = await prepare();
    const key = await store.find(lookupKey);
    expect(key).toMatchObject({ organization: { id: tenant.id, slug: tenant.slug }, expiresAt: null });
    expect([...(key?.scopes ?? [])]).toEqual(["members:read", "members:write"]);
  });

  test("is read from D1 once in half a minute", async () => {
    const { store, lookupKey, clock, db } = await prepare();
    for (const wait of [0, 0, 29_999]) {
      clock.advance(wait);
      expect(await store.find(lookupKey)).not.toBeNull();
    }
    expect(db.count()).toBe(1);
    clock.advance(1);
    expect(await store.find(lookupKey)).not.toBeNull();
    expect(db.count()).toBe(2);
  });

  test("that was revoked is refused after half a minute at the latest, and at once by an isolate that is new", async () => {
    const { store, makeStore, lookupKey, clock, change } = await prepare();
    await store.find(lookupKey);
    await change(`revoked_at = ${clock.now()}`);
    expect(await makeStore().find(lookupKey)).toBeNull();
    clock.advance(29_999);
    expect(await store.find(lookupKey)).not.toBeNull();
    clock.advance(1);
    expect(await store.find(lookupKey)).toBeNull();
  });

  test("that has leaked is ended with its like, forgotten by this isolate at once, and named", async () => {
    const { store, makeStore, tenant, lookupKey } = await prepare();
    const other = await prepare();
    await store.find(lookupKey);
    const unknown = randomLookupKey();
    for (let time = 0; time < 2; time++) {
      expect(await store.revokeLeaked([lookupKey, unknown])).toEqual([
        { lookupKey, id: expect.stringMatching(/^[0-9a-f-]{36}$/), organizationId: tenant.id },
      ]);
    }
    expect(await store.find(lookupKey)).toBeNull();
    expect(await makeStore().find(lookupKey)).toBeNull();
    expect(await makeStore().find(other.lookupKey)).not.toBeNull();
  });

  test("that was narrowed has lost the scope after half a minute at the latest", async () => {
    const { store, lookupKey, clock, change } = await prepare();
    await store.find(lookupKey);
    await change("scopes = 'members:read'");
    clock.advance(30_000);
    expect([...((await store.find(lookupKey))?.scopes ?? [])]).toEqual(["members:read"]);
  });

  test("expires to the millisecond, remembered or not", async () => {
    const expiresAt = fakeClock().now() + 10_000;
    const { store, makeStore, lookupKey, clock } = await prepare({ expires_at: expiresAt });
    clock.advance(9_999);
    expect(await store.find(lookupKey)).not.toBeNull();
    clock.advance(1);
    expect(await store.find(lookupKey)).toBeNull();
    expect(await makeStore().find(lookupKey)).toBeNull();
  });

  test("of a deleted organization is refused", async () => {
    const { store, tenant, lookupKey, clock } = await prepare();
    await markDeleted("organizations", tenant.id, clock);
    expect(await store.find(lookupKey)).toBeNull();
  });

  test("that is not known is asked for again each time: one made a moment later works at once", async () => {
    const { store, db } = await prepare();
    const unknown = randomLookupKey();
    expect(await store.find(unknown)).toBeNull();
    expect(await store.find(unknown)).toBeNull();
    expect(db.count()).toBe(2);
  });

  test("works on within its half minute while D1 is away, and is unavailable, not refused, after that", async () => {
    const { store, makeStore, lookupKey, clock, db } = await prepare();
    await store.find(lookupKey);
    db.fail("any");
    clock.advance(29_999);
    expect(await store.find(lookupKey)).not.toBeNull();
    await expect(makeStore().find(lookupKey)).rejects.toMatchObject(UNAVAILABLE);
    clock.advance(1);
    await expect(store.find(lookupKey)).rejects.toMatchObject(UNAVAILABLE);
  });
});
