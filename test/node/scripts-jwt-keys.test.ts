/**
 * The keys of session JWTs as an operator handles them: by `npm run keys`, with the real wrangler in front of an API of
 * our own; and, over years of it, that no SDK ever meets a key that it does not know.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { readJwtKeys, setJwtKeys } from "../../scripts/jwt-key-file.ts";
import {
  announceNextKey,
  describeJwtKeys,
  dropJwtKey,
  firstJwtKeys,
  rotateJwtKeys,
} from "../../scripts/jwt-key-list.ts";
import { readVariable, setVariable } from "../../scripts/vars-file.ts";
import { createJwtKeyRing, type JwtKeySecrets } from "../../src/crypto/jwt-keys.ts";
import { openSecretsApi, type SecretsApi } from "./support/secrets-api.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TOKEN_KEY = "a:mT0vq2oWqkN3yR5xJ8sLwZb1cUe7hFgD4iKaPzXoQnM";
const NOW = Date.parse("2026-11-20T12:00:00Z");

/** Keys here differ by their names alone: making one takes a tenth of a second. */
vi.mock("node:crypto", async (importOriginal) => {
  const original = await importOriginal<typeof import("node:crypto")>();
  const pair = original.generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...original, generateKeyPairSync: () => pair };
});

const rotated = (keys: JwtKeySecrets, now: number) => announceNextKey(rotateJwtKeys(keys, now), now);
const signerOf = (keys: JwtKeySecrets, now: number) => createJwtKeyRing(keys).signing(now).kid;

