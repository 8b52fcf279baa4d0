/** What every answer of the dialect wears, and the order of its layers (contracts §2.1–§2.5). */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { makeApiKey, makeTenant } from "../support/fixtures.ts";
import { createSession, INVALID_TOKEN, json } from "./support.ts";

const INTROSPECT = "/v1/customer-portal/customer-session/introspect";
const UNAUTHORIZED = { error: "Unauthorized", detail: "Unauthorized" };

describe("Polar-Version", () => {
  test.each(["2026-04", "2026-10", "2027-01"])("%s is accepted and echoed", async (version) => {
    const response = await makeClient().call("GET", INTROSPECT, null, undefined, { "Polar-Version": version });
    expect(response.status).toBe(401);
    expect(response.headers.get("Polar-Version")).toBe(version);
  });

  test("absent means the current one", async () => {
    expect((await makeClient().call("GET", INTROSPECT, null)).headers.get("Polar-Version")).toBe("2026-10");
  });

  test.each(["2020-01", "latest", ""])("%j is a 404 without any header of ours", async (version) => {
    const { apiKey } = await makeTenant();
    const response = await makeClient().call("GET", "/v1/member-sessions/", apiKey, undefined, {
      "Polar-Version": version,
    });
    expect(await json(response, 404)).toEqual({ detail: "Not Found" });
    expect(response.headers.has("Polar-Version")).toBe(false);
    expect(response.headers.has("Access-Control-Allow-Origin")).toBe(false);
  });
});

describe("CORS", () => {
  test("any origin may read answers, never with credentials", async () => {
    const response = await makeClient().call("GET", INTROSPECT, null, undefined, { Origin: "https://evil.example" });
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe("*");
    expect(response.headers.has("Access-Control-Allow-Credentials")).toBe(false);
    expect(response.headers.get("Access-Control-Expose-Headers")).toBe("Polar-Version");
  });

  test("a preflight is answered for ten minutes, without credentials", async () => {
    const headers = { Origin: "https://app.example", "Access-Control-Request-Method": "DELETE" };
    const response = await makeClient().fetch("/v1/member-sessions/current", { method: "OPTIONS", headers });
    expect(response.status).toBe(204);
    expect(response.headers.get("Access-Control-Allow-Methods")).toContain("DELETE");
    expect(response.headers.get("Access-Control-Allow-Headers")).toMatch(/Authorization.*Polar-Version/);
    expect(response.headers.get("Access-Control-Max-Age")).toBe("600");
  });

  test("pages that speak for a cookie have none", async () => {
    const tenant = await makeTenant();
    for (const path of [`/${tenant.slug}/portal`, `/v1/forward-auth?organization=${tenant.slug}`]) {
      const response = await makeClient().fetch(path, { headers: { Origin: "https://evil.example" } });
      expect(response.headers.has("Access-Control-Allow-Origin"), path).toBe(false);
    }
  });
});

describe("slashes", () => {
  test.each([
    ["/v1/member-sessions", "/v1/member-sessions/"],
    ["/v1/customer-sessions?x=1", "/v1/customer-sessions/?x=1"],
    ["/v1/customers", "/v1/customers/"],
    [`${INTROSPECT}/?a=b`, `${INTROSPECT}?a=b`],
    ["/v1/member-sessions/current/", "/v1/member-sessions/current"],
  ])("%s leads to %s", async (path, location) => {
    const response = await makeClient().fetch(path, { method: "POST", body: "{}" });
    expect(response.status).toBe(307);
    expect(response.headers.get("Location")).toBe(location);
    expect(await response.text()).toBe("");
  });

  test("of paths that name something lead nowhere: a redirect never repeats what it was sent", async () => {
    const tenant = await makeTenant();
    for (const path of [`/v1/customers/${tenant.team.id}/`, `/v1/customers/${tenant.team.id}/members/`]) {
      const response = await makeClient().call("GET", path, tenant.apiKey);
      expect(response.headers.has("Location"), path).toBe(false);
      expect(await json(response, 404)).toEqual({ detail: "Not Found" });
    }
  });

  test("of unknown paths lead nowhere", async () => {
    for (const path of ["/v1//evil.example/", "/v1/nothing/", "//evil.example/v1/customers", "/v1/customers//"]) {
      const response = await makeClient().fetch(`https://portal.test${path}`);
      expect(response.status, path).toBe(404);
      expect(response.headers.has("Location")).toBe(false);
    }
  });
});

