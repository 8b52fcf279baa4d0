/** Keys that others publish: how often their source is asked, what is believed for how long, and who shares an answer. */

import { expect, test } from "vitest";
import { LatchkeyError } from "../src/core/errors.ts";
import { createPublishedKeys, type PublishedKeyCache } from "../src/published-keys.ts";
import { fakeClock } from "./support/clock.ts";

type Names = string[];

const URL_OF_KEYS = "https://id.example.com/keys";
const parse = (json: unknown): Names => {
  if (!Array.isArray(json)) throw new Error("not a list");
  return json;
};

/** A source that publishes `answer.current`, and any number of requests that want keys of it. */
function makeSource(answer: { current: () => unknown }) {
  const clock = fakeClock();
  const asked: string[] = [];
  const cache: PublishedKeyCache<Names> = new Map();
  const kept: Promise<unknown>[] = [];
  const outside = {
    async getJson(url: string) {
      asked.push(url);
      return answer.current();
    },
  };
  /** As another request of the same isolate. */
  const find = (name: string, url = URL_OF_KEYS) => {
    const waitUntil = (work: Promise<unknown>) => void kept.push(work);
    const keys = createPublishedKeys({ parse, believedMs: 600_000 }, { cache, outside, clock, waitUntil });
    return keys.read(url, (names) => names.includes(name)).then((names) => names.includes(name));
  };
  return { clock, asked, cache, kept, find };
}

const outage = expect.objectContaining({ code: "unavailable" });
const broken = () => {
  throw new LatchkeyError("unavailable");
};

test("a list is fetched when it is first wanted, and believed for its time", async () => {
  const { clock, asked, find } = makeSource({ current: () => ["a"] });
  expect(asked).toEqual([]);
  for (const wait of [0, 0, 599_999]) {
    clock.advance(wait);
    expect(await find("a")).toBe(true);
  }
  expect(asked).toEqual([URL_OF_KEYS]);
  clock.advance(1);
  expect(await find("a")).toBe(true);
  expect(asked).toHaveLength(2);
  clock.advance(-1);
  expect(await find("a"), "a clock that has gone back").toBe(true);
  expect(asked).toHaveLength(3);
});

test("a key that was withdrawn is believed no longer than that", async () => {
  const answer = { current: () => ["a"] };
  const { clock, find } = makeSource(answer);
  expect(await find("a")).toBe(true);
  answer.current = () => ["b"];
  clock.advance(599_999);
  expect(await find("a")).toBe(true);
  clock.advance(1);
  expect(await find("a")).toBe(false);
});

test("an unknown key is looked for once a minute, however many strangers name one", async () => {
  const answer = { current: () => ["a"] };
  const { clock, asked, find } = makeSource(answer);
  expect(await find("b")).toBe(false);
  answer.current = () => ["a", "b"];
  clock.advance(59_999);
  for (let stranger = 0; stranger < 50; stranger++) expect(await find(`x${stranger}`)).toBe(false);
  expect(await find("b")).toBe(false);
  expect(asked).toHaveLength(1);
  clock.advance(1);
  expect(await find("b")).toBe(true);
  expect(asked).toHaveLength(2);
});

test("many who want the list at once share one fetch, also when it fails", async () => {
  const gate = Promise.withResolvers<unknown>();
  const { clock, asked, kept, find } = makeSource({ current: () => gate.promise });
  const wanted = Array.from({ length: 20 }, (_, index) => find(index % 2 === 0 ? "a" : "b"));
  gate.resolve(["a"]);
  expect((await Promise.all(wanted)).filter(Boolean)).toHaveLength(10);
  expect(asked).toHaveLength(1);
  expect(kept, "goes on when the request that began it is cut off").toHaveLength(1);
  clock.advance(600_000);

  const failing = Promise.withResolvers<unknown>();
  const second = makeSource({ current: () => failing.promise });
  const refused = Array.from({ length: 20 }, () => second.find("a"));
  failing.reject(new Error("Network connection lost."));
  expect((await Promise.allSettled(refused)).map(({ status }) => status)).toEqual(Array(20).fill("rejected"));
  expect(second.asked).toHaveLength(1);
  await Promise.all(second.kept);
});

test("a source that fails is left alone for five seconds: 503 meanwhile, never an unknown key", async () => {
  const answer: { current: () => unknown } = { current: broken };
  const { clock, asked, find } = makeSource(answer);
  for (let time = 0; time < 10; time++) await expect(find("a")).rejects.toEqual(outage);
  answer.current = () => ["a"];
  clock.advance(4999);
  await expect(find("a")).rejects.toEqual(outage);
  expect(asked).toHaveLength(1);
  clock.advance(1);
  expect(await find("a")).toBe(true);
  expect(asked).toHaveLength(2);
});

test("while the source fails, known keys serve on for their time, and a new one is 503", async () => {
  const answer: { current: () => unknown } = { current: () => ["a"] };
  const { clock, find } = makeSource(answer);
  expect(await find("a")).toBe(true);
  answer.current = broken;
  clock.advance(599_999);
  expect(await find("a")).toBe(true);
  await expect(find("b")).rejects.toEqual(outage);
  expect(await find("a")).toBe(true);
  clock.advance(1);
  await expect(find("a")).rejects.toEqual(outage);
});

test.each([
  ["an answer that is no list", () => ({ keys: [] })],
  [
    "an address that is not called",
    () => {
      throw new LatchkeyError("outside_url_refused");
    },
  ],
  [
    "an answer that is no JSON",
    () => {
      throw new LatchkeyError("outside_answer_unusable");
    },
  ],
])("%s is an outage too", async (_, current) => {
  await expect(makeSource({ current }).find("a")).rejects.toEqual(outage);
});

test("nobody waits for long for a fetch that was cut off, and the next one begins anew", async () => {
  const answer: { current: () => unknown } = { current: () => new Promise(() => {}) };
  const { asked, find } = makeSource(answer);
  await expect(find("a")).rejects.toEqual(outage);
  answer.current = () => ["a"];
  expect(await find("a")).toBe(true);
  expect(asked).toHaveLength(2);
});

test("lists of different addresses are kept apart, a hundred of them at most", async () => {
  const { asked, cache, find } = makeSource({ current: () => ["a"] });
  for (let source = 0; source < 101; source++) await find("a", `${URL_OF_KEYS}/${source}`);
  expect(cache.size).toBe(100);
  expect(asked).toHaveLength(101);
  await find("a", `${URL_OF_KEYS}/100`);
  expect(asked).toHaveLength(101);
  await find("a", `${URL_OF_KEYS}/0`);
  expect(asked).toHaveLength(102);
});
