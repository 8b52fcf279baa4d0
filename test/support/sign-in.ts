/** Signing in by e-mail as tests do it: asking, and reading the message. */

import { env } from "cloudflare:workers";
import { expect } from "vitest";
import type { Mail } from "../../src/core/ports.ts";
import type { Client } from "./client.ts";
import { makeCustomer, makeMember, type Tenant } from "./fixtures.ts";

const AREA = "/v1/customer-portal/customer-session";

export const request = (client: Client, body: unknown, token: string | null = null) =>
  client.call("POST", `${AREA}/request`, token, body);

export const authenticate = (client: Client, body: unknown, token: string | null = null) =>
  client.call("POST", `${AREA}/authenticate`, token, body);

export interface Message {
  mail: Mail;
  /** Whole, as it stands in the message. */
  url: string;
  /** The credential in it. */
  link: string;
  /** As shown. */
  typed: string;
}

export function read(mail: Mail): Message {
  const url = /^https:\/\/\S+$/m.exec(mail.text)?.[0] ?? "";
  const typed = /^[0-9A-Z]{4}-[0-9A-Z]{4}$/m.exec(mail.text)?.[0] ?? "";
  return { mail, url, link: new URL(url).searchParams.get("code") ?? "", typed };
}

/** Asks for a code, and reads the message that comes of it. */
export async function ask(
  client: Client,
  tenant: Tenant,
  email: string = tenant.team.member.email,
  customerId?: string,
): Promise<Message> {
  const before = client.mailed.length;
  const body = { email, organization_id: tenant.id, ...(customerId !== undefined && { customer_id: customerId }) };
  expect((await request(client, body)).status).toBe(202);
  await client.settle();
  expect(client.mailed.length).toBe(before + 1);
  return read(client.mailed.at(-1) as Mail);
}

/** What `authenticate` takes for a typed code. */
export const typedBody = (tenant: Tenant, code: string, email: string = tenant.team.member.email) => ({
  code,
  email,
  organization_id: tenant.id,
});

/** Another code than this one, spelled as well. */
export const wrong = (typed: string, by = 1) =>
  Array.from({ length: 8 }, (_, i) => "23456789ABCDEFGH"[(typed.charCodeAt(i < 4 ? i : i + 1) + by + i) % 16]).join("");

export interface CodeRow {
  attempts: number;
  used_at: number | null;
  used_by: string | null;
}

/** The rows of an organization's codes, past the application. */
export async function codesOf(tenant: Tenant): Promise<CodeRow[]> {
  const select = "SELECT attempts, used_at, used_by FROM sign_in_codes WHERE organization_id = ?1";
  return (await env.DB.prepare(select).bind(tenant.id).all<CodeRow>()).results;
}

export async function sessionsOf(tenant: Tenant): Promise<number> {
  const select = "SELECT COUNT(*) AS n FROM sessions WHERE organization_id = ?1";
  return (await env.DB.prepare(select).bind(tenant.id).first<number>("n")) ?? Number.NaN;
}

/** A second team, one of whose members has this address too. */
export async function anotherTeam(tenant: Tenant, email: string, name = "Another Ltd") {
  const id = await makeCustomer(tenant.id, { type: "team", name });
  return { id, member: await makeMember(tenant.id, id, "owner", tenant.slug, email) };
}
