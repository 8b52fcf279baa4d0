/** What any call may be answered (contract §2, table of common failures; §9.3), with the type, the status and the words. */

import { describe, expect, test } from "vitest";
import { makeClient } from "../support/client.ts";
import { makeApiKey, makeTenant } from "../support/fixtures.ts";
import { counting } from "../support/limiters.ts";
import { makeLink, update } from "../support/portal.ts";
import { basic, call, failure, memberId, organizationId, projectId, success } from "./support.ts";

const AUTHENTICATE = "/v1/b2b/sessions/authenticate";
const UNKNOWN = `lk_mst_t${"A".repeat(56)}`;

const encoded = (part: object | string) => btoa(JSON.stringify(part)).replaceAll("=", "");

describe("credentials", () => {
  test("that are missing, unknown or of another project are refused alike, in Stytch's words", async () => {
    const client = makeClient();
    const [tenant, other] = [await makeTenant(), await makeTenant()];
    const wrong = [
      {},
      basic(projectId(tenant), "secret-live-AAAA"),
      basic(projectId(tenant), other.apiKey),
      basic(projectId(other), tenant.apiKey),
      basic(tenant.id, tenant.apiKey),
    ];
    for (const headers of wrong) {
      const refused = client.fetch(AUTHENTICATE, { method: "POST", headers, body: "{}" });
      const { error_message } = await failure(refused, 401, "unauthorized_credentials");
      expect(error_message).toBe("Unauthorized credentials.");
    }
  });

  test("in a header that is not Basic are told apart from those", async () => {
    const client = makeClient();
    const { apiKey } = await makeTenant();
    for (const Authorization of [`Bearer ${apiKey}`, "Basic", "Basic ====", apiKey]) {
      const refused = client.fetch(AUTHENTICATE, { method: "POST", headers: { Authorization }, body: "{}" });
      await failure(refused, 401, "invalid_authorization_header");
    }
  });

  test("may be several of one project, all good at once", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const { token } = await makeLink(client, tenant);
    for (const apiKey of [tenant.apiKey, await makeApiKey(tenant.id, ["member_sessions:write"])]) {
      await success(call(client, { id: tenant.id, apiKey }, "POST", AUTHENTICATE, { session_token: token }));
    }
  });

  test("without the scope for a call are refused with 403, which no SDK takes for a wrong secret", async () => {
    const tenant = await makeTenant();
    const reader = { id: tenant.id, apiKey: await makeApiKey(tenant.id, ["member_sessions:read"]) };
    await failure(call(makeClient(), reader, "POST", AUTHENTICATE, {}), 403, "unauthorized_action");
  });
});

test("a verb that a route does not take is answered with those that it takes", async () => {
  const client = makeClient();
  const tenant = await makeTenant();
  const refused = await call(client, tenant, "PATCH", AUTHENTICATE, {});
  expect(refused.headers.get("Allow")).toBe("POST");
  await failure(refused, 405, "method_not_allowed");
  for (const method of ["GET", "PUT", "DELETE", "OPTIONS"]) {
    await failure(call(client, tenant, method, AUTHENTICATE), 405, "method_not_allowed");
  }
});

test("too many calls are refused in Stytch's words, and told when to come again", async () => {
  const tenant = await makeTenant();
  const client = makeClient({ ...counting(1) });
  const list = `/v1/b2b/sessions?organization_id=${tenant.team.id}&member_id=${tenant.team.member.id}`;
  await success(call(client, tenant, "GET", list));
  const refused = await call(client, tenant, "GET", list);
  expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(0);
  const { error_message } = await failure(refused, 429, "too_many_requests");
  expect(error_message).toBe("Too many requests have been made.");
});

