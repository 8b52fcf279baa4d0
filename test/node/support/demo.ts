/**
 * The running server as tests see it: the demo organization that `npm start` seeds, calls to the API without an SDK,
 * and people of a test's own.
 */

import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { inject } from "vitest";

export type Role = "owner" | "billing_manager" | "member";

/** `demo.json`, as scripts/start.ts writes it. */
export interface Demo {
  base_url: string;
  organization: { id: string; slug: string };
  api_key: string;
  project_id: string;
  customers: {
    id: string;
    external_id: string;
    type: "individual" | "team";
    email: string | null;
    members: { id: string; external_id: string; email: string; role: Role }[];
  }[];
  portal_url: string;
}

declare module "vitest" {
  interface ProvidedContext {
    demo: Demo;
    /** LATCHKEY_DEV_DIR of the running server. */
    stateDirectory: string;
    /** Where the running server's output goes. */
    serverLog: string;
  }
}

export const demo = inject("demo");

/** Calls the API and returns its JSON (null for an empty body). @throws on any status but 2xx */
export async function api<T = Record<string, unknown>>(
  method: string,
  path: string,
  body?: unknown,
  token = demo.api_key,
): Promise<T> {
  const response = await fetch(`${demo.base_url}${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return (text === "" ? null : JSON.parse(text)) as T;
}

/** `npm run admin -- …` on the running server's database. @returns what it prints */
export async function admin(...args: string[]): Promise<string> {
  const env = { ...process.env, LATCHKEY_DEV_DIR: inject("stateDirectory") };
  const { stdout } = await promisify(execFile)(process.execPath, ["scripts/admin.ts", ...args], { env });
  return stdout.trim();
}

/** A second tenant, and an API key of its. */
export async function makeOrganization(
  slug: string,
  ...settings: string[]
): Promise<{ slug: string; apiKey: string; projectId: string }> {
  const made = await admin("create-organization", "--slug", slug, "--name", `Organization ${slug}`, ...settings);
  const projectId = /project-live-\S+/.exec(made)?.[0] as string;
  return { slug, projectId, apiKey: await admin("create-api-key", "--organization", slug, "--name", "test") };
}

/** An id and an address that no other test has. */
export function unique(name: string): { externalId: string; email: string } {
  const mark = randomUUID().slice(0, 8);
  return { externalId: `${name}-${mark}`, email: `${name}-${mark}@example.com` };
}

export interface Person {
  id: string;
  customer_id: string;
  email: string;
  name: string | null;
  external_id: string | null;
  role: Role;
}

/** A team of its own, without an e-mail address, and its owner. */
export async function makeTeam({ customerName = "Acme Ltd", ownerName = "Olga Owner", apiKey = demo.api_key } = {}) {
  const team = unique("team");
  const owner = unique("owner");
  const request = {
    type: "team",
    name: customerName,
    external_id: team.externalId,
    owner: { email: owner.email, name: ownerName, external_id: owner.externalId },
  };
  const customer = await api<{ id: string }>("POST", "/v1/customers/", request, apiKey);
  return { id: customer.id, externalId: team.externalId, name: customerName, owner };
}

export async function addMember(customerId: string, name: string | null, apiKey = demo.api_key): Promise<Person> {
  const { email, externalId } = unique("member");
  return api<Person>("POST", `/v1/customers/${customerId}/members`, { email, name, external_id: externalId }, apiKey);
}

export interface MemberSession {
  id: string;
  token: string;
  member_portal_url: string;
  member: Person;
}

export async function signIn(
  memberId: string,
  { returnUrl = null as string | null, apiKey = demo.api_key } = {},
): Promise<MemberSession> {
  return api<MemberSession>("POST", "/v1/member-sessions/", { member_id: memberId, return_url: returnUrl }, apiKey);
}

/** Whether a session token is still recognised. */
export async function isLive(token: string): Promise<boolean> {
  const response = await fetch(`${demo.base_url}/v1/customer-portal/customer-session/introspect`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  await response.body?.cancel();
  return response.status === 200;
}
