/**
 * Portal codes in D1 only: single use needs an atomic write, and KV has none.
 */

import { LatchkeyError } from "../core/errors.ts";
import type { OrganizationRef, PortalCodeState, SessionStore } from "../core/ports.ts";
import type { CodeDoor, SealedSession } from "../core/session.ts";
import type { Statement } from "./database.ts";
import {
  IS_LIVE,
  type LiveSessionRow,
  SEALED_COLUMNS,
  SESSION_COLUMNS,
  SESSIONS,
  type SealedRow,
  toLiveSession,
  toSealedSession,
} from "./live-sessions.ts";
import type { StoreContext } from "./session-store.ts";

/** ?5 names the organization by id or by slug, whichever column is asked. */
const redeem = (organizationColumn: string) => `UPDATE portal_codes SET redeemed_at = ?1, redeemed_by = ?2
  WHERE lookup_key = ?3 AND door = ?4 AND redeemed_at IS NULL AND expires_at > ?1
    AND EXISTS (SELECT 1 FROM ${SESSIONS}
      WHERE s.id = portal_codes.session_id AND ${organizationColumn} = ?5 AND ${IS_LIVE})`;

/** Only for the request whose mark the code bears. */
const SELECT_REDEEMED = `SELECT ${SEALED_COLUMNS} FROM ${SESSIONS}
  WHERE s.id = (SELECT session_id FROM portal_codes WHERE lookup_key = ?2 AND redeemed_by = ?3) AND ${IS_LIVE}`;

const find = (organizationColumn: string) => `SELECT ${SESSION_COLUMNS}, p.door, p.redeemed_at
  FROM portal_codes p CROSS JOIN ${SESSIONS}
  WHERE p.lookup_key = ?2 AND s.id = p.session_id AND ${organizationColumn} = ?3 AND ${IS_LIVE}
    AND (p.redeemed_at IS NOT NULL OR p.expires_at > ?1)`;

type FoundRow = LiveSessionRow & { door: CodeDoor; redeemed_at: number | null };

export function portalCodes({ database, clock }: StoreContext): Pick<SessionStore, "redeemCode" | "findCode"> {
  async function redeemCode(
    lookupKey: string,
    door: CodeDoor,
    organization: OrganizationRef,
  ): Promise<SealedSession | null> {
    const now = clock.now();
    const redemption = crypto.randomUUID();
    const [column, value] = organizationColumn(organization);
    const readBack: Statement = [SELECT_REDEEMED, now, lookupKey, redemption];
    let row: SealedRow | undefined;
    try {
      const update: Statement = [redeem(column), now, redemption, lookupKey, door, value];
      const [, selected] = await database.transact(update, readBack);
      [row] = selected as SealedRow[];
    } catch (error) {
      if (!(error instanceof LatchkeyError)) throw error;
      // The code may be spent by this very request: without reading back, the member's only link would be lost.
      [row] = await database.read<SealedRow>(...readBack);
      if (row === undefined) throw error;
    }
    return row === undefined ? null : toSealedSession(row);
  }

  async function findCode(lookupKey: string, organization: OrganizationRef): Promise<PortalCodeState | null> {
    const [column, value] = organizationColumn(organization);
    const [row] = await database.read<FoundRow>(find(column), clock.now(), lookupKey, value);
    return row === undefined
      ? null
      : { session: toLiveSession(row), door: row.door, redeemed: row.redeemed_at !== null };
  }

  return { redeemCode, findCode };
}

function organizationColumn(organization: OrganizationRef): ["o.id" | "o.slug", string] {
  return "id" in organization ? ["o.id", organization.id] : ["o.slug", organization.slug];
}
