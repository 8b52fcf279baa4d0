/**
 * What other parsers fell over, through every route that takes a body and every text field of it: refused as the
 * client's fault, or kept exactly; never a 5xx. The strings are the Big List of Naughty Strings; the JSON is
 * JSONTestSuite, which lies outside the project (../shared/vectors/json): where it is missing its part is skipped and
 * says so.
 */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { dialectOf } from "./dialects.ts";
import { expectRefusal, expectUnfit } from "./refusal.ts";
import { isForm, makeWorld, mayBeEmpty, ROUTES, type Route, send, stateOfD1, type World } from "./routes.ts";
import { type Place, replaceAt, textFields, valueAt } from "./text-fields.ts";

/** Of the many that differ in the letters and digits of their markup only, one. */
const strings = [
  ...new Map(
    env.NAUGHTY_STRINGS.map((text) => [text.includes("<") ? text.replaceAll(/[0-9A-Za-z]+/g, "a") : text, text]),
  ).values(),
];
const suite = env.JSON_TEST_SUITE;
if (suite === null) console.warn("Skipped: JSONTestSuite is not here (../shared/vectors/json).");

const TIMEOUT = 120_000;
const withBody = ROUTES.filter(({ body }) => body !== undefined);
const withJson = withBody.filter((route) => !isForm(route));

const errorsOf = ({ client }: World) => client.logged.filter(({ level }) => level === "error");

describe.each(withBody)("$route and the naughty strings", (route) => {
  test("takes each of them as it is, or refuses it, in every text field", { timeout: TIMEOUT }, async () => {
    const world = await makeWorld(route);
    const all = textFields(route.body?.(world));
    const open = all.filter(([field]) => !route.wordFields?.includes(field as string));
    expect(open.length).toBeGreaterThan(0);
    for (const [index] of strings.entries()) {
      const places = index % 16 === 0 ? all : open;
      // In every field stands another string: side by side, all fields see all strings in one round.
      const texts = places.map(
        (place, nth) => [place, strings[(index + nth * 97) % strings.length] as string] as const,
      );
      await tryEverywhere(route, world, new Map(texts));
    }
    expect(errorsOf(world)).toEqual([]);
  });
});

/** Sends a text in each place at once, then again without those that were refused, until the rest is served. */
async function tryEverywhere(route: Route, world: World, texts: Map<Place, string>): Promise<void> {
  const dialect = dialectOf(route);
  for (let left = texts; left.size > 0; ) {
    const sent = [...left].reduce<unknown>((body, [place, text]) => replaceAt(body, place, text), route.body?.(world));
    const encoded = isForm(route) ? String(new URLSearchParams(sent as Record<string, string>)) : JSON.stringify(sent);
    const response = await send(route, world, { body: encoded });
    const shown = await response.clone().text();
    const context = `${encoded} → ${response.status} ${shown}`.slice(0, 1000);
    if (response.status === route.ok) {
      const whole = shown === "" ? null : JSON.parse(shown);
      const answer = route.shows?.(whole) ?? whole;
      for (const [place, text] of left) {
        // To change something to blank is to leave it as it is, or to clear it: which of them, other tests tell.
        if (mayBeEmpty(route) && text.trim() === "") continue;
        expect(roundTrip(answer, place, text), context).toContainEqual(valueAt(answer, place));
      }
      return;
    }
    expect(dialect.unfit(route), context).toContain(response.status);
    const refusal = await expectUnfit(response, route, [response.status]);
    const refused = dialect.blamed([...left.keys()], refusal, response.status);
    if (refused.length === 0) return tryHalves(route, world, [...left]);
    left = new Map([...left].filter(([place]) => !refused.includes(place)));
  }
}

/** Which of them was refused is not said: one half is tried after the other. */
async function tryHalves(route: Route, world: World, texts: [Place, string][]): Promise<void> {
  if (texts.length === 1) return;
  const middle = Math.ceil(texts.length / 2);
  for (const half of [texts.slice(0, middle), texts.slice(middle)]) await tryEverywhere(route, world, new Map(half));
}

/** What a field may make of a text that it takes, beyond trimming it. */
const NORMALISED: Record<string, (text: string) => unknown> = {
  return_url: (text) => new URL(text).href,
  email: (text) => text.toLowerCase(),
  email_address: (text) => text.toLowerCase(),
  "email_allowed_domains.0": (text) => text.toLowerCase(),
  "claimed_email_domains.0": (text) => text.toLowerCase(),
  domain: (text) => text.toLowerCase(),
  "tax_id.0": (text) => text.replaceAll(/\W/g, ""),
  tax_id: (text) => [text.replaceAll(/\W/g, ""), "us_ein"],
  locale: (text) => Intl.getCanonicalLocales(text)[0],
};

