/** Contract §2.7: who is counted as whom, what the answer is when they have had their calls, and what it costs. */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { toBase64Url } from "../../src/crypto/bytes.ts";
import { makeClient } from "../support/client.ts";
import { makeApiKey, makeTenant } from "../support/fixtures.ts";
import { type CountingLimiter, counting, failing, type Limiters, someAddress, statuses } from "../support/limiters.ts";
import { makeCustomerLink, makeFaultyClient, makeLink } from "../support/portal.ts";
import { INVALID_TOKEN, json } from "./support.ts";

const INTROSPECT = "/v1/customer-portal/customer-session/introspect";
const USER = "/v1/customer-portal/customer-session/user";
const LIST = "/v1/member-sessions/";

const forgery = () => `lk_mst_t${toBase64Url(crypto.getRandomValues(new Uint8Array(42)))}`;
const at = (address: string) => ({ "CF-Connecting-IP": address });

async function expectTooMany(response: Response): Promise<void> {
  expect(response.status, await response.clone().text()).toBe(429);
  expect(await response.text()).toBe("");
  expect(response.headers.get("Retry-After")).toBe("60");
}

/** A tenant, and a client whose own calls nobody counts. */
async function makeScene(settings: Record<string, number> = {}) {
  return { tenant: await makeTenant(settings), maker: makeClient() };
}

describe("a caller who has had its calls", () => {
  test("is answered 429: an empty body without a type, Retry-After in seconds, CORS and version, no Cache-Control", async () => {
    const { tenant } = await makeScene();
    const client = makeClient(counting(1));
    await json(await client.call("GET", LIST, tenant.apiKey), 200);
    const response = await client.call("GET", LIST, tenant.apiKey, undefined, { "Polar-Version": "2026-04" });
    await expectTooMany(response);
    const { headers } = response;
    expect([...headers.keys()].toSorted()).toEqual([
      "access-control-allow-origin",
      "access-control-expose-headers",
      "polar-version",
      "retry-after",
    ]);
    expect(headers.get("Polar-Version")).toBe("2026-04");
    expect(headers.get("Access-Control-Allow-Origin")).toBe("*");
  });

  test("is told so before its body is parsed, and before anything is asked of D1 or KV", async () => {
    const { tenant, maker } = await makeScene();
    const { token } = await makeLink(maker, tenant);
    const { client, db, kv } = makeFaultyClient(maker.clock, counting(0));
    await expectTooMany(await client.call("POST", LIST, tenant.apiKey, "{"));
    await expectTooMany(await client.call("POST", LIST, null, "{"));
    await expectTooMany(await client.call("GET", USER, token));
    await expectTooMany(await client.call("GET", INTROSPECT, token, undefined, { "Session-Consistency": "strict" }));
    await expectTooMany(await client.call("GET", LIST, "junk"));
    expect([db.count(), kv.count()]).toEqual([0, 0]);
  });

  test("is told so on unknown paths, too, and by the old prefix", async () => {
    const client = makeClient(counting(0));
    await expectTooMany(await client.call("GET", "/v1/nothing", null));
    await expectTooMany(await client.call("GET", "/v1/member-sessions", null));
    await expectTooMany(await client.call("GET", `/api${LIST}`, null));
  });

  test("may still ask what it may do from a browser", async () => {
    const headers = { "Access-Control-Request-Method": "GET" };
    expect((await makeClient(counting(0)).fetch(LIST, { method: "OPTIONS", headers })).status).toBe(204);
  });
});

describe("an API key", () => {
  test("has calls of its own, wherever they come from, and however many its organization's other keys make", async () => {
    const { tenant } = await makeScene();
    const client = makeClient(counting(2));
    const another = await makeApiKey(tenant.id);
    const call = (key: string) => client.call("GET", LIST, key);
    expect(await statuses(3, () => call(tenant.apiKey))).toEqual([200, 200, 429]);
    expect(await statuses(3, () => call(another))).toEqual([200, 200, 429]);
  });

  test("is not hindered by what strangers do from the same address", async () => {
    const { tenant } = await makeScene();
    const client = makeClient(counting(1));
    const from = at(someAddress());
    const call = (key: string | null) => client.call("GET", LIST, key, undefined, from);
    expect(await statuses(2, () => call(null))).toEqual([401, 429]);
    expect((await call(tenant.apiKey)).status).toBe(200);
  });
});

