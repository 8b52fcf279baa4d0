/**
 * The portal's cookie: the session token itself, where no script and no other host can read it. The only file that
 * writes or reads it; its attributes are constants.
 */

import type { Context } from "hono";
import { deleteCookie, setCookie } from "hono/cookie";

/** `__Host-`: https (or loopback), Path=/, no Domain, so that no sibling host can plant one. */
const NAME = "lk_session";
const FULL_NAME = `__Host-${NAME}`;

/** Lax, not Strict: a Strict cookie is not sent after a click from another site, and members arrive by such clicks. */
const ATTRIBUTES = { prefix: "host", path: "/", secure: true, httpOnly: true, sameSite: "Lax" } as const;

export function setSessionCookie(c: Context, token: string, expiresAt: number, now: number): void {
  setCookie(c, NAME, token, { ...ATTRIBUTES, maxAge: Math.max(0, Math.ceil((expiresAt - now) / 1000)) });
}

export function clearSessionCookie(c: Context): void {
  deleteCookie(c, NAME, ATTRIBUTES);
}

/** The token in the cookie, or null. Two cookies of this name are somebody's trick, not a session. */
export function sessionCookie(header: string | undefined): string | null {
  const [value, another] = sessionCookies(header);
  return value !== undefined && another === undefined ? value : null;
}

/** The different values that came under our name. What has no equals sign is a value without a name: not ours. */
export function sessionCookies(header: string | undefined): string[] {
  const values = new Set<string>();
  for (const pair of (header ?? "").split(";")) {
    const equals = pair.indexOf("=");
    if (equals !== -1 && trimmed(pair.slice(0, equals)) === FULL_NAME) values.add(trimmed(pair.slice(equals + 1)));
  }
  return [...values];
}

/**
 * Trimmed as browsers do it, of space and tab only (CVE-2026-39410). Not by a regular expression: `[ \t]+$` takes
 * seconds over a header full of blanks.
 */
function trimmed(text: string): string {
  const isBlank = (character: string | undefined) => character === " " || character === "\t";
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text[start])) start++;
  while (end > start && isBlank(text[end - 1])) end--;
  return text.slice(start, end);
}
