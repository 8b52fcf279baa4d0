/**
 * E-mail addresses as Polar's input rule has them: RFC 5321 syntax, a display name and surrounding blanks tolerated,
 * the domain lower-cased, the local part's case kept. Whether mail would arrive is not looked up.
 */

import * as z from "zod/mini";
import { faultless, textFault } from "./fields.ts";

const MAX_LOCAL_LENGTH = 64;
const MAX_DOMAIN_LENGTH = 253;
/** RFC 6761 and RFC 7686: names that cannot receive mail from the Internet. */
const SPECIAL_USE = new Set(["arpa", "invalid", "local", "localhost", "onion", "test"]);

const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\u{80}-\\u{10FFFF}-]+";
const LOCAL_PART = new RegExp(`^${ATOM}(\\.${ATOM})*$`, "u");
const LABEL = /^[\p{L}\p{M}\p{N}]([\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?$/u;

export const email = z.pipe(
  z.string({ error: "string_type" }).check(
    faultless((value) => {
      const fault = textFault(value);
      if (fault !== null) return fault;
      const reason = whatIsWrong(addressIn(value));
      return reason === null
        ? null
        : { type: "value_error", msg: `value is not a valid email address: ${reason}`, ctx: { reason } };
    }),
  ),
  z.transform((value) => {
    const address = addressIn(value);
    const at = address.lastIndexOf("@");
    return address.slice(0, at) + address.slice(at).toLowerCase();
  }),
);

/** `Ann <ann@example.com>` is written like that in many address books. */
function addressIn(value: string): string {
  return /^[^<>]*<([^<>]*)>$/.exec(value.trim())?.[1] ?? value.trim();
}

function whatIsWrong(address: string): string | null {
  const at = address.lastIndexOf("@");
  if (at === -1) return "An email address must have an @-sign.";
  const local = address.slice(0, at);
  const labels = address
    .slice(at + 1)
    .toLowerCase()
    .split(".");
  if (local === "") return "There must be something before the @-sign.";
  if (local.length > MAX_LOCAL_LENGTH) return "The email address is too long before the @-sign.";
  if (!LOCAL_PART.test(local)) return "The email address contains invalid characters before the @-sign.";
  if (labels.join(".") === "") return "There must be something after the @-sign.";
  if (labels.join(".").length > MAX_DOMAIN_LENGTH) return "The email address is too long after the @-sign.";
  if (!labels.every((label) => LABEL.test(label))) {
    return "The part after the @-sign contains invalid characters or misplaced periods.";
  }
  if (labels.length < 2) return "The part after the @-sign is not valid. It should have a period.";
  const last = labels.at(-1) as string;
  if (/^\d+$/.test(last)) return "The part after the @-sign is not a domain name.";
  if (SPECIAL_USE.has(last)) return "The part after the @-sign is a special-use or reserved name.";
  return null;
}
