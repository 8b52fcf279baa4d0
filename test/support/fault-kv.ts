/**
 * The real KV namespace, made as unpleasant as the platform may be: several locations over one store, each with its
 * own idea of what has arrived, its own read cache, and its own outages (faults.ts). Miniflare does none of this.
 *
 *   const world = createFaultKvWorld(env.SESSIONS, clock);
 *   const paris = world.location();        // pass paris.binding to the code under test
 *   paris.freeze();                        // no write becomes visible here any more; what is absent stays absent
 *   paris.lag(60_000);                     // or: it becomes visible after a minute of the clock
 *   paris.serve(key, 1);                   // or: this key reads as its first put; 0 = as before any
 *   paris.pin(key, "garbage");             // or: as this text, or null
 *   paris.fail("put", { when: "after" });  // stored, but the caller is told otherwise
 *   world.limitWrites();                   // one put per key and second, else 429
 */

import type { Clock } from "../../src/core/ports.ts";
import { createFaults, type Faults } from "./faults.ts";

export interface KvOperation {
  kind: "get" | "put";
  key: string;
  /** What is put; null for a get. */
  value: string | null;
  expirationTtl: number | null;
}

export type KvSelector = KvOperation["kind"] | "any" | ((operation: KvOperation) => boolean);

export interface KvVersion {
  value: string;
  /** Counts the puts of the whole store: what comes later in the same millisecond is still later. */
  order: number;
  putAt: number;
  expirationTtl: number | null;
}

export interface FaultKvWorld {
  location(): FaultKv;
  /** What was stored under a key, oldest first. */
  versions(key: string): readonly KvVersion[];
  /** From here on, a second put of a key within a second of the clock is refused. */
  limitWrites(): void;
}

export interface FaultKv extends Faults<KvOperation, KvSelector> {
  binding: KVNamespace;
  /** Every operation asked for, failed or not. */
  log: KvOperation[];
  count(kind?: KvOperation["kind"]): number;
  freeze(): void;
  lag(milliseconds: number): void;
  serve(key: string, version: number): void;
  pin(key: string, text: string | null): void;
  /** Keeps each answer for the reader's cacheTtl, "absent" included, as a location does. */
  cacheReads(): void;
  /** Sees everything again, at once. */
  converge(): void;
}

const MIN_CACHE_TTL_SECONDS = 30;
const DEFAULT_CACHE_TTL_SECONDS = 60;
const WRITE_INTERVAL_MS = 1000;

export function createFaultKvWorld(kv: KVNamespace, clock: Clock): FaultKvWorld {
  const history = new Map<string, KvVersion[]>();
  const versions = (key: string) => history.get(key) ?? [];
  let puts = 0;
  let limited = false;

  async function put(key: string, value: string, options?: KVNamespacePutOptions): Promise<void> {
    const latest = versions(key).at(-1);
    if (limited && latest !== undefined && clock.now() - latest.putAt < WRITE_INTERVAL_MS) {
      throw new Error("KV PUT failed: 429 Too Many Requests");
    }
    await kv.put(key, value, options);
    const version = { value, order: ++puts, putAt: clock.now(), expirationTtl: options?.expirationTtl ?? null };
    history.set(key, [...versions(key), version]);
  }

  return {
    versions,
    limitWrites() {
      limited = true;
    },
    location: () => createLocation({ kv, clock, versions, puts: () => puts, put }),
  };
}

interface Store {
  kv: KVNamespace;
  clock: Clock;
  versions(key: string): readonly KvVersion[];
  puts(): number;
  put(key: string, value: string, options?: KVNamespacePutOptions): Promise<void>;
}

function createLocation({ kv, clock, versions, puts, put }: Store): FaultKv {
  const log: KvOperation[] = [];
  const faults = createFaults<KvOperation, KvSelector>(
    (selector) => (operation) =>
      typeof selector === "function" ? selector(operation) : selector === "any" || selector === operation.kind,
    ({ kind }) => `KV ${kind.toUpperCase()} failed: 503 Service Unavailable`,
  );
  /** null: whatever the store holds. */
  let hasArrived: ((version: KvVersion) => boolean) | null = null;
  const served = new Map<string, number>();
  const pinned = new Map<string, string | null>();
  let cache: Map<string, { value: string | null; readAt: number }> | null = null;

  /** KV forgets by its own clock; this does so by the test's, and otherwise asks the real store where it may. */
  async function look(key: string): Promise<string | null> {
    const text = pinned.get(key);
    if (text !== undefined) return text;
    const index = served.get(key);
    const visible =
      index !== undefined
        ? versions(key)[index - 1]
        : versions(key).findLast((version) => hasArrived === null || hasArrived(version));
    if (visible !== undefined && isForgotten(visible, clock.now())) return null;
    return index === undefined && hasArrived === null ? kv.get(key, "text") : (visible?.value ?? null);
  }

  async function read(key: string, cacheTtlSeconds: number): Promise<string | null> {
    if (cacheTtlSeconds < MIN_CACHE_TTL_SECONDS) throw new Error("KV GET failed: 400 Invalid cache_ttl");
    const cached = cache?.get(key);
    if (cached !== undefined && clock.now() - cached.readAt < cacheTtlSeconds * 1000) return cached.value;
    const readAt = clock.now();
    const value = await look(key);
    cache?.set(key, { value, readAt });
    return value;
  }

  function start(operation: KvOperation): KvOperation {
    log.push(operation);
    return operation;
  }

  const binding = {
    get: (key: string, options?: Partial<KVNamespaceGetOptions<"text">>) =>
      faults.run(start({ kind: "get", key, value: null, expirationTtl: null }), () =>
        read(key, options?.cacheTtl ?? DEFAULT_CACHE_TTL_SECONDS),
      ),
    put: (key: string, value: string, options?: KVNamespacePutOptions) =>
      faults.run(start({ kind: "put", key, value, expirationTtl: options?.expirationTtl ?? null }), () =>
        put(key, value, options),
      ),
  };

  return {
    ...faults,
    binding: binding as unknown as KVNamespace,
    log,
    count: (kind) => log.filter((operation) => kind === undefined || operation.kind === kind).length,

    freeze() {
      const last = puts();
      hasArrived = (version) => version.order <= last;
    },
    lag(milliseconds) {
      hasArrived = (version) => version.putAt <= clock.now() - milliseconds;
    },
    serve(key, version) {
      served.set(key, version);
    },
    pin(key, text) {
      pinned.set(key, text);
    },
    cacheReads() {
      cache = new Map();
    },
    converge() {
      hasArrived = null;
      cache = null;
      served.clear();
      pinned.clear();
    },
  };
}

function isForgotten({ putAt, expirationTtl }: KvVersion, now: number): boolean {
  return expirationTtl !== null && now >= putAt + expirationTtl * 1000;
}
