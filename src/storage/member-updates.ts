/**
 * The statements that change a member, and what stands in their way. What is changed key by key is merged with what is
 * there at that very moment, so that no change is lost to another.
 */

import { emailKey } from "../core/directory.ts";
import { LatchkeyError } from "../core/errors.ts";
import { requireRoom } from "../core/kept.ts";
import { FORMER_OWNER, type MemberChange } from "../core/member-roles.ts";
import type { Statement, UniqueViolation } from "./database.ts";
import { hasRoom, merged, type Size, selectSize } from "./kept.ts";
import { isRetired, mayManage } from "./member-facts.ts";
import type { Bind } from "./searching.ts";

/** The member ?1 of the organization ?2 has the role ?3 still, its customer lives, and ?4 may still manage it. */
export const IS_UNCHANGED = `m.id = ?1 AND m.organization_id = ?2 AND m.role = ?3
  AND EXISTS (SELECT 1 FROM customers c WHERE c.id = m.customer_id AND c.deleted_at IS NULL)
  AND ${mayManage("?4", "m.customer_id")}`;

/** What takes the place of what there is. */
const REPLACED = [
  ["name", "name"],
  ["role", "role"],
  ["externalId", "external_id"],
  ["assignedRoles", "assigned_roles"],
] as const;

/** What is changed key by key, and must not become too large. */
const MERGED = [
  ["trustedMetadata", "trusted_metadata"],
  ["untrustedMetadata", "untrusted_metadata"],
  ["signInSettings", "sign_in_settings"],
] as const;

const jsonOf = (value: unknown) => (typeof value === "object" && value !== null ? JSON.stringify(value) : value);

/** Builds a statement upon ?1 to ?5: those of IS_UNCHANGED, and the present instant. */
function statement(unchanged: readonly unknown[], build: (bind: Bind) => string): Statement {
  const parameters = [...unchanged];
  const sql = build((value) => `?${parameters.push(jsonOf(value))}`);
  return [sql, ...parameters];
}

/** The one condition of all statements of a change: each happens with the others or not at all. */
function mayBeChanged(change: MemberChange, bind: Bind): string {
  return [
    `${IS_UNCHANGED} AND m.deleted_at IS NULL`,
    ...MERGED.filter(([field]) => change[field] !== undefined).map(([field, column]) =>
      hasRoom(`m.${column}`, bind(change[field])),
    ),
    ...(change.email === undefined ? [] : [`NOT ${isRetired(bind(emailKey(change.email)), "m.customer_id", "m.id")}`]),
  ].join(" AND ");
}

/** Returns a row if it has changed the member. */
export const updateMember = (change: MemberChange, unchanged: readonly unknown[]) =>
  statement(unchanged, (bind) => {
    const assignments = [
      "modified_at = ?5",
      ...REPLACED.filter(([field]) => change[field] !== undefined).map(
        ([field, column]) => `${column} = ${bind(change[field])}`,
      ),
      ...MERGED.filter(([field]) => change[field] !== undefined).map(
        ([field, column]) => `${column} = ${merged(`m.${column}`, bind(change[field]))}`,
      ),
      ...emailAssignments(change, bind),
    ];
    return `UPDATE members AS m SET ${assignments.join(", ")} WHERE ${mayBeChanged(change, bind)} RETURNING id`;
  });

/** A member who hands ownership over must have it: where it has gone meanwhile, nobody is demoted. */
export const demoteOwner = (change: MemberChange, unchanged: readonly unknown[]) =>
  statement(
    unchanged,
    (bind) => `UPDATE members SET role = '${FORMER_OWNER}', modified_at = ?5
      WHERE role = 'owner' AND deleted_at IS NULL AND (?4 IS NULL OR id = ?4)
        AND customer_id = (SELECT m.customer_id FROM members m WHERE ${mayBeChanged(change, bind)})`,
  );

/** They stand in the member's row, which every check of a session reads: beyond these, the oldest is forgotten. */
const MAX_RETIRED_EMAILS = 20;

/** A new address has to be proved anew. A member may come back to one that is retired, which then is not so any more. */
function emailAssignments({ email, retiresEmail = false, releasedEmail }: MemberChange, bind: Bind): string[] {
  const others = (condition: string) =>
    `(SELECT json_group_array(json(value)) FROM json_each(m.retired_emails) WHERE ${condition})`;
  if (email === undefined) {
    return releasedEmail === undefined
      ? []
      : [`retired_emails = ${others(`value ->> 'id' <> ${bind(releasedEmail)}`)}`];
  }
  const key = bind(emailKey(email));
  const kept = others(`value ->> 'key' <> ${key}`);
  const newest = `iif(json_array_length(${kept}) < ${MAX_RETIRED_EMAILS}, ${kept}, json_remove(${kept}, '$[0]'))`;
  const former = `json_object('id', ${bind(crypto.randomUUID())}, 'email', m.email, 'key', m.email_key)`;
  const isRetiring = `${bind(retiresEmail ? 1 : 0)} AND m.email_key <> ${key}`;
  return [
    `email = ${bind(email)}`,
    `email_key = ${key}`,
    `email_verified = iif(m.email_key = ${key}, m.email_verified, 0)`,
    `retired_emails = iif(${isRetiring}, json_insert(${newest}, '$[#]', ${former}), ${kept})`,
  ];
}

/** What a change may find in its way: to be read in its transaction, before it. */
export function obstaclesTo(change: MemberChange, organizationId: string, id: string) {
  const select = (what: string, value: unknown): Statement => [
    `${what} FROM members m WHERE m.id = ?1 AND m.organization_id = ?2`,
    id,
    organizationId,
    jsonOf(value),
  ];
  const sizes = MERGED.filter(([field]) => change[field] !== undefined).map(([field, column]) =>
    select(selectSize(`m.${column}`, "?3"), change[field]),
  );
  const { email } = change;
  const retired =
    email === undefined
      ? []
      : [select(`SELECT ${isRetired("?3", "m.customer_id", "m.id")} AS is_retired`, emailKey(email))];
  return {
    statements: [...sizes, ...retired],
    /** @throws {LatchkeyError} metadata_too_large, metadata_too_many_keys, member_email_retired */
    judge(results: unknown[][]): void {
      for (const row of results.slice(0, sizes.length).flat() as Size[]) requireRoom(row);
      const rows = results.slice(sizes.length, sizes.length + retired.length).flat() as { is_retired: number }[];
      if (rows.some((row) => row.is_retired === 1)) throw emailRefusal("member_email_retired", email);
    },
  };
}

/** What another member of the customer has already; null: the ownership, which is no matter of what was asked. */
export function clashOf({ columns }: UniqueViolation, email: string | undefined): LatchkeyError | null {
  if (columns.includes("email_key")) return emailRefusal("member_email_taken", email);
  return columns.includes("external_id") ? new LatchkeyError("member_external_id_taken") : null;
}

export const emailRefusal = (code: "member_email_taken" | "member_email_retired", requested: string | undefined) =>
  new LatchkeyError(code, { facts: { requested } });
