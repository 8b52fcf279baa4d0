/**
 * E-mail addresses as they may be typed: RFC 5321 syntax, a display name and surrounding blanks tolerated, the domain
 * in lower case, the local part's case kept. Whether mail would arrive is not looked up.
 */

/** Of all that was typed, a display name included. Normalising takes time by the square of the length. */
const MAX_TYPED_LENGTH = 2048;
const MAX_LENGTH = 254;
const MAX_LOCAL_LENGTH = 64;
const MAX_DOMAIN_LENGTH = 253;
/** RFC 6761 and RFC 7686: names that cannot receive mail from the Internet. */
const SPECIAL_USE = new Set(["arpa", "invalid", "local", "localhost", "onion", "test"]);

/** The address in a text, or what is wrong with it, as a sentence. */
export function parseEmail(text: string): { address: string } | { reason: string } {
  const reason = whatIsWrong(text);
  return reason === null ? { address: partsOf(text).join("@") } : { reason };
}

/** Composed, and the domain folded: what looks the same is stored the same. Without an at-sign there is one part only. */
function partsOf(value: string): string[] {
  // `Ann <ann@example.com>` is written like that in many address books.
  const address = (/^[^<>]*<([^<>]*)>$/.exec(value.trim())?.[1] ?? value).trim();
  const at = address.lastIndexOf("@");
  if (at === -1) return [address];
  const domain = address
    .slice(at + 1)
    .normalize("NFKC")
    .replaceAll("\u3002", ".")
    .toLowerCase();
  return [address.slice(0, at).normalize("NFC"), domain];
}

function whatIsWrong(value: string): string | null {
  if (value.length > MAX_TYPED_LENGTH) return `Length must not exceed ${MAX_TYPED_LENGTH} characters`;
  if (/[\r\n]/.test(value)) return "Carriage return and line feed characters are not allowed.";
  const [local = "", domain] = partsOf(value);
  if (domain === undefined) return "An email address must have an @-sign.";
  if (local === "") return "There must be something before the @-sign.";
  if (local.length > MAX_LOCAL_LENGTH) return "The email address is too long before the @-sign.";
  if (!isLocalPart(local)) return "The email address contains invalid characters before the @-sign.";
  if (domain === "") return "There must be something after the @-sign.";
  if (domain.length > MAX_DOMAIN_LENGTH) return "The email address is too long after the @-sign.";
  const labels = domain.split(".");
  if (!labels.every(isLabel)) {
    return "The part after the @-sign contains invalid characters or misplaced periods.";
  }
  if (labels.length < 2) return "The part after the @-sign is not valid. It should have a period.";
  // The URL parser knows the rules of international names. It takes what ends in a number for an IPv4 address.
  const url = `https://${domain}`;
  const ascii = URL.canParse(url) ? new URL(url).hostname : "";
  if (!/[a-z]$/.test(ascii)) return "The part after the @-sign is not a domain name.";
  if (local.length + 1 + ascii.length > MAX_LENGTH) return "The email address is too long.";
  if (SPECIAL_USE.has(labels.at(-1) as string)) {
    return "The part after the @-sign is a special-use or reserved name.";
  }
  return null;
}

// These patterns stand in functions: the tables of Unicode's classes take milliseconds to build, at the first address
// and not at every start of the Worker.

/** Beyond ASCII only what can be seen: no blanks, no controls, nothing that turns the line round. */
function isLocalPart(local: string): boolean {
  const isAtom = (text: string) =>
    /^(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]|(?![\0-\x7f])[\p{L}\p{M}\p{N}\p{P}\p{S}])+$/u.test(text);
  return !/^\p{M}/u.test(local) && local.split(".").every(isAtom);
}

function isLabel(label: string): boolean {
  return /^(?!(?!xn)..--)[\p{L}\p{M}\p{N}]([\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?$/u.test(label);
}
