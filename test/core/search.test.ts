/** Cursors of searches: opaque, and of one spelling each. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { cursorOf, placeOf } from "../../src/core/search.ts";
import { toBase64Url, utf8Bytes } from "../../src/crypto/bytes.ts";

test("a cursor leads back to its place, whatever its time and id", () => {
  fc.assert(
    fc.property(fc.nat({ max: 999_999_999_999_999 }), fc.uuid(), (createdAt, id) => {
      expect(placeOf(cursorOf({ createdAt, id }))).toEqual({ createdAt, id });
      expect(cursorOf({ createdAt, id })).toMatch(/^[\w-]+$/);
    }),
  );
});

const ID = "5e3d7a2c-9d0b-4c53-8a51-0b0a2a1d6f3e";
const encoded = (text: string) => toBase64Url(utf8Bytes(text));
const cursor = encoded(`[1767225600000,"${ID}"]`);

test.each([
  ["nothing", ""],
  ["no base64url", "§§§"],
  ["padding", `${cursor}=`],
  ["a bit too many", `${cursor}A`],
  ["spare bits that say something", `${encoded(`[1767225600001,"${ID}"]`).slice(0, -1)}1`],
  ["no JSON", encoded("1767225600000")],
  ["a time that is no integer", encoded(`[1.5,"${ID}"]`)],
  ["a time before 1970", encoded(`[-1,"${ID}"]`)],
  ["a time with a leading zero", encoded(`[01,"${ID}"]`)],
  ["a time beyond all integers", encoded(`[1e99,"${ID}"]`)],
  ["an id that is none", encoded(`[1,"' OR 1=1 --"]`)],
  ["blanks", encoded(`[1, "${ID}"]`)],
  ["more than a place", encoded(`[1,"${ID}",1]`)],
])("a cursor with %s is none", (_, text) => {
  expect(placeOf(cursor)).not.toBeNull();
  expect(placeOf(text)).toBeNull();
});
