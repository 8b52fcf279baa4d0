/**
 * Finding and listing live sessions, from D1 only: a list in KV would be read, changed and written back, and lose some.
 */

import type { SessionFilter, SessionStore } from "../core/ports.ts";
import {
  IS_LIVE,
  type LiveSessionRow,
  SELECT_LIVE_BY_ID,
  SESSION_COLUMNS,
  SESSIONS,
  toLiveSession,
} from "./live-sessions.ts";
import { readPage } from "./pages.ts";
import type { StoreContext } from "./session-store.ts";

/**
 * Each filter as SQL over the organization ?2; the value follows as the next parameter. A member implies its
 * customer, and naming it lets the index on (customer_id, member_id) serve.
 */
const FILTERS: Record<keyof SessionFilter, (parameter: string) => string> = {
  memberId: (p) => `s.customer_id = (SELECT customer_id FROM members WHERE id = ${p}) AND s.member_id = ${p}`,
  customerId: (p) => `s.customer_id = ${p}`,
  externalCustomerId: (p) =>
    `s.customer_id = (SELECT id FROM customers WHERE organization_id = ?2 AND external_id = ${p} AND deleted_at IS NULL)`,
  externalMemberId: (p) => `m.external_id = ${p}`,
};

export function sessionLists({ database, clock }: StoreContext): Pick<SessionStore, "find" | "list"> {
  return {
    async find(organizationId, sessionId) {
      const [row] = await database.read<LiveSessionRow>(SELECT_LIVE_BY_ID, clock.now(), sessionId, organizationId);
      return row === undefined ? null : toLiveSession(row);
    },

    async list(organizationId, filter, page) {
      const wanted = Object.entries(filter) as [keyof SessionFilter, string][];
      const conditions = wanted.map(([name], index) => FILTERS[name](`?${index + 3}`));
      const where = [`c.organization_id = ?2`, ...conditions, IS_LIVE].join(" AND ");
      const parameters = [clock.now(), organizationId, ...wanted.map(([, value]) => value)];
      const statements = {
        count: `SELECT COUNT(*) AS total FROM ${SESSIONS} WHERE ${where}`,
        rows: (limits: string) =>
          `SELECT ${SESSION_COLUMNS} FROM ${SESSIONS} WHERE ${where} ORDER BY s.created_at DESC, s.id ${limits}`,
      };
      return readPage(database, statements, parameters, page, toLiveSession);
    },
  };
}
