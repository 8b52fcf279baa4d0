/** Every route while D1 or KV is away, or something fails that nobody foresaw: 503 or 500, and never "signed out". */

import { describe, expect, test } from "vitest";
import { makeClient } from "../support/client.ts";
import { makeFaultyClient } from "../support/portal.ts";
import { dialectOf } from "./dialects.ts";
import { expectRefusal } from "./refusal.ts";
import { anonymousStatus, isPage, makeWorld, methodOf, ROUTES, type Route, send, stateOfD1 } from "./routes.ts";

async function expectOutage(response: Response, route: Route): Promise<void> {
  await expectRefusal(response, route, [503]);
  expect(response.headers.get("Retry-After")).toBe("5");
}

const CANARY = "SECRET-CANARY";
const throwing = () => {
  throw new Error(CANARY);
};

describe.each(ROUTES)("$route", (route) => {
  test("answers 503 while D1 and KV are away, stores nothing, and works again when they are back", async () => {
    const world = await makeWorld(route);
    const { client, db, kv } = makeFaultyClient(world.client.clock);
    const before = await stateOfD1();
    db.fail("any");
    kv.fail("any");
    const response = await send(route, world, { client });
    if (route.survives === "D1 and KV") expect(response.status).toBe(route.ok);
    else await expectOutage(response, route);
    expect(await stateOfD1()).toEqual(before);
    db.heal();
    kv.heal();
    expect((await send(route, world, { client })).status).toBe(route.ok);
  });

  test("answers 503 while D1 is away, even when the caller is still known to this isolate", async () => {
    const world = await makeWorld(route);
    const { client, db, kv } = makeFaultyClient(world.client.clock);
    await client.call("GET", `/v1/customers/${crypto.randomUUID()}`, world.tenant.apiKey);
    const before = await stateOfD1();
    db.fail("any");
    const response = await send(route, world, { client });
    // What lives by KV alone goes on working within the lease.
    if (route.survives !== undefined) expect(response.status).toBe(route.ok);
    else await expectOutage(response, route);
    await client.settle();
    expect(kv.count("put")).toBe(0);
    expect(await stateOfD1()).toEqual(before);
  });

  test("works while KV is away", async () => {
    const world = await makeWorld(route);
    const { client, kv } = makeFaultyClient(world.client.clock);
    kv.fail("any");
    expect((await send(route, world, { client })).status).toBe(route.ok);
  });

  test("shows nothing of an error that a binding throws", async () => {
    const world = await makeWorld(route);
    const broken = { prepare: throwing, batch: throwing, get: throwing, put: throwing, delete: throwing };
    const client = makeClient(
      { DB: broken as unknown as D1Database, SESSIONS: broken as unknown as KVNamespace },
      world.client.clock,
    );
    const response = await send(route, world, { client });
    if (route.survives === "D1 and KV") return expect(response.status).toBe(route.ok);
    await expectOutage(response, route);
    expect(client.logged.map(({ event }) => event)).toContain("request_failed");
    return undefined;
  });

  test("answers an error that nobody foresaw with 500, shows nothing of it, and logs it once", async () => {
    const world = await makeWorld(route);
    const client = makeClient({}, { now: throwing, advance() {} });
    const before = await stateOfD1();
    const body = await expectRefusal(await send(route, world, { client }), route, [500]);
    if (!isPage(route)) expect(body).toMatchObject(dialectOf(route).unforeseen);
    expect(client.logged.map(({ event }) => event)).toEqual(["request_failed"]);
    expect(client.logged[0]?.fields).toMatchObject({ method: methodOf(route), error: { message: CANARY } });
    expect(await stateOfD1()).toEqual(before);
  });

  test("tells nobody without a credential about an outage that they do not meet", async () => {
    const world = await makeWorld(route);
    const { client, db, kv } = makeFaultyClient(world.client.clock);
    db.fail("any");
    kv.fail("any");
    const response = await send(route, world, { client, credential: null });
    if (isPage(route)) expect([303, 503]).toContain(response.status);
    else if (route.guard === "public") expect(response.status).toBe(route.ok);
    else if (route.guard === "anybody") await expectOutage(response, route);
    else await expectRefusal(response, route, [anonymousStatus(route)]);
    const forged = await send(route, world, { client, credential: `lk_mst_t${"A".repeat(56)}` });
    if (route.guard === "public") expect(forged.status).toBe(route.ok);
    else if (!isPage(route)) await expectRefusal(forged, route, [401]);
    expect(response.headers.has("Set-Cookie")).toBe(false);
  });
});

test("every route answers within ten seconds when D1 does not answer at all", { timeout: 20_000 }, async () => {
  const asking = ROUTES.filter(({ survives }) => survives !== "D1 and KV");
  const worlds = await Promise.all(asking.map(async (route) => ({ route, world: await makeWorld(route) })));
  const asked = worlds.map(async ({ route, world }) => {
    const { client, db, kv } = makeFaultyClient(world.client.clock);
    db.hang("any");
    kv.hang("any");
    await expectOutage(await send(route, world, { client }), route);
  });
  const startedAt = performance.now();
  await Promise.all(asked);
  expect(performance.now() - startedAt).toBeLessThan(10_000);
});
