/**
 * An operator's leave to sign in as a member, in D1: made by `npm run admin`, good for five minutes and once.
 */

import type { ImpersonationStore } from "../core/identity-ports.ts";
import type { Clock } from "../core/ports.ts";
import type { Database } from "./database.ts";
import type { ProofRule } from "./session-writes.ts";

const good = (now: string, lookupKey: string) =>
  `i.lookup_key = ${lookupKey} AND i.used_by IS NULL AND i.expires_at > ${now}`;

/** Good for the very member that it was made for. */
export const IMPERSONATION: ProofRule = {
  isGood: `EXISTS (SELECT 1 FROM impersonations i
    WHERE ${good("?7", "?15")} AND i.organization_id = o.id AND i.member_id = m.id)`,
  uses: [
    `UPDATE impersonations SET used_by = ?2
      WHERE lookup_key = ?3 AND EXISTS (SELECT 1 FROM sessions WHERE id = ?2)`,
  ],
};

const SELECT = `SELECT i.member_id, i.impersonator_id, i.impersonator_email FROM impersonations i
  WHERE ${good("?1", "?2")} AND i.organization_id = ?3`;

type Row = Record<"member_id" | "impersonator_id" | "impersonator_email", string>;

export function createImpersonationStore(database: Database, clock: Clock): ImpersonationStore {
  return {
    async find(organizationId, lookupKey) {
      const [row] = await database.read<Row>(SELECT, clock.now(), lookupKey, organizationId);
      if (row === undefined) return null;
      const { member_id, impersonator_id, impersonator_email } = row;
      return { memberId: member_id, impersonatorId: impersonator_id, impersonatorEmail: impersonator_email };
    },
  };
}
