/**
 * Polar's list envelope: `{items, pagination: {total_count, max_page}}` over 1-based pages.
 */

import type { Listed, Page } from "../core/ports.ts";

export async function presentPage<Item, Wire>(
  query: { page: number; limit: number },
  present: (item: Item) => Wire | Promise<Wire>,
  load: (page: Page) => Promise<Listed<Item>>,
) {
  const { page, limit } = query;
  // D1 takes integers up to 2^53; a page beyond every row is an empty page, not an error.
  const offset = Math.min((page - 1) * limit, Number.MAX_SAFE_INTEGER);
  const { items, total } = await load({ offset, limit });
  return {
    items: await Promise.all(items.map((item) => present(item))),
    pagination: { total_count: total, max_page: Math.ceil(total / limit) },
  };
}
