/**
 * E-mail addresses in requests: the core's rule (src/core/email-address.ts) in pydantic's words.
 */

import * as z from "zod/mini";
import { parseEmail } from "../core/email-address.ts";
import { faultless, textFault } from "./fields.ts";

export const email = z.pipe(
  z.string({ error: "string_type" }).check(
    faultless((value) => {
      const fault = textFault(value);
      if (fault !== null) return fault;
      const parsed = parseEmail(value);
      if ("address" in parsed) return null;
      const { reason } = parsed;
      return { type: "value_error", msg: `value is not a valid email address: ${reason}`, ctx: { reason } };
    }),
  ),
  z.transform((value) => (parseEmail(value) as { address: string }).address),
);
