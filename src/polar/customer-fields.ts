/**
 * The fields of a customer that have rules of their own: metadata, billing address, locale.
 */

import * as z from "zod/mini";
import type { Address, Metadata } from "../core/directory.ts";
import { countryFault, stateFault, withStatePrefix } from "./countries.ts";
import { brokenAt } from "./errors.ts";
import { faultless, string, textFault, trimmedString } from "./fields.ts";
import type { Fault } from "./validate.ts";

const MAX_METADATA_KEYS = 50;
const MAX_KEY_LENGTH = 40;
const MAX_VALUE_LENGTH = 500;

export const metadata = z.pipe(
  z.unknown().check(faultless(metadataFault)),
  z.transform((value) => value as Metadata),
);

/** Not a z.record: that one drops a key named __proto__ without a word. */
function metadataFault(value: unknown): Fault | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { type: "dict_type", msg: "Input should be a valid dictionary" };
  }
  const entries = Object.entries(value);
  if (entries.length > MAX_METADATA_KEYS) {
    const ctx = { field_type: "Dictionary", max_length: MAX_METADATA_KEYS, actual_length: entries.length };
    return {
      type: "too_long",
      msg: `Dictionary should have at most ${MAX_METADATA_KEYS} items after validation, not ${entries.length}`,
      ctx,
    };
  }
  for (const [key, entry] of entries) {
    const atKey = textFault(key) ?? lengthFault(key, MAX_KEY_LENGTH);
    if (atKey !== null) return { ...atKey, inside: { loc: [key, "[key]"], input: key } };
    const atValue = valueFault(entry);
    if (atValue !== null) return { ...atValue, inside: { loc: [key, "constrained-str"], input: entry } };
  }
  return null;
}

function valueFault(value: unknown): Fault | null {
  if (typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))) return null;
  if (typeof value !== "string") return { type: "string_type", msg: "Input should be a valid string" };
  return textFault(value) ?? lengthFault(value, MAX_VALUE_LENGTH);
}

function lengthFault(text: string, max_length: number): Fault | null {
  if (text.length === 0) {
    return { type: "string_too_short", msg: "String should have at least 1 character", ctx: { min_length: 1 } };
  }
  return text.length <= max_length
    ? null
    : { type: "string_too_long", msg: `String should have at most ${max_length} characters`, ctx: { max_length } };
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
          string.check(faultless(countryFault)),
          z.transform((code) => code.toUpperCase()),
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

/** BCP 47, canonical (`fr_fr` → `fr-FR`); "und" and private-use tags say nothing about a language. */
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

function canonicalLocale(value: string): string | null {
  try {
    const [tag] = Intl.getCanonicalLocales(value.replaceAll("_", "-"));
    return tag === undefined || /^(und|x)(-|$)/i.test(tag) ? null : tag;
  } catch {
    return null;
  }
}

/** Refused rather than lost. */
export function refuseTaxId(taxId: unknown): void {
  if (taxId != null && taxId !== "") throw brokenAt(["body", "tax_id"], "Tax IDs are not supported yet.", taxId);
}
