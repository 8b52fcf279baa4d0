/**
 * API keys, looked up in D1 and remembered by the isolate: a revoked or narrowed key works on for 30 s at most.
 */

import type { LiveApiKey } from "../core/api-keys.ts";
import type { Clock, EndedCredential } from "../core/ports.ts";
import type { Database } from "./database.ts";
import { createExpiringCache, type ExpiringCache } from "./expiring-cache.ts";
import { revokeLeakedRows, toEndedCredential } from "./leaked-rows.ts";
import { ORGANIZATION_COLUMNS, type OrganizationRow, toOrganization } from "./rows.ts";

const API_KEY_CACHE_TTL_MS = 30_000;
const MAX_ENTRIES = 1000;

const SELECT = `SELECT k.id, k.scopes, k.expires_at, ${ORGANIZATION_COLUMNS}
  FROM api_keys k JOIN organizations o ON o.id = k.organization_id
  WHERE k.lookup_key = ?2 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > ?1)
    AND o.deleted_at IS NULL`;

type Row = OrganizationRow & { id: string; scopes: string; expires_at: number | null };

/** One per isolate. Holds live keys only: a key made a second ago must work at once. */
export type ApiKeyCache = ExpiringCache<LiveApiKey>;
export const createApiKeyCache = (): ApiKeyCache => createExpiringCache(API_KEY_CACHE_TTL_MS, MAX_ENTRIES);

export interface ApiKeyStore {
  /** null: unknown, expired or revoked. @throws {LatchkeyError} unavailable */
  find(lookupKey: string): Promise<LiveApiKey | null>;
  /** Idempotent, and whichever organizations they are of. @throws {LatchkeyError} unavailable */
  revokeLeaked(lookupKeys: string[]): Promise<EndedCredential[]>;
}

export function createApiKeyStore(database: Database, cache: ApiKeyCache, clock: Clock): ApiKeyStore {
  return {
    async find(lookupKey) {
      const now = clock.now();
      const cached = cache.get(lookupKey, now);
      if (cached !== undefined) return cached.expiresAt === null || now < cached.expiresAt ? cached : null;
      const [row] = await database.read<Row>(SELECT, now, lookupKey);
      if (row === undefined) return null;
      const key: LiveApiKey = {
        id: row.id,
        scopes: new Set(row.scopes.split(" ")),
        expiresAt: row.expires_at,
        organization: toOrganization(row),
      };
      cache.set(lookupKey, key, now);
      return key;
    },

    async revokeLeaked(lookupKeys) {
      const ended = await revokeLeakedRows(database, "api_keys", lookupKeys, clock.now());
      cache.clear();
      return ended.map(toEndedCredential);
    },
  };
}
