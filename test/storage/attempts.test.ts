/** Attempts are counted exactly: over all isolates, all at once, and without a word about who made them. */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import type { LatchkeyError } from "../../src/core/errors.ts";
import { createPseudonyms } from "../../src/core/pseudonyms.ts";
import { importTokenKeys, parseTokenKeys } from "../../src/crypto/token-keys.ts";
import { type AttemptSubject, type AttemptZone, createAttempts } from "../../src/storage/attempts.ts";
import { deleteExpiredRows } from "../../src/storage/clean-up.ts";
import { someAddress } from "../support/limiters.ts";
import { makeWorld, type World } from "../support/world.ts";

const pseudonymize = createPseudonyms(importTokenKeys(parseTokenKeys(env.TOKEN_KEYS)));
const MINUTE = 60_000;
const HOUR = 3_600_000;

const network = (): AttemptSubject => ["network", someAddress()];
const mailbox = (): AttemptSubject => ["mailbox", crypto.randomUUID(), `${crypto.randomUUID()}@example.com`];

/** An isolate's counter, whose answer is null, or the seconds to wait. */
function counterIn(world: World) {
  const isolate = world.isolate();
  const attempts = createAttempts(isolate.database, pseudonymize, world.clock);
  const attempt = async (subjects: AttemptSubject[], zone: AttemptZone = "sign_in"): Promise<number | null> => {
    try {
      await attempts.take(zone, ...subjects);
      return null;
    } catch (error) {
      const { code, facts } = error as LatchkeyError;
      expect(code).toBe("rate_limited");
      return facts["retryAfterSeconds"] as number;
    }
  };
  const passed = async (count: number, subjects: AttemptSubject[], zone?: AttemptZone): Promise<number> => {
    let number = 0;
    for (let i = 0; i < count; i++) if ((await attempt(subjects, zone)) === null) number++;
    return number;
  };
  return { attempt, passed, attempts, isolate };
}

const rowOf = async (zone: AttemptZone, subject: AttemptSubject) =>
  env.DB.prepare("SELECT * FROM attempts WHERE lookup_key = ?1")
    .bind(await pseudonymize(zone, ...subject))
    .first<{ times: string; blocked_until: number; expires_at: number }>();

describe("a subject", () => {
  test("has six attempts in a minute; the seventh shuts it out for 900 s, and further ones do not prolong that", async () => {
    const world = makeWorld();
    const { attempt, passed } = counterIn(world);
    const who = [network()];
    expect(await passed(6, who)).toBe(6);
    expect(await attempt(who)).toBe(900);
    world.clock.advance(30_000);
    expect(await attempt(who)).toBe(870);
    world.clock.advance(869_001);
    expect(await attempt(who)).toBe(1);
    world.clock.advance(998);
    expect(await attempt(who)).toBe(1);
    world.clock.advance(1);
    expect(await attempt(who)).toBeNull();
  });

  test("has its six over any minute, not over the minutes of a clock", async () => {
    const world = makeWorld();
    const { attempt, passed } = counterIn(world);
    const who = [network()];
    expect(await passed(1, who)).toBe(1);
    world.clock.advance(MINUTE - 1);
    expect(await passed(5, who)).toBe(5);
    world.clock.advance(1);
    expect(await attempt(who), "the first is a minute old").toBeNull();
    expect(await attempt(who), "the others are not").toBe(900);
  });

  test("has twelve attempts in an hour, however slowly it makes them", async () => {
    const world = makeWorld();
    const { attempt } = counterIn(world);
    const who = [network()];
    for (let i = 0; i < 12; i++) {
      expect(await attempt(who), `attempt ${i + 1}`).toBeNull();
      world.clock.advance(4 * MINUTE);
    }
    expect(await attempt(who)).toBe(900);
    world.clock.advance(12 * MINUTE);
    expect(await attempt(who)).toBe(180);
    world.clock.advance(3 * MINUTE);
    expect(await attempt(who), "an hour after the first").toBeNull();
  });

  test("is let in again by the hour only as its old attempts fall out of it", async () => {
    const world = makeWorld();
    const { attempt, passed } = counterIn(world);
    const who = [network()];
    expect(await passed(6, who)).toBe(6);
    world.clock.advance(MINUTE);
    expect(await passed(6, who)).toBe(6);
    expect(await attempt(who)).toBe(900);
    world.clock.advance(900_000);
    expect(await attempt(who), "twelve within the hour, still").toBe(900);
    world.clock.advance(HOUR - 16 * MINUTE);
    expect(await passed(7, who)).toBe(6);
  });

  test("has one count over all isolates, and another in another zone", async () => {
    const world = makeWorld();
    const [here, there] = [counterIn(world), counterIn(world)];
    const who = [network()];
    expect(await here.passed(4, who)).toBe(4);
    expect(await there.passed(4, who)).toBe(2);
    expect(await here.passed(7, who, "email_change")).toBe(6);
  });

  test("is not confused with another one whose parts run together", async () => {
    const { passed } = counterIn(makeWorld());
    expect(await passed(7, [["mailbox", "a", "bc"]])).toBe(6);
    expect(await passed(1, [["mailbox", "ab", "c"]])).toBe(1);
  });
});

