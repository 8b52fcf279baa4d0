/**
 * Who is in the database already: by what a row of the files could be the same person, or clash.
 * Read in the order of the ids, all organizations through: an id is never given out twice, neither by another
 * organization nor after its row was deleted.
 */

import type { CustomerType, MemberRole } from "../src/core/directory.ts";
import { unknownOrganization } from "./admin-organizations.ts";
import { Refusal } from "./command.ts";
import { type Database, execute, patiently } from "./database.ts";
import { sqlText } from "./sql.ts";

export interface TargetOrganization {
  id: string;
  slug: string;
  hasMembers: boolean;
}

export interface ExistingCustomer {
  id: string;
  type: CustomerType;
  external_id: string | null;
  email_key: string | null;
}

export interface ExistingMember {
  id: string;
  customer_id: string;
  external_id: string | null;
  email_key: string;
  role: MemberRole;
}

export interface Existing {
  organization: TargetOrganization;
  customers: ExistingCustomer[];
  members: ExistingMember[];
  /** Ids of the files that cannot be given to a new row. */
  spent: Set<string>;
}

type StoredRow<Row> = Row & { organization_id: string; deleted_at: number | null };

const ORGANIZATIONS = `SELECT id, slug, member_model_enabled, seat_based_pricing_enabled FROM organizations
  WHERE deleted_at IS NULL ORDER BY slug`;

/** One wrangler run costs two seconds, and its answer must fit the memory of D1 and of wrangler. */
const PAGE_SIZE = 20_000;

const TABLES = {
  customers: "type, external_id, email_key",
  members: "customer_id, external_id, email_key, role",
};

/**
 * @param slug undefined: the only organization that there is.
 * @param ids those in the files.
 * @param progress is told how many rows have been read.
 * @throws {Refusal} no such organization, or several to choose from
 */
export async function readExisting(
  database: Database,
  slug: string | undefined,
  ids: ReadonlySet<string>,
  progress: (rows: number) => void,
): Promise<Existing> {
  const first = await read(database, [ORGANIZATIONS, page("customers", ""), page("members", "")]);
  const [organizations = [], customers = [], members = []] = first;
  const organization = choose(organizations, slug);
  const existing: Existing = { organization, customers: [], members: [], spent: new Set() };
  let count = 0;
  const sortInto =
    <Row extends { id: string }>(live: Row[]) =>
    (row: StoredRow<Row>) => {
      if (++count % PAGE_SIZE === 0) progress(count);
      if (row.organization_id === organization.id && row.deleted_at === null) live.push(row);
      else if (ids.has(row.id)) existing.spent.add(row.id);
    };
  await readOn(database, "customers", customers, sortInto(existing.customers));
  await readOn(database, "members", members, sortInto(existing.members));
  return existing;
}

async function readOn<Row extends { id: string }>(
  database: Database,
  table: keyof typeof TABLES,
  firstPage: Record<string, unknown>[],
  visit: (row: StoredRow<Row>) => void,
): Promise<void> {
  let rows = firstPage as unknown as StoredRow<Row>[];
  for (;;) {
    rows.forEach(visit);
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_SIZE) return;
    const [next = []] = await read(database, [page(table, last.id)]);
    rows = next as unknown as StoredRow<Row>[];
  }
}

const read = (database: Database, selects: string[]) => patiently(() => execute(database, selects));

const page = (table: keyof typeof TABLES, after: string) =>
  `SELECT id, organization_id, deleted_at, ${TABLES[table]} FROM ${table}
   WHERE id > ${sqlText(after)} ORDER BY id LIMIT ${PAGE_SIZE}`;

function choose(rows: Record<string, unknown>[], slug: string | undefined): TargetOrganization {
  const [row, another] = slug === undefined ? rows : rows.filter((candidate) => candidate["slug"] === slug);
  if (row === undefined && slug !== undefined) throw unknownOrganization(slug);
  if (row === undefined) throw new Refusal('There is no organization yet. "npm run admin" makes one.');
  if (another !== undefined) {
    const slugs = rows.map((candidate) => `  --organization ${candidate["slug"]}`);
    throw new Refusal(`There are several organizations. Say which:\n${slugs.join("\n")}`);
  }
  return {
    id: row["id"] as string,
    slug: row["slug"] as string,
    hasMembers: row["member_model_enabled"] === 1 || row["seat_based_pricing_enabled"] === 1,
  };
}
