/** What the tests of this dialect say often. */

import { expect } from "vitest";
import type { Client } from "../support/client.ts";
import type { Tenant } from "../support/fixtures.ts";

// biome-ignore lint/suspicious/noExplicitAny: wire JSON is what the assertions are about.
export type Json = any;

export const projectId = ({ id }: Pick<Tenant, "id">) => `project-live-${id}`;
export const organizationId = (id: string) => `organization-live-${id}`;
export const memberId = (id: string) => `member-live-${id}`;

export const basic = (user: string, password: string) => ({
  Authorization: `Basic ${btoa(`${user}:${password}`)}`,
});

/** As the SDKs call: Basic, and a JSON content type on everything. */
export function call(
  client: Client,
  tenant: Pick<Tenant, "id" | "apiKey">,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return client.fetch(path, {
    method,
    headers: { ...basic(projectId(tenant), tenant.apiKey), "Content-Type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
}

/** The body of a success, without what every success has. */
export async function success(response: Response | Promise<Response>): Promise<Json> {
  const answered = await response;
  const text = await answered.text();
  expect(answered.status, text).toBe(200);
  expect(answered.headers.get("Content-Type")).toBe("application/json");
  const { status_code, request_id, ...body } = JSON.parse(text);
  expect(status_code).toBe(200);
  expect(request_id).toMatch(REQUEST_ID);
  return body;
}

/** The body of an error, which must have everything that the SDKs read, and no key that would mislead them. */
export async function failure(response: Response | Promise<Response>, status: number, type: string): Promise<Json> {
  const answered = await response;
  const text = await answered.text();
  expect([answered.status, text]).toEqual([status, expect.stringContaining(`"${type}"`)]);
  expect(answered.headers.get("Content-Type")).toBe("application/json");
  const body = JSON.parse(text);
  expect(body).toEqual({
    status_code: status,
    request_id: expect.stringMatching(REQUEST_ID),
    error_type: type,
    error_message: expect.stringMatching(/\S/),
    error_url: expect.stringMatching(new RegExp(`^https://.*#${type}$`)),
  });
  return body;
}

export const REQUEST_ID = /^request-id-live-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A JWT of the session. */
export async function jwtOf(client: Client, tenant: Pick<Tenant, "id" | "apiKey">, token: string): Promise<string> {
  const asked = call(client, tenant, "POST", "/v1/b2b/sessions/authenticate", { session_token: token });
  return (await success(asked)).session_jwt;
}
