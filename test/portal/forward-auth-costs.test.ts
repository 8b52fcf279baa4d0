/** What a forward-auth answer costs in KV and D1, and what is left of it when they are away. */

import { expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { fakeClock } from "../support/clock.ts";
import { credentials, makeTenant, type Tenant } from "../support/fixtures.ts";
import { cookieWith, isRevoked, makeFaultyClient, makeLink } from "../support/portal.ts";

const ask = (client: Client, tenant: Tenant, token: string, headers: Record<string, string> = {}) =>
  client.fetch(`/v1/forward-auth?organization=${tenant.slug}`, { headers: { Cookie: cookieWith(token), ...headers } });

/** A session whose record is in KV, met by an isolate that has not seen it. */
async function makeKnownSession() {
  const tenant = await makeTenant();
  const clock = fakeClock();
  const maker = makeClient({}, clock);
  const link = await makeLink(maker, tenant);
  await maker.settle();
  return { tenant, link, maker, ...makeFaultyClient(clock) };
}

test("a session known to KV costs one KV read and no D1, and for the next five seconds nothing", async () => {
  const { tenant, link, client, kv, db, clock } = await makeKnownSession();
  const costs = () => [kv.count("get"), kv.count("put"), db.count()];
  expect((await ask(client, tenant, link.token)).status).toBe(204);
  await client.settle();
  expect(costs()).toEqual([1, 0, 0]);
  for (const elapsed of [0, 1000, 3999]) {
    clock.advance(elapsed);
    expect((await ask(client, tenant, link.token)).status).toBe(204);
  }
  await client.settle();
  expect(costs()).toEqual([1, 0, 0]);
  clock.advance(1);
  expect((await ask(client, tenant, link.token)).status).toBe(204);
  expect(costs()).toEqual([2, 0, 0]);
});

test("a session unknown to KV costs one D1 read, and is then known to KV", async () => {
  const tenant = await makeTenant();
  const { client, kv, clock } = makeFaultyClient();
  kv.fail("put");
  const link = await makeLink(client, tenant);
  const [first, second] = [makeFaultyClient(clock), makeFaultyClient(clock)];
  expect((await ask(first.client, tenant, link.token)).status).toBe(204);
  await first.client.settle();
  expect([first.kv.count("get"), first.db.count("read"), first.kv.count("put")]).toEqual([1, 1, 1]);
  expect((await ask(second.client, tenant, link.token)).status).toBe(204);
  expect([second.kv.count("get"), second.db.count()]).toEqual([1, 0]);
});

test("a forged token costs nothing at all, however often it is tried", async () => {
  const { tenant, link, client, kv, db } = await makeKnownSession();
  const forgeries = Array.from({ length: link.token.length }, (_, at) => flip(link.token, at));
  for (const token of [...forgeries, `lk_mst_t${"A".repeat(56)}`, "chosen", "x".repeat(100_000)]) {
    expect((await ask(client, tenant, token)).status, token.slice(0, 80)).toBe(401);
  }
  expect([kv.count(), db.count()]).toEqual([0, 0]);
});

test("a dead token is asked about once in five seconds", async () => {
  const { tenant, client, kv, db } = await makeKnownSession();
  const { token } = await credentials.mint("mst");
  for (let time = 0; time < 10; time++) expect((await ask(client, tenant, token)).status).toBe(401);
  expect([kv.count("get"), db.count()]).toEqual([1, 1]);
});

test("with D1 away a session within its lease still works, up to the lease and no longer", async () => {
  const { tenant, link, client, db, clock } = await makeKnownSession();
  db.fail("any");
  expect((await ask(client, tenant, link.token)).status).toBe(204);
  clock.advance(239_999);
  expect((await ask(client, tenant, link.token)).status).toBe(204);
  clock.advance(60_001);
  await expectOutage(ask(client, tenant, link.token));
});

test("with D1 away a session that KV does not know is an outage, not a signed-out member", async () => {
  const tenant = await makeTenant();
  const { client, kv, clock } = makeFaultyClient();
  kv.fail("put");
  const link = await makeLink(client, tenant);
  const other = makeFaultyClient(clock);
  other.db.fail("any");
  await expectOutage(ask(other.client, tenant, link.token));
  await expectOutage(ask(other.client, tenant, (await credentials.mint("mst")).token));
  other.db.heal();
  expect((await ask(other.client, tenant, link.token)).status).toBe(204);
});

test("with KV away the answer comes from D1", async () => {
  const { tenant, link, client, kv, db } = await makeKnownSession();
  kv.fail("any");
  expect((await ask(client, tenant, link.token)).status).toBe(204);
  expect(db.count("read")).toBe(1);
});

test("with both away it is an outage", async () => {
  const { tenant, link, client, kv, db } = await makeKnownSession();
  kv.fail("any");
  db.fail("any");
  await expectOutage(ask(client, tenant, link.token));
});

test("a KV that does not answer is waited for a quarter of a second, not longer", async () => {
  const { tenant, link, client, kv } = await makeKnownSession();
  kv.hang("get");
  const startedAt = performance.now();
  expect((await ask(client, tenant, link.token)).status).toBe(204);
  expect(performance.now() - startedAt).toBeLessThan(2000);
  kv.heal();
});

test("Session-Consistency: strict asks D1 alone and refuses a revoked session at once, where the edge may not yet", async () => {
  const { tenant, link, maker, client, kv, db } = await makeKnownSession();
  expect((await ask(client, tenant, link.token)).status).toBe(204);
  await maker.call("DELETE", `/v1/member-sessions/${link.sessionId}`, tenant.apiKey);
  expect(await isRevoked(link.sessionId)).toBe(true);
  const reads = kv.count("get");
  expect((await ask(client, tenant, link.token)).status).toBe(204);
  expect((await ask(client, tenant, link.token, { "Session-Consistency": "strict" })).status).toBe(401);
  expect(kv.count("get")).toBe(reads);
  expect(db.count("read")).toBe(1);
  expect((await ask(client, tenant, link.token)).status).toBe(401);
});

test("a strict check needs D1 and says so when it is away", async () => {
  const { tenant, link, client, db } = await makeKnownSession();
  db.fail("any");
  await expectOutage(ask(client, tenant, link.token, { "Session-Consistency": "strict" }));
  expect((await ask(client, tenant, link.token, { "Session-Consistency": "eventual" })).status).toBe(204);
});

test("an error that nobody foresaw is a 500 that shows nothing of itself", async () => {
  const { tenant, link, clock } = await makeKnownSession();
  const broken = makeClient(
    {},
    {
      ...clock,
      now: () => {
        throw new Error("SECRET-CANARY");
      },
    },
  );
  const response = await ask(broken, tenant, link.token);
  expect(response.status).toBe(500);
  expect(await response.json()).toEqual({ error: "InternalServerError", detail: "Internal Server Error" });
  expect(response.headers.has("Set-Cookie")).toBe(false);
});

function flip(token: string, at: number): string {
  return token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
}

async function expectOutage(asked: Promise<Response>): Promise<void> {
  const response = await asked;
  expect(response.status).toBe(503);
  expect(response.headers.get("Retry-After")).toBe("5");
  expect(response.headers.get("Cache-Control")).toBe("private, no-store");
  expect(response.headers.has("Set-Cookie")).toBe(false);
  expect(await response.json()).toEqual({
    error: "ServiceUnavailable",
    detail: "The service cannot answer right now.",
  });
}
