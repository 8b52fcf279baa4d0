/**
 * The fields that stand in a query string, where everything is text: pages, order, switches.
 */

import * as z from "zod/mini";
import type { Sort } from "../core/ports.ts";
import { enumOf, faultless } from "./fields.ts";

/** A number in a query string. */
const positiveInteger = z.pipe(
  z.string().check(
    faultless((value) => {
      if (!/^[+-]?\d+$/.test(value))
        return { type: "int_parsing", msg: "Input should be a valid integer, unable to parse string as an integer" };
      return Number(value) > 0 ? null : { type: "greater_than", msg: "Input should be greater than 0", ctx: { gt: 0 } };
    }),
  ),
  z.transform(Number),
);

const MAX_LIMIT = 100;

/** Polar caps a larger limit without a word. */
export const pagination = {
  page: z._default(positiveInteger, 1),
  limit: z.pipe(
    z._default(positiveInteger, 10),
    z.transform((limit) => Math.min(limit, MAX_LIMIT)),
  ),
};

/**
 * In which order a list comes: `-` before a key turns it round. Repeatable; a key that comes again says nothing new.
 * @param keys what the wire calls them, and what the core does.
 */
export function sorting<const Keys extends Record<string, string>>(
  keys: Keys,
  byDefault: Sort<NoInfer<Keys[keyof Keys]>>,
) {
  const words = Object.keys(keys).flatMap((key) => [key, `-${key}`]) as [string, ...string[]];
  const criterion = z.pipe(
    enumOf(...words),
    z.transform((word): Sort<Keys[keyof Keys]> => {
      const descending = word.startsWith("-");
      return { by: keys[descending ? word.slice(1) : word] as Keys[keyof Keys], descending };
    }),
  );
  return z._default(
    z.pipe(
      z.array(criterion),
      z.transform((criteria) =>
        criteria.filter(({ by }, index) => criteria.findIndex((earlier) => earlier.by === by) === index),
      ),
    ),
    [byDefault],
  );
}

const YES = /^(true|t|yes|y|on|1)$/i;
const NO = /^(false|f|no|n|off|0)$/i;

/** A switch, in any of pydantic's spellings. */
export const queryBoolean = z.pipe(
  z
    .string()
    .check(
      faultless((value) =>
        YES.test(value) || NO.test(value)
          ? null
          : { type: "bool_parsing", msg: "Input should be a valid boolean, unable to interpret input" },
      ),
    ),
  z.transform((value) => YES.test(value)),
);
