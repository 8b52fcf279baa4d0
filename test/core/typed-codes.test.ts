/** Codes that people type: their form, their evenness, and what their MAC is bound to. */

import { describe, expect, test } from "vitest";
import { createTypedCodes, displayed, parseTypedCode } from "../../src/core/typed-codes.ts";
import { randomBytes, toHex, utf8Bytes } from "../../src/crypto/bytes.ts";
import { importTokenKeys } from "../../src/crypto/token-keys.ts";

const first = { name: "a", bytes: randomBytes(32) };
const second = { name: "b", bytes: randomBytes(32) };
const codes = createTypedCodes(importTokenKeys([first, second]));
const scope = { organizationId: crypto.randomUUID(), emailKey: "ann@example.com" };

describe("a minted code", () => {
  test("is eight characters, none of which looks like another, shown as four and four", async () => {
    const { code, tokenKey } = await codes.mint(scope);
    expect(code).toMatch(/^[2-9A-HJ-NP-Z]{8}$/);
    expect(displayed(code)).toBe(`${code.slice(0, 4)}-${code.slice(4)}`);
    expect(tokenKey).toBe("a");
  });

  test("has each of the 32 characters as often as any other", async () => {
    const counts = new Map<string, number>();
    const minted = await Promise.all(Array.from({ length: 4000 }, () => codes.mint(scope)));
    for (const { code } of minted) for (const c of code) counts.set(c, (counts.get(c) ?? 0) + 1);
    expect(counts.size).toBe(32);
    // 1000 of each are expected; six standard deviations.
    for (const [character, count] of counts) expect(Math.abs(count - 1000), character).toBeLessThan(190);
    expect(new Set(minted.map(({ code }) => code)).size).toBe(4000);
  });
});

describe("what somebody typed", () => {
  test.each(["K7QM-2X9P", "k7qm2x9p", " K7QM 2X9P ", "k-7-q-m-2-x-9-p", "K7QM–2X9P", "K7QM\u00a02X9P\n"])(
    "%j is the code K7QM2X9P",
    (text) => {
      expect(parseTypedCode(text)).toBe("K7QM2X9P");
    },
  );

  test.each([
    "",
    "-",
    "K7QM2X9",
    "K7QM2X9PP",
    "K7QM-2X90",
    "K7QM-2X9I",
    "K7QM.2X9P",
    "K7QM2X9\0P",
    "Ж7QM2X9P",
    "2".repeat(101),
  ])("%j is no code", (text) => {
    expect(parseTypedCode(text)).toBeNull();
  });

  test("is looked at in no time, however long", () => {
    const startedAt = performance.now();
    for (const character of [" ", "-", "2", "\u2011"]) expect(parseTypedCode(character.repeat(1_000_000))).toBeNull();
    expect(performance.now() - startedAt).toBeLessThan(50);
  });
});

describe("a stored MAC", () => {
  test("fits its own code, address and organization, and nothing else", async () => {
    const { code, ...stored } = await codes.mint(scope);
    const matches = (typed: string, changes = {}) => codes.matches(typed, { ...scope, ...stored, ...changes });
    expect(await matches(code)).toBe(true);
    expect(await matches((await codes.mint(scope)).code)).toBe(false);
    expect(await matches(code, { emailKey: "bob@example.com" })).toBe(false);
    expect(await matches(code, { organizationId: crypto.randomUUID() })).toBe(false);
    expect(await matches(code, { tokenKey: "b" })).toBe(false);
    expect(await matches(code, { mac: "" })).toBe(false);
  });

  test("is one of the key that signed it: it fits while that key is there, as second key too, and not without", async () => {
    const { code, ...stored } = await codes.mint(scope);
    const rotated = createTypedCodes(importTokenKeys([second, first]));
    expect(await rotated.matches(code, { ...scope, ...stored })).toBe(true);
    const retired = createTypedCodes(importTokenKeys([second]));
    expect(await retired.matches(code, { ...scope, ...stored })).toBe(false);
  });

  test("is an HMAC under the token key: without the key, no code can be tried on it", async () => {
    const { code, mac } = await codes.mint(scope);
    const key = await crypto.subtle.importKey("raw", first.bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const message = utf8Bytes(`lk1\0typed\0${scope.organizationId}\0${code}\0${scope.emailKey}`);
    expect(mac).toBe(toHex(new Uint8Array(await crypto.subtle.sign("HMAC", key, message))));
  });
});
