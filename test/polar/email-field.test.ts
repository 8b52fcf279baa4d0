/** E-mail addresses (contracts §1.6), judged as email-validator judges them: Polar's own library, asked for each of these. */

import { expect, test } from "vitest";
import * as z from "zod/mini";
import { email } from "../../src/polar/email-field.ts";

const labels = (count: number, length: number) => Array.from({ length: count }, () => "x".repeat(length)).join(".");

test.each([
  ["Ann.O'Neil+x@Example.COM", "Ann.O'Neil+x@example.com"],
  [" \tAnn Smith < ann@example.com > ", "ann@example.com"],
  ["<ann@example.com>", "ann@example.com"],
  ["!#$%&'*+/=?^_`{|}~-@example.com", "!#$%&'*+/=?^_`{|}~-@example.com"],
  ["Жан@пример.РФ", "Жан@пример.рф"],
  ["e\u0301@e\u0301.com", "\u00e9@\u00e9.com"],
  ["a@ｅｘ。com", "a@ex.com"],
  ["a@ﬁ.com", "a@fi.com"],
  ["a@b.xn--p1ai", "a@b.xn--p1ai"],
  ["😀@example.com", "😀@example.com"],
  [`${"x".repeat(64)}@${labels(3, 60)}.co`, `${"x".repeat(64)}@${labels(3, 60)}.co`],
])("%j is stored as %j", (typed, stored) => {
  expect(z.parse(email, typed)).toBe(stored);
  expect(z.parse(email, stored)).toBe(stored);
});

test.each([
  ["", "An email address must have an @-sign."],
  ["@example.com", "There must be something before the @-sign."],
  ["a@", "There must be something after the @-sign."],
  ["a..b@example.com", "invalid characters before"],
  [".a@example.com", "invalid characters before"],
  ['"a b"@example.com', "invalid characters before"],
  ["a@b@example.com", "invalid characters before"],
  ["a\u200bb@example.com", "invalid characters before"],
  ["a\u00a0b@example.com", "invalid characters before"],
  ["\u202ea@example.com", "invalid characters before"],
  ["\ue000@example.com", "invalid characters before"],
  ["\u0301a@example.com", "invalid characters before"],
  [`${"x".repeat(65)}@example.com`, "too long before"],
  ["a@example..com", "misplaced periods"],
  ["a@example.com.", "misplaced periods"],
  ["a@-a.com", "misplaced periods"],
  ["a@ab--c.com", "misplaced periods"],
  ["a@[127.0.0.1]", "invalid characters or"],
  [`a@${"x".repeat(64)}.com`, "invalid characters or"],
  [`a@${labels(5, 60)}`, "too long after"],
  [`${"x".repeat(64)}@${labels(4, 50)}`, "The email address is too long."],
  ["a@example", "It should have a period."],
  ["a@127.0.0.1", "not a domain name"],
  ["a@a.b1", "not a domain name"],
  ["a@\u0660.com", "not a domain name"],
  ["a@a\u05d0.com", "not a domain name"],
  ["a@\u0301.com", "not a domain name"],
  ["a@mail.local", "special-use"],
  ["a@mail.invalid", "special-use"],
  ["a@example.com\r\nBcc: b@example.com", "Carriage return"],
  ["a@example.com\n", "Carriage return"],
])("%j is refused: %s", (typed, reason) => {
  const { success, error } = z.safeParse(email, typed);
  expect(success).toBe(false);
  expect(error?.issues[0]?.message).toMatch(/^value is not a valid email address: /);
  expect(error?.issues[0]?.message).toContain(reason);
});

test("what is longer than an address with a name may be is refused before anything is made of it", () => {
  const named = (length: number) => "<ann@example.com>".padStart(length, "x");
  expect(z.parse(email, named(2048))).toBe("ann@example.com");
  const { error } = z.safeParse(email, named(2049));
  expect(error?.issues[0]?.message).toContain("Length must not exceed 2048 characters");
});
