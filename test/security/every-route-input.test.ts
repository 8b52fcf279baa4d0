/** Every route against input that no honest client sends: refused as the client's fault, and nothing stored. */

import { describe, expect, test } from "vitest";
import { CONTENT_TYPES } from "./content-types.ts";
import { dialectOf } from "./dialects.ts";
import { expectRefusal, expectUnfit } from "./refusal.ts";
import {
  API_ROUTES,
  encode,
  isForm,
  makeWorld,
  mayBeEmpty,
  ROUTES,
  type Route,
  send,
  stateOfD1,
  type World,
} from "./routes.ts";
import { replaceAt, textFields, valueAt } from "./text-fields.ts";

const KIB_64 = 64 * 1024;
const withBody = ROUTES.filter(({ body }) => body !== undefined);
const withJson = withBody.filter((route) => !isForm(route));
const deleting = API_ROUTES.filter(({ route }) => route.startsWith("DELETE"));

/** The valid body, blown up to exactly this size without changing what it says. */
async function bodyOfSize(route: Route, world: World, size: number): Promise<string> {
  const body = encode(route, world) ?? "{}";
  return isForm(route) ? `${body}&x=`.padEnd(size, "x") : body.padEnd(size, " ");
}

/** As a client sends it that does not know the length beforehand. */
function chunked(text: string): ReadableStream {
  const bytes = new TextEncoder().encode(text);
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 10_000) controller.enqueue(bytes.slice(at, at + 10_000));
      controller.close();
    },
  });
}

const SHAPES: [string, (text: string) => { body: BodyInit; headers?: Record<string, string> }][] = [
  ["with its length", (text) => ({ body: text, headers: { "Content-Length": String(text.length) } })],
  ["in chunks", (text) => ({ body: chunked(text), headers: { "Transfer-Encoding": "chunked" } })],
  ["of unknown length", (text) => ({ body: chunked(text) })],
];

describe.each([...withBody, ...deleting])("the size gate of $route", (route) => {
  const limit = dialectOf(route).maxBodyBytes;

  test.each(SHAPES)("lets the full size through and refuses one byte more, sent %s", async (_, shape) => {
    const world = await makeWorld(route);
    const before = await stateOfD1();
    const refused = await send(route, world, shape(await bodyOfSize(route, world, limit + 1)));
    await expectRefusal(refused, route, [413]);
    expect(await stateOfD1()).toEqual(before);
    const served = await send(route, world, shape(await bodyOfSize(route, world, limit)));
    expect(served.status, (await served.text()).slice(0, 300)).toBe(route.ok);
  });

  test("refuses ten megabytes", async () => {
    const world = await makeWorld(route);
    const before = await stateOfD1();
    await expectRefusal(await send(route, world, { body: chunked("x".repeat(10_000_000)) }), route, [413]);
    await expectRefusal(
      await send(route, world, { body: chunked("x".repeat(KIB_64 + 1)), credential: null }),
      route,
      [413],
    );
    expect(await stateOfD1()).toEqual(before);
  });
});

