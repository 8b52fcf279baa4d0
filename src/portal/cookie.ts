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

/**
 * The token in the cookie, or null. Two cookies of this name with different values are somebody's trick, not a
 * session. Names are trimmed as browsers do, of space and tab only (CVE-2026-39410).
 */
export function sessionCookie(header: string | undefined): string | null {
  const values = new Set<string>();
  for (const pair of (header ?? "").split(";")) {
    const equals = pair.indexOf("=");
    if (pair.slice(0, equals).replace(/^[ \t]+|[ \t]+$/g, "") === FULL_NAME) values.add(pair.slice(equals + 1).trim());
  }
  const [value] = values;
  return values.size === 1 && value !== undefined ? value : null;
}
