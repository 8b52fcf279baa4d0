/**
 * Ending the rows of credentials that have leaked, sessions and API keys alike. The token itself names them: no
 * organization is asked, since whoever holds it could use it.
 */

import type { EndedCredential } from "../core/ports.ts";
import type { Database, Statement } from "./database.ts";
import { endEmailChanges } from "./email-changes.ts";

interface LeakedRow {
  lookup_key: string;
  expires_at: number;
  id: string;
  organization_id: string;
}

/** They travel as one JSON array: a report may hold more of them than D1 takes parameters. */
const among = (lookupKeys: string) => `lookup_key IN (SELECT value FROM json_each(${lookupKeys}))`;

const revoke = (table: string) => `UPDATE ${table} SET revoked_at = COALESCE(revoked_at, ?1) WHERE ${among("?2")}
  RETURNING lookup_key, expires_at, id, organization_id`;

/** @returns the rows that there are, dead or alive before. @throws {LatchkeyError} unavailable */
export async function revokeLeakedRows(
  database: Database,
  table: "sessions" | "api_keys",
  lookupKeys: string[],
  now: number,
): Promise<LeakedRow[]> {
  const keys = JSON.stringify(lookupKeys);
  const begun: Statement[] = table === "sessions" ? [[endEmailChanges(among("?1")), keys]] : [];
  const [rows] = await database.transactRepeatable([revoke(table), now, keys], ...begun);
  return rows as LeakedRow[];
}

export function toEndedCredential(row: LeakedRow): EndedCredential {
  return { lookupKey: row.lookup_key, id: row.id, organizationId: row.organization_id };
}
