/** How e-mail addresses are compared, and what is made of one. */

import { describe, expect, test } from "vitest";
import { avatarUrl, emailKey } from "../../src/core/directory.ts";

describe("two e-mail addresses", () => {
  test.each([
    ["Ada@Example.com", "ada@example.COM", "in ASCII"],
    ["JÜRGEN@BÜCHER.example", "jürgen@bücher.example", "in Latin with umlauts, which SQLite's lower() does not fold"],
    ["ΔΟΚΙΜΗ@παράδειγμα.δοκιμή", "δοκιμη@παράδειγμα.δοκιμή", "in Greek"],
    ["ПОЧТА@пример.рф", "почта@ПРИМЕР.РФ", "in Cyrillic"],
    ["jose\u0301@example.com", "jos\u00e9@example.com", "however the accent is encoded"],
  ])("%s and %s are the same (%s)", (left, right) => {
    expect(emailKey(left)).toBe(emailKey(right));
  });

  test.each([
    ["a.b@example.com", "ab@example.com"],
    ["ab+shop@example.com", "ab@example.com"],
    ["ab@example.com", "ab@example.org"],
    ["jose@example.com", "josé@example.com"],
    ["a@example.com", "а@example.com"],
  ])("%s and %s differ", (left, right) => {
    expect(emailKey(left)).not.toBe(emailKey(right));
  });

  test("are folded once and for all: folding again changes nothing", () => {
    for (const email of ["İ@example.com", "ẞ@example.com", "Ada@Example.com", "ΑΣ@example.com"]) {
      expect(emailKey(emailKey(email))).toBe(emailKey(email));
    }
  });
});

describe("an avatar", () => {
  test("is Gravatar's, by the SHA-256 of the lower-case address, and none if there is none", async () => {
    // printf 'ada@example.com' | sha256sum
    expect(await avatarUrl("Ada@Example.com")).toBe(
      "https://www.gravatar.com/avatar/b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72?d=404",
    );
  });
});
