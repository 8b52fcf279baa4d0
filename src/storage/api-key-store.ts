/**
 * API keys, looked up in D1 and remembered by the isolate: a revoked or narrowed key works on for 30 s at most.
 */

import type { LiveApiKey } from "../core/api-keys.ts";
import type { Clock } from "../core/ports.ts";
import type { Database } from "./database.ts";
import { ORGANIZATION_COLUMNS, type OrganizationRow, toOrganization } from "./rows.ts";

export const API_KEY_CACHE_TTL_MS = 30_000;
const MAX_ENTRIES = 1000;

const SELECT = `SELECT k.id, k.scopes, k.expires_at, ${ORGANIZATION_COLUMNS}
  FROM api_keys k JOIN organizations o ON o.id = k.organization_id
  WHERE k.lookup_key = ?2 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > ?1)
    AND o.deleted_at IS NULL`;

type Row = OrganizationRow & { id: string; scopes: string; expires_at: number | null };

/** One per isolate. Holds live keys only: a key made a second ago must work at once. */
export type ApiKeyCache = Map<string, { key: LiveApiKey; readAt: number }>;

export interface ApiKeyStore {
  /** null: unknown, expired or revoked. @throws {LatchkeyError} unavailable */
  find(lookupKey: string): Promise<LiveApiKey | null>;
}

export function createApiKeyStore(database: Database, cache: ApiKeyCache, clock: Clock): ApiKeyStore {
  return {
    async find(lookupKey) {
      const now = clock.now();
      const cached = cache.get(lookupKey);
      const age = cached === undefined ? Number.NaN : now - cached.readAt;
      if (cached !== undefined && age >= 0 && age < API_KEY_CACHE_TTL_MS) {
        return cached.key.expiresAt === null || now < cached.key.expiresAt ? cached.key : null;
      }
      cache.delete(lookupKey);
      const [row] = await database.read<Row>(SELECT, now, lookupKey);
      if (row === undefined) return null;
      const key: LiveApiKey = {
        id: row.id,
        scopes: new Set(row.scopes.split(" ")),
        expiresAt: row.expires_at,
        organization: toOrganization(row),
      };
      if (cache.size >= MAX_ENTRIES) cache.delete(cache.keys().next().value as string);
      cache.set(lookupKey, { key, readAt: now });
      return key;
    },
  };
}
