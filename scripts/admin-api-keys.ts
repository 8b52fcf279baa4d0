/**
 * API keys: minted, listed, revoked. A key is shown once; the database holds only what recognises it.
 */

import { randomUUID } from "node:crypto";
import { SCOPES } from "../src/core/api-keys.ts";
import { unknownOrganization } from "./admin-organizations.ts";
import { Refusal } from "./command.ts";
import { type Database, execute } from "./database.ts";
import { credentialsOf } from "./local-keys.ts";
import { sqlLiteral, sqlText } from "./sql.ts";

const DAY_MS = 86_400_000;
const MAX_DAYS = 3650;

interface ApiKeyWishes {
  name: string;
  scopes: string | undefined;
  expiresInDays: string | undefined;
}

/** @param keysFile holds the token keys of the Worker that shall recognise the key. */
export async function createApiKey(database: Database, keysFile: string, organization: string, wishes: ApiKeyWishes) {
  const scopes = readScopes(wishes.scopes);
  const now = Date.now();
  const expiresAt = wishes.expiresInDays === undefined ? null : now + readDays(wishes.expiresInDays) * DAY_MS;
  if (wishes.name.trim() === "") throw new Refusal("A name cannot be blank.");
  const { token, lookupKey, tokenKey } = await credentialsOf(keysFile).mint("oat");
  const id = randomUUID();
  const values = [id, lookupKey, tokenKey, wishes.name, scopes.join(" "), now, expiresAt].map(sqlLiteral);
  const [made] = await execute(database, [
    `INSERT INTO api_keys (id, lookup_key, token_key, name, scopes, created_at, expires_at, organization_id)
     SELECT ${values.join(", ")}, id FROM organizations WHERE slug = ${sqlText(organization)} AND deleted_at IS NULL
     RETURNING id`,
  ]);
  if (made?.length === 0) throw unknownOrganization(organization);
  // The key alone on stdout, so that it can be piped to where it belongs.
  console.error(`API key ${id} of ${organization}: ${scopes.join(", ")}. Keep it now; it is not shown again.`);
  console.log(token);
}

export async function listApiKeys(database: Database, organization: string | undefined): Promise<void> {
  const [organizations = [], keys = []] = await execute(database, [
    `SELECT id FROM organizations WHERE slug = ${sqlText(organization ?? "")} AND deleted_at IS NULL`,
    `SELECT k.id, k.name, k.scopes, k.token_key, k.expires_at, k.revoked_at, o.slug
     FROM api_keys k JOIN organizations o ON o.id = k.organization_id
     WHERE ${organization === undefined ? "TRUE" : `o.slug = ${sqlText(organization)}`} ORDER BY o.slug, k.created_at`,
  ]);
  if (organization !== undefined && organizations.length === 0) throw unknownOrganization(organization);
  for (const key of keys) {
    console.log(`${key["id"]}  ${key["slug"]}  ${state(key)}  signed with "${key["token_key"]}"  ${key["name"]}`);
    console.log(`    ${String(key["scopes"]).replaceAll(" ", ", ")}`);
  }
  if (keys.length === 0) console.log("There is no API key yet.");
}

export async function revokeApiKey(database: Database, id: string): Promise<void> {
  const [revoked] = await execute(database, [
    `UPDATE api_keys SET revoked_at = COALESCE(revoked_at, ${Date.now()}) WHERE id = ${sqlText(id)} RETURNING name`,
  ]);
  const name = revoked?.[0]?.["name"];
  if (name === undefined) throw new Refusal(`There is no API key with the id "${id}". list-api-keys shows the ids.`);
  console.log(`Revoked "${name}". A running Worker follows within 30 s.`);
}

function readScopes(text: string | undefined): string[] {
  const scopes = text === undefined ? [...SCOPES] : text.split(",").map((scope) => scope.trim());
  const unknown = scopes.find((scope) => !(SCOPES as readonly string[]).includes(scope));
  if (unknown !== undefined) throw new Refusal(`There is no scope "${unknown}". There is: ${SCOPES.join(", ")}.`);
  return [...new Set(scopes)];
}

function readDays(text: string): number {
  const days = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (days < 1 || days > MAX_DAYS) throw new Refusal(`--expires-in-days is a number from 1 to ${MAX_DAYS}.`);
  return days;
}

function state({ revoked_at, expires_at }: Record<string, unknown>): string {
  if (revoked_at !== null) return "revoked";
  if (expires_at === null) return "live";
  const day = new Date(Number(expires_at)).toISOString().slice(0, 10);
  return Number(expires_at) > Date.now() ? `live until ${day}` : `expired ${day}`;
}
