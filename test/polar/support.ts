/** What the tests of this dialect say often. */

import { expect } from "vitest";
import type { Client } from "../support/client.ts";
import type { Tenant } from "../support/fixtures.ts";

// biome-ignore lint/suspicious/noExplicitAny: wire JSON is what the assertions are about.
export type Json = any;

export async function json(response: Response, status: number): Promise<Json> {
  const text = await response.text();
  expect(response.status, text).toBe(status);
  expect(response.headers.get("Content-Type")).toBe("application/json");
  return JSON.parse(text);
}

export async function createSession(client: Client, tenant: Tenant, body: Record<string, unknown> = {}): Promise<Json> {
  const payload = { member_id: tenant.team.member.id, ...body };
  const created = await json(await client.call("POST", "/v1/member-sessions/", tenant.apiKey, payload), 201);
  await client.settle();
  return created;
}

/** The single fault of a 422. */
export async function fault(response: Response, error: "RequestValidationError" | "PolarRequestValidationError") {
  const body = await json(response, 422);
  expect(body.error).toBe(error);
  expect(body.detail, JSON.stringify(body)).toHaveLength(1);
  return body.detail[0];
}

export const INVALID_TOKEN =
  '{"error": "invalid_token", "error_description": "The access token provided is expired, revoked, malformed, or invalid for other reasons."}';

/** Whether the token is recognised by a strict check. */
export async function isLive(client: Client, token: string): Promise<boolean> {
  const response = await client.call("GET", "/v1/customer-portal/customer-session/user", token);
  if (response.status === 401) expect(await response.text()).toBe(INVALID_TOKEN);
  else expect(response.status).toBe(200);
  return response.status === 200;
}
