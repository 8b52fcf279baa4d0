/**
 * Writes the planned people in batches. A batch is one transaction, and a customer comes in with its owner: whatever
 * stops a run, the next one finds whole customers and goes on.
 */

import type { NewMember } from "../src/core/directory.ts";
import { Refusal } from "./command.ts";
import { type Database, executeFile, patiently, SqlFailure } from "./database.ts";
import { customerColumns, memberColumns } from "./import-columns.ts";
import type { PlannedCustomer } from "./import-customers.ts";
import { counted, type Progress } from "./progress.ts";
import { sqlInsertMissing } from "./sql.ts";

/** Bounds what a failure undoes, and the second or so for which the deployed database serves nobody else. */
const BATCH_ROWS = 10_000;

interface Batch {
  customers: PlannedCustomer[];
  members: NewMember[];
}

export async function writePeople(
  database: Database,
  organizationId: string,
  newCustomers: PlannedCustomer[],
  newMembers: NewMember[],
  progress: Progress,
): Promise<void> {
  if (newCustomers.length + newMembers.length === 0) return;
  const owners = newCustomers.filter(({ newOwner }) => newOwner !== null).length;
  const written = { customers: 0, members: 0 };
  const count = () =>
    `${counted(written.customers)} of ${counted(newCustomers.length)} customers, ` +
    `${counted(written.members)} of ${counted(owners + newMembers.length)} members`;
  for (const { customers, members } of batches(newCustomers, newMembers)) {
    progress.show(`Writing: ${count()}`);
    const customerRows = customers.flatMap(({ type, row }) =>
      row === null ? [] : [customerColumns(organizationId, type, row.details)],
    );
    const memberRows = members.map((member) => memberColumns(organizationId, member));
    try {
      await patiently(() =>
        executeFile(database, [
          ...sqlInsertMissing("customers", customerRows),
          ...sqlInsertMissing("members", memberRows),
        ]),
      );
    } catch (error) {
      progress.end();
      if (!(error instanceof SqlFailure)) throw error;
      throw new Refusal(`${error.message}\nWritten: ${count()}. Run the same command again: it goes on from there.`);
    }
    written.customers += customers.length;
    written.members += members.length;
  }
  progress.show(`Written: ${count()}`);
  progress.end();
}

function* batches(customers: PlannedCustomer[], members: NewMember[]): Generator<Batch> {
  for (let start = 0; start < customers.length; start += BATCH_ROWS / 2) {
    const some = customers.slice(start, start + BATCH_ROWS / 2);
    yield { customers: some, members: some.flatMap(({ newOwner }) => newOwner ?? []) };
  }
  for (let start = 0; start < members.length; start += BATCH_ROWS) {
    yield { customers: [], members: members.slice(start, start + BATCH_ROWS) };
  }
}