test("an unknown path is a 404 and a wrong method a 405 with Allow", async () => {
  const client = makeClient();
  expect(await json(await client.call("GET", "/v1/nothing", null), 404)).toEqual({ detail: "Not Found" });
  const wrong = await client.call("PUT", "/v1/customer-sessions/", null, {});
  expect(wrong.headers.get("Allow")).toBe("POST");
  expect(await json(wrong, 405)).toEqual({ detail: "Method Not Allowed" });
});

test("the legacy /api prefix is served, and says that it is deprecated", async () => {
  const tenant = await makeTenant();
  const body = { member_id: tenant.team.member.id };
  const response = await makeClient().call("POST", "/api/v1/member-sessions/", tenant.apiKey, body);
  expect(response.headers.has("X-Polar-Deprecation-Notice")).toBe(true);
  await json(response, 201);
});

describe("Cache-Control", () => {
  test("is private, no-store on every kind of answer", async () => {
    const client = makeClient();
    const { apiKey } = await makeTenant();
    for (const [method, path, key] of [
      ["GET", "/v1/member-sessions/", apiKey],
      ["GET", "/v1/nothing", null],
      ["POST", "/v1/member-sessions/", null],
      ["PUT", "/v1/member-sessions/", null],
    ] as const) {
      const response = await client.call(method, path, key, method === "GET" ? undefined : {});
      expect(response.headers.get("Cache-Control"), path).toBe("private, no-store");
    }
  });

  test("is Polar's own on invalid_token", async () => {
    const { headers } = await makeClient().call("GET", INTROSPECT, "dead");
    expect([headers.get("Cache-Control"), headers.get("Pragma")]).toEqual(["no-store", "no-cache"]);
  });
});

describe("authentication", () => {
  const withHeader = (authorization: string) =>
    makeClient().call("GET", INTROSPECT, null, undefined, { Authorization: authorization });

  test("without a credential is a plain 401", async () => {
    const response = await makeClient().call("GET", INTROSPECT, null);
    expect(response.headers.get("WWW-Authenticate")).toBe('Bearer realm="polar"');
    expect(await json(response, 401)).toEqual(UNAUTHORIZED);
  });

  test.each(["Basic bGs6eA==", "Token x", "Bearer", "Bearer ", "Bearer a b", "Bearer caf\u00e9", "x"])(
    "with %j counts as none",
    async (authorization) => {
      expect(await json(await withHeader(authorization), 401)).toEqual(UNAUTHORIZED);
    },
  );

  test("accepts the scheme in any case and more than one blank", async () => {
    const client = makeClient();
    const { token } = await createSession(client, await makeTenant());
    for (const authorization of [`bearer ${token}`, `BEARER ${token}`, `Bearer   ${token}`]) {
      const response = await client.call("GET", INTROSPECT, null, undefined, { Authorization: authorization });
      expect(response.status, authorization).toBe(200);
    }
  });

  test("never takes a token from the query or a form", async () => {
    const client = makeClient();
    const { token } = await createSession(client, await makeTenant());
    expect((await client.fetch(`${INTROSPECT}?access_token=${token}`)).status).toBe(401);
  });

  test("of a dead token is invalid_token with its three headers, on every route", async () => {
    const description = "The access token provided is expired, revoked, malformed, or invalid for other reasons.";
    for (const [method, path] of [
      ["GET", INTROSPECT],
      ["POST", "/v1/member-sessions/"],
      ["GET", "/v1/nothing"],
      ["GET", "/v1/customers"],
    ] as const) {
      const response = await makeClient().call(method, path, "lk_mst_dead", method === "POST" ? {} : undefined);
      expect(response.status, path).toBe(401);
      expect(await response.text()).toBe(INVALID_TOKEN);
      expect(response.headers.get("WWW-Authenticate")).toBe(
        `Bearer realm="polar", error="invalid_token", error_description="${description}"`,
      );
    }
  });

  test.each(["pat_x", "at_u_x", "at_o_x", "rt_o_x", "us_x", "crt_x", "oat_x", "mst_x", "cst_x", "cev_x"])(
    "by a token of Polar's that was never made here is invalid_token: polar_%s",
    async (token) => {
      const response = await makeClient().call("GET", INTROSPECT, `polar_${token}`);
      expect([response.status, await response.text()]).toEqual([401, INVALID_TOKEN]);
    },
  );

  test("by an API key is its own organization's, whatever Polar-Organization names", async () => {
    const [tenant, other] = [await makeTenant(), await makeTenant()];
    const client = makeClient();
    const ids = async (organization: string) => {
      const headers = { "Polar-Organization": organization };
      const response = await client.call("GET", "/v1/customers/", tenant.apiKey, undefined, headers);
      return (await json(response, 200)).items.map(({ id }: { id: string }) => id).sort();
    };
    for (const named of [tenant.id, other.id, "x"]) {
      expect(await ids(named)).toEqual([tenant.team.id, tenant.individual.id].sort());
    }
  });

  test("by a live token of the wrong kind is a plain 401, both ways", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const { token } = await createSession(client, tenant);
    expect(await json(await client.call("GET", INTROSPECT, tenant.apiKey), 401)).toEqual(UNAUTHORIZED);
    const body = { member_id: tenant.team.member.id };
    expect(await json(await client.call("POST", "/v1/member-sessions/", token, body), 401)).toEqual(UNAUTHORIZED);
  });

  test("comes before the body is parsed only if the token is dead; malformed JSON comes before a missing one", async () => {
    const client = makeClient();
    const { apiKey } = await makeTenant();
    const post = (token: string | null, body: string) => client.call("POST", "/v1/member-sessions/", token, body);
    expect((await post("dead", "{")).status).toBe(401);
    expect((await post(null, "{")).status).toBe(422);
    expect((await post(null, "{}")).status).toBe(401);
    expect((await post(apiKey, "{}")).status).toBe(422);
  });
});

