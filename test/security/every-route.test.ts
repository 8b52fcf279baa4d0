/** Every route against every credential that is not the right one: refused in its own dialect, and nothing stored. */

import { describe, expect, test } from "vitest";
import { buildApp } from "../../src/app.ts";
import { SCOPES } from "../../src/core/api-keys.ts";
import { jwtOf } from "../stytch/support.ts";
import { makeClient } from "../support/client.ts";
import { fakeClock } from "../support/clock.ts";
import { credentials, makeApiKey } from "../support/fixtures.ts";
import { letImpersonate } from "../support/impersonation.ts";
import { makeLink, update } from "../support/portal.ts";
import { publishedKeys } from "../support/scanner.ts";
import { dialectOf } from "./dialects.ts";
import { expectRefusal, expectUnfit } from "./refusal.ts";
import {
  API_ROUTES,
  anonymousStatus,
  GUARDED_ROUTES,
  LAYERS,
  makeWorld,
  OPEN_ROUTES,
  PUBLIC_ROUTES,
  ROUTES,
  type Route,
  rightful,
  send,
  stateOfD1,
  type World,
} from "./routes.ts";

test("the table of this sweep names every route of the application, and no other", () => {
  const log = { info() {}, warn() {}, error() {} };
  const app = buildApp({ clock: fakeClock(), log, fetch: publishedKeys });
  const registered = new Set(app.routes.map(({ method, path }) => `${method} ${path}`));
  expect([...registered].toSorted()).toEqual([...ROUTES.map(({ route }) => route), ...LAYERS].toSorted());
});

test.each(ROUTES)("$route serves whoever may call it, and no cache keeps the answer", async (route) => {
  const world = await makeWorld(route);
  const response = await send(route, world);
  const text = await response.text();
  expect(response.status, text).toBe(route.ok);
  expect(response.headers.get("Cache-Control")).toBe(route.cacheControl ?? "private, no-store");
  dialectOf(route).expectServed(response, text, route);
});

const forged = (kind: string) => `lk_${kind}_t${"A".repeat(56)}`;

/** What proves nothing to anybody: each must be refused by every route of the API. */
const WORTHLESS: [string, (world: World) => Promise<string | null> | string | null][] = [
  ["no credential", () => null],
  ["an empty one", () => ""],
  ["a forged API key", () => forged("oat")],
  ["a forged session token", () => forged("mst")],
  ["an API key that was never issued", async () => (await credentials.mint("oat")).token],
  ["a session token that was never issued", async () => (await credentials.mint("mst")).token],
  ["an expired API key", ({ tenant, client }) => makeApiKey(tenant.id, SCOPES, { expires_at: client.clock.now() })],
  ["a revoked API key", ({ tenant }) => makeApiKey(tenant.id, SCOPES, { revoked_at: 1 })],
  [
    "a revoked session",
    async ({ client, tenant }) => {
      const { token, sessionId } = await makeLink(client, tenant);
      await client.call("DELETE", `/v1/member-sessions/${sessionId}`, tenant.apiKey);
      await client.settle();
      return token;
    },
  ],
  ["a live portal code", ({ session }) => session.code],
  ["an operator's leave to sign in", ({ tenant }) => letImpersonate(tenant.id, tenant.team.member.id)],
  ["a JWT of a live session", ({ client, tenant, session }) => jwtOf(client, tenant, session.token)],
  ["a token of another system", () => "eyJhbGciOiJub25lIn0.e30."],
  ["two credentials", ({ tenant, session }) => `${tenant.apiKey}, Bearer ${session.token}`],
];

/** Refusals change nothing, so one world serves them all. */
const worlds = new Map<Route, Promise<World>>();
function sharedWorld(route: Route): Promise<World> {
  const known = worlds.get(route) ?? makeWorld(route);
  worlds.set(route, known);
  return known;
}

