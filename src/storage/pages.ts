/**
 * One page of a list and the number of all its rows, as of one moment.
 */

import type { Listed, Page } from "../core/ports.ts";
import type { Database } from "./database.ts";

interface ListStatements {
  /** Answers `total`. */
  count: string;
  /** @param limits its LIMIT and OFFSET */
  rows(limits: string): string;
}

/** @param parameters of either statement, from ?1 on. */
export async function readPage<Row, Item>(
  database: Database,
  { count, rows }: ListStatements,
  parameters: unknown[],
  { offset, limit }: Page,
  toItem: (row: Row) => Item,
): Promise<Listed<Item>> {
  const limits = `LIMIT ?${parameters.length + 1} OFFSET ?${parameters.length + 2}`;
  const [counted, selected] = await database.transact(
    [count, ...parameters],
    [rows(limits), ...parameters, limit, offset],
  );
  const [{ total }] = counted as [{ total: number }];
  return { items: (selected as Row[]).map(toItem), total };
}
