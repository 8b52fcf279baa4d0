/**
 * The real D1 database with outages on order (faults.ts) and a record of what it was asked. An operation is one read
 * outside a batch, or one whole batch.
 *
 *   const db = createFaultD1(env.DB);              // pass db.binding to the code under test
 *   db.fail("batch", { times: 1 });                // before the commit: nothing happened
 *   db.fail("batch", { times: 1, when: "after" }); // after the commit: it happened, the answer is lost
 *   db.hang("read");  db.slow("any", 200);  db.fail(/UPDATE portal_codes/);
 *   const gate = db.hold("read", { when: "after" });  await gate.reached;  …  gate.release();
 */

import { createFaults, type Faults } from "./faults.ts";

export interface D1Operation {
  kind: "read" | "batch";
  statements: { sql: string; parameters: unknown[] }[];
  /** One per statement, once D1 has answered. */
  meta: D1Meta[];
}

/** A regular expression picks the operations one of whose statements it matches. */
export type D1Selector = D1Operation["kind"] | "any" | RegExp | ((operation: D1Operation) => boolean);

export interface FaultD1 extends Faults<D1Operation, D1Selector> {
  binding: D1Database;
  /** Every operation asked for, failed or not. */
  log: D1Operation[];
  count(selector?: D1Selector): number;
  /** Every SQL text prepared, once each, in the order of first use. */
  prepared(): string[];
}

/** As Cloudflare documents them ("Debug D1", error list). */
export const D1_ERRORS = {
  lost: "D1_ERROR: Network connection lost.",
  reset: "D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.",
  overloaded: "D1_ERROR: D1 DB is overloaded. Requests queued for too long.",
} as const;

interface Statement {
  sql: string;
  parameters: unknown[];
  real: D1PreparedStatement;
  bind(...parameters: unknown[]): Statement;
  all(): Promise<D1Result>;
  run(): Promise<D1Result>;
}

export function createFaultD1(db: D1Database): FaultD1 {
  const log: D1Operation[] = [];
  const prepared = new Set<string>();
  const matcher = (selector: D1Selector) => (operation: D1Operation) => {
    if (typeof selector === "function") return selector(operation);
    if (selector instanceof RegExp) return operation.statements.some(({ sql }) => selector.test(sql));
    return selector === "any" || selector === operation.kind;
  };
  const faults = createFaults<D1Operation, D1Selector>(matcher, () => D1_ERRORS.lost);

  async function run(kind: D1Operation["kind"], statements: Statement[], apply: () => Promise<D1Result[]>) {
    const operation: D1Operation = {
      kind,
      statements: statements.map(({ sql, parameters }) => ({ sql, parameters })),
      meta: [],
    };
    log.push(operation);
    return faults.run(operation, async () => {
      const results = await apply();
      operation.meta = results.map(({ meta }) => meta);
      return results;
    });
  }

  function wrap(sql: string, parameters: unknown[], real: D1PreparedStatement): Statement {
    const all = async () => {
      const [result] = await run("read", [statement], async () => [await real.all()]);
      return result as D1Result;
    };
    const statement: Statement = {
      sql,
      parameters,
      real,
      bind: (...values) => wrap(sql, values, real.bind(...values)),
      all,
      run: all,
    };
    return statement;
  }

  const binding = {
    prepare(sql: string) {
      prepared.add(sql);
      return wrap(sql, [], db.prepare(sql));
    },
    batch: (statements: Statement[]) => run("batch", statements, () => db.batch(statements.map(({ real }) => real))),
  };

  return {
    ...faults,
    binding: binding as unknown as D1Database,
    log,
    count: (selector = "any") => log.filter(matcher(selector)).length,
    prepared: () => [...prepared],
  };
}
