/** JSON whose numbers come out as they went in. What a float looks like was written down by CPython's json. */

import { expect, test } from "vitest";
import { parseExactly } from "../../src/core/exact-json.ts";

const rewritten = (text: string) => JSON.stringify(parseExactly(text));

test.each([
  "1.0",
  "-0.0",
  "0.1",
  "123.456",
  "0.0001",
  "1e-05",
  "5e-324",
  "1000000000000000.0",
  "1e+16",
  "1.2345678901234568e+17",
  "1.5e+300",
  "1.7976931348623157e+308",
  "9007199254740993",
  "-123456789012345678901234567890",
  `1${"0".repeat(400)}`,
])("%s is kept as it is", (text) => {
  expect(rewritten(`{"a":[${text}],"b":${text}}`)).toBe(`{"a":[${text}],"b":${text}}`);
});

test.each([
  ["1e2", "100.0"],
  ["1E+2", "100.0"],
  ["1.50", "1.5"],
  ["0.00001", "1e-05"],
  ["123456789012345680.0", "1.2345678901234568e+17"],
  ["9007199254740993.0", "9007199254740992.0"],
  ["1e22", "1e+22"],
  ["1e23", "1e+23"],
  ["-1e-7", "-1e-07"],
  ["1e-999", "0.0"],
  ["-0", "0"],
])("%s is written as Python writes it: %s", (text, written) => {
  expect(rewritten(text)).toBe(written);
  expect(rewritten(written)).toBe(written);
});

test("a float beyond every double is infinite, an integer is not", () => {
  expect(parseExactly("[1e400,-1e400]")).toEqual([Infinity, -Infinity]);
  expect(rewritten(`1${"0".repeat(400)}`)).toHaveLength(401);
});

test("whatever is no number is as JSON.parse has it, and the last of two equal keys counts", () => {
  expect(parseExactly('{"a":"1.0","b":[true,null],"__proto__":{"c":1},"n":7,"x":0.5}')).toEqual(
    JSON.parse('{"a":"1.0","b":[true,null],"__proto__":{"c":1},"n":7,"x":0.5}'),
  );
  expect(rewritten('{"a":1.0,"b":1,"a":2}')).toBe('{"a":2,"b":1}');
  expect(rewritten('{"a":2,"a":1.0}')).toBe('{"a":1.0}');
  expect(() => parseExactly("01")).toThrow(SyntaxError);
});