describe("rotating", () => {
  test("adds a next key that signs a day later by itself", () => {
    const first = firstJwtKeys(NOW);
    const second = rotated(first, NOW);
    expect(second).toMatchObject({ active: first.active, retired: [] });
    expect(second.next?.kid).toMatch(/^jwk-live-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(signerOf(second, NOW + DAY - 1)).toBe(first.active.kid);
    expect(signerOf(second, NOW + DAY)).toBe(second.next?.kid);
  });

  test("is refused while the next key waits, and repeated while it was not published", () => {
    const keys = rotateJwtKeys(firstJwtKeys(NOW), NOW);
    expect(rotateJwtKeys(keys, NOW + DAY)).toBe(keys);
    const announced = announceNextKey(keys, NOW);
    expect(announceNextKey(announced, NOW + DAY)).toBe(announced);
    expect(() => rotateJwtKeys(announced, NOW + DAY - 1)).toThrow(
      "still waits: it signs from 2026-11-21T12:00:00.000Z on.",
    );
  });

  test("leaves the public part of a key that signs no more, with the time of its last signature", () => {
    const first = firstJwtKeys(NOW);
    const second = rotated(first, NOW);
    const third = rotateJwtKeys(second, NOW + 180 * DAY);
    const { kid, n, e } = first.active;
    expect(third.retired).toEqual([{ kid, n, e, lastSignedAt: NOW + DAY }]);
    expect(third.active).toBe(second.next);
    expect(third.next).toMatchObject({ signsFrom: null });
    expect(signerOf(third, NOW + 1000 * DAY)).toBe(second.next?.kid);
  });

  test("lets a key go when no session that it signed for can be alive", () => {
    const first = firstJwtKeys(NOW);
    const third = rotated(rotated(first, NOW), NOW + 2 * DAY);
    const lastSignedAt = NOW + DAY;
    expect(rotateJwtKeys(third, lastSignedAt + 366 * DAY).retired.map(({ kid }) => kid)).toContain(first.active.kid);
    expect(rotateJwtKeys(third, lastSignedAt + 367 * DAY).retired.map(({ kid }) => kid)).not.toContain(
      first.active.kid,
    );
  });

  test("is refused when a secret holds no more retired keys", () => {
    let keys = firstJwtKeys(NOW);
    const write = () => setJwtKeys("", keys);
    for (let month = 0; month <= 11; month++) {
      keys = rotated(keys, NOW + month * 30 * DAY);
      expect(readJwtKeys(write())).toEqual(keys);
    }
    expect(keys.retired).toHaveLength(11);
    keys = rotated(keys, NOW + 12 * 30 * DAY);
    expect(write).toThrow("12 retired keys do not fit into a secret.");
  });
});

describe("dropping", () => {
  const keys = rotated(rotated(firstJwtKeys(NOW), NOW), NOW + 2 * DAY);
  const at = NOW + 2 * DAY + HOUR;
  const knows = (after: JwtKeySecrets, kid: string | undefined) =>
    createJwtKeyRing(after).find(kid ?? "") !== undefined;

  test("the active key has the next one sign at once", () => {
    const after = dropJwtKey(keys, keys.active.kid, at);
    expect([signerOf(after, at), after.next]).toEqual([keys.next?.kid, null]);
    expect([knows(after, keys.active.kid), knows(after, keys.retired[0]?.kid)]).toEqual([false, true]);
  });

  test("the only key makes a new one, which signs at once", () => {
    const alone = firstJwtKeys(NOW);
    const after = dropJwtKey(alone, alone.active.kid, at);
    expect(signerOf(after, at)).not.toBe(alone.active.kid);
    expect(knows(after, alone.active.kid)).toBe(false);
  });

  test("the next key has the active one sign, be it again", () => {
    for (const now of [at, at + 10 * DAY]) {
      const after = dropJwtKey(keys, keys.next?.kid ?? "", now);
      expect([signerOf(after, now), knows(after, keys.next?.kid)]).toEqual([keys.active.kid, false]);
    }
  });

  test("a retired key leaves the others as they are, and an unknown one is named", () => {
    const after = dropJwtKey(keys, keys.retired[0]?.kid ?? "", at);
    expect(after).toEqual({ ...keys, retired: [] });
    expect(() => dropJwtKey(keys, "jwk-live-1", at)).toThrow(
      `There is no JWT key "jwk-live-1". There is: ${keys.active.kid}`,
    );
  });
});

test("a list says of each key what it does", () => {
  const first = firstJwtKeys(NOW);
  const waiting = rotateJwtKeys(first, NOW);
  const announced = announceNextKey(waiting, NOW);
  const third = rotated(announced, NOW + 2 * DAY);
  const [a, b, c] = [first.active.kid, waiting.next?.kid, third.next?.kid];
  expect(describeJwtKeys(first, NOW)).toEqual([`${a}  signs and verifies`]);
  expect(describeJwtKeys(waiting, NOW)[1]).toBe(`${b}  waits for an upload; signs a day after it`);
  expect(describeJwtKeys(announced, NOW)[1]).toBe(`${b}  published; signs from 2026-11-21T12:00:00.000Z on`);
  expect(describeJwtKeys(announced, NOW + DAY)).toEqual([
    `${a}  verifies; signed until 2026-11-21T12:00:00.000Z`,
    `${b}  signs and verifies`,
  ]);
  expect(describeJwtKeys(third, NOW + 2 * DAY)).toEqual([
    `${b}  signs and verifies`,
    `${c}  published; signs from 2026-11-23T12:00:00.000Z on`,
    `${a}  verifies until 2027-11-23T12:00:00.000Z`,
  ]);
});

/** What the Worker was given, and when; for a while some locations still have what was there before. */
interface Deployment {
  at: number;
  keys: JwtKeySecrets;
}
const ROLL_OUT_MS = MINUTE;

/** `isBehind`: the location is one of those that a new deployment reaches last. */
function deployedAt(deployments: Deployment[], time: number, isBehind: boolean): JwtKeySecrets {
  const index = deployments.findLastIndex(({ at }) => at <= time);
  const isRollingOut = index > 0 && time < (deployments[index] as Deployment).at + ROLL_OUT_MS;
  return (deployments[isBehind && isRollingOut ? index - 1 : index] as Deployment).keys;
}

type Step = "rotate" | "rotate, and the upload fails" | "rotate, and the answer is lost" | "upload";

/** What an operator does over the years, each step some time after the one before, with `npm run keys`. */
function operate(steps: { step: Step; afterMs: number; tookMs: number }[]): Deployment[] {
  let file = firstJwtKeys(NOW);
  const deployments: Deployment[] = [{ at: NOW, keys: file }];
  let now = NOW;
  for (const { step, afterMs, tookMs } of steps) {
    now += afterMs;
    if (step.startsWith("rotate")) {
      try {
        file = rotateJwtKeys(file, now);
      } catch {
        continue;
      }
    }
    const announced = announceNextKey(file, now);
    now += tookMs;
    if (step !== "rotate, and the upload fails") deployments.push({ at: now, keys: announced });
    if (step === "rotate" || step === "upload") file = announced;
  }
  return deployments;
}

const steps = fc.array(
  fc.record({
    step: fc.constantFrom<Step>(
      "rotate",
      "rotate",
      "rotate, and the upload fails",
      "rotate, and the answer is lost",
      "upload",
    ),
    // Often just when a key has begun to sign: the earliest at which it can be given a successor.
    afterMs: fc.oneof(
      fc.nat({ max: 3 * HOUR }),
      fc.integer({ min: DAY - MINUTE, max: DAY + 3 * MINUTE }),
      fc.nat({ max: 3 * DAY }),
      fc.nat({ max: 200 * DAY }),
    ),
    tookMs: fc.nat({ max: MINUTE }),
  }),
  { minLength: 1, maxLength: 12 },
);

describe("over years of rotations, failed uploads and lost answers", () => {
  /**
   * How old a set may be that an SDK looks a key up in, without asking again: Node's and Python's are fetched anew by
   * then, Go's in the background. The answer itself may come out of an HTTP cache.
   */
  const SDKS = { node: 10 * MINUTE, go: HOUR, python: 5 * MINUTE };
  const HTTP_CACHE_MS = 5 * MINUTE;
  const JWT_LIFE_MS = 5 * MINUTE;

  const moment = fc.record({
    /** Around a deployment, or around the instant at which the key of one begins to sign. */
    near: fc.nat({ max: 100 }),
    isChangeOver: fc.boolean(),
    offset: fc.oneof(fc.integer({ min: -2 * MINUTE, max: 2 * MINUTE }), fc.integer({ min: -HOUR, max: 2 * DAY })),
    /** From signature to verification. */
    age: fc.nat({ max: JWT_LIFE_MS }),
    staleness: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
    signerIsBehind: fc.boolean(),
    publisherIsBehind: fc.boolean(),
  });

  test.each(Object.entries(SDKS))(
    "the set that the SDK for %s remembers has the key of every JWT that lives",
    (_, maxAge) => {
      fc.assert(
        fc.property(steps, fc.array(moment, { minLength: 50, maxLength: 50 }), (history, moments) => {
          const deployments = operate(history);
          for (const { near, isChangeOver, offset, age, staleness, signerIsBehind, publisherIsBehind } of moments) {
            const { at, keys } = deployments[near % deployments.length] as Deployment;
            const signedAt = Math.max(NOW, ((isChangeOver ? keys.next?.signsFrom : null) ?? at) + offset);
            const fetchedAt = Math.max(NOW, signedAt + age - staleness * (maxAge + HTTP_CACHE_MS));
            const kid = signerOf(deployedAt(deployments, signedAt, signerIsBehind), signedAt);
            const set = createJwtKeyRing(deployedAt(deployments, fetchedAt, publisherIsBehind)).published(fetchedAt);
            expect(set.map((key) => key.kid)).toContain(kid);
          }
        }),
        { numRuns: 300 },
      );
    },
  );

  test("a session is refreshed by what was signed for it up to 366 days ago", () => {
    fc.assert(
      fc.property(
        steps,
        fc.nat({ max: 366 * DAY }),
        fc.nat({ max: 100 }),
        fc.nat({ max: 10 * DAY }),
        (history, age, near, offset) => {
          const deployments = operate(history);
          const { at } = deployments[near % deployments.length] as Deployment;
          const [signedAt, now] = [at + offset, at + offset + age];
          const kid = signerOf(deployedAt(deployments, signedAt, false), signedAt);
          expect(createJwtKeyRing(deployedAt(deployments, now, false)).find(kid)).toBeDefined();
        },
      ),
      { numRuns: 500 },
    );
  });

  test("the operator of these tests comes to rotate, again and again", () => {
    const yearly = Array.from({ length: 6 }, () => ({ step: "rotate" as const, afterMs: 100 * DAY, tookMs: 1 }));
    const deployments = operate(yearly);
    const signers = deployments.map(({ at, keys }) => signerOf(keys, at + 2 * DAY));
    expect(new Set(signers).size).toBe(7);
  });
});

describe("npm run keys", { timeout: 60_000 }, () => {
  let folder: string;
  let file: string;
  let api: SecretsApi;
  beforeAll(async () => {
    api = await openSecretsApi();
  });
  afterAll(() => api.close());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "latchkey-jwt-keys-"));
    file = join(folder, "production.vars");
    api.secrets.clear();
    api.requests.length = 0;
    api.mood = "fine";
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function start(args: string[]) {
    return spawn(process.execPath, ["scripts/keys.ts", ...args], {
      env: { ...process.env, ...api.env, LATCHKEY_DEV_DIR: join(folder, "dev") },
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, for Ctrl-C to reach all of it.
      detached: true,
    });
  }

  async function run(...args: string[]) {
    const child = start(args);
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    return { code: code as number, stdout, stderr };
  }

  const inFile = () => readJwtKeys(readFileSync(file, "utf8"));
  /** As the Worker reads them. */
  const deployed = () => readJwtKeys([...api.secrets].map(([name, value]) => `${name}='${value}'\n`).join(""));
  /** As if the time had come. */
  function letNextKeySign() {
    const keys = inFile() as JwtKeySecrets;
    const next = keys.next && { ...keys.next, signsFrom: Date.now() - 1 };
    writeFileSync(file, setJwtKeys(readFileSync(file, "utf8"), { ...keys, next }));
  }

  test("makes the first JWT key beside the token keys, and uploads all of both", async () => {
    writeFileSync(file, setVariable("", "TOKEN_KEYS", TOKEN_KEY));
    const { code, stdout, stderr } = await run("--file", file, "--upload");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(api.requests).toEqual([["JWT_KEY", "JWT_NEXT_KEY", "JWT_RETIRED_KEYS"], ["TOKEN_KEYS"]]);
    expect(deployed()).toEqual(inFile());
    expect(api.secrets.get("TOKEN_KEYS")).toBe(readVariable(readFileSync(file, "utf8"), "TOKEN_KEYS"));
    expect([...api.secrets.keys()].sort()).toEqual(["JWT_KEY", "TOKEN_KEYS"]);
    for (const secret of api.secrets.values()) expect(stdout).not.toContain(secret.slice(-60, -20));
    expect(stdout).toContain(`JWT keys\n  ${inFile()?.active.kid}  signs and verifies\n`);
  });

  test("gives a next key its time with the upload, all in one request, and makes way for another when it signs", async () => {
    await run("--file", file);
    const first = inFile() as JwtKeySecrets;
    expect((await run("rotate-jwt", "--file", file)).stdout).toContain("waits for an upload; signs a day after it");
    expect(inFile()?.next?.signsFrom).toBeNull();
    const before = Date.now();
    expect(await run("rotate-jwt", "--file", file, "--upload")).toMatchObject({ code: 0, stderr: "" });
    const signsFrom = inFile()?.next?.signsFrom as number;
    expect(signsFrom).toBeGreaterThanOrEqual(before + DAY);
    expect(signsFrom).toBeLessThanOrEqual(Date.now() + DAY);
    expect(api.requests).toEqual([["JWT_KEY", "JWT_NEXT_KEY", "JWT_RETIRED_KEYS"]]);
    expect(deployed()).toEqual(inFile());

    const tooEarly = await run("rotate-jwt", "--file", file, "--upload");
    expect(tooEarly).toMatchObject({ code: 1, stderr: expect.stringContaining("still waits") });
    letNextKeySign();
    expect(await run("rotate-jwt", "--file", file, "--upload")).toMatchObject({ code: 0 });
    expect(deployed()?.retired.map(({ kid }) => kid)).toEqual([first.active.kid]);
    expect(deployed()).toEqual(inFile());
    expect(api.secrets.get("JWT_RETIRED_KEYS")).not.toContain(first.active.d.slice(0, 20));
  });

  test("can be repeated after an upload that failed, and the key's day begins anew", async () => {
    await run("--file", file);
    api.mood = "refused";
    const failed = await run("rotate-jwt", "--file", file, "--upload");
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringContaining("The upload failed.") });
    const waiting = inFile()?.next;
    expect(waiting?.signsFrom).toBeNull();
    expect(deployed()).toBeNull();
    api.mood = "fine";
    expect(await run("rotate-jwt", "--file", file, "--upload")).toMatchObject({ code: 0 });
    expect(deployed()?.next?.kid).toBe(waiting?.kid);
    expect(deployed()).toEqual(inFile());
  });

  test("can be interrupted at any time: file and Worker work, and a repeat brings them together", async () => {
    await run("--file", file, "--upload");
    const [before, text] = [deployed(), readFileSync(file, "utf8")];
    expect(before).toEqual(inFile());
    api.mood = "unanswered";
    const child = start(["rotate-jwt", "--file", file, "--upload"]);
    await api.asked();
    process.kill(-(child.pid as number), "SIGINT");
    await once(child, "close");
    // The Worker has taken it: its next key signs in a day. The file does not know, and nothing in it is lost.
    expect(deployed()?.active).toEqual(before?.active);
    expect(deployed()?.next?.kid).toBe(inFile()?.next?.kid);
    expect([inFile()?.active, inFile()?.next?.signsFrom]).toEqual([before?.active, null]);
    expect(readVariable(readFileSync(file, "utf8"), "TOKEN_KEYS")).toBe(readVariable(text, "TOKEN_KEYS"));
    api.mood = "fine";
    expect(await run("--file", file, "--upload")).toMatchObject({ code: 0 });
    expect(deployed()).toEqual(inFile());
  });

  test("drops a key in an emergency, and says who takes it for how long", async () => {
    await run("--file", file);
    await run("rotate-jwt", "--file", file, "--upload");
    const keys = inFile() as JwtKeySecrets;
    const dropped = await run("drop-jwt", keys.active.kid, "--file", file, "--upload");
    expect(dropped).toMatchObject({ code: 0, stdout: expect.stringContaining("an hour (Go)") });
    expect(deployed()).toMatchObject({ active: { kid: keys.next?.kid }, next: null, retired: [] });
    const unknown = await run("drop-jwt", keys.active.kid, "--file", file);
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining("There is no JWT key") });
    expect(unknown.stdout).toBe("");
  });

  test("gives the local server's next key its time at once: nothing is uploaded there", async () => {
    const before = Date.now();
    await run();
    expect(await run("rotate-jwt")).toMatchObject({ code: 0 });
    file = join(folder, "dev", ".dev.vars");
    expect(inFile()?.next?.signsFrom).toBeGreaterThanOrEqual(before + DAY);
    expect(api.requests).toEqual([]);
  });

  test("needs keys to rotate or drop, and does not touch any that are no good", async () => {
    for (const args of [["rotate-jwt"], ["drop-jwt", "jwk-live-1"]]) {
      const none = await run(...args, "--file", file);
      expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('"npm run keys" makes the first.') });
    }
    const broken = `TOKEN_KEYS="${TOKEN_KEY}"\nJWT_KEY='{"kid":"a"}'\n`;
    writeFileSync(file, broken);
    for (const args of [[], ["list"], ["rotate-jwt"]]) {
      const refused = await run(...args, "--file", file);
      expect(refused).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("JWT_KEY holds a key of other than 2048 bits."),
      });
    }
    expect(readFileSync(file, "utf8")).toBe(broken);
  });
});
