/**
 * One page of a search and the number of all its rows, as of one moment. Every filter costs one parameter, however many
 * values it has: D1 takes a hundred.
 */

import type { Found, Place, Search } from "../core/search.ts";
import type { Database } from "./database.ts";

/** Gives a value to the statement. @returns the parameter that stands for it. */
export type Bind = (value: unknown) => string;

interface SearchStatements<Filter> {
  columns: string;
  /** Of the table that is searched; its rows have `created_at` and `id`. */
  alias: string;
  /** Tables, and the condition that no filter widens. */
  from: string;
  /** Of `from`, from ?1 on. */
  parameters: unknown[];
  condition(filter: Filter, bind: Bind): string;
}

export async function readFound<Filter, Row, Item extends Place>(
  database: Database,
  { columns, alias, from, parameters, condition }: SearchStatements<Filter>,
  { match, filters, after, limit }: Search<Filter>,
  toItem: (row: Row) => Item,
): Promise<Found<Item>> {
  const values = [...parameters];
  const bind: Bind = (value) => `?${values.push(value)}`;
  const conditions = filters.map((filter) => `(${condition(filter, bind)})`);
  const found = conditions.length === 0 ? from : `${from} AND (${conditions.join(match === "all" ? " AND " : " OR ")})`;
  const [counted, selected] = await database.transact(
    [`SELECT COUNT(*) AS total FROM ${found}`, ...values],
    pageOf({ columns, alias, found }, values, after, limit),
  );
  const [{ total }] = counted as [{ total: number }];
  const items = (selected as Row[]).slice(0, limit).map(toItem);
  const last = (selected as Row[]).length > limit ? items.at(-1) : undefined;
  return { items, total, next: last === undefined ? null : { createdAt: last.createdAt, id: last.id } };
}

/** One row more than asked for tells whether there is another page. */
function pageOf(
  { columns, alias, found }: { columns: string; alias: string; found: string },
  values: readonly unknown[],
  after: Place | null,
  limit: number,
): [sql: string, ...parameters: unknown[]] {
  const parameters = [...values];
  const bind: Bind = (value) => `?${parameters.push(value)}`;
  const rest =
    after === null ? "" : ` AND (${alias}.created_at, ${alias}.id) > (${bind(after.createdAt)}, ${bind(after.id)})`;
  const sql = `SELECT ${columns} FROM ${found}${rest} ORDER BY ${alias}.created_at, ${alias}.id LIMIT ${bind(limit + 1)}`;
  return [sql, ...parameters];
}

/** Whether a column has one of these values. */
export const isOneOf = (column: string, values: readonly string[], bind: Bind) =>
  `${column} IN (SELECT value FROM json_each(${bind(JSON.stringify(values))}))`;
