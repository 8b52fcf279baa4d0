/**
 * Polar's list envelope: `{items, pagination: {total_count, max_page}}` over 1-based pages.
 */

import type { Page } from "../core/ports.ts";
import type { LiveSession } from "../core/session.ts";

/** @param load gets the rows of a page and the number of all rows. */
export async function presentPage<Item>(
  query: { page: number; limit: number },
  present: (session: LiveSession) => Promise<Item>,
  load: (page: Page) => Promise<{ sessions: LiveSession[]; total: number }>,
) {
  const { page, limit } = query;
  // D1 takes integers up to 2^53; a page beyond every row is an empty page, not an error.
  const offset = Math.min((page - 1) * limit, Number.MAX_SAFE_INTEGER);
  const { sessions, total } = await load({ offset, limit });
  return {
    items: await Promise.all(sessions.map(present)),
    pagination: { total_count: total, max_page: Math.ceil(total / limit) },
  };
}
