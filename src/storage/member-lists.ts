/**
 * Lists of members: of one customer, or of the whole organization.
 */

import type { CustomerRef, Member, MemberRole } from "../core/directory.ts";
import type { Listed, Page } from "../core/ports.ts";
import { customerIs, MEMBERS } from "./member-facts.ts";
import { readPage } from "./pages.ts";
import { MEMBER_COLUMNS, toMember } from "./rows.ts";
import type { StoreContext } from "./session-store.ts";

export interface MemberFilter {
  /** A member must be of each of them. */
  of: CustomerRef[];
  /** null: any. */
  role: MemberRole | null;
}

export function memberLists({ database }: StoreContext) {
  return {
    list(
      organizationId: string,
      { of, role }: MemberFilter,
      newestFirst: boolean,
      page: Page,
    ): Promise<Listed<Member>> {
      const filters = [
        ...of.map((customer) => (parameter: string) => customerIs(customer, parameter)),
        ...(role === null ? [] : [(parameter: string) => [`m.role = ${parameter}`, role] as const]),
      ].map((filter, index) => filter(`?${index + 2}`));
      const conditions = filters.map(([condition]) => condition);
      const where = (of.length === 0 ? ["m.organization_id = ?1", ...conditions] : conditions).join(" AND ");
      const parameters = [organizationId, ...filters.map(([, value]) => value)];
      const direction = newestFirst ? "DESC" : "ASC";
      const statements = {
        count: `SELECT COUNT(*) AS total FROM ${MEMBERS} WHERE ${where}`,
        rows: (limits: string) =>
          `SELECT ${MEMBER_COLUMNS} FROM ${MEMBERS} WHERE ${where} ORDER BY m.created_at ${direction}, m.id ${limits}`,
      };
      return readPage(database, statements, parameters, page, toMember);
    },
  };
}
