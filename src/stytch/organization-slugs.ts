/**
 * Slugs of organizations: what a caller may choose, and what is chosen where it does not.
 */

import { isId } from "./ids.ts";

const SLUG = /^[\w.~-]{2,128}$/;
/** So that there is room for an ending. */
const MAX_DERIVED_LENGTH = 100;

/** What looks like an id would never be found: every name is first taken for an id. */
export const isSlug = (text: string) => SLUG.test(text) && !isId("organization", text);

/** @returns null: the name has nothing that could stand in a slug. */
export function slugFrom(name: string): string | null {
  const slug = name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, MAX_DERIVED_LENGTH)
    .replace(/-$/, "");
  return isSlug(slug) ? slug : null;
}
