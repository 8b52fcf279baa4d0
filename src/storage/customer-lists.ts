/**
 * Lists of an organization's customers: a page of those that a filter lets through, or all of them, piece by piece.
 */

import type { CustomerFilter, CustomerSortKey } from "../core/customers.ts";
import { type Customer, emailKey } from "../core/directory.ts";
import type { Listed, Page, Sort } from "../core/ports.ts";
import { selectCustomers } from "./customer-reads.ts";
import { foldFor } from "./letter-case.ts";
import { readPage } from "./pages.ts";
import { type CustomerRow, toCustomer } from "./rows.ts";
import type { Bind } from "./searching.ts";
import type { StoreContext } from "./session-store.ts";

/** A Worker's memory holds this many of any size; and one request may ask D1 1,000 times, so a million customers fit. */
const PIECE_ROWS = 1000;

/** Who has no address or no name comes last; descending, first. As in PostgreSQL. */
const SORT_TERMS: Record<CustomerSortKey, string[]> = {
  createdAt: ["c.created_at"],
  email: ["c.email_key IS NULL", "c.email_key"],
  name: ["c.name IS NULL", "c.name COLLATE NOCASE"],
};

export function customerLists({ database }: StoreContext) {
  return {
    list(
      organizationId: string,
      filter: CustomerFilter,
      sort: Sort<CustomerSortKey>[],
      page: Page,
    ): Promise<Listed<Customer>> {
      const parameters: unknown[] = [organizationId];
      const bind = (value: unknown) => `?${parameters.push(value)}`;
      const from = [
        "FROM customers c WHERE c.organization_id = ?1 AND c.deleted_at IS NULL",
        ...conditions(filter, bind),
      ].join(" AND ");
      const order = orderBy(sort);
      const statements = {
        count: `SELECT COUNT(*) AS total ${from}`,
        // The page is found by ids: sorting whole rows would look up the owner of every customer first.
        rows: (limits: string) =>
          `${selectCustomers(`c.id IN (SELECT c.id ${from} ORDER BY ${order} ${limits})`)} ORDER BY ${order}`,
      };
      return readPage(database, statements, parameters, page, toCustomer);
    },

    /** All customers, oldest first, in pieces; the first one always comes, be it empty. Each is read when asked for. */
    async *inPieces(organizationId: string): AsyncGenerator<Customer[]> {
      const sql = `${selectCustomers("(c.created_at, c.id) > (?2, ?3)")} ORDER BY c.created_at, c.id LIMIT ${PIECE_ROWS}`;
      let last: CustomerRow | undefined;
      do {
        const after = [last?.c_created_at ?? Number.MIN_SAFE_INTEGER, last?.c_id ?? ""];
        const rows = await database.read<CustomerRow>(sql, organizationId, ...after);
        yield rows.map(toCustomer);
        last = rows[PIECE_ROWS - 1];
      } while (last !== undefined);
    },
  };
}

/** The id makes the order a total one: without it, a row could be on two pages or on none. */
function orderBy(sort: Sort<CustomerSortKey>[]): string {
  const terms = sort.flatMap(({ by, descending }) =>
    SORT_TERMS[by].map((term) => (descending ? `${term} DESC` : term)),
  );
  return [...terms, sort[0]?.descending ? "c.id DESC" : "c.id"].join(", ");
}

function conditions({ email, query, metadata }: CustomerFilter, bind: Bind): string[] {
  return [
    ...(email === undefined ? [] : [`c.email_key = ${bind(emailKey(email))}`]),
    ...(query === undefined ? [] : [matches(query, bind)]),
    ...(metadata === undefined ? [] : [hasMetadata(metadata, bind)]),
  ];
}

function matches(query: string, bind: Bind): string {
  const { wanted, folded } = foldFor(query, bind);
  return `(instr(c.email_key, ${bind(emailKey(query))}) OR instr(${folded("c.name")}, ${wanted})
    OR instr(${folded("c.billing_name")}, ${wanted}) OR instr(${folded("c.external_id")}, ${wanted}) = 1)`;
}

/**
 * Of every key that is wanted, one of the values, compared as text: numbers and booleans as JSON writes them. What is
 * wanted depends on no row, so SQLite sorts it once, and its length costs next to nothing for each customer.
 */
function hasMetadata(wanted: Record<string, string[]>, bind: Bind): string {
  const pairs = Object.entries(wanted).flatMap(([key, values]) => values.map((value) => [key, value]));
  return `${bind(Object.keys(wanted).length)} = (SELECT COUNT(*) FROM json_each(c.metadata) m
    WHERE (m.key, iif(m.type = 'text', m.atom, c.metadata -> m.fullkey)) IN (
      SELECT value ->> 0, value ->> 1 FROM json_each(${bind(JSON.stringify(pairs))})))`;
}
