/**
 * Trusted token profiles: whose signed tokens an organization takes for its members' word. Added, listed, removed. The
 * ids are those that requests name.
 */

import { randomUUID } from "node:crypto";
import type { ClaimNames } from "../src/core/trusted-issuers.ts";
import { unknownOrganization } from "./admin-organizations.ts";
import { Refusal } from "./command.ts";
import { type Database, execute } from "./database.ts";
import { sqlLiteral, sqlText } from "./sql.ts";
import { type IssuerValues, issuerColumns } from "./trusted-token-options.ts";

const PREFIX = "ttp-live-";

const CLAIMS: [what: string, claim: keyof ClaimNames][] = [
  ["email", "email"],
  ["token id", "tokenId"],
  ["organization", "customer"],
  ["external member id", "externalMemberId"],
  ["role ids", "roles"],
];

export async function addProfile(database: Database, organization: string, name: string, values: IssuerValues) {
  if (name.trim() === "") throw new Refusal("A name cannot be blank.");
  const columns = await issuerColumns(values, database.place === "local");
  const id = randomUUID();
  const row = { id, name, created_at: Date.now(), ...columns };
  const [made] = await execute(database, [
    `INSERT INTO trusted_issuers (${Object.keys(row).join(", ")}, organization_id)
     SELECT ${Object.values(row).map(sqlLiteral).join(", ")}, id FROM organizations
     WHERE slug = ${sqlText(organization)} AND deleted_at IS NULL RETURNING id`,
  ]);
  if (made?.length === 0) throw unknownOrganization(organization);
  console.error(`${organization} trusts ${columns["issuer"]} from now on. The profile_id is:`);
  console.log(`${PREFIX}${id}`);
}

export async function listProfiles(database: Database, organization: string | undefined): Promise<void> {
  const [organizations = [], profiles = []] = await execute(database, [
    `SELECT id FROM organizations WHERE slug = ${sqlText(organization ?? "")} AND deleted_at IS NULL`,
    `SELECT t.*, o.slug FROM trusted_issuers t JOIN organizations o ON o.id = t.organization_id
     WHERE t.revoked_at IS NULL AND ${organization === undefined ? "TRUE" : `o.slug = ${sqlText(organization)}`}
     ORDER BY o.slug, t.created_at`,
  ]);
  if (organization !== undefined && organizations.length === 0) throw unknownOrganization(organization);
  for (const profile of profiles) {
    const keys = profile["jwks_url"] ?? `${(JSON.parse(String(profile["public_keys"])) as string[]).length} keys`;
    const claims = JSON.parse(String(profile["claims"])) as ClaimNames;
    const mapping = CLAIMS.flatMap(([what, claim]) => (claims[claim] === null ? [] : [`${what}: ${claims[claim]}`]));
    console.log(`${PREFIX}${profile["id"]}  ${profile["slug"]}  ${profile["purpose"]}  ${profile["name"]}`);
    console.log(`    ${profile["issuer"]} for ${profile["audience"]}, ${keys}`);
    console.log(`    ${(JSON.parse(String(profile["algorithms"])) as string[]).join(", ")}; ${mapping.join(", ")}`);
    if (profile["can_make_members"] === 1) console.log("    makes members");
  }
  if (profiles.length === 0) console.log("There is no trusted token profile yet.");
}

/** Sessions that were made of its tokens live on. */
export async function removeProfile(database: Database, id: string): Promise<void> {
  const [removed] = await execute(database, [
    `UPDATE trusted_issuers SET revoked_at = ${Date.now()}
     WHERE id = ${sqlText(id.replace(PREFIX, ""))} AND revoked_at IS NULL RETURNING name`,
  ]);
  const name = removed?.[0]?.["name"];
  if (name === undefined) throw new Refusal(`There is no profile "${id}". list-trusted-token-profiles shows the ids.`);
  console.log(`Removed "${name}". A running Worker follows at once; sessions that came of its tokens go on.`);
}
