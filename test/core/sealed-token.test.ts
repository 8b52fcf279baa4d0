/** The token at rest opens for its own session under its own key, and for nothing else. */

import { describe, expect, test } from "vitest";
import { createTokenSealer } from "../../src/core/sealed-token.ts";
import { fromBase64Url, randomBytes, toBase64Url } from "../../src/crypto/bytes.ts";
import { importTokenKeys } from "../../src/crypto/token-keys.ts";

const secrets = ["a", "b"].map((name) => ({ name, bytes: randomBytes(32) }));
const sealer = createTokenSealer(importTokenKeys(secrets));
const TOKEN = `lk_mst_a${"x".repeat(56)}`;

describe("a sealed token", () => {
  test("opens for its session and its key", async () => {
    const id = crypto.randomUUID();
    for (const key of ["a", "b"]) {
      expect(await sealer.unseal(await sealer.seal(TOKEN, id, key), id, key)).toBe(TOKEN);
    }
  });

  test("shows nothing of the token, and looks different each time", async () => {
    const id = crypto.randomUUID();
    const sealed = await Promise.all(Array.from({ length: 100 }, () => sealer.seal(TOKEN, id, "a")));
    expect(new Set(sealed).size).toBe(100);
    expect(new Set(sealed.map((text) => text.slice(0, 16))).size).toBe(100);
    for (const text of sealed) {
      const bytes = fromBase64Url(text) ?? new Uint8Array();
      expect(bytes).toHaveLength(12 + TOKEN.length + 16);
      expect(new TextDecoder("latin1").decode(bytes)).not.toContain("xxxx");
    }
  });

  test("does not open for another session", async () => {
    const sealed = await sealer.seal(TOKEN, crypto.randomUUID(), "a");
    await expect(sealer.unseal(sealed, crypto.randomUUID(), "a")).rejects.toThrow();
    await expect(sealer.unseal(sealed, "", "a")).rejects.toThrow();
  });

  test("does not open with another key, or with another one of the same name", async () => {
    const id = crypto.randomUUID();
    const sealed = await sealer.seal(TOKEN, id, "a");
    await expect(sealer.unseal(sealed, id, "b")).rejects.toThrow();
    const other = createTokenSealer(importTokenKeys([{ name: "a", bytes: randomBytes(32) }]));
    await expect(other.unseal(sealed, id, "a")).rejects.toThrow();
  });

  test("names the key that is missing", async () => {
    await expect(sealer.unseal("AAAA", "id", "z")).rejects.toThrow('token key "z" is not configured');
    await expect(sealer.seal(TOKEN, "id", "z")).rejects.toThrow('token key "z" is not configured');
  });

  test("does not open when any of its bytes is changed, or some are missing", async () => {
    const id = crypto.randomUUID();
    const bytes = fromBase64Url(await sealer.seal(TOKEN, id, "a")) ?? new Uint8Array();
    for (let index = 0; index < bytes.length; index++) {
      const flipped = Uint8Array.from(bytes);
      flipped[index] = (flipped[index] ?? 0) ^ 1;
      await expect(sealer.unseal(toBase64Url(flipped), id, "a"), `byte ${index}`).rejects.toThrow();
    }
    for (const length of [0, 1, 12, 27, bytes.length - 1]) {
      await expect(sealer.unseal(toBase64Url(bytes.slice(0, length)), id, "a")).rejects.toThrow();
    }
    await expect(sealer.unseal("not base64url!", id, "a")).rejects.toThrow();
  });
});
