/**
 * Deletes what has expired, so that D1 holds what is alive and little else. Nothing depends on it: an expired row is
 * dead whether it is there or not. KV needs none of this, its records go by their TTL.
 */

import type { Clock, Log } from "../core/ports.ts";
import type { Database } from "./database.ts";

/**
 * Rows that expire, by table; what hangs on a session (its portal code) goes with it. Those that hold addresses go
 * first, and sessions, which may be many, with what is left of the statements.
 */
const EXPIRING = ["sign_in_codes", "email_changes", "impersonations", "attempts", "spent_tokens", "sessions"] as const;
/** A statement may run for 30 s; this many rows take a small part of that. */
const ROWS_PER_STATEMENT = 1000;
/** A free account has 50 D1 queries for one invocation. What is left over waits for the next hour. */
const MAX_STATEMENTS = 40;

/** `WITHOUT ROWID` tables and D1 know no DELETE … LIMIT. */
const deleteExpired = (table: string) => `DELETE FROM ${table} WHERE lookup_key IN (
    SELECT lookup_key FROM ${table} WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ${ROWS_PER_STATEMENT})
  RETURNING 1`;

/** @throws {LatchkeyError} unavailable: what was deleted before stays so, and the rest is left to the next run. */
export async function deleteExpiredRows(database: Database, clock: Clock, log: Log): Promise<void> {
  const now = clock.now();
  let statements = 0;
  for (const table of EXPIRING) {
    let rows = 0;
    let deleted = ROWS_PER_STATEMENT;
    while (deleted === ROWS_PER_STATEMENT && statements < MAX_STATEMENTS) {
      [{ length: deleted }] = (await database.transactRepeatable([deleteExpired(table), now])) as [unknown[]];
      rows += deleted;
      statements++;
    }
    log.info("expired_rows_deleted", { table, rows, unfinished: deleted === ROWS_PER_STATEMENT });
  }
}
