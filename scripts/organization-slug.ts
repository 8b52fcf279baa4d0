/**
 * What the slug of an organization may be. It is the first word of its portal's path, and forward-auth takes a slug or
 * an id. The schema holds the last two rules as well: the CHECK on organizations.slug in migrations/0001.
 */

import { Refusal } from "./command.ts";

const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** First path segments that the Worker answers itself. */
const RESERVED = ["v1", "api"];
const LIKE_AN_ID = /^.{8}-.{4}-.{4}-.{4}-.{12}$/;

/** @throws {Refusal} that says which rule the slug breaks. */
export function requireSlug(slug: string): void {
  if (!SLUG.test(slug)) {
    throw new Refusal(`"${slug}" cannot be a slug: 1 to 63 of a-z, 0-9 and "-", with no "-" at either end.`);
  }
  if (RESERVED.includes(slug)) throw new Refusal(`"${slug}" is reserved: the API lives there.`);
  if (LIKE_AN_ID.test(slug)) throw new Refusal(`"${slug}" cannot be a slug: it has the form of an id.`);
}
