/**
 * SQL as text: `wrangler d1 execute` takes no parameters, so values become literals here and nowhere else.
 */

export type SqlValue = string | number | null;
export type SqlRow = Record<string, SqlValue>;

/** D1's bound on one statement. */
export const MAX_STATEMENT_BYTES = 100_000;

/** Doubles single quotes, the only character that means something in an SQL text literal. */
export function sqlText(text: string): string {
  // SQLite would end the statement there.
  if (text.includes("\0")) throw new Error("a NUL character cannot stand in SQL text");
  // Wrangler cuts these words out wherever they stand, in literals too.
  return `'${text.replaceAll("'", "''").replaceAll("BEGIN TRANSACTION", "BEGIN' || ' TRANSACTION")}'`;
}

export function sqlLiteral(value: SqlValue): string {
  if (value === null) return "NULL";
  if (typeof value === "string") return sqlText(value);
  if (!Number.isSafeInteger(value)) throw new Error(`${value} is not an integer`);
  return String(value);
}

/** @param table and the names of the columns stand in the statement as they are: never take them from outside. */
export function sqlInsert(table: string, columns: SqlRow): string {
  return `INSERT INTO ${table} (${Object.keys(columns).join(", ")}) VALUES ${sqlTuple(columns)}`;
}

/**
 * As few statements as take all rows; a row whose id is there already is left alone, so that they may run twice.
 * @param rows with the same columns each, each of which fits a statement.
 */
export function sqlInsertMissing(table: string, rows: SqlRow[]): string[] {
  const statements: string[][] = [];
  let room = 0;
  for (const row of rows) {
    const tuple = `,\n${sqlTuple(row)}`;
    room -= Buffer.byteLength(tuple);
    if (room < 0) {
      const first = sqlInsert(table, row);
      statements.push([first]);
      room = MAX_STATEMENT_BYTES - Buffer.byteLength(first + UNLESS_THERE);
    } else {
      statements.at(-1)?.push(tuple);
    }
  }
  return statements.map((parts) => parts.join("") + UNLESS_THERE);
}

export function fitsStatement(table: string, row: SqlRow): boolean {
  return Buffer.byteLength(sqlInsert(table, row) + UNLESS_THERE) <= MAX_STATEMENT_BYTES;
}

const UNLESS_THERE = " ON CONFLICT (id) DO NOTHING";

const sqlTuple = (columns: SqlRow) => `(${Object.values(columns).map(sqlLiteral).join(", ")})`;
