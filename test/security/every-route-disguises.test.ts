/** Requests that pretend to be something else by header, path, method or spelling: they are what they are. */

import { describe, expect, test } from "vitest";
import { makeFaultyClient } from "../support/portal.ts";
import { dialectOf } from "./dialects.ts";
import { expectRefusal, expectUnfit } from "./refusal.ts";
import {
  API_ROUTES,
  isPage,
  makeWorld,
  methodOf,
  ROUTES,
  type Route,
  rightful,
  send,
  stateOfD1,
  type World,
} from "./routes.ts";

const DISGUISES: Record<string, string> = {
  Host: "evil.example",
  Forwarded: "for=127.0.0.1;host=evil.example;proto=http",
  "X-Forwarded-Host": "evil.example",
  "X-Forwarded-Proto": "http",
  "X-Forwarded-For": "127.0.0.1",
  "X-Forwarded-Prefix": "/evil.example",
  "X-Forwarded-Uri": "/evil.example",
  "X-Real-IP": "127.0.0.1",
  "X-Original-URL": "/v1/forward-auth",
  "X-Rewrite-URL": "/v1/forward-auth",
  "X-HTTP-Method-Override": "GET",
  "X-HTTP-Method": "GET",
  "X-Method-Override": "GET",
  "X-Host": "evil.example",
  "X-Member-Id": "00000000-0000-4000-8000-000000000000",
  "X-Organization-Id": "00000000-0000-4000-8000-000000000000",
  "X-Customer-Id": "00000000-0000-4000-8000-000000000000",
  Via: "1.1 evil.example",
};

describe.each(ROUTES)("$route", (route) => {
  test("lets no header decide who calls, what is called or where links lead", async () => {
    const [plain, disguised] = [await makeWorld(route), await makeWorld(route)];
    const served = await send(route, disguised, { headers: DISGUISES });
    expect(served.status).toBe(route.ok);
    const seen = JSON.stringify([...served.headers]) + (await served.text());
    expect(seen).not.toMatch(/evil\.example|00000000-0000-4000/);
    for (const [, url] of seen.matchAll(/"(?:member|customer)_portal_url":"([^"]*)"/g)) {
      expect(url).toMatch(/^https:\/\/(portal\.test|app\.example\.com)\//);
    }
    if (isReachedByAll(route)) return;
    const before = await stateOfD1();
    const anonymous = await send(route, plain, { credential: null });
    const refused = await send(route, plain, { credential: null, headers: DISGUISES });
    expect(refused.status).toBe(anonymous.status);
    const { comparable } = dialectOf(route);
    expect(comparable(await refused.text())).toBe(comparable(await anonymous.text()));
    expect(await stateOfD1()).toEqual(before);
  });

  test("makes no link of the host that the request was sent to", async () => {
    const world = await makeWorld(route);
    const response = await send(route, world, { path: `http://evil.example:8080${route.path(world)}` });
    expect(response.status).toBe(route.ok);
    expect(JSON.stringify([...response.headers]) + (await response.text())).not.toContain("evil.example");
  });

  test("is not reached without a credential by any other spelling of its path", async () => {
    const world = await makeWorld(route);
    const before = await stateOfD1();
    for (const path of spellings(route.path(world))) {
      const response = await send(route, world, { credential: null, path: `https://portal.test${path}`, body: null });
      // A page for everybody is reached, of course, and so is what everybody may call.
      const reached = isReachedByAll(route) ? [200, 204, 410] : [];
      expect([...reached, 303, 307, 400, 401, 404, 405, 422], `${path}: ${response.status}`).toContain(response.status);
      const location = response.headers.get("Location");
      if (location !== null) expect(new URL(location, "https://portal.test").origin).toBe("https://portal.test");
      expect(response.headers.has("Set-Cookie")).toBe(false);
    }
    expect(await stateOfD1()).toEqual(before);
  });
});