describe.each(GUARDED_ROUTES)("$route", (route: Route) => {
  test.each(WORTHLESS)("refuses %s with 401 and stores nothing", async (_, credentialOf) => {
    const world = await sharedWorld(route);
    const credential = await credentialOf(world);
    const before = await stateOfD1();
    for (const prefix of ["", "/api"]) {
      const path = prefix + route.path(world);
      const response = await send(route, world, { credential, path, headers: { "Session-Consistency": "strict" } });
      await expectRefusal(response, route, [401, anonymousStatus(route)]);
      const challenge = response.headers.get("WWW-Authenticate") ?? "";
      if (response.status === 401) expect(challenge).toMatch(dialectOf(route).challenge);
    }
    expect(await stateOfD1()).toEqual(before);
  });

  test("refuses the right credential presented in the wrong way", async () => {
    const world = await sharedWorld(route);
    const credential = rightful(route, world);
    const before = await stateOfD1();
    const path = route.path(world);
    const parameters = ["access_token", "token", "secret"].map((name) => `${name}=${credential}`).join("&");
    const query = `${path}${path.includes("?") ? "&" : "?"}${parameters}`;
    for (const headers of dialectOf(route).misshow(credential, world)) {
      const response = await send(route, world, { credential: null, path: query, headers });
      await expectRefusal(response, route, [401, anonymousStatus(route)]);
    }
    expect(await stateOfD1()).toEqual(before);
  });
});

describe.each(PUBLIC_ROUTES)("$route, which is public", (route) => {
  test.each(WORTHLESS)("serves whoever brings %s", async (_, credentialOf) => {
    const world = await sharedWorld(route);
    const response = await send(route, world, { credential: await credentialOf(world) });
    const text = await response.text();
    expect(response.status, text).toBe(route.ok);
    dialectOf(route).expectServed(response, text, route);
  });
});

/** What is no bearer token at all, and so says nothing about who is calling. */
const NO_TOKEN = ["no credential", "an empty one", "two credentials"];

describe.each(OPEN_ROUTES)("$route, for everybody", (route) => {
  test.each(WORTHLESS)(
    "serves whoever brings nothing, and nobody who brings what is dead: %s",
    async (name, credentialOf) => {
      const world = await makeWorld(route);
      const credential = await credentialOf(world);
      const before = await stateOfD1();
      const response = await send(route, world, { credential });
      if (NO_TOKEN.includes(name)) return expect(response.status).toBe(route.ok);
      await expectRefusal(response, route, [401]);
      expect(await stateOfD1()).toEqual(before);
      return undefined;
    },
  );
});

test.each(WORTHLESS)("the portal page does not sign in by %s in its cookie", async (_, credentialOf) => {
  const route = ROUTES.find(({ route }) => route === "GET /:slug/portal") as Route;
  const world = await sharedWorld(route);
  const credential = await credentialOf(world);
  const before = await stateOfD1();
  await expectRefusal(await send(route, world, { credential }), route, [401]);
  expect(await stateOfD1()).toEqual(before);
});

