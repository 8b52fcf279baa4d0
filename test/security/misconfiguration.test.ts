/** A Worker whose settings are missing or weak serves nothing at all, and its log says which one, without showing it. */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { makeClient } from "../support/client.ts";
import { makeTenant } from "../support/fixtures.ts";
import { counting } from "../support/limiters.ts";
import { follow, makeLink } from "../support/portal.ts";

type Setting =
  | "TOKEN_KEYS"
  | "JWT_KEY"
  | "JWT_NEXT_KEY"
  | "JWT_RETIRED_KEYS"
  | "PORTAL_ORIGIN"
  | "TOKEN_PREFIXES"
  | "MAIL_FROM"
  | "SECRET_SCANNING_KEYS_URL"
  | "RATE_LIMITS";

const random = (bytes: number) => {
  const text = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(bytes))));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};
const GOOD = random(32);
const OTHER = random(32);
const base64Url = (text: string) => btoa(text).replaceAll("=", "");

const JWT_KEY = JSON.parse(env.JWT_KEY) as Record<string, unknown>;
const { n, e } = JWT_KEY;
const jwtKey = (change: Record<string, unknown>) => JSON.stringify({ ...JWT_KEY, ...change });
const retiredKey = (change: Record<string, unknown>) =>
  JSON.stringify([{ kid: "old", lastSignedAt: 1, n, e, ...change }]);

