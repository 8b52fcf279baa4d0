/**
 * Which customers an import makes: those of the file that are not there yet and clash with nobody, in the file or in
 * the database.
 */

import { type CustomerRef, type CustomerType, emailKey, type NewMember } from "../src/core/directory.ts";
import { createClaims, SPENT_ID } from "./import-claims.ts";
import { customerColumns } from "./import-columns.ts";
import type { CustomerRow } from "./import-customer-row.ts";
import type { Existing } from "./import-existing.ts";
import type { Sheet } from "./import-files.ts";
import { fitsStatement, MAX_STATEMENT_BYTES } from "./sql.ts";

/** A customer that will be there after the import, with what its members need to know of it. */
export interface PlannedCustomer {
  id: string;
  isNew: boolean;
  /** null until the members show it. */
  type: CustomerType | null;
  /** What the file says of it, or null. */
  row: CustomerRow | null;
  memberCount: number;
  /** Who it is, in words for a second one. */
  owner: string | null;
  /** The one that is made along with the customer. */
  newOwner: NewMember | null;
}

export interface CustomerPlan {
  /** Those in the database, then those in the file, in its order. */
  all: Map<string, PlannedCustomer>;
  alreadyThere: number;
  find(ref: CustomerRef): PlannedCustomer | undefined;
  /** Where a customer stands that is not made, as `customers.csv line 9`. */
  badRow(ref: CustomerRef): string | undefined;
  /** Leaves a row out, even one that has been planned. */
  refuse(row: CustomerRow, faults: string[]): void;
}

export function planCustomers(sheet: Sheet<CustomerRow>, existing: Existing): CustomerPlan {
  const all = new Map<string, PlannedCustomer>();
  const badRows = new Map<string, string>();
  const lines = new Map<string, number>();
  const claims = createClaims({
    email: "A customer with this email address already exists",
    externalId: "A customer with this external ID already exists",
  });
  let alreadyThere = 0;

  function refuse({ line, details: { id, externalId } }: CustomerRow, faults: string[]): void {
    sheet.bad.push({ line, faults });
    noteBad({ id, externalId: externalId ?? undefined }, line);
    if (all.get(id)?.row?.line === line) all.delete(id);
  }

  function noteBad({ id, externalId }: { id: string | undefined; externalId: string | undefined }, line: number) {
    const where = `${sheet.name} line ${line}`;
    if (id !== undefined) badRows.set(refKey({ id }), where);
    if (externalId !== undefined) badRows.set(refKey({ externalId }), where);
  }

  function add(row: CustomerRow): void {
    const { id, externalId, email } = row.details;
    const unique = { emailKey: email && emailKey(email), externalId };
    const columns = customerColumns(existing.organization.id, row.type, row.details);
    const faults = [
      ...(existing.spent.has(id) ? [SPENT_ID] : []),
      ...claims.faults("", unique),
      ...(fitsStatement("customers", columns) ? [] : [TOO_LONG]),
    ];
    if (faults.length > 0) {
      refuse(row, faults);
      return;
    }
    all.set(id, { ...UNPEOPLED, id, isNew: true, type: row.type, row });
    claims.claim("", unique, { id, who: `line ${row.line}`, isThere: false });
  }

  for (const { id, type, external_id, email_key } of existing.customers) {
    all.set(id, { ...UNPEOPLED, id, isNew: false, type, row: null });
    claims.claim("", { emailKey: email_key, externalId: external_id }, { id, who: `customer ${id}`, isThere: true });
  }
  for (const { line, names } of sheet.bad) if (names) noteBad(names, line);
  for (const row of sheet.rows) {
    const { id } = row.details;
    const earlier = lines.get(id);
    const known = all.get(id);
    if (earlier !== undefined) {
      sheet.bad.push({ line: row.line, faults: [`id: The same ID stands on line ${earlier}`] });
    } else if (known?.isNew === false) {
      known.row = row;
      alreadyThere++;
    } else {
      add(row);
    }
    lines.set(id, earlier ?? row.line);
  }

  return {
    all,
    alreadyThere,
    find: (ref) =>
      all.get("id" in ref ? ref.id : (claims.holders("", { ...ref, emailKey: null }).externalId?.id ?? "")),
    badRow: (ref) => badRows.get(refKey(ref)),
    refuse,
  };
}

/** The API takes it: its statements carry values as parameters. */
const TOO_LONG = `metadata: With all of it the row is longer than D1 takes (${MAX_STATEMENT_BYTES} bytes)`;

const UNPEOPLED = { memberCount: 0, owner: null, newOwner: null };

const refKey = (ref: CustomerRef) => ("id" in ref ? `id ${ref.id}` : `external_id ${ref.externalId}`);
