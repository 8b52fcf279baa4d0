/**
 * What Stytch's Go SDK is strict about, where the others are not (contract §0.1, §1.6, §4, §7.1). That SDK is not run by
 * these tests: they stand in for it, and hold what it was seen to fail over. It refuses a whole answer for one timestamp
 * that is empty or no RFC 3339, takes any status but 200 and 201 for an error, reads every answer as JSON, cannot be
 * made without a key set, and panics over a JWT without `iat`.
 */

import { decodeJwt, decodeProtectedHeader } from "jose";
import { describe, expect, test } from "vitest";
import { makeWorld, send } from "../security/routes.ts";
import { STYTCH_ROUTES } from "../security/stytch-routes.ts";
import { type Client, makeClient } from "../support/client.ts";
import { makeTenant, type Tenant } from "../support/fixtures.ts";
import { makeLink } from "../support/portal.ts";
import { call, failure, type Json, memberId, organizationId, projectId, success } from "./support.ts";

/** As its decoder takes them. */
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
/** What is the caller's own may be of any form. */
const FREE_FORM = ["custom_claims", "trusted_metadata", "untrusted_metadata"];

/** Every field that is a time to the SDK. null stands for no time where there may be none. */
function timesIn(value: unknown): [name: string, time: unknown][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]): [string, unknown][] => {
    if (FREE_FORM.includes(name)) return [];
    return name.endsWith("_at") ? [[name, inner]] : timesIn(inner);
  });
}

function expectTimes(value: unknown): void {
  for (const [name, time] of timesIn(value)) {
    if (time === null) continue;
    expect(time, name).toMatch(RFC_3339);
    expect(Date.parse(time as string), name).not.toBeNaN();
  }
}

const keySet = async (client: Client, tenant: Tenant): Promise<Json[]> => {
  const response = await client.fetch(`/v1/b2b/sessions/jwks/${projectId(tenant)}`);
  return (await success(response)).keys;
};

/** What it verifies by itself, before it looks at what the claims say. */
function expectVerifiable(jwt: string, keys: Json[]): void {
  const [header, payload] = [decodeProtectedHeader(jwt), decodeJwt(jwt)];
  expect(header).toEqual({ alg: "RS256", kid: expect.stringMatching(/\S/), typ: "JWT" });
  expect(keys.map(({ kid }) => kid)).toContain(header.kid);
  for (const name of ["iat", "nbf", "exp"]) expect(Number.isInteger(payload[name]), name).toBe(true);
  const session = payload["https://stytch.com/session"];
  const times = timesIn(session).map(([name]) => name);
  expect(times).toEqual(expect.arrayContaining(["started_at", "last_accessed_at", "expires_at"]));
  expectTimes(session);
  // It takes whatever it does not know for a custom claim.
  expect(payload).not.toHaveProperty("jti");
  const own = Object.keys(payload).filter((name) => name.startsWith("https://stytch.com/"));
  expect(own.toSorted()).toEqual(["https://stytch.com/organization", "https://stytch.com/session"]);
}

/** Routes whose answer has nobody in it, and so no times. */
const TIMELESS = /jwks|\/rbac\/|\/metrics$|\/revoke$|^DELETE \S+\/(:organization_id|members\/:member_id)$/;

/** Searches that find somebody: the fullest of bodies finds nobody. */
const SEARCHES: Record<string, (tenant: Tenant) => object> = {
  "POST /v1/b2b/organizations/search": () => ({}),
  "POST /v1/b2b/organizations/members/search": ({ team }) => ({ organization_ids: [organizationId(team.id)] }),
};

const SUCCEEDING = STYTCH_ROUTES.filter(({ ok }) => ok < 400);

test.each(SUCCEEDING)("$route succeeds with 200 and a JSON object, in which every time can be read", async (row) => {
  const world = await makeWorld(row);
  const { client, tenant } = world;
  const search = SEARCHES[row.route]?.(tenant);
  const answer = await success(send(row, world, search && { body: JSON.stringify(search) }));
  expectTimes(answer);
  expect(timesIn(answer).length > 0).toBe(!TIMELESS.test(row.route));
  if (typeof answer.session_jwt === "string") expectVerifiable(answer.session_jwt, await keySet(client, tenant));
});

test("its constructor finds a key set without credentials, with nothing but keys that it can use", async () => {
  const keys = await keySet(makeClient(), await makeTenant());
  expect(keys.length).toBeGreaterThan(0);
  for (const { kid, kty, use, alg, n, e } of keys) {
    expect([kty, use, alg]).toEqual(["RSA", "sig", "RS256"]);
    for (const text of [kid, n, e]) expect(text).toMatch(/^[\w-]+$/);
  }
});

test("a JWT has no jti, though a custom claim is called so", async () => {
  const [client, tenant] = [makeClient(), await makeTenant()];
  const { token: session_token } = await makeLink(client, tenant);
  const body = { session_token, session_custom_claims: { jti: "theirs", iat: null, plan: "pro" } };
  const answer = await success(call(client, tenant, "POST", "/v1/b2b/sessions/authenticate", body));
  expectVerifiable(answer.session_jwt, await keySet(client, tenant));
  expect(decodeJwt(answer.session_jwt)["plan"]).toBe("pro");
});

describe("what is refused is JSON, with a status that is no success", () => {
  const AUTHENTICATE = "/v1/b2b/sessions/authenticate";
  const session_token = "x".repeat(80_000);

  test.each<[string, number, string, (client: Client, tenant: Tenant) => Promise<Response>]>([
    ["no such route", 404, "route_not_found", (c, t) => call(c, t, "GET", "/v1/b2b/nothing")],
    ["another method", 405, "method_not_allowed", (c, t) => call(c, t, "DELETE", AUTHENTICATE)],
    ["too long a body", 413, "request_too_large", (c, t) => call(c, t, "POST", AUTHENTICATE, { session_token })],
    ["no JSON", 400, "bad_request", (c, t) => call(c, t, "POST", AUTHENTICATE, "{")],
    ["no credential", 401, "unauthorized_credentials", (c) => c.fetch(AUTHENTICATE, { method: "POST", body: "{}" })],
    ["no project", 400, "invalid_project_id", (c) => c.fetch("/v1/b2b/sessions/jwks/nobody")],
  ])("%s", async (_, status, type, ask) => {
    await failure(ask(makeClient(), await makeTenant()), status, type);
  });
});

test("its calls are taken: PUT repeats what the path names, and DELETE has no body for its content type", async () => {
  const [client, tenant] = [makeClient(), await makeTenant()];
  const named = { organization_id: organizationId(tenant.team.id), member_id: memberId(tenant.team.member.id) };
  const path = `/v1/b2b/organizations/${named.organization_id}/members/${named.member_id}`;
  const renamed = await success(call(client, tenant, "PUT", path, { ...named, name: "Ann" }));
  expect(renamed.member.name).toBe("Ann");
  expect(await success(call(client, tenant, "DELETE", path))).toEqual({ member_id: named.member_id });
});
