/**
 * Where a member may go back to. A return URL is normalised, stored and shown as a link; nothing ever redirects to it
 * and no credential is ever appended to it.
 */

import { LatchkeyError } from "./errors.ts";

/**
 * Refuses a URL whose origin the organization has not pinned. Matching is exact, on the parsed origin: prefix and
 * suffix tests let look-alikes through. Userinfo and backslashes are refused, since people and parsers disagree on
 * where such a URL leads.
 * @param asTyped the URL before normalisation, which hides backslashes.
 * @throws {LatchkeyError} return_url_not_allowed
 */
export function requireAllowedReturnUrl(asTyped: string, allowedOrigins: readonly string[]): void {
  if (allowedOrigins.length === 0) return;
  const url = new URL(asTyped);
  const plain = /^[\x21-\x5b\x5d-\x7e]+$/.test(asTyped.trim()) && url.username === "" && url.password === "";
  if (!plain || !allowedOrigins.includes(url.origin)) {
    throw new LatchkeyError("return_url_not_allowed", { facts: { requested: asTyped } });
  }
}
