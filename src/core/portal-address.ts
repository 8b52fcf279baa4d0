/**
 * Where the portal that this Worker serves is, for links that leave it: in answers to a backend and in messages.
 */

import type { Organization } from "./directory.ts";

/** @param origin configured; no request has a say in it. */
export function portalAddress(origin: string, { slug }: Pick<Organization, "slug">): string {
  return `${origin}/${encodeURIComponent(slug)}/portal`;
}
