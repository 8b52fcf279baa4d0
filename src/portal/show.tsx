/**
 * Answers with a page: the one place that adds the doctype.
 * Or answers with the way to the portal's own page.
 */

import type { Context } from "hono";
import type { HtmlEscapedString } from "hono/utils/html";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { AppEnv } from "../http/env.ts";

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
