/**
 * Every route of a dialect whose SDKs are careless, against what they send: bodies of any content type or of none, nulls
 * for what is not there, and each parameter of the path once more. All of it is served, and means what it says.
 */

import { describe, expect, test } from "vitest";
import { CONTENT_TYPES } from "./content-types.ts";
import { dialectOf } from "./dialects.ts";
import { expectRefusal, expectUnfit } from "./refusal.ts";
import { type Changes, makeWorld, methodOf, ROUTES, type Route, send, type World } from "./routes.ts";

type Fields = Record<string, unknown>;

const lenient = ROUTES.filter((route) => dialectOf(route).isLenient);
const withBody = lenient.filter(({ body }) => body !== undefined);
const deleting = lenient.filter((route) => methodOf(route) === "DELETE");
const bodyOf = (route: Route, world: World) => route.body?.(world) as Fields;

/** What the answer says, in a world of its own, with a star for whatever is another in each world. */
async function outcome(route: Route, changesIn: (world: World) => Changes): Promise<string> {
  const world = await makeWorld(route);
  const response = await send(route, world, changesIn(world));
  const said =
    response.status === route.ok
      ? await response.text()
      : JSON.stringify(await expectUnfit(response, route, [response.status]));
  const plain = said.replaceAll(/lk_[\w-]+|eyJ[\w.-]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8}/g, "*");
  return `${response.status} ${plain}`;
}

describe.each(withBody)("$route", (route) => {
  test("reads its body whatever the content type says", async () => {
    for (const contentType of CONTENT_TYPES) {
      const world = await makeWorld(route);
      const response = await send(route, world, { headers: { "Content-Type": contentType } });
      expect(response.status, `${contentType}: ${await response.text()}`).toBe(route.ok);
    }
  });

  test("takes no body for an empty object", async () => {
    const ofEmptyObject = await outcome(route, () => ({ body: "{}" }));
    expect(await outcome(route, () => ({ body: "" }))).toBe(ofEmptyObject);
    expect(await outcome(route, () => ({ body: null }))).toBe(ofEmptyObject);
  });

  test("takes null for what is not there", { timeout: 60_000 }, async () => {
    for (const name of Object.keys(bodyOf(route, await makeWorld(route)))) {
      const having = (value: null | undefined) => (world: World) => ({
        body: JSON.stringify({ ...bodyOf(route, world), [name]: value }),
      });
      expect(await outcome(route, having(null)), name).toBe(await outcome(route, having(undefined)));
    }
  });

  test("ignores what it does not know, and what the path has said already", async () => {
    const world = await makeWorld(route);
    const unknown = {
      unknown: { a: [1, null] },
      error: "x",
      project_id: "x",
      status_code: 500,
      ...inPath(route, world),
    };
    const response = await send(route, world, { body: JSON.stringify({ ...unknown, ...bodyOf(route, world) }) });
    expect(response.status, await response.text()).toBe(route.ok);
  });
});

/** The parameters of the path, by their names. */
function inPath(route: Route, world: World): Record<string, string> {
  const names = (route.route.split(" ")[1] as string).split("/");
  const values = (route.path(world).split("?")[0] as string).split("/");
  return Object.fromEntries(
    names.flatMap((name, at) => (name.startsWith(":") ? [[name.slice(1), values[at] as string]] : [])),
  );
}

describe.each(deleting)("$route", (route) => {
  test.each(["", "{}", "no JSON"])("does not look at a body like %j", async (body) => {
    const world = await makeWorld(route);
    expect((await send(route, world, { body })).status).toBe(route.ok);
  });
});

describe.each(lenient)("$route", (route) => {
  test("ignores parameters that it does not know, and what the path has said already", async () => {
    const world = await makeWorld(route);
    const path = route.path(world);
    const more = new URLSearchParams({ unknown: "x", project_id: "x", ...inPath(route, world) });
    const response = await send(route, world, { path: `${path}${path.includes("?") ? "&" : "?"}${more}` });
    expect(response.status, await response.text()).toBe(route.ok);
  });

  test("leads nowhere else, and lets no page of another origin ask or read", async () => {
    const world = await makeWorld(route);
    const [path, query = ""] = route.path(world).split("?");
    const slash = await send(route, world, { path: `${path}/?${query}` });
    await expectRefusal(slash, route, [404]);
    const served = await send(route, world, { headers: { Origin: "https://evil.example" } });
    dialectOf(route).expectServed(served, await served.text(), route);
    const preflight = await world.client.fetch(route.path(world), {
      method: "OPTIONS",
      headers: {
        Origin: "https://evil.example",
        "Access-Control-Request-Method": methodOf(route),
        "Access-Control-Request-Headers": "authorization",
      },
    });
    await expectRefusal(preflight, route, [405]);
  });
});
