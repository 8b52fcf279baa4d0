/**
 * What every response of the portal wears, whatever its status. Pages run no script, load nothing, cannot be framed,
 * and are kept by no cache.
 */

import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../http/env.ts";
import { STYLE_HASH } from "./style.ts";

const HEADERS = {
  "Cache-Control": "private, no-store",
  "Content-Security-Policy": `default-src 'none'; style-src '${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  // For this host only: it may be the application's own, and its subdomains are not ours to decide about.
  "Strict-Transport-Security": "max-age=31536000",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
};

/** Clean pages say same-origin: with no-referrer, Chromium sends `Origin: null` on their forms. */
const REFERRER_POLICY = "same-origin";

export const portalHeaders = createMiddleware<AppEnv>(async (c, next) => {
  await next();
  for (const [name, value] of Object.entries(HEADERS)) c.header(name, value);
  if (!c.res.headers.has("Referrer-Policy")) c.header("Referrer-Policy", REFERRER_POLICY);
});
