/**
 * People and keys for a test, written straight into D1, each under an organization of its own.
 */

import { env } from "cloudflare:workers";
import { SCOPES } from "../../src/core/api-keys.ts";
import { createCredentials } from "../../src/core/credentials.ts";
import { emailKey } from "../../src/core/directory.ts";
import { importTokenKeys, parseTokenKeys } from "../../src/crypto/token-keys.ts";

export const credentials = createCredentials(importTokenKeys(parseTokenKeys(env.TOKEN_KEYS)), ["lk", "polar"]);

export interface Tenant {
  id: string;
  slug: string;
  apiKey: string;
  /** A team with an owner, a billing manager and a member. */
  team: { id: string; externalId: string; owner: Person; billingManager: Person; member: Person };
  individual: { id: string; externalId: string; email: string; owner: Person };
}

export interface Person {
  id: string;
  email: string;
  externalId: string;
}

const CREATED_AT = Date.parse("2026-03-03T16:23:51.123Z");

/** @param settings columns of `organizations` that shall differ from their defaults. */
export async function makeTenant(settings: Record<string, string | number | null> = {}): Promise<Tenant> {
  const id = crypto.randomUUID();
  const slug = `org-${id.slice(0, 8)}`;
  await insert("organizations", { id, slug, name: `Organization ${slug}`, created_at: CREATED_AT, ...settings });
  const apiKey = await makeApiKey(id);
  const teamId = await makeCustomer(id, { type: "team", name: "Team & Sons", external_id: `team-${slug}` });
  const email = `solo@${slug}.example.com`;
  const soloId = await makeCustomer(id, {
    type: "individual",
    email,
    email_key: emailKey(email),
    external_id: `solo-${slug}`,
  });
  return {
    id,
    slug,
    apiKey,
    team: {
      id: teamId,
      externalId: `team-${slug}`,
      owner: await makeMember(id, teamId, "owner", slug),
      billingManager: await makeMember(id, teamId, "billing_manager", slug),
      member: await makeMember(id, teamId, "member", slug),
    },
    individual: {
      id: soloId,
      externalId: `solo-${slug}`,
      email,
      owner: await makeMember(id, soloId, "owner", slug, email),
    },
  };
}

export async function makeApiKey(
  organizationId: string,
  scopes: readonly string[] = SCOPES,
  columns: Record<string, number> = {},
): Promise<string> {
  const { token, lookupKey, tokenKey } = await credentials.mint("oat");
  await insert("api_keys", {
    id: crypto.randomUUID(),
    organization_id: organizationId,
    lookup_key: lookupKey,
    token_key: tokenKey,
    name: "test",
    scopes: scopes.join(" "),
    created_at: CREATED_AT,
    ...columns,
  });
  return token;
}

export async function makeCustomer(organizationId: string, columns: Record<string, string | number>): Promise<string> {
  const id = crypto.randomUUID();
  await insert("customers", { id, organization_id: organizationId, created_at: CREATED_AT, ...columns });
  return id;
}

export async function makeMember(
  organizationId: string,
  customerId: string,
  role: string,
  slug: string,
  email = `${role}-${crypto.randomUUID().slice(0, 8)}@${slug}.example.com`,
): Promise<Person> {
  const id = crypto.randomUUID();
  const externalId = `ext-${id.slice(0, 8)}`;
  await insert("members", {
    id,
    organization_id: organizationId,
    customer_id: customerId,
    email,
    email_key: emailKey(email),
    name: `A ${role}`,
    external_id: externalId,
    role,
    created_at: CREATED_AT,
  });
  return { id, email, externalId };
}

async function insert(table: string, columns: Record<string, string | number | null>): Promise<void> {
  const names = Object.keys(columns);
  const marks = names.map((_, index) => `?${index + 1}`);
  await env.DB.prepare(`INSERT INTO ${table} (${names.join(", ")}) VALUES (${marks.join(", ")})`)
    .bind(...Object.values(columns))
    .run();
}