describe("API keys", () => {
  test("without the scope get a 403 that names it", async () => {
    const { id } = await makeTenant();
    const key = await makeApiKey(id, ["customers:read"]);
    const response = await makeClient().call("POST", "/v1/customers/", key, {});
    expect(response.status).toBe(403);
    expect(await response.text()).toBe(
      '{"error": "insufficient_scope", "error_description": "The request requires higher privileges than provided by the access token."}',
    );
    expect(response.headers.get("WWW-Authenticate")).toContain('scope="customers:write", error="insufficient_scope"');
  });

  test("are several at once; expired and revoked ones are invalid_token", async () => {
    const { id } = await makeTenant();
    const client = makeClient();
    const now = client.clock.now();
    const statusOf = async (key: string) => (await client.call("GET", "/v1/member-sessions/", key)).status;
    expect(await statusOf(await makeApiKey(id))).toBe(200);
    expect(await statusOf(await makeApiKey(id))).toBe(200);
    expect(await statusOf(await makeApiKey(id, ["member_sessions:read"], { expires_at: now + 1 }))).toBe(200);
    expect(await statusOf(await makeApiKey(id, ["member_sessions:read"], { expires_at: now }))).toBe(401);
    expect(await statusOf(await makeApiKey(id, ["member_sessions:read"], { revoked_at: now - 1 }))).toBe(401);
  });

  test("revoked or narrowed work on for less than 30 s where the isolate remembers them, and nowhere else", async () => {
    const { id } = await makeTenant();
    const here = makeClient();
    const elsewhere = makeClient({}, here.clock);
    const key = await makeApiKey(id);
    const statusAt = async (client: Client) => (await client.call("GET", "/v1/member-sessions/", key)).status;
    expect(await statusAt(here)).toBe(200);
    await env.DB.prepare("UPDATE api_keys SET scopes = 'customers:read' WHERE organization_id = ?1").bind(id).run();
    expect(await statusAt(elsewhere)).toBe(403);
    here.clock.advance(29_999);
    expect(await statusAt(here)).toBe(200);
    here.clock.advance(1);
    expect(await statusAt(here)).toBe(403);
    await env.DB.prepare("UPDATE api_keys SET revoked_at = 1 WHERE organization_id = ?1").bind(id).run();
    here.clock.advance(30_000);
    expect(await statusAt(here)).toBe(401);
  });

  test("that expire are refused on time even while the isolate remembers them", async () => {
    const { id } = await makeTenant();
    const client = makeClient();
    const key = await makeApiKey(id, ["member_sessions:read"], { expires_at: client.clock.now() + 1000 });
    expect((await client.call("GET", "/v1/member-sessions/", key)).status).toBe(200);
    client.clock.advance(1000);
    expect((await client.call("GET", "/v1/member-sessions/", key)).status).toBe(401);
  });
});

