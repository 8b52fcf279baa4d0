/**
 * The way out of pages that sign nobody in: a form that has a code sent, with the address in it where the URL knows it.
 */

import type { Context } from "hono";
import { parseEmail } from "../core/email-address.ts";
import type { AppEnv } from "../http/env.ts";
import type { SignInOffer } from "./sign-in-pages.tsx";

/** null where mail is not set up. */
export function signInOffer(c: Context<AppEnv>, slug: string): SignInOffer | null {
  return c.var.services.signIns.isPossible ? { slug, email: addressInUrl(c) } : null;
}

/** Polar's links, old ones too, carry `?email=`. What is no address fills no field. */
export function addressInUrl(c: Context<AppEnv>): string {
  const parsed = parseEmail(c.req.query("email") ?? "");
  return "address" in parsed ? parsed.address : "";
}