const isReachedByAll = ({ guard }: Route) => ["link", "anybody", "public"].includes(guard);

function spellings(pathAndQuery: string): string[] {
  const [path, query] = pathAndQuery.split("?") as [string, string?];
  const last = path.split("/").findLast((part) => part !== "") as string;
  const variants = [
    `/${path}`,
    `//${path}`,
    path.replaceAll("/", "//"),
    `${path}/`,
    `${path}//`,
    `${path}%2f`,
    `${path}%00`,
    `${path}%20`,
    `${path}%0a`,
    `${path};a=b`,
    `${path}.json`,
    `${path}/.`,
    `${path}/x/..`,
    `${path}\\`,
    `/.${path}`,
    `/x/..${path}`,
    `/x/%2e%2e${path}`,
    `/x/..%2f${path.slice(1)}`,
    `/%2e%2e%2f${path.slice(1)}`,
    `/v1/forward-auth/..%2f..${path}`,
    `/v1/forward-auth${path}`,
    `/nobody/portal/..%2f..${path}`,
    `/nobody/portal${path}`,
    `/api${path}`,
    `/api/api${path}`,
    `/%61pi${path}`,
    `/api/v1/..${path}`,
    `/API${path}`,
    path.toUpperCase(),
    path.replace("/v1/", "/V1/"),
    path.replace("/v1/", "/%76%31/"),
    path.replace("/v1/", "/v1%2f"),
    path.replace("/v1/", "/v1;x/"),
    path.replace("/v1/", "/v2/../v1/"),
    path.replace(last, `%${last.charCodeAt(0).toString(16)}${last.slice(1)}`),
    path.replace(last, `%25${last.charCodeAt(0).toString(16)}${last.slice(1)}`),
    path.replace(last, last.replaceAll("-", "%2D")),
    path.replace(last, last.replaceAll("e", "%C3%A9")),
    `${path}?${query ?? ""}#fragment`,
    `${path}?${query ?? ""}&organization=*`,
  ];
  return query === undefined
    ? variants
    : variants.map((variant) => (variant.includes("?") ? variant : `${variant}?${query}`));
}

const authorization = (route: Route, world: World) => dialectOf(route).show(rightful(route, world), world);

describe.each(API_ROUTES)("$route", (route) => {
  test("serves its methods only, whatever a header or the query says", async () => {
    if (route.route.startsWith("ALL ")) return;
    const world = await makeWorld(route);
    const served = new Set(
      API_ROUTES.filter((other) => other.path(world).split("?")[0] === route.path(world).split("?")[0]).map(methodOf),
    );
    const before = await stateOfD1();
    for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "get"]) {
      const canonical = method === "get" ? "GET" : method;
      if (served.has(canonical === "HEAD" ? "GET" : canonical)) continue;
      const path = route.path(world);
      const headers = { ...authorization(route, world), "X-HTTP-Method-Override": methodOf(route) };
      const response = await world.client.fetch(`${path}${path.includes("?") ? "&" : "?"}_method=${methodOf(route)}`, {
        method,
        headers,
      });
      // `GET …/revoke` is `GET …/:id` with an id that is none.
      expect([404, 405, dialectOf(route).malformed], `${method}: ${response.status}`).toContain(response.status);
      if (response.status === 405)
        expect(response.headers.get("Allow")?.split(", ")).toEqual(expect.arrayContaining([...served]));
    }
    expect(await stateOfD1()).toEqual(before);
  });

  test("answers HEAD like GET, without the body", async () => {
    if (methodOf(route) !== "GET") return;
    const world = await makeWorld(route);
    const headers = authorization(route, world);
    const [get, head] = await Promise.all(
      ["GET", "HEAD"].map((method) => world.client.fetch(route.path(world), { method, headers })),
    );
    expect(head?.status).toBe(get?.status);
    expect(await head?.text()).toBe("");
  });
});

