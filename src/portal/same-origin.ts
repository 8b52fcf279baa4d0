/**
 * The guard of every unsafe request that a cookie speaks for, whatever its content type: it must come from our own
 * pages. Browsers that send Sec-Fetch-Site are taken at its word; for the rest, Origin must be exactly ours.
 */

import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../http/env.ts";
import { CrossSiteRequest } from "./errors.tsx";

export const sameOriginOnly = createMiddleware<AppEnv>(async (c, next) => {
  const site = c.req.header("Sec-Fetch-Site");
  const isOurs =
    site === undefined ? c.req.header("Origin") === c.var.services.config.portalOrigin : site === "same-origin";
  if (!isOurs) throw new CrossSiteRequest();
  await next();
});
