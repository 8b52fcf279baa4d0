/**
 * `npm run import`: moves customers and members in, from Polar's CSV export and a CSV file of members, with the ids
 * that they have there. Nothing that is there already is touched, so a second run changes nothing.
 */

import { parseArgs } from "node:util";
import { runCommand, WrongArguments } from "./command.ts";
import { localDatabase } from "./database.ts";
import { devDirectory } from "./dev-directory.ts";
import { importPeople } from "./import-people.ts";

const USAGE = `Usage: npm run import -- <file> [<file>] [options]

  --organization <slug>   which one; needed where there are several
  --on-error abort|skip   a bad row stops everything before anything is written
                          (the default), or is left out; either way it is
                          reported with its line
  --dry-run               checks everything and writes nothing
  --remote                the deployed database; without it, the local server's.
                          It serves nobody for a moment with every 10,000 rows

The files are CSV in UTF-8, told apart by their first line. Either may be
missing, and their order means nothing.

customers.csv, as Polar's GET /v1/customers/export has it:
  ID, Email               needed; the id is kept. Without e-mail it is a team
  External ID, Created At, Name, Tax ID, Billing Address Line 1, … Line 2,
  … City, … State, … Zip, … Country, Metadata (JSON)
  Type                    individual or team; not in Polar's export. Without it,
                          a customer with members besides its owner is a team

members.csv:
  customer_id or          the customer, in the other file or in the database
  customer_external_id
  email                   needed
  name, external_id
  role                    owner, billing_manager or member (the default)
  id                      kept, if given
  created_at              such as 2026-03-03T16:23:51Z; now, if not given

A customer of whom no row is the owner gets one with its own name, address and
external id, as in POST /v1/customers/.`;

const OPTIONS = {
  organization: { type: "string" },
  "on-error": { type: "string" },
  "dry-run": { type: "boolean" },
  remote: { type: "boolean" },
} as const;

await runCommand(async () => {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: OPTIONS });
  if (positionals.length < 1 || positionals.length > 2) throw new WrongArguments("One or two files are needed.");
  const onError = values["on-error"] ?? "abort";
  if (onError !== "abort" && onError !== "skip") throw new WrongArguments("--on-error is abort or skip.");
  await importPeople(values.remote ? { place: "remote" } : localDatabase(devDirectory()), positionals, {
    organization: values.organization,
    onError,
    isDryRun: values["dry-run"] ?? false,
  });
}, USAGE);