test("a client of the OAuth endpoints is counted for its secret, and for its address only without one", async () => {
  const { tenant } = await makeScene();
  const client = makeClient(counting(2));
  const from = at(someAddress());
  const introspect = (form: Record<string, string>) =>
    client.fetch("/v1/oauth2/introspect", {
      method: "POST",
      headers: { ...from, "Content-Type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ token: "x", client_id: tenant.id, ...form }).toString(),
    });
  expect(await statuses(3, () => introspect({ client_secret: tenant.apiKey }))).toEqual([200, 200, 429]);
  expect((await introspect({ client_secret: forgery() })).status).toBe(401);
  expect((await introspect({})).status).toBe(401);
  for (const form of [{ client_secret: forgery() }, {}] as Record<string, string>[]) {
    await expectTooMany(await introspect(form));
  }
});

describe("the holder of a session", () => {
  test("is counted over all sessions of the member, at the edge and strictly", async () => {
    const { tenant, maker } = await makeScene();
    const [first, second] = [await makeLink(maker, tenant), await makeLink(maker, tenant)];
    const other = await makeLink(maker, tenant, tenant.team.owner);
    const client = makeClient(counting(2), maker.clock);
    expect((await client.call("GET", INTROSPECT, first.token)).status).toBe(200);
    expect((await client.call("GET", USER, second.token)).status).toBe(200);
    await expectTooMany(await client.call("GET", INTROSPECT, first.token));
    await expectTooMany(await client.call("GET", USER, second.token));
    expect((await client.call("GET", INTROSPECT, other.token)).status).toBe(200);
  });

  test("of a customer session is the customer", async () => {
    const { tenant, maker } = await makeScene({ member_model_enabled: 0 });
    const [first, second] = [await makeCustomerLink(maker, tenant), await makeCustomerLink(maker, tenant)];
    const client = makeClient(counting(1), maker.clock);
    expect((await client.call("GET", INTROSPECT, first.token)).status).toBe(200);
    await expectTooMany(await client.call("GET", INTROSPECT, second.token));
  });

  test("costs an edge check one count and nothing else that it did not cost before", async () => {
    const { tenant, maker } = await makeScene();
    const { token } = await makeLink(maker, tenant);
    await maker.settle();
    const limiters = counting(100);
    const { client, db, kv } = makeFaultyClient(maker.clock, limiters);
    expect(await statuses(3, () => client.call("GET", INTROSPECT, token))).toEqual([200, 200, 200]);
    expect([db.count(), kv.count()]).toEqual([0, 1]);
    expect(keysOf(limiters)).toEqual(Array(3).fill(tenant.team.member.id));
  });

  test("that floods a strict route reads no more of D1 than it has calls", async () => {
    const { tenant, maker } = await makeScene();
    const { token } = await makeLink(maker, tenant);
    const { client, db } = makeFaultyClient(maker.clock, counting(3));
    await statuses(50, () => client.call("GET", USER, token));
    await client.settle();
    expect(db.count("read")).toBe(3);
  });

  test("is not named to the limiter by anything that could be presented", async () => {
    const { tenant, maker } = await makeScene();
    const { token } = await makeLink(maker, tenant);
    const limiters = counting(100);
    const client = makeClient(limiters, maker.clock);
    for (const presented of [token, tenant.apiKey, forgery(), "junk"]) await client.call("GET", USER, presented);
    const keys = keysOf(limiters).join();
    for (const presented of [token, tenant.apiKey, "junk"]) expect(keys).not.toContain(presented.slice(-20));
  });
});

describe("whoever shows no live credential", () => {
  test("is counted by address, so that invented tokens share one allowance, at no cost in D1 or KV", async () => {
    const { client, db, kv } = makeFaultyClient(undefined, counting(20));
    const from = at(someAddress());
    const invented = [forgery, () => `lk_oat_t${"A".repeat(56)}`, () => crypto.randomUUID(), () => "polar_mst_x"];
    let calls = 0;
    const call = (path: string) => client.call("GET", path, invented[calls++ % 4]?.() ?? null, undefined, from);
    for (const path of [INTROSPECT, USER, LIST, "/v1/nothing"]) {
      expect(await statuses(5, () => call(path))).toEqual(Array(5).fill(401));
    }
    for (const path of [INTROSPECT, USER, LIST, "/v1/nothing"]) await expectTooMany(await call(path));
    await expectTooMany(await client.call("GET", "/v1/nothing", null, undefined, from));
    expect((await client.call("GET", LIST, null)).status, "from elsewhere").toBe(401);
    expect([db.count(), kv.count()]).toEqual([0, 0]);
  });

  test("is counted by address with tokens that have died, whichever of them it shows", async () => {
    const { tenant, maker } = await makeScene();
    const dead = [
      await makeApiKey(tenant.id, [], { revoked_at: 1 }),
      await makeApiKey(tenant.id, [], { expires_at: 1 }),
    ];
    for (let i = 0; i < 3; i++) {
      const { token, sessionId } = await makeLink(maker, tenant);
      expect((await maker.call("DELETE", `${LIST}${sessionId}`, tenant.apiKey)).status).toBe(204);
      dead.push(token);
    }
    const client = makeClient(counting(5), maker.clock);
    const from = at(someAddress());
    for (const [index, path] of [LIST, USER, INTROSPECT, "/v1/nothing", LIST].entries()) {
      const response = await client.call("GET", path, dead[index] as string, undefined, from);
      expect([response.status, await response.text()]).toEqual([401, INVALID_TOKEN]);
    }
    for (const token of dead) await expectTooMany(await client.call("GET", USER, token, undefined, from));
  });

  test("is the same caller at every address of an IPv6 /64, and another in the next one", async () => {
    const client = makeClient(counting(1));
    const call = (address: string) => client.call("GET", "/v1/nothing", null, undefined, at(address));
    expect((await call("2001:db8:7:1::1")).status).toBe(404);
    for (const same of ["2001:db8:7:1::2", "2001:DB8:7:1:ffff::", "2001:0db8:0007:0001:0:0:0:1"]) {
      await expectTooMany(await call(same));
    }
    expect((await call("2001:db8:7:2::1")).status).toBe(404);
  });

  test("gets no new allowance by a header that anybody can write", async () => {
    const client = makeClient(counting(1));
    const from = at("203.0.113.9");
    const call = (name: string, value: string) =>
      client.call("GET", "/v1/nothing", null, undefined, { ...from, [name]: value });
    expect((await call("X-Forwarded-For", "198.51.100.1")).status).toBe(404);
    for (const name of ["X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "X-Client-IP"]) {
      await expectTooMany(await call(name, "198.51.100.2"));
    }
  });

  test("is counted even without an address: all of those share one allowance", async () => {
    const client = makeClient(counting(1));
    const call = (address: string) => client.call("GET", "/v1/nothing", null, undefined, at(address));
    expect((await call("")).status).toBe(404);
    for (const none of ["", "unknown", "not an address"]) await expectTooMany(await call(none));
  });
});

describe("a limiter that is out of order", () => {
  const broken: [string, RateLimit["limit"]][] = [
    ["rejects", () => Promise.reject(new Error("limiter away"))],
    [
      "throws",
      () => {
        throw new Error("limiter away");
      },
    ],
    ["hangs", () => new Promise(() => {})],
  ];

  test.each(broken)("and %s lets every caller pass, soon, and is reported", async (_, limit) => {
    const { tenant, maker } = await makeScene();
    const { token } = await makeLink(maker, tenant);
    const client = makeClient(failing(limit), maker.clock);
    const startedAt = performance.now();
    expect((await client.call("GET", LIST, tenant.apiKey)).status).toBe(200);
    expect((await client.call("GET", USER, token)).status).toBe(200);
    expect((await client.call("GET", LIST, null)).status).toBe(401);
    expect(performance.now() - startedAt).toBeLessThan(4000);
    expect(client.logged.map(({ level, event, fields }) => [level, event, fields["limited"]])).toEqual([
      ["warn", "rate_limit_failed", "apiKeys"],
      ["warn", "rate_limit_failed", "holders"],
      ["warn", "rate_limit_failed", "holders"],
      ["warn", "rate_limit_failed", "addresses"],
    ]);
  });
});

/** In simulation; its windows are the minutes of the real clock. */
test("the runtime's own limiter, as wrangler.toml sets it up, lets 500 of an address's calls pass in a minute", async () => {
  const { ADDRESS_LIMIT } = env;
  const client = makeClient({ ADDRESS_LIMIT });
  const from = at(someAddress());
  const call = () => client.call("GET", "/v1/nothing", null, undefined, from);
  const seen = await inTens(50, call);
  expect(new Set(seen)).toEqual(new Set([404]));
  // Should a new minute have begun since, it takes 500 more to come to its end.
  const more = await inTens(51, call);
  expect(new Set(more)).toContain(429);
  expect(client.logged).toEqual([]);
});

async function inTens(tens: number, call: () => Promise<Response>): Promise<number[]> {
  const seen: number[] = [];
  for (let i = 0; i < tens; i++) {
    const responses = await Promise.all(Array.from({ length: 10 }, call));
    seen.push(...responses.map(({ status }) => status));
  }
  return seen;
}

const keysOf = (limiters: Record<keyof Limiters, CountingLimiter>) =>
  Object.values(limiters).flatMap(({ keys }) => keys);
