/**
 * How this service talks to D1: every statement bounded in time, every failure turned into "unavailable" (503), and
 * nothing retried that might do harm twice. D1 retries reads by itself; a failed write may have committed all the same.
 */

import { LatchkeyError } from "../core/errors.ts";
import { DeadlineExceeded, withinDeadline } from "./deadline.ts";

const D1_DEADLINE_MS = 3000;

/** A UNIQUE index refused the write; nothing of its batch was committed. */
export class UniqueViolation extends Error {
  readonly columns: string;

  constructor(columns: string) {
    super(`UNIQUE constraint failed: ${columns}`);
    this.name = "UniqueViolation";
    this.columns = columns;
  }
}

export interface Database {
  /** One read. @throws {LatchkeyError} unavailable */
  read<Row>(sql: string, ...parameters: unknown[]): Promise<Row[]>;
  /**
   * One transaction: all or nothing. The results stand in the order of the statements.
   * @throws {UniqueViolation} nothing was committed
   * @throws {LatchkeyError} unavailable: it may have committed
   */
  transact(...statements: Statement[]): Promise<unknown[][]>;
  /** A transaction that may safely happen twice: tried once more when its outcome is in doubt. */
  transactRepeatable(...statements: Statement[]): Promise<unknown[][]>;
}

export type Statement = [sql: string, ...parameters: unknown[]];

export function createDatabase(db: D1Database): Database {
  const prepare = ([sql, ...parameters]: Statement) => db.prepare(sql).bind(...parameters);

  async function transact(...statements: Statement[]): Promise<unknown[][]> {
    try {
      const results = await withinDeadline("D1", D1_DEADLINE_MS, db.batch(statements.map(prepare)));
      return results.map((result) => result.results);
    } catch (error) {
      const columns = /UNIQUE constraint failed: ([\w., ]+)/.exec(String(error))?.[1];
      if (columns !== undefined) throw new UniqueViolation(columns);
      throw new LatchkeyError("unavailable", { reason: "D1 write failed", cause: error });
    }
  }

  return {
    async read<Row>(...statement: Statement) {
      try {
        return (await withinDeadline("D1", D1_DEADLINE_MS, prepare(statement).all<Row>())).results;
      } catch (error) {
        throw new LatchkeyError("unavailable", { reason: "D1 read failed", cause: error });
      }
    },

    transact,

    async transactRepeatable(...statements) {
      try {
        return await transact(...statements);
      } catch (error) {
        // "Overloaded" means that D1 wants less work; and a caller that waited 3 s should not wait 3 more.
        const cause = error instanceof LatchkeyError ? error.cause : error;
        if (
          error instanceof UniqueViolation ||
          cause instanceof DeadlineExceeded ||
          /overloaded/i.test(String(cause))
        ) {
          throw error;
        }
        return transact(...statements);
      }
    },
  };
}
