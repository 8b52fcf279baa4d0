/**
 * SQL as text: `wrangler d1 execute` takes no parameters, so values become literals here and nowhere else.
 */

export type SqlValue = string | number | null;

/** Doubles single quotes, the only character that means something in an SQL text literal. */
export function sqlText(text: string): string {
  // SQLite would end the statement there.
  if (text.includes("\0")) throw new Error("a NUL character cannot stand in SQL text");
  return `'${text.replaceAll("'", "''")}'`;
}

export function sqlLiteral(value: SqlValue): string {
  if (value === null) return "NULL";
  if (typeof value === "string") return sqlText(value);
  if (!Number.isSafeInteger(value)) throw new Error(`${value} is not an integer`);
  return String(value);
}

/** @param table and the names of the columns stand in the statement as they are: never take them from outside. */
export function sqlInsert(table: string, columns: Record<string, SqlValue>): string {
  const values = Object.values(columns).map(sqlLiteral);
  return `INSERT INTO ${table} (${Object.keys(columns).join(", ")}) VALUES (${values.join(", ")})`;
}
