/**
 * The demo organization in the local database: read, and seeded if it is not there. What was changed or deleted in it
 * stays so until `npm run reset`.
 */

import { randomUUID } from "node:crypto";
import { SCOPES } from "../src/core/api-keys.ts";
import type { Credentials } from "../src/core/credentials.ts";
import { type Database, execute } from "./database.ts";
import type { Demo, DemoCustomer, DemoMember } from "./demo-file.ts";
import { DEMO_CUSTOMER_IDS, DEMO_SLUG, demoInserts } from "./demo-people.ts";
import { sqlInsert, sqlText } from "./sql.ts";

export type DemoOrganization = Pick<Demo, "organization" | "api_key" | "project_id" | "customers">;

/** @param knownKey the API key of an earlier run; a new one is minted if it is null or no longer fits. */
export async function ensureDemoOrganization(
  database: Database,
  credentials: Credentials,
  knownKey: string | null,
): Promise<DemoOrganization> {
  const now = Date.now();
  const known = knownKey === null ? null : await credentials.verify(knownKey);
  const found = toRows(await execute(database, selects(known?.lookupKey ?? null, now)));
  if (found.organization !== undefined && found.hasApiKey) return present(found, knownKey as string);

  const minted = await credentials.mint("oat");
  const id = found.organization?.id ?? randomUUID();
  const results = await execute(database, [
    ...(found.organization === undefined ? demoInserts(id, now) : []),
    sqlInsert("api_keys", {
      id: randomUUID(),
      organization_id: id,
      lookup_key: minted.lookupKey,
      token_key: minted.tokenKey,
      name: "npm start",
      scopes: SCOPES.join(" "),
      created_at: now,
    }),
    ...selects(minted.lookupKey, now),
  ]);
  return present(toRows(results.slice(-SELECT_COUNT)), minted.token);
}

const SELECT_COUNT = 4;

/** One wrangler run costs two seconds, so all is read at once. */
function selects(lookupKey: string | null, now: number): string[] {
  const organization = `SELECT id FROM organizations WHERE slug = ${sqlText(DEMO_SLUG)}`;
  const externalIds = DEMO_CUSTOMER_IDS.map(sqlText).join(", ");
  const customers = `FROM customers WHERE organization_id = (${organization}) AND external_id IN (${externalIds})
    AND deleted_at IS NULL`;
  return [
    `SELECT id, slug FROM organizations WHERE id = (${organization})`,
    `SELECT id, external_id, type, email ${customers} ORDER BY created_at, id`,
    `SELECT id, external_id, email, role, customer_id FROM members
     WHERE customer_id IN (SELECT id ${customers}) AND deleted_at IS NULL ORDER BY created_at, id`,
    // A key from before a scope was added no longer fits.
    `SELECT id FROM api_keys WHERE lookup_key = ${sqlText(lookupKey ?? "")} AND organization_id = (${organization})
       AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ${now})
       AND scopes = ${sqlText(SCOPES.join(" "))}`,
  ];
}

interface Rows {
  organization: Demo["organization"] | undefined;
  customers: Omit<DemoCustomer, "members">[];
  members: (DemoMember & { customer_id: string })[];
  hasApiKey: boolean;
}

function toRows(results: Record<string, unknown>[][]): Rows {
  const [organizations = [], customers = [], members = [], apiKeys = []] = results;
  return {
    organization: organizations[0] as unknown as Rows["organization"],
    customers: customers as unknown as Rows["customers"],
    members: members as unknown as Rows["members"],
    hasApiKey: apiKeys.length > 0,
  };
}

function present({ organization, customers, members }: Rows, apiKey: string): DemoOrganization {
  if (organization === undefined) throw new Error("the demo organization is not there after seeding");
  return {
    organization,
    api_key: apiKey,
    project_id: `project-live-${organization.id}`,
    customers: customers.map((customer) => ({
      ...customer,
      members: members
        .filter((member) => member.customer_id === customer.id)
        .map(({ customer_id: _, ...member }) => member),
    })),
  };
}
