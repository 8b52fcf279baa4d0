/**
 * Answers with a page: the one place that adds the doctype and hands a page the nonce of its Content-Security-Policy.
 */

import type { Context } from "hono";
import type { HtmlEscapedString } from "hono/utils/html";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { PortalEnv } from "./env.ts";

export async function show(
  c: Context<PortalEnv>,
  page: (nonce: string) => HtmlEscapedString | Promise<HtmlEscapedString>,
  status: ContentfulStatusCode = 200,
): Promise<Response> {
  return c.html(`<!DOCTYPE html>${await page(c.get("secureHeadersNonce") ?? "")}`, status);
}