const deep = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth);
const MALFORMED: [string, BodyInit][] = [
  ["nothing", ""],
  ["blanks", "  \n "],
  ["an open brace", "{"],
  ["a truncated object", '{"member_id":'],
  ["a trailing comma", '{"a":1,}'],
  ["something after the end", "{} x"],
  ["two values", "{}{}"],
  ["single quotes", "{'a':1}"],
  ["a comment", "{/* */}"],
  ["NaN", '{"a":NaN}'],
  ["a raw line break in a string", '{"a":"\n"}'],
  ["an unpaired quote", '{"a":"}'],
  ["NUL", "\0"],
  ["null", "null"],
  ["true", "true"],
  ["a number", "1"],
  ["an endless number", "1e999"],
  ["a string", '"x"'],
  ["an empty list", "[]"],
  ["a list", "[{}]"],
  ["an object without fields", "{}"],
  ["a prototype", '{"__proto__":{"member_id":"x","code":"x"},"constructor":{"prototype":{}}}'],
  ["brackets without end", "[".repeat(KIB_64)],
  ["lists in lists", deep("[", "]", KIB_64 / 2)],
  ["objects in objects", deep('{"a":', "}", 10_000).replace(":}", ":1}")],
  ["a list at the bottom of metadata", `{"type":"team","metadata":{"k":${deep("[", "]", 30_000)}}}`],
  ["ten thousand keys", `{${Array.from({ length: 5000 }, (_, i) => `"${i}":0`).join()}}`],
  ["invalid UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
  ["UTF-16", new Uint8Array([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00])],
  ["gzip", new Uint8Array([0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00])],
  ["a form", "member_id=x&code=x"],
];

/** Valid where every field may be left out: nothing is asked for, and nothing is changed. */
const ASKS_FOR_NOTHING = new Set(["an object without fields", "a prototype", "ten thousand keys"]);

test.each([
  ["a string of escaped quotes that never ends", `{"a":"${'\\"'.repeat(32_000)}`],
  ["quotes", '"'.repeat(KIB_64)],
  ["backslashes", `"${"\\".repeat(KIB_64 - 1)}`],
  ["blanks", `{${" ".repeat(KIB_64 - 2)}x`],
  ["closing brackets", "]".repeat(KIB_64)],
  ["digits", "1".repeat(KIB_64)],
  ["an e-mail address of at-signs", JSON.stringify({ email: "@".repeat(60_000) })],
  ["an e-mail address of dots", JSON.stringify({ email: `a@${".".repeat(60_000)}` })],
  ["an e-mail address of angle brackets", JSON.stringify({ email: "<".repeat(60_000) })],
  ["a locale of hyphens", JSON.stringify({ locale: "-".repeat(60_000) })],
  ["a URL of blanks", JSON.stringify({ return_url: `https://e.co/${" ".repeat(60_000)}x` })],
])("64 KiB of %s are read in no time", async (_, body) => {
  const worlds = {
    member: await makeWorld({}),
    owner: await makeWorld({ holder: "owner" }),
    individual: await makeWorld({ holder: "individual" }),
  };
  const [, field] = /^{"(\w+)":/.exec(body) ?? [];
  const startedAt = performance.now();
  for (const route of withJson) {
    const world = worlds[route.holder ?? "member"];
    const response = await send(route, world, { body });
    const isIgnored = mayBeEmpty(route) && field !== undefined && !(field in (route.body?.(world) ?? {}));
    if (isIgnored && response.status === route.ok) continue;
    await expectRefusal(response, route, [dialectOf(route).malformed]);
  }
  expect(performance.now() - startedAt).toBeLessThan(2000);
});

describe.each(withJson)("$route", (route) => {
  const { malformed, isLenient } = dialectOf(route);

  test("refuses a body that is not the JSON it wants, signed in or not, and stores nothing", async () => {
    const world = await makeWorld(route);
    const before = await stateOfD1();
    const takesLists = Array.isArray(route.body?.(world));
    for (const [name, body] of MALFORMED) {
      if (takesLists && name === "an empty list") continue;
      const response = await send(route, world, { body });
      const asksForNothing = ASKS_FOR_NOTHING.has(name) || (isLenient && name === "nothing");
      if (mayBeEmpty(route) && asksForNothing) {
        expect(response.status, name).toBe(route.ok);
      } else {
        expect(response.status, name).toBe(malformed);
        await expectRefusal(response, route, [malformed]);
      }
      await expectRefusal(await send(route, world, { body, credential: null }), route, [401, malformed]);
    }
    expect(await stateOfD1()).toEqual(before);
  });

  test.skipIf(isLenient)("refuses its valid body under another content type, and stores nothing", async () => {
    const world = await makeWorld(route);
    const before = await stateOfD1();
    for (const contentType of CONTENT_TYPES) {
      await expectRefusal(
        await send(route, world, { headers: { "Content-Type": contentType } }),
        route,
        [400, 415, 422],
      );
    }
    const bytes = new TextEncoder().encode(encode(route, world) as string);
    const untyped = await send(route, world, { body: bytes, headers: { "Content-Type": "" } });
    await expectRefusal(untyped, route, [400, 415, 422]);
    expect(await stateOfD1()).toEqual(before);
  });

  test("refuses NUL and unpaired surrogates in each of its text fields, and stores nothing", async () => {
    const world = await makeWorld(route);
    const before = await stateOfD1();
    const body = route.body?.(world) ?? {};
    const fields = textFields(body);
    expect(fields.length).toBeGreaterThan(0);
    for (const field of fields) {
      for (const text of ["a\0b", "\0", "a\ud800b", "\udc00", "\udc00\ud800"]) {
        const refused = await send(route, world, { body: JSON.stringify(replaceAt(body, field, text)) });
        expect(refused.status, `${field.join(".")} = ${JSON.stringify(text)}`).toBe(malformed);
        await expectRefusal(refused, route, [malformed]);
      }
    }
    expect(await stateOfD1()).toEqual(before);
  });

  test("refuses every field when it is of another type, and stores nothing", async () => {
    const world = await makeWorld(route);
    const before = await stateOfD1();
    const body = route.body?.(world) ?? {};
    const { tolerates, unfit } = dialectOf(route);
    const fields = Object.entries(body).flatMap(([key, inner]) =>
      Array.isArray(body) ? Object.keys(inner as object).map((name) => [key, name]) : [[key]],
    );
    for (const field of fields) {
      const name = field.at(-1) as string;
      for (const value of [{}, [], [[]], { toString: 1 }, 1.5, 1e308, -1, "", "x".repeat(3000), false]) {
        const refused = await send(route, world, { body: JSON.stringify(replaceAt(body, field, value)) });
        const context = `${name} = ${JSON.stringify(value)}`;
        if (refused.status === route.ok)
          expect(tolerates(route, name, value, valueAt(body, field)), context).toBe(true);
        else await expectUnfit(refused, route, unfit(route));
      }
      if (route.ok === 204) expect(await stateOfD1()).toEqual(before);
    }
  });
});

describe.each(API_ROUTES)("$route", (route) => {
  test("refuses NUL, unpaired surrogates and broken escapes in its path and query", async () => {
    const world = await makeWorld(route);
    const before = await stateOfD1();
    const path = route.path(world);
    const ids = path.match(/(?<=[/=])[^/=&?]*\d[^/=&?]*(?=[/&]|$)/g)?.filter((id) => !/^(v\d|b2b)$/.test(id)) ?? [];
    for (const id of ids) {
      for (const text of ["%00", `${id}%00`, "%ED%A0%80", "%ff", "%", "%zz", "%0a", "..%2f..", "x".repeat(10_000)]) {
        const refused = await send(route, world, { path: path.replace(id, text) });
        if (refused.status === 200) expect(await refused.json()).toMatchObject({ items: [] });
        else await expectUnfit(refused, route, [401, 404, 405, dialectOf(route).malformed]);
      }
    }
    expect(await stateOfD1()).toEqual(before);
  });
});
