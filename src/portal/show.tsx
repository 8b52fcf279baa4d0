/**
 * The two ways in which the portal answers: with a page, or with the way to its own page.
 */

import type { Context } from "hono";
import type { HtmlEscapedString } from "hono/utils/html";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { AppEnv } from "../http/env.ts";

/** The one place that adds the doctype. */
export async function show(
  c: Context<AppEnv>,
  page: HtmlEscapedString | Promise<HtmlEscapedString>,
  status: ContentfulStatusCode = 200,
): Promise<Response> {
  return c.html(`<!DOCTYPE html>${await page}`, status);
}

/** A slug comes out of a path decoded: written into Location as it is, `/evil.com` would name a host. */
export function toPortal(c: Context<AppEnv>, slug: string): Response {
  return c.redirect(`/${encodeURIComponent(slug)}/portal`, 303);
}
