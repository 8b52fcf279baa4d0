/** The faults themselves: that KV and D1 fail in tests in just the way a test has asked for. */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { fakeClock } from "../support/clock.ts";
import { createFaultD1, D1_ERRORS } from "../support/fault-d1.ts";
import { createFaultKvWorld } from "../support/fault-kv.ts";

const TTL = { expirationTtl: 600 };

function prepare() {
  const clock = fakeClock();
  const world = createFaultKvWorld(env.SESSIONS, clock);
  const key = `test:${crypto.randomUUID()}`;
  const [here, there] = [world.location(), world.location()];
  const read = (location = there) => location.binding.get(key, { type: "text", cacheTtl: 30 });
  const write = (text: string, location = here) => location.binding.put(key, text, TTL);
  return { clock, world, key, here, there, read, write };
}

describe("a KV location", () => {
  test("sees what the store holds, unless told otherwise", async () => {
    const { read, write, key } = prepare();
    expect(await read()).toBeNull();
    await write("1");
    expect(await read()).toBe("1");
    expect(await env.SESSIONS.get(key)).toBe("1");
  });

  test("that is frozen sees what it could see then, and no other location is", async () => {
    const { read, write, here, there } = prepare();
    await write("1");
    there.freeze();
    await write("2");
    expect([await read(there), await read(here)]).toEqual(["1", "2"]);
    await write("3", there);
    expect([await read(there), await read(here)]).toEqual(["1", "3"]);
    there.converge();
    expect(await read(there)).toBe("3");
  });

  test("that lags sees each value when it is old enough", async () => {
    const { clock, read, write, there } = prepare();
    there.lag(60_000);
    await write("1");
    expect(await read()).toBeNull();
    clock.advance(60_000);
    await write("2");
    expect(await read()).toBe("1");
    clock.advance(60_000);
    expect(await read()).toBe("2");
  });

  test("serves the version or the text it is told to", async () => {
    const { key, read, write, there } = prepare();
    await write("1");
    await write("2");
    there.serve(key, 1);
    expect(await read()).toBe("1");
    there.serve(key, 0);
    expect(await read()).toBeNull();
    there.pin(key, "garbage");
    expect(await read()).toBe("garbage");
  });

  test("keeps what it has read, absence included, for as long as the reader allows", async () => {
    const { clock, read, write, there } = prepare();
    there.cacheReads();
    expect(await read()).toBeNull();
    await write("1");
    clock.advance(29_999);
    expect(await read()).toBeNull();
    clock.advance(1);
    expect(await read()).toBe("1");
  });

  test("forgets a value when its time is over by the test's clock", async () => {
    const { clock, read, write } = prepare();
    await write("1");
    clock.advance(599_999);
    expect(await read()).toBe("1");
    clock.advance(1);
    expect(await read()).toBeNull();
  });

  test("takes one write of a key per second, where that is asked for", async () => {
    const { clock, world, read, write } = prepare();
    world.limitWrites();
    await write("1");
    clock.advance(999);
    await expect(write("2")).rejects.toThrow("429 Too Many Requests");
    clock.advance(1);
    await write("3");
    expect(await read()).toBe("3");
  });

  test("refuses what the platform refuses: a life under a minute, a cache life under half of one", async () => {
    const { key, here, world } = prepare();
    await expect(here.binding.put(key, "1", { expirationTtl: 59 })).rejects.toThrow("400");
    await expect(here.binding.get(key, { type: "text", cacheTtl: 29 })).rejects.toThrow("400");
    expect(world.versions(key)).toEqual([]);
  });

  test("fails before or after the fact, as often as asked, and counts every attempt", async () => {
    const { world, key, read, write, here } = prepare();
    here.fail("put", { times: 1 });
    await expect(write("1")).rejects.toThrow("KV PUT failed: 503");
    expect(await read()).toBeNull();
    here.fail("put", { times: 1, when: "after" });
    await expect(write("2")).rejects.toThrow("KV PUT failed: 503");
    expect(await read()).toBe("2");
    await write("3");
    expect(here.count("put")).toBe(3);
    expect(world.versions(key).map(({ value }) => value)).toEqual(["2", "3"]);
  });

  test("hangs until healed, and stops at a gate until released", async () => {
    const { read, write, here } = prepare();
    here.hang("put");
    const hung = write("1");
    here.heal();
    await expect(hung).rejects.toThrow("Network connection lost.");
    const gate = here.hold("put", { when: "after" });
    const held = write("2");
    await gate.reached;
    expect(await read()).toBe("2");
    gate.release();
    await held;
  });
});

describe("the D1 wrapper", () => {
  test("fails what it is told to, before or after the commit, and records all of it", async () => {
    const db = createFaultD1(env.DB);
    const id = crypto.randomUUID();
    const insert = (suffix: string) =>
      db.binding
        .prepare("INSERT INTO organizations (id, slug, name, created_at) VALUES (?1, ?1, 'x', 0)")
        .bind(id + suffix);
    const read = () =>
      db.binding.prepare("SELECT id FROM organizations WHERE slug >= ?1 AND slug < ?1 || 'z'").bind(id);
    db.fail("batch", { times: 1 });
    db.fail("batch", { times: 1, when: "after", message: D1_ERRORS.reset });
    await expect(db.binding.batch([insert("a")])).rejects.toThrow(D1_ERRORS.lost);
    await expect(db.binding.batch([insert("b")])).rejects.toThrow(D1_ERRORS.reset);
    await db.binding.batch([insert("c"), insert("d")]);
    expect((await read().all<{ id: string }>()).results.map((row) => row.id)).toEqual([`${id}b`, `${id}c`, `${id}d`]);
    db.fail(/SELECT id/, { times: 1 });
    await db.binding.batch([insert("e")]);
    await expect(read().all()).rejects.toThrow(D1_ERRORS.lost);
    expect(db.prepared()).toHaveLength(2);
    expect([db.count("batch"), db.count("read"), db.count(/INSERT/), db.count()]).toEqual([4, 2, 4, 6]);
    expect(db.log[2]?.meta.map(({ rows_written }) => rows_written > 0)).toEqual([true, true]);
  });
});