/** Contract §2.3: what a key must be allowed to do, any one of these. */
const SCOPES_OF: [method: string, path: string, anyOf: string][] = [
  ["POST", "/v1/member-sessions/", "member_sessions:write"],
  ["POST", "/v1/customer-sessions/", "customer_sessions:write"],
  ["GET", "/v1/customers/", "customers:read customers:write"],
  ["POST", "/v1/customers/", "customers:write"],
  ["GET", "/v1/customers/export", "customers:read customers:write"],
  ...["/v1/customers/{id}", "/v1/customers/external/x"].flatMap((path): [string, string, string][] => [
    ["GET", path, "customers:read customers:write"],
    ["GET", `${path}/state`, "customers:read customers:write"],
    ["GET", `${path}/payment-methods`, "customers:read customers:write"],
    ["PATCH", path, "customers:write"],
    ["DELETE", path, "customers:write"],
    ["GET", `${path}/members`, "members:read members:write"],
    ["POST", `${path}/members`, "members:write"],
  ]),
  ["GET", "/v1/members/", "members:read members:write"],
  ["POST", "/v1/members/", "members:write"],
  ...[
    "/v1/customers/{id}/members/{id}",
    "/v1/customers/external/x/members/y",
    "/v1/members/{id}",
    "/v1/members/external/y?external_customer_id=x",
  ].flatMap((path): [string, string, string][] => [
    ["GET", path, "members:read members:write"],
    ["PATCH", path, "members:write"],
    ["DELETE", path, "members:write"],
  ]),
];

test.each(SCOPES_OF)("%s %s wants %s", async (method, path, anyOf) => {
  const key = await makeApiKey((await makeTenant()).id, []);
  const body = method === "POST" || method === "PATCH" ? {} : undefined;
  const refused = await makeClient().call(
    method,
    path.replaceAll("{id}", () => crypto.randomUUID()),
    key,
    body,
  );
  expect(refused.status).toBe(403);
  expect(refused.headers.get("WWW-Authenticate")).toBe(
    `Bearer realm="polar", scope="${anyOf}", error="insufficient_scope", error_description="The request requires higher privileges than provided by the access token."`,
  );
});

describe("bodies", () => {
  test.each([
    ["", "application/json", "missing", ["body"]],
    ["null", "application/json", "missing", ["body"]],
    ["[]", "application/json", "model_attributes_type", ["body"]],
    ['"text"', "application/json", "model_attributes_type", ["body"]],
    ["{", "application/json", "json_invalid", ["body", 1]],
    ['{"a":1}x', "application/json; charset=utf-8", "json_invalid", ["body", 7]],
    ["{}", "text/plain", "model_attributes_type", ["body"]],
    ["member_id=x", "application/x-www-form-urlencoded", "model_attributes_type", ["body"]],
  ])("%j as %s is %s", async (body, contentType, type, loc) => {
    const { apiKey } = await makeTenant();
    const response = await makeClient().call("POST", "/v1/member-sessions/", apiKey, body, {
      "Content-Type": contentType,
    });
    const { detail } = await json(response, 422);
    expect([detail[0].type, detail[0].loc]).toEqual([type, loc]);
  });

  test.each(["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"])(
    "%s is JSON",
    async (contentType) => {
      const tenant = await makeTenant();
      const body = { member_id: tenant.team.member.id };
      const headers = { "Content-Type": contentType };
      await json(await makeClient().call("POST", "/v1/member-sessions/", tenant.apiKey, body, headers), 201);
    },
  );

  test("of bytes that are not UTF-8 are refused instead of stored as something else", async () => {
    const tenant = await makeTenant();
    const bytes = new Uint8Array([...new TextEncoder().encode('{"email":"'), 0xff, 0xfe, 0x22, 0x7d]);
    const headers = { Authorization: `Bearer ${tenant.apiKey}`, "Content-Type": "application/json" };
    const response = await makeClient().fetch("/v1/customers/", { method: "POST", headers, body: bytes });
    expect((await json(response, 422)).detail[0].type).toBe("json_invalid");
  });

  test("of more than 64 KiB are refused, whether or not their length is announced", async () => {
    const { apiKey } = await makeTenant();
    const client = makeClient();
    const large = JSON.stringify({ email: "a@example.com", name: "x".repeat(65_536) });
    expect((await client.call("POST", "/v1/customers/", apiKey, large)).status).toBe(413);
    const stream = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 80; i++) controller.enqueue(new Uint8Array(1024).fill(0x20));
        controller.close();
      },
    });
    const headers = { Authorization: `Bearer ${apiKey}`, "Content-Type": "application/json" };
    const streamed = await client.fetch("/v1/customers/", { method: "POST", headers, body: stream });
    expect((await json(streamed, 413)).error).toBe("RequestBodyTooLarge");
  });
});
