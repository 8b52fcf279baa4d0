/**
 * Ending the rows of credentials that have leaked, sessions and API keys alike. The token itself names them: no
 * organization is asked, since whoever holds it could use it.
 */

import type { EndedCredential } from "../core/ports.ts";
import type { Database } from "./database.ts";

interface LeakedRow {
  lookup_key: string;
  expires_at: number;
  id: string;
  organization_id: string;
}

/** The keys travel as one JSON array: a report may hold more of them than D1 takes parameters. */
const revoke = (table: string) => `UPDATE ${table} SET revoked_at = COALESCE(revoked_at, ?1)
  WHERE lookup_key IN (SELECT value FROM json_each(?2))
  RETURNING lookup_key, expires_at, id, organization_id`;

/** @returns the rows that there are, dead or alive before. @throws {LatchkeyError} unavailable */
export async function revokeLeakedRows(
  database: Database,
  table: "sessions" | "api_keys",
  lookupKeys: string[],
  now: number,
): Promise<LeakedRow[]> {
  const [rows] = await database.transactRepeatable([revoke(table), now, JSON.stringify(lookupKeys)]);
  return rows as LeakedRow[];
}

export function toEndedCredential(row: LeakedRow): EndedCredential {
  return { lookupKey: row.lookup_key, id: row.id, organizationId: row.organization_id };
}
