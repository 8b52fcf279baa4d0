/** What happens to people between two checks, written straight into D1 as the use cases that do it will. */

import { env } from "cloudflare:workers";
import { emailKey, type MemberRole } from "../../src/core/directory.ts";
import type { Clock } from "../../src/core/ports.ts";

type Table = "organizations" | "customers" | "members";

export async function softDelete(table: Table, id: string, clock: Clock): Promise<void> {
  await env.DB.prepare(`UPDATE ${table} SET deleted_at = ?1, session_epoch = session_epoch + 1 WHERE id = ?2`)
    .bind(clock.now(), id)
    .run();
}

/** Half of that: deletion alone must end sessions too, without the epoch's help. */
export async function markDeleted(table: Table, id: string, clock: Clock): Promise<void> {
  await env.DB.prepare(`UPDATE ${table} SET deleted_at = ?1 WHERE id = ?2`).bind(clock.now(), id).run();
}

export async function changeRole(memberId: string, role: MemberRole): Promise<void> {
  await env.DB.prepare("UPDATE members SET role = ?1 WHERE id = ?2").bind(role, memberId).run();
}

export async function changeEmail(memberId: string, email: string): Promise<void> {
  await env.DB.prepare("UPDATE members SET email = ?1, email_key = ?2 WHERE id = ?3")
    .bind(email, emailKey(email), memberId)
    .run();
}
