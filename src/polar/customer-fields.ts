/**
 * The fields of a customer that have rules of their own: metadata, billing address, locale.
 */

import * as z from "zod/mini";
import type { Address, Metadata } from "../core/directory.ts";
import { COUNTRIES, stateFault, withStatePrefix } from "./countries.ts";
import { enumOf, faultless, lengthFault, string, textFault, trimmedString } from "./fields.ts";
import type { Fault } from "./validate.ts";

const MAX_METADATA_KEYS = 50;
const MAX_KEY_LENGTH = 40;
const MAX_VALUE_LENGTH = 500;

export const metadata = z.pipe(
  z.unknown().check(faultless(metadataFaults)),
  z.transform((value) => value as Metadata),
);

/** Not a z.record: that one drops a key named __proto__ without a word. */
function metadataFaults(value: unknown): Fault[] {
  if (typeof value !== "object" || value === null || Array.isArray(value) || JSON.isRawJSON(value)) {
    return [{ type: "dict_type", msg: "Input should be a valid dictionary" }];
  }
  const entries = Object.entries(value);
  if (entries.length > MAX_METADATA_KEYS) {
    const ctx = { field_type: "Dictionary", max_length: MAX_METADATA_KEYS, actual_length: entries.length };
    const msg = `Dictionary should have at most ${MAX_METADATA_KEYS} items after validation, not ${entries.length}`;
    return [{ type: "too_long", msg, ctx }];
  }
  return entries.flatMap(([key, entry]) => [
    ...textFaults(key, MAX_KEY_LENGTH).map((found) => ({ ...found, inside: { loc: [key, "[key]"], input: key } })),
    ...valueFaults(entry).map((found, arm) => ({
      ...found,
      inside: { loc: [key, ARMS[arm] as string], input: entry },
    })),
  ]);
}

/** The types that a value may have, in the order in which their objections are told. */
const ARMS = ["constrained-str", "int", "float", "bool"];

const fault = (type: string, what: string): Fault => ({ type, msg: `Input should be a ${what}` });
const NOT_TEXT = fault("string_type", "valid string");
const NOT_FINITE = fault("finite_number", "finite number");
const NOT_BOOLEAN = fault("bool_type", "valid boolean");
const WRONG_TYPE = [NOT_TEXT, fault("int_type", "valid integer"), fault("float_type", "valid number"), NOT_BOOLEAN];
const UNREADABLE = [
  fault("int_parsing", "valid integer, unable to parse string as an integer"),
  fault("float_parsing", "valid number, unable to parse string as a number"),
  fault("bool_parsing", "valid boolean, unable to interpret input"),
];

function valueFaults(value: unknown): Fault[] {
  if (typeof value === "boolean" || JSON.isRawJSON(value)) return [];
  if (typeof value === "number") return Number.isFinite(value) ? [] : [NOT_TEXT, NOT_FINITE, NOT_FINITE, NOT_BOOLEAN];
  if (typeof value !== "string") return WRONG_TYPE;
  const faults = textFaults(value, MAX_VALUE_LENGTH);
  return faults.length === 0 || textFault(value) !== null ? faults : [...faults, ...UNREADABLE];
}

function textFaults(text: string, maxLength: number): Fault[] {
  if (text === "") {
    return [{ type: "string_too_short", msg: "String should have at least 1 character", ctx: { min_length: 1 } }];
  }
  return [textFault(text) ?? lengthFault(text, maxLength) ?? []].flat();
}

const addressLine = z.nullish(trimmedString(1000));

export const billingAddress = z.pipe(
  z
    .object(
      {
        line1: addressLine,
        line2: addressLine,
        postal_code: addressLine,
        city: addressLine,
        state: addressLine,
        country: z.pipe(
          z.transform((code) => (typeof code === "string" ? code.toUpperCase() : code)),
          enumOf(...COUNTRIES),
        ),
      },
      { error: "model_attributes_type" },
    )
    .check(faultless(({ country, state }) => stateFault(country, state ?? null))),
  z.transform(
    ({ line1, line2, postal_code, city, state, country }): Address => ({
      line1: line1 ?? null,
      line2: line2 ?? null,
      postal_code: postal_code ?? null,
      city: city ?? null,
      state: withStatePrefix(country, state ?? null),
      country,
    }),
  ),
);

/**
 * A tax id as the number alone, or with a format beside it as older clients send it. The format is not listened to: it
 * follows from the number and the country. Blank means none.
 */
export const taxNumber = z.pipe(
  z.unknown().check(faultless((value) => (isPair(value) && !/^[a-z]{2}_[a-z_]+$/.test(value[1]) ? NO_FORMAT : null))),
  z.pipe(
    z.transform((value) => (isPair(value) ? value[0] : value)),
    trimmedString(1000),
  ),
);

const NO_FORMAT: Fault = { type: "enum", msg: "Input should have a tax ID format beside the number, such as 'eu_vat'" };

const isPair = (value: unknown): value is [string, string] =>
  Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === "string");

/** BCP 47, canonical (`fr_fr` → `fr-FR`). "und" says nothing about a language; nor do private-use tags, which Intl refuses. */
export const locale = z.pipe(
  string.check(
    faultless((value) =>
      canonicalLocale(value) === null
        ? { type: "value_error", msg: "Value error, Invalid locale", ctx: { error: {} } }
        : null,
    ),
  ),
  z.transform((value) => canonicalLocale(value) as string),
);

/** Room for any tag in use (RFC 5646 §4.4.1). Subtags are compared with one another: long lists of them take long. */
const MAX_LOCALE_LENGTH = 100;

function canonicalLocale(value: string): string | null {
  if (value.length > MAX_LOCALE_LENGTH) return null;
  try {
    const [tag] = Intl.getCanonicalLocales(value.replaceAll("_", "-"));
    return tag === undefined || /^und(-|$)/.test(tag) ? null : tag;
  } catch {
    return null;
  }
}
