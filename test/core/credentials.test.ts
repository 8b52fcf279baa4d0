/** Opaque credentials: one spelling each, every change refused, kinds and keys never confused. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CredentialKind, createCredentials } from "../../src/core/credentials.ts";
import { concatBytes, fromBase64Url, randomBytes, toBase64Url, toHex, utf8Bytes } from "../../src/crypto/bytes.ts";
import { importTokenKeys, type TokenKeySecret } from "../../src/crypto/token-keys.ts";

const KINDS: CredentialKind[] = ["mst", "cst", "oat", "code", "cev", "login"];
const first: TokenKeySecret = { name: "a", bytes: randomBytes(32) };
const second: TokenKeySecret = { name: "b", bytes: randomBytes(32) };

const ringOf = (...secrets: TokenKeySecret[]) => importTokenKeys(secrets);
const credentials = createCredentials(ringOf(first, second), ["lk", "polar"]);

const partsOf = (token: string) => ({ head: token.slice(0, -56), body: token.slice(-56) });

describe("a minted credential", () => {
  test("is prefix, kind, key name and 56 base64url characters", async () => {
    for (const kind of KINDS) {
      const { token, lookupKey, tokenKey } = await credentials.mint(kind);
      expect(token).toMatch(new RegExp(`^lk_${kind}_a[A-Za-z0-9_-]{56}$`));
      expect(lookupKey).toMatch(/^[0-9a-f]{46}$/);
      expect(tokenKey).toBe("a");
    }
  });

  test("is recognised as what it is", async () => {
    for (const kind of KINDS) {
      const { token, lookupKey, tokenKey } = await credentials.mint(kind);
      expect(await credentials.verify(token)).toEqual({ kind, lookupKey, tokenKey });
    }
  });

  test("is one of a kind", async () => {
    const minted = await Promise.all(Array.from({ length: 1000 }, () => credentials.mint("mst")));
    expect(new Set(minted.map(({ token }) => token)).size).toBe(1000);
    expect(new Set(minted.map(({ lookupKey }) => lookupKey)).size).toBe(1000);
  });

  test("carries 9 bytes of its MAC, and is looked up by the other 23", async () => {
    const key = await crypto.subtle.importKey("raw", first.bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    for (const kind of KINDS) {
      const { token, lookupKey } = await credentials.mint(kind);
      const bytes = fromBase64Url(partsOf(token).body) ?? new Uint8Array();
      const message = concatBytes(
        utf8Bytes("lk1"),
        Uint8Array.of(0),
        utf8Bytes(kind),
        Uint8Array.of(0),
        bytes.slice(0, 33),
      );
      const mac = toHex(new Uint8Array(await crypto.subtle.sign("HMAC", key, message)));
      expect(bytes).toHaveLength(42);
      expect(toHex(bytes.subarray(33)) + lookupKey).toBe(mac);
    }
  });
});

describe("a credential that was tampered with", () => {
  test("is refused for every single bit of its 42 bytes", async () => {
    const { token } = await credentials.mint("mst");
    const { head, body } = partsOf(token);
    const bytes = fromBase64Url(body) ?? new Uint8Array();
    for (let bit = 0; bit < 42 * 8; bit++) {
      const flipped = Uint8Array.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(await credentials.verify(head + toBase64Url(flipped)), `bit ${bit}`).toBeNull();
    }
  });

  test("is refused for every other character in every place of its body", async () => {
    const { token } = await credentials.mint("mst");
    const start = token.length - 56;
    for (let place = start; place < token.length; place++) {
      for (const character of "A9z-_") {
        const changed = token.slice(0, place) + character + token.slice(place + 1);
        if (changed !== token) expect(await credentials.verify(changed), changed).toBeNull();
      }
    }
  });

  test("is refused when cut, lengthened, doubled or surrounded", async () => {
    const { token } = await credentials.mint("mst");
    for (let length = 0; length < token.length; length++) {
      expect(await credentials.verify(token.slice(0, length))).toBeNull();
      expect(await credentials.verify(token.slice(-length - 1, -1))).toBeNull();
    }
    const { head, body } = partsOf(token);
    for (const changed of [
      token + token,
      `${token}A`,
      `${token}=`,
      `${token}\n`,
      ` ${token}`,
      `${token} `,
      `"${token}"`,
      `${token}\u0000`,
      head + body + body,
      `${head}${body.slice(0, 28)}\n${body.slice(28)}`,
      head +
        body
          .replaceAll("-", "+")
          .replaceAll("_", "/")
          .replace(/^[^+/]/, "+"),
      token.toUpperCase(),
      encodeURIComponent(`${token}%`),
    ]) {
      expect(await credentials.verify(changed), changed).toBeNull();
    }
  });

  test("is refused at once however long it is", async () => {
    const { token } = await credentials.mint("mst");
    for (const long of ["x".repeat(100_000), `lk_mst_a${"A".repeat(100_000)}`, token + "A".repeat(100_000)]) {
      expect(await credentials.verify(long)).toBeNull();
    }
  });

  test("is refused under every other kind", async () => {
    for (const kind of KINDS) {
      const { token } = await credentials.mint(kind);
      for (const other of KINDS.filter((candidate) => candidate !== kind)) {
        expect(await credentials.verify(token.replace(`_${kind}_`, `_${other}_`))).toBeNull();
      }
      expect(await credentials.verify(token.replace(`_${kind}_`, "_xyz_"))).toBeNull();
      expect(await credentials.verify(token.replace(`_${kind}_`, `_${kind.toUpperCase()}_`))).toBeNull();
    }
  });

  test("is refused under the name of another key, or of none", async () => {
    const { token } = await credentials.mint("mst");
    for (const name of ["b", "c", "A", "0", "-", "_", ""]) {
      expect(await credentials.verify(token.replace("_mst_a", `_mst_${name}`))).toBeNull();
    }
  });

  test("never makes verify throw, whatever the text", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^lk_(mst|code)_[ab][A-Za-z0-9_-]{56}$/)),
        async (text) => {
          expect(await credentials.verify(text)).toBeNull();
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("prefixes", () => {
  test("that are configured are all understood, and lead to the same row", async () => {
    const { token, lookupKey } = await credentials.mint("mst");
    expect(await credentials.verify(token.replace(/^lk_/, "polar_"))).toMatchObject({ lookupKey });
  });

  test("that are not configured are refused, and so are look-alikes", async () => {
    const { token } = await credentials.mint("mst");
    for (const prefix of ["stytch", "LK", "Polar", "lk_polar", "lkx", "l", ""]) {
      expect(await credentials.verify(token.replace(/^lk_/, `${prefix}_`)), prefix).toBeNull();
    }
    expect(await credentials.verify(token.replace(/^lk_/, ""))).toBeNull();
    expect(await credentials.verify(`lk_${token}`)).toBeNull();
  });

  test("the first one mints", async () => {
    const polar = createCredentials(ringOf(first), ["polar", "lk"]);
    expect((await polar.mint("cst")).token).toMatch(/^polar_cst_a/);
  });
});

describe("token keys", () => {
  test("the first one mints, all of them verify", async () => {
    const old = createCredentials(ringOf(second), ["lk"]);
    const { token, lookupKey } = await old.mint("mst");
    expect(token).toMatch(/^lk_mst_b/);
    expect(await credentials.verify(token)).toEqual({ kind: "mst", lookupKey, tokenKey: "b" });
    expect((await credentials.mint("mst")).tokenKey).toBe("a");
  });

  test("a key that is gone verifies nothing any more, and another under its name does not either", async () => {
    const { token } = await credentials.mint("mst");
    expect(await createCredentials(ringOf(second), ["lk"]).verify(token)).toBeNull();
    expect(await createCredentials(ringOf({ ...second, name: "a" }), ["lk"]).verify(token)).toBeNull();
  });
});

describe("what a text claims to be", () => {
  test("is told without proof, and only if it begins as one of ours", async () => {
    const { token } = await credentials.mint("oat");
    for (const [text, claim] of [
      [token, "oat"],
      ["lk_mst_", "mst"],
      ["polar_cst_forged", "cst"],
      ["lk_xyz_1", "other"],
      ["lk_", "other"],
      ["lkmst_", null],
      ["stytch_mst_", null],
      [" lk_mst_", null],
      ["", null],
    ] as const) {
      expect(credentials.claimedKind(text), text).toBe(claim);
    }
  });
});
