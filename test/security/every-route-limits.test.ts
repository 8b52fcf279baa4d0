/** Every route for a caller who has made too many calls: 429, and nothing is read or stored for it. */

import { describe, expect, test } from "vitest";
import { counting, failing } from "../support/limiters.ts";
import { makeFaultyClient } from "../support/portal.ts";
import { dialectOf } from "./dialects.ts";
import { makeWorld, ROUTES, type Route, send, stateOfD1 } from "./routes.ts";

async function expectTooMany(response: Response, route: Route): Promise<void> {
  expect(response.status, await response.clone().text()).toBe(429);
  expect(response.headers.get("Retry-After")).toBe("60");
  expect(response.headers.has("Set-Cookie")).toBe(false);
  dialectOf(route).expectTooMany(response, await response.text());
}

const limited = ROUTES.filter(({ unlimited }) => unlimited === undefined);

describe.each(limited)("$route", (route) => {
  test.each([
    ["whoever may", undefined],
    ["nobody", null],
    ["a forger", `lk_mst_t${"A".repeat(56)}`],
  ])("refuses %s who has had all calls, before D1 is asked", async (_, credential) => {
    const world = await makeWorld(route);
    const { client, db, kv } = makeFaultyClient(world.client.clock, counting(0));
    const before = await stateOfD1();
    await expectTooMany(await send(route, world, { client, ...(credential !== undefined && { credential }) }), route);
    expect(db.count()).toBe(0);
    // At the edge a session is counted for its holder, whom KV has to name first.
    expect(kv.count()).toBeLessThanOrEqual(credential === undefined ? 1 : 0);
    expect(await stateOfD1()).toEqual(before);
  });

  test("works while the limiters are away", async () => {
    const world = await makeWorld(route);
    const { client } = makeFaultyClient(
      world.client.clock,
      failing(() => Promise.reject(new Error("limiter away"))),
    );
    expect((await send(route, world, { client })).status).toBe(route.ok);
    expect(client.logged.map(({ event }) => event)).toContain("rate_limit_failed");
  });
});
