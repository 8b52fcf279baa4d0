/**
 * Sessions over D1 and KV. D1 is the only truth, and the order is always D1, then KV; every consistency rule lives in
 * this folder: checks in session-checks.ts, the lease in session-records.ts, creation in
 * session-writes.ts, changes in session-changes.ts, revocation in session-endings.ts, codes in portal-codes.ts.
 */

import type { Clock, Log, SessionStore } from "../core/ports.ts";
import type { Database } from "./database.ts";
import { portalCodes } from "./portal-codes.ts";
import type { SessionCache } from "./session-cache.ts";
import { sessionChanges } from "./session-changes.ts";
import { sessionChecks } from "./session-checks.ts";
import { sessionEndings } from "./session-endings.ts";
import { sessionLists } from "./session-lists.ts";
import { sessionWrites } from "./session-writes.ts";

export interface StoreContext {
  database: Database;
  kv: KVNamespace;
  /** One per isolate. */
  cache: SessionCache;
  clock: Clock;
  /** Lets work go on after the answer has been sent. */
  waitUntil(work: Promise<unknown>): void;
  log: Log;
}

export function createSessionStore(context: StoreContext): SessionStore {
  return {
    ...sessionChecks(context),
    ...sessionWrites(context),
    ...sessionChanges(context),
    ...sessionEndings(context),
    ...portalCodes(context),
    ...sessionLists(context),
  };
}
