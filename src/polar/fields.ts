/**
 * The kinds of field that Polar's requests have, each with its faults in pydantic's words. A schema's error text is a
 * wire type; validate.ts turns it into a message.
 */

import * as z from "zod/mini";
import { MIN_TTL_SECONDS } from "../core/lifetimes.ts";
import type { Fault } from "./validate.ts";

interface Payload<T> {
  value: T;
  issues: z.core.$ZodRawIssue[];
}

/** A check that may find a fault, or several. */
export function faultless<T>(find: (value: T) => Fault | Fault[] | null) {
  return (payload: Payload<T>) => {
    for (const { msg, ...params } of [find(payload.value) ?? []].flat()) {
      payload.issues.push({ code: "custom", message: msg, params, input: payload.value, continue: false });
    }
  };
}

/** U+0000 ends strings in half of all software; an unpaired surrogate is not text and would be stored as U+FFFD. */
export function textFault(text: string): Fault | null {
  if (text.includes("\0"))
    return { type: "value_error", msg: "Value error, This value contains invalid characters", ctx: { error: {} } };
  if (text.isWellFormed()) return null;
  return {
    type: "string_unicode",
    msg: "Input should be a valid string, unable to parse raw data as a unicode string",
  };
}

const text = (type: string) => z.string({ error: type }).check(faultless(textFault));

export const string = text("string_type");

/** Characters as Python counts them: a pair of surrogates is one. */
export function lengthFault(text: string, max_length: number): Fault | null {
  return text.length <= max_length || [...text].length <= max_length
    ? null
    : { type: "string_too_long", msg: `String should have at most ${max_length} characters`, ctx: { max_length } };
}

/** Trimmed; blank means none. */
export const trimmedString = (maxLength: number) =>
  z.pipe(
    text("string_type").check(faultless((value) => lengthFault(value, maxLength))),
    z.transform((value) => value.trim() || null),
  );

/** Any case, with or without hyphens; handed on in canonical form. `version` 4 refuses all others, nil included. */
export const uuid = (version: 4 | "any") =>
  z.pipe(
    z.string({ error: "uuid_type" }).check(faultless((value) => uuidFault(value, version))),
    z.transform(canonicalUuid),
  );

function canonicalUuid(value: string): string {
  const hex = value.replaceAll("-", "").toLowerCase();
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

function uuidFault(value: string, version: 4 | "any") {
  const canonical = canonicalUuid(value);
  const isUuid =
    /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(canonical) &&
    (value.length === 32 || value.toLowerCase() === canonical);
  if (!isUuid) {
    const error = "expected 32 hexadecimal digits, or the same in the five groups of 8-4-4-4-12";
    return { type: "uuid_parsing", msg: `Input should be a valid UUID, ${error}`, ctx: { error } };
  }
  if (version === 4 && (canonical[14] !== "4" || !/[89ab]/.test(canonical[19] as string))) {
    return { type: "uuid_version", msg: "UUID version 4 expected", ctx: { expected_version: 4 } };
  }
  return null;
}

const wordOf =
  (type: string) =>
  <const Words extends readonly [string, ...string[]]>(...words: Words) => {
    const expected = words
      .map((word) => `'${word}'`)
      .join(", ")
      .replace(/, (?=[^,]*$)/, " or ");
    return z.pipe(
      z
        .unknown()
        .check(
          faultless((value) =>
            words.some((word) => word === value)
              ? null
              : { type, msg: `Input should be ${expected}`, ctx: { expected } },
          ),
        ),
      z.transform((value) => value as Words[number]),
    );
  };

/** One of a few words. Polar's schemas spell such a field in either of two ways, which differ in the fault's type only. */
export const oneOf = wordOf("literal_error");
export const enumOf = wordOf("enum");

const MAX_URL_LENGTH = 2083;

/** An http(s) URL, as sent and as normalised by the WHATWG parser. */
export const httpUrl = z.pipe(
  text("url_type").check(faultless(urlFault)),
  z.transform((asTyped) => ({ asTyped, href: new URL(asTyped).href })),
);

function urlFault(value: string) {
  if (textFault(value) !== null) return null;
  if (value.length > MAX_URL_LENGTH) {
    const msg = `URL should have at most ${MAX_URL_LENGTH} characters`;
    return { type: "url_too_long", msg, ctx: { max_length: MAX_URL_LENGTH } };
  }
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url === null) {
    const error = value.trim() === "" ? "input is empty" : "relative URL without a base";
    return { type: "url_parsing", msg: `Input should be a valid URL, ${error}`, ctx: { error } };
  }
  if (url.protocol === "http:" || url.protocol === "https:") return null;
  const ctx = { expected_schemes: "'http' or 'https'" };
  return { type: "url_scheme", msg: "URL scheme should be 'http' or 'https'", ctx };
}

/** `expires_in`: a whole number of seconds. The organization's own maximum is the core's to check. */
export const expiresIn = z.number({ error: "int_type" }).check(
  faultless((value) => {
    if (!Number.isInteger(value))
      return { type: "int_from_float", msg: "Input should be a valid integer, got a number with a fractional part" };
    const ge = MIN_TTL_SECONDS;
    return value >= ge
      ? null
      : { type: "greater_than_equal", msg: `Input should be greater than or equal to ${ge}`, ctx: { ge } };
  }),
);