/** What the answer may show for the text; an answer need not show everything. */
function roundTrip(answer: unknown, place: Place, text: string): unknown[] {
  const normalised = (NORMALISED[place.join(".")] ?? NORMALISED[place.at(-1) as string])?.(text);
  const isShown = valueAt(answer, place) !== undefined;
  return [text, text.trim() || null, normalised, ...(isShown ? [] : [undefined])];
}

const deep = `${"[".repeat(30_000)}${"]".repeat(30_000)}`;

describe.each(withJson)("$route and depth", (route) => {
  test("refuses what is nested 30,000 deep, wherever it stands", async () => {
    const world = await makeWorld(route);
    for (const place of [...fields(route, world), unknownField(route, world)]) {
      const refused = await send(route, world, { body: bodyWith(route, world, place, deep) });
      await expectRefusal(refused, route, [dialectOf(route).malformed]);
    }
    expect(errorsOf(world)).toEqual([]);
  });

  test("reads 60 levels, and knows that brackets in a string are text", async () => {
    const world = await makeWorld(route);
    const harmless = `[${deep.slice(29_940, 30_060)},"${"[".repeat(200)}\\"{{{"]`;
    const response = await send(route, world, { body: bodyWith(route, world, unknownField(route, world), harmless) });
    expect(response.status, await response.text()).toBe(route.ok);
  });
});

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
const CASES = (suite?.cases ?? []).map(({ base64, ...rest }) => ({ ...rest, bytes: bytesOf(base64) }));

describe.skipIf(suite === null).each(withJson)("$route and JSONTestSuite", (route) => {
  test("refuses what is no JSON, and no other body upsets it", { timeout: TIMEOUT }, async () => {
    const world = await makeWorld(route);
    const before = await stateOfD1();
    // Where nothing is required, or where any number of things may be asked for, it is legal to ask for none.
    const asksForNothing = mayBeEmpty(route) || Array.isArray(route.body?.(world));
    const { malformed, isLenient } = dialectOf(route);
    for (const { name, expect: verdict, bytes } of CASES) {
      const response = await send(route, world, { body: bytes });
      const isJson = verdict !== "reject" || (isLenient && bytes.length === 0);
      if (asksForNothing && isJson && response.status === route.ok) continue;
      expect(response.status, name).toBe(malformed);
      await expectRefusal(response, route, [malformed]);
    }
    expect(await stateOfD1()).toEqual(before);
    expect(errorsOf(world)).toEqual([]);
  });

  test("does so in the place of a field", { timeout: TIMEOUT }, async () => {
    const world = await makeWorld(route);
    const places = fields(route, world);
    for (const [index, { name, expect: verdict, bytes }] of CASES.entries()) {
      const field = places[index % places.length] as Place;
      const value = verdict === "reject" ? bytes : unwrapped(bytes);
      const response = await send(route, world, { body: bodyWith(route, world, field, value) });
      if (verdict !== "reject" && response.status === route.ok) continue;
      const { unfit, malformed } = dialectOf(route);
      const statuses = verdict === "reject" ? [malformed] : unfit(route);
      expect(statuses, `${name} as ${field}: ${response.status}`).toContain(response.status);
      await expectUnfit(response, route, statuses);
    }
    expect(errorsOf(world)).toEqual([]);
  });
});

/** Most cases are lists of one, for old parsers' sake. */
function unwrapped(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0x5b && bytes.at(-1) === 0x5d ? bytes.slice(1, -1) : bytes;
}

/** The first level of places: where the body is a list, its elements. */
const fields = (route: Route, world: World): Place[] => Object.keys(route.body?.(world) ?? {}).map((key) => [key]);

const unknownField = (route: Route, world: World): Place =>
  Array.isArray(route.body?.(world)) ? ["0", "unknown"] : ["unknown"];

/** The valid body with this in the place of a value, whether or not that makes JSON. */
function bodyWith(route: Route, world: World, place: Place, value: Uint8Array | string): Blob {
  const mark = "the value goes here";
  const [head, tail] = JSON.stringify(replaceAt(route.body?.(world), place, mark)).split(JSON.stringify(mark));
  return new Blob([head as string, value, tail as string]);
}
