/**
 * Lists of members: of one customer, or of the whole organization.
 */

import type { CustomerRef, Member, MemberRole } from "../core/directory.ts";
import type { Listed, Page } from "../core/ports.ts";
import { customerIs, MEMBERS } from "./member-facts.ts";
import { MEMBER_COLUMNS, type MemberRow, toMember } from "./rows.ts";
import type { StoreContext } from "./session-store.ts";

export interface MemberFilter {
  /** A member must be of each of them. */
  of: CustomerRef[];
  /** null: any. */
  role: MemberRole | null;
}

export function memberLists({ database }: StoreContext) {
  return {
    async list(
      organizationId: string,
      { of, role }: MemberFilter,
      newestFirst: boolean,
      { offset, limit }: Page,
    ): Promise<Listed<Member>> {
      const filters = [
        ...of.map((customer) => (parameter: string) => customerIs(customer, parameter)),
        ...(role === null ? [] : [(parameter: string) => [`m.role = ${parameter}`, role] as const]),
      ].map((filter, index) => filter(`?${index + 2}`));
      const conditions = filters.map(([condition]) => condition);
      const where = (of.length === 0 ? ["m.organization_id = ?1", ...conditions] : conditions).join(" AND ");
      const parameters = [organizationId, ...filters.map(([, value]) => value)];
      const direction = newestFirst ? "DESC" : "ASC";
      const [counted, rows] = await database.transact(
        [`SELECT COUNT(*) AS total FROM ${MEMBERS} WHERE ${where}`, ...parameters],
        [
          `SELECT ${MEMBER_COLUMNS} FROM ${MEMBERS} WHERE ${where}
           ORDER BY m.created_at ${direction}, m.id LIMIT ?${parameters.length + 1} OFFSET ?${parameters.length + 2}`,
          ...parameters,
          limit,
          offset,
        ],
      );
      const [{ total }] = counted as [{ total: number }];
      return { items: (rows as MemberRow[]).map(toMember), total };
    },
  };
}
