/**
 * An operator's leave to sign in as a member: a token that is shown once and good for five minutes, once. The database
 * holds what recognises it, and who asked.
 */

import { createHash } from "node:crypto";
import { parseEmail } from "../src/core/email-address.ts";
import { unknownOrganization } from "./admin-organizations.ts";
import { Refusal } from "./command.ts";
import { type Database, execute } from "./database.ts";
import { credentialsOf } from "./local-keys.ts";
import { sqlLiteral, sqlText } from "./sql.ts";

const LIFE_MINUTES = 5;

/** @param keysFile holds the token keys of the Worker that shall recognise the token. */
export async function impersonate(
  database: Database,
  keysFile: string,
  organization: string,
  { member, as }: { member: string; as: string },
) {
  const email = parseEmail(as);
  if (!("address" in email)) throw new Refusal(`--as is the e-mail address of whoever is to act. ${email.reason}`);
  const { token, lookupKey, tokenKey } = await credentialsOf(keysFile).mint("imp");
  const now = Date.now();
  const values = [lookupKey, tokenKey, idOf(email.address), email.address, now, now + LIFE_MINUTES * 60_000];
  const [organizations, made] = await execute(database, [
    `SELECT id FROM organizations WHERE slug = ${sqlText(organization)} AND deleted_at IS NULL`,
    `INSERT INTO impersonations (lookup_key, token_key, impersonator_id, impersonator_email, created_at, expires_at,
       organization_id, member_id)
     SELECT ${values.map(sqlLiteral).join(", ")}, o.id, m.id FROM members m
     JOIN customers c ON c.id = m.customer_id AND c.deleted_at IS NULL
     JOIN organizations o ON o.id = m.organization_id AND o.deleted_at IS NULL
     WHERE m.id = ${sqlText(member.replace(/^member-live-/, "").toLowerCase())} AND m.deleted_at IS NULL
       AND o.slug = ${sqlText(organization)} RETURNING member_id`,
  ]);
  if (organizations?.length === 0) throw unknownOrganization(organization);
  if (made?.length === 0) throw new Refusal(`${organization} has no member with the id "${member}".`);
  const who = `${email.address} may sign in as member ${member} of ${organization}`;
  console.error(`${who}: once, within ${LIFE_MINUTES} minutes. Keep the token now; it is not shown again.`);
  console.log(token);
}

/** Always the same for the same operator, in the form of an id. */
function idOf(email: string): string {
  const digest = createHash("sha256").update(email.toLowerCase()).digest("hex");
  return [digest.slice(0, 8), digest.slice(8, 12), `4${digest.slice(13, 16)}`, `8${digest.slice(17, 20)}`]
    .concat(digest.slice(20, 32))
    .join("-");
}
