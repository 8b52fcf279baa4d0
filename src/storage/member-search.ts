/**
 * Searching the members of some customers of one organization.
 */

import { emailKey, type Member } from "../core/directory.ts";
import type { MemberCriterion } from "../core/member-search.ts";
import type { Found, Search } from "../core/search.ts";
import { MEMBER_COLUMNS, toMember } from "./rows.ts";
import { type Bind, isOneOf, readFound } from "./searching.ts";
import type { StoreContext } from "./session-store.ts";

/**
 * From the customers to their members, never the other way round: by the members' own organization, SQLite would walk
 * through all of its members.
 */
const MEMBERS_OF = `customers c CROSS JOIN members m ON m.customer_id = c.id
  WHERE c.organization_id = ?1 AND c.deleted_at IS NULL AND c.id IN (SELECT value FROM json_each(?2))`;

export function memberSearch({ database }: StoreContext) {
  return {
    /**
     * Members of the organization's customers that `customerIds` names. Who is deleted is found where a criterion asks
     * for it.
     * @throws {LatchkeyError} unavailable
     */
    search(organizationId: string, customerIds: string[], search: Search<MemberCriterion>): Promise<Found<Member>> {
      const wantsDeleted = search.filters.some(
        (criterion) => criterion.kind === "status" && criterion.statuses.includes("deleted"),
      );
      const statements = {
        columns: MEMBER_COLUMNS,
        alias: "m",
        from: wantsDeleted ? MEMBERS_OF : `${MEMBERS_OF} AND m.deleted_at IS NULL`,
        parameters: [organizationId, JSON.stringify(customerIds)],
        condition,
      };
      return readFound(database, statements, search, toMember);
    },
  };
}

function condition(criterion: MemberCriterion, bind: Bind): string {
  switch (criterion.kind) {
    case "named": {
      const names = bind(JSON.stringify(criterion.names));
      return `m.id IN (SELECT value ->> 'id' FROM json_each(${names}))
        OR m.external_id IN (SELECT value ->> 'name' FROM json_each(${names}))`;
    }
    case "email":
      return isOneOf("m.email_key", criterion.emails.map(emailKey), bind);
    case "email_part":
      return `instr(m.email_key, ${bind(emailKey(criterion.part))})`;
    case "status":
      return isOneOf("iif(m.deleted_at IS NULL, m.status, 'deleted')", criterion.statuses, bind);
    case "setting":
      return withSetting(criterion.setting, criterion.values, bind, (is, values) => {
        return `${is} IN (SELECT value FROM json_each(${values}))`;
      });
    case "setting_part":
      return withSetting(criterion.setting, criterion.part, bind, (is, part) => `instr(${is}, ${part} ->> '$')`);
    case "switch":
      return withSetting(criterion.setting, criterion.isOn, bind, (is, isOn) => `IFNULL(${is}, 0) = ${isOn} ->> '$'`);
  }
}

/** @param holds says of the setting, and of what it is compared with, as JSON, whether they go together. */
function withSetting(name: string, value: unknown, bind: Bind, holds: (is: string, value: string) => string): string {
  const both = bind(JSON.stringify([name, value]));
  return holds(`(m.sign_in_settings ->> (${both} ->> 0))`, `(${both} -> 1)`);
}
