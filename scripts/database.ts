/**
 * The database as wrangler reaches it: the local one of a dev directory, or the deployed one.
 */

import { Refusal } from "./command.ts";
import type { DevDirectory } from "./dev-directory.ts";
import { runWrangler } from "./wrangler.ts";

const DATABASE = "latchkey";

export type Database = { place: "local"; state: string } | { place: "remote" };

export function localDatabase({ state }: DevDirectory): Database {
  return { place: "local", state };
}

/** Brings the schema up to date. Says nothing unless it fails. */
export async function applyMigrations(database: Database): Promise<void> {
  const { ok, stdout, stderr } = await runWrangler(["d1", "migrations", "apply", DATABASE, ...reach(database)]);
  if (!ok) throw new Refusal(`The migrations failed.\n${stdout}${stderr}`);
}

/** Runs statements in one go and returns the rows of each. @throws {SqlFailure} */
export async function execute(database: Database, statements: string[]): Promise<Record<string, unknown>[][]> {
  const command = statements.join(";\n");
  const args = ["d1", "execute", DATABASE, ...reach(database), "--yes", "--json", "--command", command];
  const { ok, stdout, stderr } = await runWrangler(args);
  const json = /^[[{][\s\S]*/m.exec(stdout)?.[0];
  if (!ok || json === undefined) throw failure(database, failureText(json) ?? `${stdout}${stderr}`.trim());
  return (JSON.parse(json) as { results: Record<string, unknown>[] }[]).map(({ results }) => results);
}

export class SqlFailure extends Refusal {
  override name = "SqlFailure";
}

/** The schema was never applied. */
export class NoTables extends Refusal {
  override name = "NoTables";
}

function failure(database: Database, message: string): Refusal {
  if (!message.includes("no such table")) return new SqlFailure(message);
  const remedy = database.place === "local" ? "npm start" : "npm run db:migrate";
  return new NoTables(`That database is empty. Run "${remedy}" first.`);
}

function reach(database: Database): string[] {
  return database.place === "remote" ? ["--remote"] : ["--local", "--persist-to", database.state];
}

function failureText(json: string | undefined): string | undefined {
  try {
    return (JSON.parse(json ?? "") as { error?: { text?: string } }).error?.text;
  } catch {
    return undefined;
  }
}