const WRONG: [Setting, string, string | undefined][] = [
  ["TOKEN_KEYS", "is missing", undefined],
  ["TOKEN_KEYS", "is empty", ""],
  ["TOKEN_KEYS", "is blank", "  \n"],
  ["TOKEN_KEYS", "is a key without a name", GOOD],
  ["TOKEN_KEYS", "has a name of two characters", `ab:${GOOD}`],
  ["TOKEN_KEYS", "has a name that is no letter or digit", `-:${GOOD}`],
  ["TOKEN_KEYS", "has an empty name", `:${GOOD}`],
  ["TOKEN_KEYS", "has an empty key", "a:"],
  ["TOKEN_KEYS", "is shorter than 32 bytes", `a:${random(31)}`],
  ["TOKEN_KEYS", "is a short text", "a:secret"],
  ["TOKEN_KEYS", "is all zeros", `a:${"A".repeat(43)}`],
  ["TOKEN_KEYS", "is a pattern", `a:${base64Url("0123456789abcdef".repeat(4))}`],
  ["TOKEN_KEYS", "is a phrase", `a:${base64Url("change me change me change me change me")}`],
  ["TOKEN_KEYS", "is not base64url", `a:${GOOD.slice(0, -2)}+/`],
  ["TOKEN_KEYS", "is padded", `a:${GOOD}=`],
  ["TOKEN_KEYS", "is JSON", JSON.stringify({ a: GOOD })],
  ["TOKEN_KEYS", "ends in a comma", `a:${GOOD},`],
  ["TOKEN_KEYS", "has two keys of one name", `a:${GOOD},a:${OTHER}`],
  ["TOKEN_KEYS", "has a weak second key", `a:${GOOD},b:${random(16)}`],
  ["TOKEN_KEYS", "has a malformed second key", `a:${GOOD},${OTHER}`],
  ["TOKEN_KEYS", "separates its keys by semicolons", `a:${GOOD};b:${OTHER}`],
  ["JWT_KEY", "is missing", undefined],
  ["JWT_KEY", "is empty", ""],
  ["JWT_KEY", "is a token key", `a:${GOOD}`],
  ["JWT_KEY", "is cut", env.JWT_KEY.slice(0, -100)],
  ["JWT_KEY", "is public only", jwtKey({ d: undefined, p: undefined, q: undefined })],
  ["JWT_KEY", "has a prime of another key", jwtKey({ p: JWT_KEY["q"] })],
  ["JWT_KEY", "is shorter than 2048 bits", jwtKey({ n: random(128) })],
  ["JWT_KEY", "has exponent 1", jwtKey({ e: "AQ" })],
  ["JWT_KEY", "has no name", jwtKey({ kid: "" })],
  ["JWT_KEY", "has the name of another", jwtKey({ kid: "old" })],
  ["JWT_NEXT_KEY", "is cut", env.JWT_KEY.slice(0, -100)],
  ["JWT_NEXT_KEY", "does not say when it signs", jwtKey({ kid: "next", signsFrom: undefined })],
  ["JWT_RETIRED_KEYS", "is no list", jwtKey({})],
  ["JWT_RETIRED_KEYS", "has a weak key", retiredKey({ e: "AQ" })],
  ["JWT_RETIRED_KEYS", "does not say when a key signed last", retiredKey({ lastSignedAt: null })],
  ["PORTAL_ORIGIN", "is missing", undefined],
  ["PORTAL_ORIGIN", "is empty", ""],
  ["PORTAL_ORIGIN", "is http", "http://portal.test"],
  ["PORTAL_ORIGIN", "has a path", "https://portal.test/portal"],
  ["PORTAL_ORIGIN", "ends in a slash", "https://portal.test/"],
  ["PORTAL_ORIGIN", "has a query", "https://portal.test?x=1"],
  ["PORTAL_ORIGIN", "has a user", "https://user@portal.test"],
  ["PORTAL_ORIGIN", "has its default port", "https://portal.test:443"],
  ["PORTAL_ORIGIN", "is in upper case", "HTTPS://PORTAL.TEST"],
  ["PORTAL_ORIGIN", "has no scheme", "portal.test"],
  ["PORTAL_ORIGIN", "begins with a blank", " https://portal.test"],
  ["PORTAL_ORIGIN", "is of another scheme", "ftp://portal.test"],
  ["PORTAL_ORIGIN", "is a script", "javascript:alert(1)"],
  ["PORTAL_ORIGIN", "is null", "null"],
  ["PORTAL_ORIGIN", "is everything", "*"],
  ["PORTAL_ORIGIN", "only begins like loopback", "http://localhost.evil.example"],
  ["PORTAL_ORIGIN", "only begins like 127.0.0.1", "http://127.0.0.1.evil.example"],
  ["RATE_LIMITS", "is empty", ""],
  ["RATE_LIMITS", "is a number", "500"],
  ["RATE_LIMITS", "is off at an origin that anybody reaches", "off"],
  ["TOKEN_PREFIXES", "is missing", undefined],
  ["TOKEN_PREFIXES", "is empty", ""],
  ["TOKEN_PREFIXES", "is a comma", ","],
  ["TOKEN_PREFIXES", "ends in a comma", "lk,"],
  ["TOKEN_PREFIXES", "is in upper case", "LK"],
  ["TOKEN_PREFIXES", "has an underscore", "lk_"],
  ["TOKEN_PREFIXES", "begins with a digit", "1k"],
  ["TOKEN_PREFIXES", "is a pattern", ".*"],
  ["TOKEN_PREFIXES", "holds an alternative", "lk|polar"],
  ["TOKEN_PREFIXES", "is 17 characters long", "a".repeat(17)],
  ["SECRET_SCANNING_KEYS_URL", "is http", "http://api.github.com/meta/public_keys/secret_scanning"],
  ["SECRET_SCANNING_KEYS_URL", "has no scheme", "api.github.com/meta/public_keys/secret_scanning"],
  ["SECRET_SCANNING_KEYS_URL", "is a path", "/meta/public_keys/secret_scanning"],
  ["SECRET_SCANNING_KEYS_URL", "is of another scheme", "data:application/json,{}"],
  ["MAIL_FROM", "is no address", "portal"],
  ["MAIL_FROM", "has no domain", "portal@localhost"],
  ["MAIL_FROM", "has a display name", "Portal <portal@example.com>"],
  ["MAIL_FROM", "is two addresses", "portal@example.com,other@example.com"],
  ["MAIL_FROM", "begins with a blank", " portal@example.com"],
  ["MAIL_FROM", "holds a second header", "portal@example.com\r\nBcc: a@example.com"],
];

const misconfigured = (settings: Partial<Record<Setting, string | undefined>>) =>
  makeClient(settings as Partial<Cloudflare.Env>);

