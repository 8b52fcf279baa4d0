/**
 * The cells of a row as the fields of an API request, judged by the API's own rules and in its words.
 */

import * as z from "zod/mini";
import { faultless } from "../src/polar/fields.ts";
import { toWireIssues } from "../src/polar/validate.ts";

/** @param fields undefined where the cell is blank. */
export function judge<Schema extends z.ZodMiniType>(
  schema: Schema,
  fields: Record<string, unknown>,
): { values: z.infer<Schema> } | { faults: string[] } {
  const parsed = z.safeParse(schema, fields);
  if (parsed.success) return { values: parsed.data };
  return { faults: toWireIssues(parsed.error.issues, fields, []).map(({ loc, msg }) => `${loc.join(".")}: ${msg}`) };
}

/** RFC 3339, as epoch milliseconds: what is finer is cut off. */
export const instant = z.pipe(
  z.iso.datetime({ offset: true, error: "Input should be a time with its zone, such as 2026-03-03T16:23:51.123456Z" }),
  z.transform((text) => Date.parse(text)),
);

/** A cell that holds something structured, and says `msg` when `read` throws. */
export function structured<T>(read: (text: string) => T, msg: string) {
  const fault = (text: string) => {
    try {
      read(text);
      return null;
    } catch {
      return { type: "value_error", msg };
    }
  };
  const readable = z.string().check(faultless(fault));
  return z.pipe(
    readable,
    z.transform((text) => read(text)),
  );
}
