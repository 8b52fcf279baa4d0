/**
 * JSON as it arrives: bytes that must be UTF-8, and no deeper than any request of ours. What it means, and how a fault
 * is worded, is the dialect's.
 */

/** Of every request with a body, in any dialect. */
export const MAX_BODY_BYTES = 64 * 1024;

/** No request of ours goes four levels deep; what goes thousands would overflow the stack when it is walked. */
const MAX_DEPTH = 64;

/** Bytes that are not UTF-8 would be read as U+FFFD and stored as such: refused like any other broken JSON. */
export function decodeUtf8(bytes: ArrayBuffer): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
}

/** @throws {SyntaxError} no JSON, or nested too deep. */
export function parseShallowJson(text: string): unknown {
  if (isNestedTooDeep(text)) throw new SyntaxError("nested too deep");
  return JSON.parse(text);
}

function isNestedTooDeep(text: string): boolean {
  let depth = 0;
  // The closing quote is optional, so that an unclosed string is walked once, not again from each quote within.
  for (const [token] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"?|[[\]{}]/g)) {
    if (token === "[" || token === "{") depth++;
    if (token === "]" || token === "}") depth--;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}
