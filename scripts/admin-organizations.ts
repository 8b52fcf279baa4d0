/**
 * Organizations: made, changed, listed. Their slug stands in portal links and is never given out twice.
 */

import { randomUUID } from "node:crypto";
import { Refusal, WrongArguments } from "./command.ts";
import { type Database, execute, SqlFailure } from "./database.ts";
import { type SettingValues, settingColumns } from "./organization-settings.ts";
import { requireSlug } from "./organization-slug.ts";
import { requireOtherPortal } from "./portal-url.ts";
import { type SqlValue, sqlInsert, sqlLiteral, sqlText } from "./sql.ts";

/** @param origins where Latchkey itself answers; null: unknown. */
export async function createOrganization(
  database: Database,
  slug: string,
  name: string,
  settings: SettingValues,
  origins: string[] | null,
) {
  requireSlug(slug);
  const id = randomUUID();
  const columns: Record<string, SqlValue> = {
    id,
    slug,
    name: requireName(name),
    created_at: Date.now(),
    ...settingColumns(settings, database.place === "local"),
  };
  requireOtherPortal(columns["portal_url"], slug, origins);
  await explained(execute(database, [sqlInsert("organizations", columns)]), slug);
  await show(database, slug);
}

export async function setOrganization(
  database: Database,
  slug: string,
  name: string | undefined,
  settings: SettingValues,
  origins: string[] | null,
) {
  const changes: Record<string, SqlValue> = {
    ...(name === undefined ? {} : { name: requireName(name) }),
    ...settingColumns(settings, database.place === "local"),
  };
  if (Object.keys(changes).length === 0) throw new WrongArguments("Nothing to set.");
  requireOtherPortal(changes["portal_url"], slug, origins);
  const assignments = Object.entries({ ...changes, modified_at: Date.now() }).map(
    ([column, value]) => `${column} = ${sqlLiteral(value)}`,
  );
  const update = `UPDATE organizations SET ${assignments.join(", ")}
    WHERE slug = ${sqlText(slug)} AND deleted_at IS NULL RETURNING id`;
  const [updated] = await explained(execute(database, [update]), slug);
  if (updated?.length === 0) throw unknownOrganization(slug);
  await show(database, slug);
  console.log("A running Worker follows within 30 s.");
}

export async function listOrganizations(database: Database): Promise<void> {
  const [rows = []] = await execute(database, [
    "SELECT slug, id, name FROM organizations WHERE deleted_at IS NULL ORDER BY slug",
  ]);
  for (const { slug, id, name } of rows) console.log(`${id}  ${slug}  ${name}`);
  if (rows.length === 0) console.log("There is no organization yet.");
}

export function unknownOrganization(slug: string): Refusal {
  return new Refusal(`There is no organization "${slug}". "npm run admin -- list-organizations" shows all.`);
}

function requireName(name: string): string {
  if (name.trim() === "") throw new Refusal("A name cannot be blank.");
  return name;
}

async function show(database: Database, slug: string): Promise<void> {
  const [rows] = await execute(database, [`SELECT * FROM organizations WHERE slug = ${sqlText(slug)}`]);
  const { created_at: _, modified_at: __, deleted_at: ___, session_epoch: ____, ...organization } = rows?.[0] ?? {};
  const rbac_policy = organization["rbac_policy"] === null ? "default" : "its own; show-rbac-policy shows it";
  const shown = { ...organization, rbac_policy, project_id: `project-live-${organization["id"]}` };
  for (const [column, value] of Object.entries(shown)) console.log(`${column.padEnd(28)}${value ?? "none"}`);
}

/** The database's own rules, in the operator's words. */
async function explained<T>(result: Promise<T>, slug: string): Promise<T> {
  try {
    return await result;
  } catch (error) {
    if (!(error instanceof SqlFailure)) throw error;
    if (error.message.includes("organizations.slug")) throw new Refusal(`The slug "${slug}" is taken.`);
    if (error.message.includes("session_ttl_seconds <=")) {
      throw new Refusal(
        "--session-ttl cannot be above --session-max-ttl, set now or before. Give both to change both.",
      );
    }
    throw error;
  }
}
