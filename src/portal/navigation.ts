/**
 * Whether a GET is a person opening a page. Link previews, scanners, prefetchers and HEAD requests open links too, and
 * none of them may use up a member's single-use code.
 */

import type { HonoRequest } from "hono";

export function isNavigation(request: HonoRequest): boolean {
  const isPrefetch = /prefetch/i.test(`${request.header("Sec-Purpose") ?? ""} ${request.header("Purpose") ?? ""}`);
  return (
    request.method === "GET" &&
    !isPrefetch &&
    request.header("Sec-Fetch-Mode") === "navigate" &&
    request.header("Sec-Fetch-Dest") === "document"
  );
}