describe("two subjects of one attempt", () => {
  test("are both counted", async () => {
    const { passed } = counterIn(makeWorld());
    const [net, box] = [network(), mailbox()];
    expect(await passed(3, [net, box])).toBe(3);
    expect(await passed(7, [net])).toBe(3);
    expect(await passed(7, [box])).toBe(3);
  });

  test("let none pass that either of them would refuse, and then take nothing from the other", async () => {
    const { attempt, passed } = counterIn(makeWorld());
    const [net, box] = [network(), mailbox()];
    expect(await passed(7, [net])).toBe(6);
    expect(await attempt([net, box])).toBe(900);
    expect(await attempt([box, net])).toBe(900);
    expect(await rowOf("sign_in", box)).toBeNull();
    expect(await passed(7, [box])).toBe(6);
  });

  test("keep a caller waiting for as long as the slower of them", async () => {
    const world = makeWorld();
    const { attempt, passed } = counterIn(world);
    const [net, box] = [network(), mailbox()];
    expect(await passed(7, [net])).toBe(6);
    world.clock.advance(100_000);
    expect(await passed(7, [box])).toBe(6);
    expect(await attempt([net, box])).toBe(900);
    expect(await attempt([net])).toBe(800);
  });

  test("fifty attempts at once, from five isolates: exactly six pass", async () => {
    const world = makeWorld();
    const isolates = Array.from({ length: 5 }, () => counterIn(world));
    const [net, box] = [network(), mailbox()];
    const all = Array.from({ length: 10 }, () => isolates.map(({ attempt }) => attempt([net, box])));
    const answers = await Promise.all(all.flat());
    expect(answers.filter((answer) => answer === null)).toHaveLength(6);
    for (const subject of [net, box]) {
      expect(JSON.parse((await rowOf("sign_in", subject))?.times ?? "")).toHaveLength(6);
    }
  });
});

describe("while D1 is away", () => {
  test("nobody has an attempt", async () => {
    const { attempts, isolate } = counterIn(makeWorld());
    isolate.db.fail("any");
    await expect(attempts.take("sign_in", network())).rejects.toMatchObject({ code: "unavailable" });
    expect(isolate.db.count(), "and D1 was asked once").toBe(1);
  });

  test("an attempt whose answer is lost counts", async () => {
    const { attempts, isolate, passed } = counterIn(makeWorld());
    const who = network();
    isolate.db.fail("batch", { when: "after", times: 2 });
    for (let i = 0; i < 2; i++) {
      await expect(attempts.take("sign_in", who)).rejects.toMatchObject({ code: "unavailable" });
    }
    expect(await passed(7, [who])).toBe(4);
  });
});

describe("what is stored", () => {
  test("names nobody, and forgets what no longer counts", async () => {
    const world = makeWorld();
    const { attempt } = counterIn(world);
    const [net, box] = [network(), mailbox()];
    const startedAt = world.clock.now();
    for (let i = 0; i < 30; i++) {
      await attempt([net, box]);
      world.clock.advance(5 * MINUTE);
    }
    const { results } = await env.DB.prepare("SELECT * FROM attempts").all<Record<string, unknown>>();
    for (const row of results) expect(row["lookup_key"]).toMatch(/^[0-9a-f]{64}$/);
    const dump = JSON.stringify(results);
    for (const part of [...net.slice(1), ...box.slice(1), "2001:db8", "@"]) expect(dump).not.toContain(part);
    const row = await rowOf("sign_in", net);
    const last = startedAt + 29 * 5 * MINUTE;
    expect(JSON.parse(row?.times ?? "")).toEqual(Array.from({ length: 12 }, (_, i) => last - (11 - i) * 5 * MINUTE));
  });

  test("goes with the hourly clean-up when it says nothing any more: an hour after the last attempt, or at the end of a block", async () => {
    const world = makeWorld();
    const { passed, isolate } = counterIn(world);
    const [once, shutOut] = [network(), network()];
    await passed(1, [once]);
    const late = counterIn(world);
    world.clock.advance(HOUR - 1);
    await late.passed(7, [shutOut]);
    const log = { info() {}, warn() {}, error() {} };
    await deleteExpiredRows(isolate.database, world.clock, log);
    expect(await rowOf("sign_in", once)).not.toBeNull();
    world.clock.advance(1);
    await deleteExpiredRows(isolate.database, world.clock, log);
    expect(await rowOf("sign_in", once)).toBeNull();
    expect(await rowOf("sign_in", shutOut)).not.toBeNull();
    world.clock.advance(HOUR);
    await deleteExpiredRows(isolate.database, world.clock, log);
    expect(await rowOf("sign_in", shutOut)).toBeNull();
  });

  test("stays for as long as a block lasts that ends after everything else has expired", async () => {
    const world = makeWorld();
    const { attempt, passed, isolate } = counterIn(world);
    const who = [network()];
    expect(await passed(6, who)).toBe(6);
    world.clock.advance(MINUTE);
    expect(await passed(6, who)).toBe(6);
    world.clock.advance(58 * MINUTE);
    expect(await attempt(who)).toBe(900);
    world.clock.advance(2 * MINUTE);
    await deleteExpiredRows(isolate.database, world.clock, { info() {}, warn() {}, error() {} });
    expect(await attempt(who)).toBe(780);
  });
});
