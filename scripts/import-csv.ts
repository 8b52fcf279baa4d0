/**
 * A CSV file row by row (RFC 4180). Each row knows the line on which it starts: a quoted cell may hold line breaks, so
 * rows and lines are not the same.
 */

import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { CsvError } from "csv-parse";
import { parse } from "csv-parse/sync";
import { Refusal } from "./command.ts";

export interface CsvRow {
  line: number;
  /** By column; blank and missing are one thing in CSV, and undefined here. */
  cell(column: string): string | undefined;
  /** How the row does not fit its header, or null. */
  misfit: string | null;
}

/** Is given the columns, `External ID` as `external_id`, and says who takes the rows. */
type Begin = (columns: string[]) => (row: CsvRow) => void;

/**
 * @throws {Refusal} when the file cannot be read to its end: behind a broken quote nothing is certain any more.
 */
export function readCsv(path: string, begin: Begin): void {
  const name = basename(path);
  const bytes = readBytes(path);
  let line = 1;
  let columns: string[] | null = null;
  let take: (row: CsvRow) => void = () => {};

  function visit({ record, raw }: { record: string[]; raw: string }): null {
    // Spreadsheets leave rows of nothing but commas behind.
    const isBlank = record.every((cell) => cell.trim() === "");
    if (!isBlank && columns !== null) {
      take(toRow(line, columns, record));
    } else if (!isBlank) {
      columns = record.map((title) => title.trim().toLowerCase().replaceAll(" ", "_"));
      take = begin(columns);
    }
    line += raw.match(/\r\n|\n|\r/g)?.length ?? 0;
    return null;
  }

  try {
    parse(bytes, {
      bom: true,
      raw: true,
      relax_column_count: true,
      record_delimiter: ["\r\n", "\n", "\r"],
      // Nothing is kept: what has been visited is gone. The library's types do not know what `raw` does to a record.
      on_record: visit as unknown as (record: string[]) => null,
    });
  } catch (error) {
    if (error instanceof CsvError) throw new Refusal(`${name} line ${line}: ${whatIsBroken(error)}`);
    throw error;
  }
  if (columns === null) throw new Refusal(`${name} is empty.`);
}

function toRow(line: number, columns: string[], record: string[]): CsvRow {
  return {
    line,
    cell: (column) => record[columns.indexOf(column)] || undefined,
    misfit: record.length === columns.length ? null : `${columns.length} cells expected, ${record.length} found.`,
  };
}

function whatIsBroken({ code }: CsvError): string {
  if (code === "CSV_QUOTE_NOT_CLOSED") return "a quote is opened in this row and never closed.";
  return "a quote stands where none may be. A cell with quotes in it is quoted, and its quotes are doubled.";
}

/** Whatever is not UTF-8 would be stored with its letters lost. */
function readBytes(path: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new Refusal(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code}.`);
  }
  if (isUtf8(bytes)) return bytes;
  let line = 1;
  let start = 0;
  for (let end = bytes.indexOf("\n"); end !== -1; end = bytes.indexOf("\n", start)) {
    if (!isUtf8(bytes.subarray(start, end))) break;
    start = end + 1;
    line++;
  }
  throw new Refusal(`${basename(path)} line ${line}: this is not UTF-8. Save the file as CSV in UTF-8.`);
}
