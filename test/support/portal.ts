/**
 * The portal as its visitors meet it: links as a backend makes them, clicks as browsers send them.
 */

import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { type Client, makeClient, NAVIGATION } from "./client.ts";
import { type FakeClock, fakeClock } from "./clock.ts";
import { createFaultD1 } from "./fault-d1.ts";
import { createFaultKvWorld } from "./fault-kv.ts";
import type { Person, Tenant } from "./fixtures.ts";

/** A client whose D1 and KV fail on order, and count what they are asked. */
export function makeFaultyClient(clock: FakeClock = fakeClock(), bindings: Partial<Cloudflare.Env> = {}) {
  const db = createFaultD1(env.DB);
  const kv = createFaultKvWorld(env.SESSIONS, clock).location();
  return { client: makeClient({ DB: db.binding, SESSIONS: kv.binding, ...bindings }, clock), db, kv, clock };
}

export interface Link {
  /** As the backend got it. */
  url: string;
  /** Empty where the organization's links carry the token. */
  code: string;
  token: string;
  sessionId: string;
}

/** Has the tenant's backend make a member session. @param body further fields of the request. */
export async function makeLink(
  client: Client,
  tenant: Tenant,
  member: Person = tenant.team.member,
  body: Record<string, unknown> = {},
): Promise<Link> {
  const request = { member_id: member.id, ...body };
  const response = await client.call("POST", "/v1/member-sessions/", tenant.apiKey, request);
  const session = (await response.json()) as { id: string; token: string; member_portal_url: string };
  expect(response.status, JSON.stringify(session)).toBe(201);
  const code = new URL(session.member_portal_url).searchParams.get("code") ?? "";
  return { url: session.member_portal_url, code, token: session.token, sessionId: session.id };
}

/** A customer session. The tenant's member model must be off from the start: `makeTenant({ member_model_enabled: 0 })`. */
export async function makeCustomerLink(client: Client, tenant: Tenant): Promise<Link> {
  const request = { customer_id: tenant.individual.id };
  const response = await client.call("POST", "/v1/customer-sessions/", tenant.apiKey, request);
  const session = (await response.json()) as { id: string; token: string; customer_portal_url: string };
  expect(session.token, JSON.stringify(session)).toMatch(/^lk_cst_/);
  const code = new URL(session.customer_portal_url).searchParams.get("code") ?? "";
  return { url: session.customer_portal_url, code, token: session.token, sessionId: session.id };
}

/** A person follows the link. */
export function follow(client: Client, url: string, cookie?: string, headers: Record<string, string> = NAVIGATION) {
  return client.fetch(url, { headers: { ...headers, ...(cookie !== undefined && { Cookie: cookie }) } });
}

/** A form of our own page is sent. */
export function submit(client: Client, path: string, fields: Record<string, string>, cookie?: string) {
  return client.fetch(path, {
    method: "POST",
    headers: {
      "Content-Type": "application/x-www-form-urlencoded",
      "Sec-Fetch-Site": "same-origin",
      ...(cookie !== undefined && { Cookie: cookie }),
    },
    body: new URLSearchParams(fields).toString(),
  });
}

export const cookieWith = (token: string) => `__Host-lk_session=${token}`;

/** The token in a response's cookie, or null if it sets none. */
export function tokenSet(response: Response): string | null {
  return /^__Host-lk_session=([^;]*)/.exec(response.headers.get("Set-Cookie") ?? "")?.[1] ?? null;
}

export interface SignedIn extends Link {
  cookie: string;
}

export async function signIn(client: Client, tenant: Tenant, member?: Person, body = {}): Promise<SignedIn> {
  const link = await makeLink(client, tenant, member, body);
  const response = await follow(client, link.url);
  expect(response.status, await response.text()).toBe(303);
  expect(tokenSet(response)).toBe(link.token);
  return { ...link, cookie: cookieWith(link.token) };
}

/** Status of the portal page for this cookie: 200 signed in, 401 not. */
export async function pageStatus(client: Client, tenant: Tenant, cookie?: string): Promise<number> {
  return (await follow(client, `/${tenant.slug}/portal`, cookie)).status;
}

/** Whether D1 holds this session as not revoked; read past the application. */
export async function isRevoked(sessionId: string): Promise<boolean> {
  const row = await env.DB.prepare("SELECT revoked_at FROM sessions WHERE id = ?1").bind(sessionId).first();
  return row?.["revoked_at"] !== null;
}

/** Whether the session's portal code has been used up; read past the application. */
export async function isSpent(sessionId: string): Promise<boolean> {
  const row = await env.DB.prepare("SELECT redeemed_at FROM portal_codes WHERE session_id = ?1")
    .bind(sessionId)
    .first();
  return row?.["redeemed_at"] !== null;
}

export async function update(table: string, id: string, columns: Record<string, string | number | null>) {
  const assignments = Object.keys(columns).map((name, index) => `${name} = ?${index + 2}`);
  await env.DB.prepare(`UPDATE ${table} SET ${assignments.join(", ")} WHERE id = ?1`)
    .bind(id, ...Object.values(columns))
    .run();
}

/** A response as far as anybody can see it: to compare two of them. */
export async function sameForAll(response: Response) {
  return { status: response.status, headers: [...response.headers], body: await response.text() };
}

/** The content of the element with this id, entities resolved; null if there is none. */
export function textOf(html: string, id: string): string | null {
  const inner = new RegExp(`id="${id}"[^>]*>([^<]*)<`).exec(html)?.[1];
  return inner === undefined ? null : unescapeHtml(inner);
}

export function unescapeHtml(text: string): string {
  const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" };
  return text.replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => entities[name] as string);
}