describe("words that applications may compare are Stytch's", () => {
  const WORDS: [type: string, status: number, words: string, path: string, body: (token: string) => object][] = [
    ["session_not_found", 404, "Session could not be found.", AUTHENTICATE, () => ({ session_token: UNKNOWN })],
    ["invalid_session_token", 400, "Session token format is invalid.", AUTHENTICATE, () => ({ session_token: "x" })],
    [
      "too_many_session_arguments",
      400,
      "Please include at most one of session_token, session_jwt, or intermediate_session_token in an authenticate request, not multiple.",
      AUTHENTICATE,
      (token) => ({ session_token: token, session_jwt: "x" }),
    ],
    [
      "invalid_session_duration",
      400,
      "The submitted session duration exceeds the maximum session duration allowed for this project.",
      AUTHENTICATE,
      (token) => ({ session_token: token, session_duration_minutes: 527_040 }),
    ],
    [
      "organization_slug_already_used",
      400,
      "The provided organization_slug is already used in another organization.",
      "/v1/b2b/organizations",
      () => ({ organization_name: "Acme", organization_slug: "taken" }),
    ],
    [
      "idp_access_token_not_found",
      404,
      "The access token could not be found.",
      "/v1/b2b/sessions/exchange_access_token",
      // Of an issuer of which nobody has heard.
      () => ({ access_token: [{ alg: "ES256" }, { iss: "x" }, "x"].map(encoded).join(".") }),
    ],
  ];

  test.each(WORDS)("%s: %i", async (type, status, words, path, body) => {
    const client = makeClient();
    const tenant = await makeTenant();
    await update("customers", tenant.team.id, { slug: "taken" });
    const { token } = await makeLink(client, tenant);
    const { error_message } = await failure(call(client, tenant, "POST", path, body(token)), status, type);
    expect(error_message).toBe(words);
  });

  test("session_authorization_error: 403", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const { token } = await makeLink(client, tenant);
    const check = { organization_id: organizationId(tenant.team.id), resource_id: "documents", action: "read" };
    const body = { session_token: token, authorization_check: check };
    const refused = call(client, tenant, "POST", AUTHENTICATE, body);
    expect((await failure(refused, 403, "session_authorization_error")).error_message).toBe(
      "The Member is not authorized to perform the requested action on that resource.",
    );
  });
});

test.each([
  ["POST", "/v1/b2b/magic_links/email/login_or_signup"],
  ["POST", "/v1/b2b/otps/email/authenticate"],
  ["POST", "/v1/b2b/passwords/authenticate"],
  ["POST", "/v1/b2b/oauth/authenticate"],
  ["POST", "/v1/b2b/sso/authenticate"],
  ["GET", "/v1/b2b/scim/x/connection"],
  ["POST", "/v1/b2b/totp/authenticate"],
  ["POST", "/v1/b2b/recovery_codes/recover"],
  ["POST", "/v1/b2b/discovery/intermediate_sessions/exchange"],
  ["POST", "/v1/b2b/idp/oauth/authorize"],
  ["POST", "/v1/b2b/fraud/fingerprint/lookup"],
])("%s %s is not offered", async (method, path) => {
  const asked = call(makeClient(), await makeTenant(), method, path, method === "GET" ? undefined : {});
  await failure(asked, 404, "route_not_found");
});

test.each(["/v1/b2b", "//v1/b2b/rbac/policy"])("%s is nobody's: JSON all the same, and no redirect", async (path) => {
  const response = await call(makeClient(), await makeTenant(), "GET", path);
  expect(response.status).toBe(404);
  expect(response.headers.get("Content-Type")).toBe("application/json");
  expect(await response.json()).toBeTypeOf("object");
});

test("a field of the wrong type is named", async () => {
  const { error_message } = await failure(
    call(makeClient(), await makeTenant(), "POST", AUTHENTICATE, { session_token: 1 }),
    400,
    "bad_request",
  );
  expect(error_message).toBe("session_token is missing or of the wrong kind.");
});

test("names in a query are read as the SDKs write them: a plus sign for a space, and slashes encoded", async () => {
  const client = makeClient();
  const tenant = await makeTenant();
  await update("customers", tenant.team.id, { external_id: "a/b c" });
  await update("members", tenant.team.member.id, { external_id: "d/e f+g" });
  await makeLink(client, tenant);
  const path = "/v1/b2b/sessions?organization_id=a%2Fb+c&member_id=d%2Fe+f%2Bg";
  expect((await success(call(client, tenant, "GET", path))).member_sessions).toHaveLength(1);
});

test("where no SDK says in whose name it calls, a member's header is not looked at", async () => {
  const client = makeClient();
  const tenant = await makeTenant();
  const { team } = tenant;
  const { token } = await makeLink(client, tenant);
  const headers = { "X-Stytch-Member-Session": "nonsense", "X-Stytch-Member-SessionJWT": "nonsense" };
  const ask = (method: string, path: string, body?: object) =>
    success(call(client, tenant, method, path, body, headers));
  await ask("GET", `/v1/b2b/sessions?organization_id=${organizationId(team.id)}&member_id=${memberId(team.member.id)}`);
  await ask("POST", AUTHENTICATE, { session_token: token });
  await ask("GET", "/v1/b2b/rbac/policy");
  await ask("GET", `/v1/b2b/organizations/${team.id}`);
  await ask("GET", `/v1/b2b/organizations/${team.id}/member?member_id=${team.member.id}`);
});
