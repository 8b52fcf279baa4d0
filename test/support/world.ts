/**
 * One D1, one KV and one clock, and any number of isolates: each with its own memory, its own KV location and its own
 * line to D1, all of which can be made to fail. `settle()` waits for the work that goes on after an answer.
 */

import { env } from "cloudflare:workers";
import type { Log, SessionStore } from "../../src/core/ports.ts";
import { createTokenSealer } from "../../src/core/sealed-token.ts";
import { createSessions, type Sessions } from "../../src/core/sessions.ts";
import { importTokenKeys, parseTokenKeys } from "../../src/crypto/token-keys.ts";
import { type CustomerStore, createCustomerStore } from "../../src/storage/customer-store.ts";
import { createDatabase, type Database } from "../../src/storage/database.ts";
import { createMemberStore, type MemberStore } from "../../src/storage/member-store.ts";
import { createSessionCache } from "../../src/storage/session-cache.ts";
import { createSessionStore, type StoreContext } from "../../src/storage/session-store.ts";
import { type FakeClock, fakeClock } from "./clock.ts";
import { createFaultD1, type FaultD1 } from "./fault-d1.ts";
import { createFaultKvWorld, type FaultKv, type FaultKvWorld } from "./fault-kv.ts";
import { credentials } from "./fixtures.ts";

export interface Isolate {
  store: SessionStore;
  sessions: Sessions;
  customers: CustomerStore;
  members: MemberStore;
  database: Database;
  kv: FaultKv;
  db: FaultD1;
  warnings: { event: string; fields: Record<string, unknown> }[];
  settle(): Promise<void>;
}

export interface World {
  clock: FakeClock;
  kv: FaultKvWorld;
  isolate(): Isolate;
}

export const sealer = createTokenSealer(importTokenKeys(parseTokenKeys(env.TOKEN_KEYS)));

export function makeWorld(clock: FakeClock = fakeClock()): World {
  const kvWorld = createFaultKvWorld(env.SESSIONS, clock);
  return {
    clock,
    kv: kvWorld,
    isolate() {
      const kv = kvWorld.location();
      const db = createFaultD1(env.DB);
      const database = createDatabase(db.binding);
      const pending: Promise<unknown>[] = [];
      const warnings: Isolate["warnings"] = [];
      const log: Log = {
        info: () => {},
        warn: (event, fields) => warnings.push({ event, fields }),
        error: (event, fields) => warnings.push({ event, fields }),
      };
      const waitUntil = (work: Promise<unknown>) => pending.push(work);
      const cache = createSessionCache();
      const context: StoreContext = { database, kv: kv.binding, cache, clock, waitUntil, log };
      const store = createSessionStore(context);
      return {
        customers: createCustomerStore(context),
        members: createMemberStore(context),
        store,
        sessions: createSessions({ store, credentials, sealer, clock }),
        database,
        kv,
        db,
        warnings,
        async settle() {
          while (pending.length > 0) await Promise.all(pending.splice(0));
        },
      };
    },
  };
}

/** Name of a session's key in KV. */
export function kvKey(lookupKey: string): string {
  return `s:${lookupKey}`;
}