const MUTILATIONS: [string, (token: string) => string[]][] = [
  ["cut at either end", (token) => [1, 2, 10, 40].flatMap((n) => [token.slice(n), token.slice(0, -n)])],
  [
    "with one character changed",
    (token) => Array.from(token, (c, at) => token.slice(0, at) + (c === "A" ? "B" : "A") + token.slice(at + 1)),
  ],
  [
    "with two characters swapped",
    (token) =>
      [token.slice(0, -2) + token.slice(-1) + token.slice(-2, -1), token.slice(1) + token[0]].filter(
        (t) => t !== token,
      ),
  ],
  [
    "of another kind",
    (token) =>
      ["mst", "cst", "oat", "code", "cev", "login", "xyz"]
        .map((kind) => token.replace(/_[a-z]+_/, `_${kind}_`))
        .filter((t) => t !== token),
  ],
  [
    "signed by another key's name",
    (token) => ["o", "x", "-", ""].map((name) => token.replace(/_t(?=.{56}$)/, `_${name}`)),
  ],
  [
    "with another prefix",
    (token) => ["LK", "xlk", "lkx", "", "polar_lk"].map((prefix) => token.replace(/^lk/, prefix)),
  ],
  ["in another case", (token) => [token.toUpperCase(), token.toLowerCase()]],
  [
    "doubled or longer",
    (token) => [token + token, `${token}A`, `${token}=`, `${token}%00`, `${token}.${token}`, token.repeat(1600)],
  ],
  ["in another alphabet", (token) => [`${token.slice(0, -1)}+`, `${token.slice(0, -1)}/`, `${token.slice(0, -1)}~`]],
];

describe("a session token in a body", () => {
  const route = ROUTES.find(({ route }) => route === "POST /v1/b2b/sessions/authenticate") as Route;

  test.each(MUTILATIONS)("that is %s names no session, and D1 is not asked about it", async (_, mutilate) => {
    const world = await makeWorld(route);
    const { client, db } = makeFaultyClient(world.client.clock);
    const body = route.body?.(world) ?? {};
    for (const session_token of mutilate(world.session.token)) {
      const response = await send(route, world, { client, body: JSON.stringify({ ...body, session_token }) });
      await expectUnfit(response, route, [400, 404, 413]);
    }
    const questions = () =>
      db.log.filter(({ statements }) => statements.some(({ sql }) => /\bsessions\b/.test(sql))).length;
    expect(questions()).toBe(0);
    expect((await send(route, world, { client })).status).toBe(route.ok);
    expect(questions()).toBeGreaterThan(0);
  });
});

describe.each([
  ["an API key", "GET /v1/customers/:id"],
  ["a bearer token", "GET /v1/customer-portal/customer-session/user"],
  ["a bearer token at the edge", "GET /v1/customer-portal/customer-session/introspect"],
  ["a proxied bearer token", "ALL /v1/forward-auth"],
  ["the password of a project", "GET /v1/b2b/sessions"],
  ["a cookie", "GET /:slug/portal"],
])("%s", (_, name) => {
  const route = ROUTES.find((candidate) => candidate.route === name) as Route;

  test.each(MUTILATIONS)("that is %s is refused without a question to D1 or KV about it", async (_, mutilate) => {
    const world = await makeWorld(route);
    const { client, db, kv } = makeFaultyClient(world.client.clock);
    const token = rightful(route, world);
    for (const credential of mutilate(token)) {
      const response = await send(route, world, { credential, client });
      expect(response.status, credential.slice(0, 100)).toBe(401);
      await expectRefusal(response, route, [401]);
    }
    // The page of nobody names the organization, for which it asks D1.
    const questions = db.log.filter(({ statements }) =>
      statements.some(({ sql }) => /FROM (sessions|api_keys) /.test(sql)),
    );
    expect(questions).toEqual([]);
    expect(kv.count()).toBe(0);
    if (!isPage(route)) expect(db.count()).toBe(0);
    expect((await send(route, world, { client })).status).toBe(route.ok);
  });
});
