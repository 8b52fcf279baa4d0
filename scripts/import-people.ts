/**
 * An import from its files to its last line: read, check everything against everything, then write.
 */

import { Refusal } from "./command.ts";
import type { Database } from "./database.ts";
import { planCustomers } from "./import-customers.ts";
import { readExisting } from "./import-existing.ts";
import { readSheets, type Sheets } from "./import-files.ts";
import { planMembers } from "./import-members.ts";
import { writePeople } from "./import-write.ts";
import { counted, createProgress } from "./progress.ts";

export interface ImportOptions {
  /** Slug; undefined: the only organization that there is. */
  organization: string | undefined;
  onError: "abort" | "skip";
  isDryRun: boolean;
}

/** Enough to see what is wrong with a file that is all wrong. What has been left out is shown in full. */
const MAX_FAULTS_SHOWN = 100;

/** @throws {Refusal} */
export async function importPeople(database: Database, paths: string[], options: ImportOptions): Promise<void> {
  const progress = createProgress();
  const sheets = readSheets(paths, Date.now());
  progress.show("Reading the database");
  const existing = await readExisting(database, options.organization, idsIn(sheets), (rows) =>
    progress.show(`Reading the database: ${counted(rows)} rows`),
  ).finally(progress.end);
  const { organization } = existing;
  if (sheets.members.rows.length > 0 && !organization.hasMembers) {
    throw new Refusal(`The customers of ${organization.slug} have no members: both of its settings for them are off.`);
  }
  const plan = planCustomers(sheets.customers, existing);
  const members = planMembers(sheets.members, plan, existing);
  const customers = [...plan.all.values()].filter(({ isNew }) => isNew);

  const bad = reportBadRows(sheets, options.onError === "skip" ? Number.POSITIVE_INFINITY : MAX_FAULTS_SHOWN);
  if (bad > 0 && options.onError === "abort") {
    const rows = bad === 1 ? "1 bad row" : `${counted(bad)} bad rows`;
    throw new Refusal(`${rows}, so nothing was written. --on-error skip leaves them out.`);
  }
  if (!options.isDryRun) await writePeople(database, organization.id, customers, members.toAdd, progress);
  console.log(
    `customers: ${summary(customers.length, plan.alreadyThere, sheets.customers.bad.length)}; ` +
      `members: ${summary(members.named + members.ownersMade, members.alreadyThere, sheets.members.bad.length)}`,
  );
  if (members.ownersMade > 0)
    console.log(`${counted(members.ownersMade)} of the members are owners that no row names.`);
  if (options.isDryRun) console.log("Nothing was written: this was a dry run.");
}

function summary(made: number, alreadyThere: number, skipped: number): string {
  return `${counted(made)} new, ${counted(alreadyThere)} already there, ${counted(skipped)} skipped`;
}

function idsIn({ customers, members }: Sheets): Set<string> {
  return new Set([...customers.rows.map(({ details }) => details.id), ...members.rows.flatMap(({ id }) => id ?? [])]);
}

/** @returns how many rows are bad. */
function reportBadRows({ customers, members }: Sheets, maxShown: number): number {
  const lines = [customers, members].flatMap(({ name, bad }) =>
    bad
      .toSorted((a, b) => a.line - b.line)
      .flatMap(({ line, faults }) => faults.map((fault) => `${name} line ${line}: ${fault}`)),
  );
  for (const line of lines.slice(0, maxShown)) console.error(line);
  if (lines.length > maxShown) console.error(`… and ${counted(lines.length - maxShown)} more.`);
  return customers.bad.length + members.bad.length;
}
