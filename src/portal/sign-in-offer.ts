/**
 * The way out of pages that sign nobody in: a form that has a code sent, with the address in it where the URL knows it.
 */

import type { Context } from "hono";
import type { AppEnv } from "../http/env.ts";
import type { SignInOffer } from "./sign-in-pages.tsx";

/** Longer than any address that mail reaches (RFC 5321 §4.5.3.1). */
const MAX_ADDRESS_LENGTH = 320;

/** null where mail is not set up. Polar's links, old ones too, carry `?email=`. */
export function signInOffer(c: Context<AppEnv>, slug: string): SignInOffer | null {
  return c.var.services.signIns.isPossible ? { slug, email: addressIn(c.req.query("email")) ?? "" } : null;
}

/**
 * What may be an address, or null. Whether it is one, the directory knows: nothing is sent to what is not in it.
 */
export function addressIn(value: unknown): string | null {
  const text = typeof value === "string" ? value.trim() : "";
  return text.length <= MAX_ADDRESS_LENGTH && text.isWellFormed() && /^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u.test(text)
    ? text
    : null;
}
