/**
 * The files of an import. Each is told by its header, so that their order means nothing and either may be missing.
 */

import { basename } from "node:path";
import { Refusal } from "./command.ts";
import { type CsvRow, readCsv } from "./import-csv.ts";
import { CUSTOMER_COLUMNS, type CustomerRow, toCustomerRow } from "./import-customer-row.ts";
import { MEMBER_COLUMNS, type MemberRow, toMemberRow } from "./import-member-row.ts";

/** What a row says by itself; whether rows fit each other is seen later. */
export interface Sheet<Row> {
  name: string;
  rows: Row[];
  bad: BadRow[];
}

export interface BadRow {
  line: number;
  faults: string[];
  /** As it stands in the file, for the rows that refer to this one. */
  names?: { id: string | undefined; externalId: string | undefined };
}

export interface Sheets {
  customers: Sheet<CustomerRow>;
  members: Sheet<MemberRow>;
}

/** @throws {Refusal} when a file is of neither kind, or both are of one. */
export function readSheets(paths: string[], now: number): Sheets {
  const sheets: Sheets = {
    customers: { name: "", rows: [], bad: [] },
    members: { name: "", rows: [], bad: [] },
  };
  for (const path of paths) {
    const name = basename(path);
    readCsv(path, (columns) => {
      const kind = kindOf(columns, name);
      if (sheets[kind].name !== "") throw new Refusal(`${sheets[kind].name} and ${name} are both of ${kind}.`);
      sheets[kind].name = name;
      return kind === "members"
        ? collect(sheets.members, toMemberRow, now)
        : collect(sheets.customers, toCustomerRow, now);
    });
  }
  return sheets;
}

function collect<Row extends object>(
  { rows, bad }: Sheet<Row>,
  read: (row: CsvRow, now: number) => Row | { faults: string[] },
  now: number,
) {
  return (row: CsvRow) => {
    const result = row.misfit === null ? read(row, now) : { faults: [row.misfit] };
    if (!("faults" in result)) rows.push(result);
    else {
      const names = { id: row.cell("id")?.toLowerCase(), externalId: row.cell("external_id")?.trim() };
      bad.push({ line: row.line, faults: result.faults, names });
    }
  };
}

function kindOf(columns: string[], name: string): keyof Sheets {
  const kind = MEMBER_COLUMNS.customer.some((column) => columns.includes(column)) ? "members" : "customers";
  const { needed, taken } = kind === "members" ? MEMBER_COLUMNS : CUSTOMER_COLUMNS;
  const missing = needed.filter((column) => !columns.includes(column));
  if (missing.length > 0) {
    throw new Refusal(
      `${name} line 1: the header has no ${missing.join(" and no ")}. "npm run import -- --help" names the columns.`,
    );
  }
  const twice = columns.find((column, index) => columns.indexOf(column) !== index);
  if (twice !== undefined) throw new Refusal(`${name} line 1: the header has ${twice} twice.`);
  const known = kind === "members" ? [...MEMBER_COLUMNS.customer, ...needed, ...taken] : [...needed, ...taken];
  const unknown = columns.filter((column) => !known.includes(column));
  if (unknown.length > 0) console.error(`${name}: left out the columns ${unknown.join(", ")}.`);
  return kind;
}
