/**
 * JSON whose numbers come out as they went in: `1.0` stays a float, and an integer of any length keeps its digits. Where
 * a double says the same as the text it is used; elsewhere stands the text itself, which JSON.stringify copies verbatim.
 */

/** A number as JSON text. */
export interface ExactNumber {
  readonly rawJSON: string;
}

/** ECMAScript's "JSON.parse source text access", which TypeScript does not know yet. */
declare global {
  interface JSON {
    rawJSON(text: string): ExactNumber;
    isRawJSON(value: unknown): value is ExactNumber;
    parse(
      text: string,
      reviver: (this: unknown, key: string, value: unknown, context: { source: string }) => unknown,
    ): unknown;
  }
}

/** @throws {SyntaxError} */
export function parseExactly(text: string): unknown {
  return JSON.parse(text, (_, value, { source }) => (typeof value === "number" ? exactNumber(value, source) : value));
}

function exactNumber(value: number, source: string): number | ExactNumber {
  const isInteger = /^-?\d+$/.test(source);
  // A float that no double can hold stays infinite, for the caller to refuse.
  if (!isInteger && !Number.isFinite(value)) return value;
  const text = isInteger ? source.replace(/^-0$/, "0") : floatText(value);
  return text === String(value) ? value : JSON.rawJSON(text);
}

/** The shortest text that is this float and shows that it is one; exponents from 1e16 and below 1e-4, as Python has it. */
function floatText(value: number): string {
  const exponent = Number(value.toExponential().split("e")[1]);
  if (exponent < -4 || exponent >= 16) return value.toExponential().replace(/(?<=e[+-])\d$/, "0$&");
  const text = Object.is(value, -0) ? "-0" : String(value);
  return text.includes(".") ? text : `${text}.0`;
}
