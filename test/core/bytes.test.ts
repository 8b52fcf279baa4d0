/** Byte encodings, held against the runtime's own. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  concatBytes,
  equalBytes,
  fromBase64,
  fromBase64Url,
  fromPem,
  toBase64Url,
  toHex,
} from "../../src/crypto/bytes.ts";

const bytes = fc.uint8Array({ maxLength: 100 });

describe("base64url", () => {
  test("survives the round trip, unpadded", () => {
    fc.assert(
      fc.property(bytes, (value) => {
        const text = toBase64Url(value);
        expect(text).toMatch(/^[A-Za-z0-9_-]*$/);
        expect(fromBase64Url(text)).toEqual(value);
      }),
    );
  });

  test("is nothing else: other alphabets, padding, blanks and impossible lengths are refused", () => {
    for (const text of ["A", "AAAAA", "AA==", "AA=", "A+AA", "A/AA", "AA AA", "AAAA\n", "äAAA", "AAA\u0000"]) {
      expect(fromBase64Url(text), text).toBeNull();
    }
    expect(fromBase64Url("")).toEqual(new Uint8Array());
  });

  test("has one spelling for any bytes: of all last characters, only those without spare bits are taken", () => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (const start of ["A", "AA", "AAAA_", "AAAA-_"]) {
      const taken = [...alphabet].filter((last) => fromBase64Url(start + last) !== null);
      expect(taken, start).toHaveLength(start.length % 4 === 1 ? 4 : 16);
      for (const last of taken) expect(toBase64Url(fromBase64Url(start + last) as Uint8Array)).toBe(start + last);
    }
  });
});

test("base64 is read with its padding and line breaks, and is nothing else", () => {
  expect(fromBase64("AP8A\n+/8=\n")).toEqual(Uint8Array.of(0, 255, 0, 251, 255));
  for (const text of ["A", "AA==A", "AP8-", "AP_8", "AP8=="]) expect(fromBase64(text), text).toBeNull();
});

test("PEM is read by its label, and is nothing else", () => {
  const pem = (opening: string, closing = opening) =>
    `-----BEGIN ${opening}-----\nAP8A\n+/8=\n-----END ${closing}-----\n`;
  expect(fromPem(pem("PUBLIC KEY"), "PUBLIC KEY")).toEqual(Uint8Array.of(0, 255, 0, 251, 255));
  for (const text of [
    pem("PRIVATE KEY"),
    pem("PUBLIC KEY", "PRIVATE KEY"),
    `${pem("PUBLIC KEY")}${pem("PUBLIC KEY")}`,
    `text\n${pem("PUBLIC KEY")}`,
    pem("PUBLIC KEY").replace("+/", "-_"),
    "",
  ]) {
    expect(fromPem(text, "PUBLIC KEY"), text).toBeNull();
  }
});

test("hex has two digits per byte", () => {
  expect(toHex(Uint8Array.of(0, 1, 15, 16, 255))).toBe("00010f10ff");
});

test("bytes are equal when all of them are", () => {
  fc.assert(
    fc.property(bytes, bytes, (left, right) => {
      expect(equalBytes(left, right)).toBe(toHex(left) === toHex(right));
      expect(equalBytes(left, Uint8Array.from(left))).toBe(true);
      expect(equalBytes(left, concatBytes(left, Uint8Array.of(0)))).toBe(false);
    }),
  );
});
