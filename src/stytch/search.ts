/**
 * What searches for members and for organizations have in common: `cursor`, `limit`, a query of operands, and the
 * metadata of the answer. What the filters mean is said where each search is.
 */

import * as z from "zod/mini";
import { cursorOf, type Found, type Place, placeOf, type Search } from "../core/search.ts";
import { type ErrorType, StytchError } from "./errors.ts";

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;
/** D1 parses expressions of a hundred levels and takes a hundred parameters, of which a filter may use one. */
const MAX_OPERANDS = 50;
const MIN_FUZZY_LENGTH = 3;

/** The fields of every search's body. An empty cursor counts as none. */
export const searchFields = {
  cursor: z.nullish(z.string()),
  limit: z.nullish(z.int().check(z.minimum(1), z.maximum(MAX_LIMIT))),
  query: z.nullish(
    z.object({
      operator: z.string(),
      operands: z.nullish(z.array(z.record(z.string(), z.unknown())).check(z.maxLength(MAX_OPERANDS))),
    }),
  ),
};

type SearchFields = z.infer<z.ZodMiniObject<typeof searchFields>>;
type Subject = "member" | "organization";

/** How the value of one filter is read. @throws {StytchError} what is wrong with it */
export type FilterReader<Filter> = (value: unknown, subject: Subject) => Filter;

export const text =
  <Filter>(toFilter: (value: string) => Filter): FilterReader<Filter> =>
  (value, subject) => {
    if (typeof value !== "string") throw new StytchError(`${subject}_search_expected_string`);
    return toFilter(value);
  };

/** Part of something, in characters as people count them. */
export const fuzzy = <Filter>(tooShort: ErrorType, toFilter: (value: string) => Filter): FilterReader<Filter> =>
  text((value) => {
    if ([...value].length < MIN_FUZZY_LENGTH) throw new StytchError(tooShort);
    return toFilter(value);
  });

export const texts =
  <Filter>(toFilter: (values: string[]) => Filter): FilterReader<Filter> =>
  (value, subject) => {
    const isTexts = Array.isArray(value) && value.every((item): item is string => typeof item === "string");
    if (!isTexts) throw new StytchError(`${subject}_search_expected_array_of_strings`);
    return toFilter(value);
  };

export const flag =
  <Filter>(toFilter: (value: boolean) => Filter): FilterReader<Filter> =>
  (value, subject) => {
    if (typeof value !== "boolean") throw new StytchError(`${subject}_search_expected_boolean`);
    return toFilter(value);
  };

/** @throws {StytchError} what is wrong with the cursor, the operator or an operand */
export function searchOf<Filter>(
  { cursor, limit, query }: SearchFields,
  subject: Subject,
  readers: Record<string, FilterReader<Filter>>,
): Search<Filter> {
  return {
    match: query == null ? "all" : matchOf(query.operator),
    filters: (query?.operands ?? []).map((operand) => filterOf(operand, subject, readers)),
    after: startOf(cursor ?? ""),
    limit: limit ?? DEFAULT_LIMIT,
  };
}

function matchOf(operator: string): "all" | "any" {
  if (/^and$/i.test(operator)) return "all";
  if (/^or$/i.test(operator)) return "any";
  throw new StytchError("bad_request", "query.operator must be AND or OR.");
}

function filterOf<Filter>(
  { filter_name: name, filter_value: value }: Record<string, unknown>,
  subject: Subject,
  readers: Record<string, FilterReader<Filter>>,
): Filter {
  if (name == null || name === "") throw new StytchError(`${subject}_search_missing_filter_name`);
  if (typeof name !== "string") throw new StytchError(`${subject}_search_filter_name_must_be_string`);
  const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
  if (reader === undefined) throw new StytchError(`${subject}_search_filter_name_not_recognized`);
  if (value == null) throw new StytchError(`${subject}_search_missing_filter_value`);
  return reader(value, subject);
}

function startOf(cursor: string): Place | null {
  if (cursor === "") return null;
  const place = placeOf(cursor);
  if (place === null) throw new StytchError("bad_request", "cursor is none that a search has given.");
  return place;
}

export function resultsMetadata({ total, next }: Found<unknown>) {
  return { total, next_cursor: next === null ? null : cursorOf(next) };
}
