/**
 * The database as wrangler reaches it: the local one of a dev directory, or the deployed one.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
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
  return run(database, ["--command", statements.join(";\n")]);
}

/**
 * Runs more statements than a command line holds, as one transaction. The deployed database serves nobody meanwhile.
 * @throws {SqlFailure} nothing was written, or, where the connection broke, all may have been.
 */
export async function executeFile(database: Database, statements: string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-sql-"));
  try {
    const file = join(folder, "statements.sql");
    writeFileSync(file, `${statements.join(";\n")};\n`, { mode: 0o600 });
    await run(database, ["--file", file]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function run(database: Database, source: string[]): Promise<Record<string, unknown>[][]> {
  const args = ["d1", "execute", DATABASE, ...reach(database), "--yes", "--json", ...source];
  const { ok, stdout, stderr } = await runWrangler(args);
  const json = /^[[{][\s\S]*/m.exec(stdout)?.[0];
  if (!ok || json === undefined) throw failure(database, `${stdout}${stderr}`.trim(), failureText(json));
  return (JSON.parse(json) as { results: Record<string, unknown>[] }[]).map(({ results }) => results);
}

export class SqlFailure extends Refusal {
  override name = "SqlFailure";
  /** Another process was writing to the local database. What was asked may have been done all the same. */
  readonly isBusy: boolean;

  constructor(message: string, isBusy = false) {
    super(message);
    this.isBusy = isBusy;
  }
}

/** Tries again while a server on the local database is in the way. @param work may safely happen twice. */
export async function patiently<T>(work: () => Promise<T>, attempts = 5): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SqlFailure && error.isBusy) || attempts === 1) throw error;
    await sleep(500);
    return patiently(work, attempts - 1);
  }
}

/** A migration was not applied, or none was. */
export class NoTable extends Refusal {
  override name = "NoTable";
  readonly table: string;

  constructor(table: string, remedy: string) {
    super(`That database has no table "${table}". Run "${remedy}" first.`);
    this.table = table;
  }
}

/** What a failed statement means. @param output all that wrangler said, `message` the part about the statement. */
export function failure(database: Database, output: string, message = output): Refusal {
  if (output.includes("SQLITE_BUSY")) return new SqlFailure(BUSY, true);
  const table = /no such table: (?:main\.)?(\w+)/.exec(message)?.[1];
  if (table === undefined) return new SqlFailure(message);
  return new NoTable(table, database.place === "local" ? "npm start" : "npm run db:migrate");
}

const BUSY = "The local database is busy with another process, such as npm start. Try again, or stop that one first.";

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
