/**
 * Whether anything alive is signed with a token key. Retiring such a key would sign its holders out.
 */

import { Refusal } from "./command.ts";
import { type Database, execute, NoTable } from "./database.ts";
import { sqlText } from "./sql.ts";

/** @throws {Refusal} that counts what is alive. */
export async function requireUnused(database: Database, keyName: string): Promise<void> {
  const counts = Object.entries(await countUses(database, keyName)).filter(([, count]) => Number(count) > 0);
  if (counts.length === 0) return;
  const what = counts.map(([kind, count]) => `${count} ${kind}`).join(", ");
  throw new Refusal(
    `Key "${keyName}" is in use: ${what}. All of these but API keys end by themselves; replace API keys that it signed.`,
  );
}

async function countUses(database: Database, keyName: string): Promise<Record<string, unknown>> {
  const now = Date.now();
  const signed = `token_key = ${sqlText(keyName)}`;
  const count = (from: string) => `(SELECT count(*) FROM ${from})`;
  // The indexes by expiry lead to what is unexpired. Codes are counted through their live sessions, as they die with
  // them. API keys are few, and this is an operator's command, so they are worth no index.
  const live = `expires_at > ${now} AND revoked_at IS NULL`;
  const liveSessions = `SELECT id FROM sessions WHERE ${live}`;
  try {
    const [rows] = await execute(database, [
      `SELECT ${count(`sessions WHERE ${signed} AND ${live}`)} AS "sessions",
        ${count(`portal_codes WHERE ${signed} AND redeemed_at IS NULL AND expires_at > ${now}
          AND session_id IN (${liveSessions})`)} AS "portal codes",
        ${count(`sign_in_codes WHERE ${signed} AND used_at IS NULL AND expires_at > ${now}`)} AS "sign-in codes",
        ${count(`api_keys WHERE ${signed} AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ${now})`)}
          AS "API keys",
        ${count(`email_changes WHERE ${signed} AND used_by IS NULL AND expires_at > ${now}`)} AS "e-mail changes",
        ${count(`impersonations WHERE ${signed} AND used_by IS NULL AND expires_at > ${now}`)} AS "impersonations"`,
    ]);
    return rows?.[0] ?? {};
  } catch (error) {
    // The first that is asked for: without it nothing was ever signed. A later one may be missing beside live sessions.
    if (error instanceof NoTable && error.table === "sessions") return {};
    throw error;
  }
}