describe.each(WRONG)("while %s %s", (setting, _, value) => {
  test("every request is answered 503, and the log names the setting without showing it", async () => {
    const tenant = await makeTenant();
    const { token, url } = await makeLink(makeClient(), tenant);
    const JWT_RETIRED_KEYS = retiredKey({});
    const client = misconfigured({ JWT_RETIRED_KEYS, [setting]: value });
    const authorization = { Authorization: `Bearer ${tenant.apiKey}` };
    const requests: [string, RequestInit][] = [
      [`/v1/customers/${tenant.team.id}`, { headers: authorization }],
      ["/v1/member-sessions/", { method: "POST", body: "{}" }],
      [`/api/v1/customers/${tenant.team.id}`, { headers: authorization }],
      ["/v1/customer-portal/customer-session/introspect", { headers: { Authorization: `Bearer ${token}` } }],
      [`/v1/forward-auth?organization=${tenant.slug}`, { headers: { Cookie: `__Host-lk_session=${token}` } }],
      [`/${tenant.slug}/portal`, { headers: { Cookie: `__Host-lk_session=${token}` } }],
      [url, {}],
      [`/${tenant.slug}/portal/sign-out`, { method: "POST", headers: { "Sec-Fetch-Site": "same-origin" } }],
      ["/v1/customers/", { method: "OPTIONS", headers: { "Access-Control-Request-Method": "POST" } }],
      ["/unknown", {}],
      ["/", { method: "HEAD" }],
    ];
    for (const [path, init] of requests) {
      const response = await client.fetch(path, init);
      expect(response.status, path).toBe(503);
      expect(response.headers.get("Retry-After")).toBe("5");
      expect(response.headers.get("Content-Type")).toBe("application/json");
      expect(response.headers.has("Set-Cookie")).toBe(false);
      if (init.method === "HEAD") continue;
      const detail = "The service is not set up. Its log says what is missing.";
      expect(await response.json()).toEqual({ error: "ServiceUnavailable", detail });
    }
    expect(client.logged).toHaveLength(requests.length);
    for (const { level, event, fields } of client.logged) {
      expect([level, event]).toEqual(["error", "misconfigured"]);
      expect(fields["problems"]).toEqual([expect.stringMatching(new RegExp(`^${setting} `))]);
    }
    const lines = JSON.stringify(client.logged);
    for (const material of [...env.TOKEN_KEYS.split(/[:,]/), ...(value ?? "").split(/[:,;]/)]) {
      if (material.length >= 8 && setting === "TOKEN_KEYS") expect(lines).not.toContain(material);
    }
    for (const key of [GOOD, OTHER, ...["d", "p", "q", "n"].map((name) => String(JWT_KEY[name]))])
      expect(lines).not.toContain(key.slice(0, 20));
  });
});

test("all that is wrong is told at once", async () => {
  const client = misconfigured({ TOKEN_KEYS: "", JWT_KEY: "", PORTAL_ORIGIN: "", TOKEN_PREFIXES: "" });
  await client.fetch("/");
  const problems = client.logged[0]?.fields["problems"] as string[];
  expect(problems.map((problem) => problem.split(" ")[0])).toEqual([
    "TOKEN_KEYS",
    "JWT_KEY",
    "TOKEN_PREFIXES",
    "PORTAL_ORIGIN",
  ]);
});

test("an isolate that was set up wrongly serves as soon as its settings are right", async () => {
  const tenant = await makeTenant();
  expect((await follow(misconfigured({ PORTAL_ORIGIN: "" }), `/${tenant.slug}/portal`)).status).toBe(503);
  expect((await follow(makeClient(), `/${tenant.slug}/portal`)).status).toBe(401);
});

test("a Worker with a single JWT key, and none to come or gone, is set up", async () => {
  const client = misconfigured({ JWT_NEXT_KEY: undefined, JWT_RETIRED_KEYS: undefined });
  expect((await follow(client, "/nobody/portal")).status).toBe(404);
  expect(client.logged).toEqual([]);
});

test("nobody is counted where the limits are off, on loopback", async () => {
  const limiters = counting(0);
  const local = { PORTAL_ORIGIN: "http://127.0.0.1:8787", RATE_LIMITS: "off" };
  expect((await follow(makeClient({ ...limiters, ...local }), "/nobody/portal")).status).toBe(404);
  expect((await follow(makeClient({ ...limiters, ...local, RATE_LIMITS: "on" }), "/nobody/portal")).status).toBe(429);
});

test.each([
  ["https://portal.test", `a:${GOOD}`, "lk"],
  ["https://portal.test:8443", ` a:${GOOD} , b:${OTHER} `, "lk, polar"],
  ["http://localhost:8787", `1:${random(64)}`, "a"],
  ["http://127.0.0.1:8787", `Z:${GOOD}`, "lk"],
  ["http://[::1]:8787", `a:${GOOD}`, "a".repeat(16)],
  ["https://portal.test", `a:${GOOD}`, "lk", ""],
  ["https://portal.test", `a:${GOOD}`, "lk", undefined],
])("settings like %s are fine", async (PORTAL_ORIGIN, TOKEN_KEYS, TOKEN_PREFIXES, MAIL_FROM = "a@b.example") => {
  const tenant = await makeTenant();
  const client = misconfigured({ PORTAL_ORIGIN, TOKEN_KEYS, TOKEN_PREFIXES, MAIL_FROM });
  expect((await follow(client, `/${tenant.slug}/portal`)).status).toBe(401);
  expect(client.logged).toEqual([]);
});