/** The same world with ids, names and codes that exist nowhere; `named` puts the real ones back into a text. */
async function ghostsOf(world: World): Promise<{ world: World; named(text: string): string }> {
  const ghosts = new Map([
    [world.session.code, (await credentials.mint("code")).token],
    [world.session.token, (await credentials.mint("mst")).token],
    ...(world.jwt === "" ? [] : ([[world.jwt, (await makeWorld({ jwt: true })).jwt]] as const)),
  ]);
  const text = JSON.stringify({ tenant: world.tenant, session: world.session, jwt: world.jwt });
  for (const [id] of text.matchAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g)) ghosts.set(id, crypto.randomUUID());
  for (const [id] of text.matchAll(/(ext|team|solo)-[0-9a-z-]+(?=")/g)) ghosts.set(id, `x-${crypto.randomUUID()}`);
  const replaced = [...ghosts].reduce((result, [real, ghost]) => result.replaceAll(real, ghost), text);
  return {
    world: { ...world, ...(JSON.parse(replaced) as Pick<World, "tenant" | "session" | "jwt">) },
    named: (answer) => [...ghosts].reduce((result, [real, ghost]) => result.replaceAll(ghost, real), answer),
  };
}

const ofBackends = API_ROUTES.filter(({ guard }) => guard === "api key");
const ofHolders = API_ROUTES.filter(({ guard }) => guard === "session");

describe.each(ofBackends)("$route, for backends", (route) => {
  test("does not take a live session for an API key, nor the portal's cookie", async () => {
    const world = await makeWorld(route);
    const before = await stateOfD1();
    const asBearer = await send(route, world, { credential: world.session.token });
    expect(await expectRefusal(asBearer, route, [401])).toMatchObject(dialectOf(route).nobody);
    const headers = { Cookie: `__Host-lk_session=${world.session.token}` };
    await expectRefusal(await send(route, world, { credential: null, headers }), route, [401]);
    expect(await stateOfD1()).toEqual(before);
  });

  test("refuses an API key without one of its scopes with 403, and names them", async () => {
    const world = await makeWorld(route);
    const before = await stateOfD1();
    const refused = await send(route, world, { credential: await makeApiKey(world.tenant.id, []) });
    await expectRefusal(refused, route, [403]);
    const named = dialectOf(route).wantedScopes(refused, route);
    expect(named.length).toBeGreaterThan(0);
    const others = SCOPES.filter((scope) => !named.includes(scope));
    await expectRefusal(
      await send(route, world, { credential: await makeApiKey(world.tenant.id, others) }),
      route,
      [403],
    );
    expect({ ...(await stateOfD1()), api_keys: 0 }).toEqual({ ...before, api_keys: 0 });
    for (const scope of named) {
      const fresh = await makeWorld(route);
      const served = await send(route, fresh, { credential: await makeApiKey(fresh.tenant.id, [scope]) });
      expect(served.status).toBe(route.ok);
    }
  });

  test("answers another organization's API key as if what it names did not exist, and does nothing to it", async () => {
    const world = await makeWorld(route);
    const ghosts = await ghostsOf(world);
    const before = await stateOfD1();
    const credential = world.other.apiKey;
    const response = await send(route, world, { credential });
    if (route.foreign === undefined) {
      expect(response.status).toBe(route.ok);
      const { id, team, individual } = world.tenant;
      const text = await response.text();
      for (const own of [id, team.id, team.member.id, individual.id]) expect(text).not.toContain(own);
      return;
    }
    const { comparable } = dialectOf(route);
    const answer = JSON.stringify(await expectUnfit(response, route, [route.foreign]));
    const toGhosts = await send(route, ghosts.world, { credential });
    const ghostly = ghosts.named(JSON.stringify(await expectUnfit(toGhosts, route, [route.foreign])));
    expect(comparable(answer)).toBe(comparable(ghostly));
    expect(await stateOfD1()).toEqual(before);
  });

  test("is closed to the API key of a deleted organization", async () => {
    const world = await makeWorld(route);
    await update("organizations", world.tenant.id, { deleted_at: 1 });
    const before = await stateOfD1();
    const client = makeClient({}, world.client.clock);
    await expectRefusal(await send(route, world, { client }), route, [401]);
    expect(await stateOfD1()).toEqual(before);
  });
});

test("a list shows another organization's API key none of these sessions, by whichever filter", async () => {
  const { client, tenant, session, other, otherSession } = await makeWorld({});
  const filters = {
    member_id: tenant.team.member.id,
    customer_id: tenant.team.id,
    external_customer_id: tenant.team.externalId,
  };
  for (const [name, value] of Object.entries(filters)) {
    const path = `/v1/member-sessions/?${new URLSearchParams({ [name]: value })}`;
    const own = (await (await client.call("GET", path, tenant.apiKey)).json()) as { items: { id: string }[] };
    expect(own.items.map(({ id }) => id)).toEqual([session.sessionId]);
    expect(await (await client.call("GET", path, other.apiKey)).json()).toEqual({
      items: [],
      pagination: { total_count: 0, max_page: 0 },
    });
  }
  const all = await (await client.call("GET", "/v1/member-sessions/?limit=100", other.apiKey)).json();
  expect(all).toMatchObject({ items: [{ id: otherSession.sessionId }], pagination: { total_count: 1 } });
});

test("a customer made by an API key is its own organization's, whatever the body says", async () => {
  const { client, tenant, other } = await makeWorld({});
  const body = { type: "team", email: "a@example.com", organization_id: tenant.id };
  expect((await client.call("POST", "/v1/customers/", other.apiKey, body)).status).toBe(422);
  const made = await client.call("POST", "/v1/customers/", other.apiKey, { ...body, organization_id: null });
  expect(await made.json()).toMatchObject({ organization_id: other.id });
});

describe.each(ofHolders)("$route, for holders of a session", (route) => {
  test("does not take a live API key for a session", async () => {
    const world = await makeWorld(route);
    const before = await stateOfD1();
    await expectRefusal(await send(route, world, { credential: world.tenant.apiKey }), route, [401]);
    expect(await stateOfD1()).toEqual(before);
  });

  test("shows another session's holder nothing of this one", async () => {
    const world = await makeWorld(route);
    const response = await send(route, world, { credential: world.otherSession.token });
    const seen = JSON.stringify([...response.headers]) + (await response.text());
    for (const id of [world.tenant.id, world.tenant.team.id, world.tenant.team.member.id, world.session.sessionId]) {
      expect(seen).not.toContain(id);
    }
  });
});
