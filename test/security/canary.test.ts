/**
 * One long day in the life of the service, with faults, and then a search for its secrets everywhere that they must
 * not be: other answers, the log, every table of D1, every key and value of KV.
 */

import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { basic, projectId, call as stytchCall, success } from "../stytch/support.ts";
import { fakeClock } from "../support/clock.ts";
import { askForChange, CHECK, REQUEST, VERIFY } from "../support/email-change.ts";
import { makeApiKey, makeTenant, type Tenant } from "../support/fixtures.ts";
import { letImpersonate } from "../support/impersonation.ts";
import { AUDIENCE, makeIssuerKey, signToken, trustIssuer } from "../support/issuer.ts";
import { USERINFO } from "../support/outside.ts";
import { cookieWith, follow, makeCustomerLink, makeFaultyClient, makeLink, submit } from "../support/portal.ts";
import { scanner } from "../support/scanner.ts";
import { ask, authenticate, request, typedBody, wrong } from "../support/sign-in.ts";

/** What must not be found, by what it is. */
const secrets = new Map<string, string>();
/** Likewise: short codes, as they were mailed. */
const typedCodes: string[] = [];
/** Likewise: what other systems have given out. */
const foreign: string[] = [];
/** Likewise: session JWTs, and what a backend shows with each call. */
const jwts: string[] = [];
let shown = "";
/** What it is searched in, by where it was seen. */
const seen = new Map<string, string>();

beforeAll(async () => {
  const { client, db, kv } = makeFaultyClient();
  const [own, atApplication, customers] = [
    await makeTenant({ allow_email_change: 1, userinfo_url: USERINFO }),
    await makeTenant({ portal_url: "https://app.example.com/" }),
    await makeTenant({ member_model_enabled: 0 }),
  ];
  const keep = (name: string, value: string) => secrets.set(name, value);
  for (const [name, tenant] of Object.entries({ own, atApplication, customers }))
    keep(`API key ${name}`, tenant.apiKey);
  keep("API key expired", await makeApiKey(own.id, ["customers:read"], { expires_at: 1 }));

  /** Everything of an answer but Set-Cookie, which is where the token belongs. */
  const look = async (what: string, asked: Promise<Response>) => {
    const response = await asked;
    const headers = [...response.headers].filter(([name]) => name !== "set-cookie");
    seen.set(`answer ${seen.size}: ${what}`, `${JSON.stringify(headers)} ${await response.text()}`);
  };

  // Made: the only answers that show tokens and codes, so these are not looked at.
  const browser = await makeLink(client, own, own.team.member, { return_url: "https://example.com/back" });
  const unused = await makeLink(client, own, own.team.owner);
  const backend = await makeLink(client, atApplication);
  const customer = await makeCustomerLink(client, customers);
  for (const [name, { token, code }] of Object.entries({ browser, unused, backend, customer })) {
    keep(`token ${name}`, token);
    keep(`code ${name}`, code);
  }
  const [used, waiting] = [await ask(client, own, own.team.owner.email), await ask(client, own)];
  const byMail = (await (await authenticate(client, { code: used.link })).json()) as { token: string };
  for (const [name, value] of Object.entries({ used: used.link, waiting: waiting.link }))
    keep(`mailed link ${name}`, value);
  keep("token by mail", byMail.token);
  typedCodes.push(used.typed, waiting.typed);

  const redeemed = await client.call("POST", "/v1/member-sessions/redeem", atApplication.apiKey, {
    code: backend.code,
  });
  expect(redeemed.status).toBe(200);

  const portal = `/${own.slug}/portal`;
  const cookie = cookieWith(browser.token);
  const api = (method: string, path: string, token: string, body?: unknown) =>
    look(`${method} ${path.split("/").slice(0, 4).join("/")}`, client.call(method, path, token, body));

  await look("landing", follow(client, browser.url));
  await look("dead link", follow(client, browser.url));
  await look("spent link of the signed in", follow(client, browser.url, cookie));
  await look("portal", follow(client, portal, cookie));
  await look("wrong door", follow(client, `/${atApplication.slug}/portal?code=${backend.code}`));
  await look("token of another organization", follow(client, `${portal}?member_session_token=${customer.token}`));
  await look("used mailed link", authenticate(client, { code: used.link }));
  await look("used mailed link, followed", follow(client, used.url));
  await look("wrong typed code", authenticate(client, typedBody(own, wrong(waiting.typed))));
  await look("typed code, wrong address", authenticate(client, typedBody(own, waiting.typed, "nobody@example.com")));
  await look("asking", request(client, { email: "nobody@example.com", organization_id: own.id }));
  await look("asking on a page", submit(client, `${portal}/sign-in`, { email: own.team.billingManager.email }));
  await look("forward-auth", follow(client, `/v1/forward-auth?organization=${own.slug}`, cookie));
  await api("GET", "/v1/customer-portal/customer-session/introspect", browser.token);
  await api("GET", "/v1/customer-portal/customer-session/user", browser.token);
  await api("GET", "/v1/member-sessions/current", browser.token);
  await api("GET", "/v1/member-sessions/", own.apiKey);
  await api("GET", `/v1/member-sessions/${browser.sessionId}`, own.apiKey);
  await api("GET", `/v1/customers/${own.team.id}`, own.apiKey);

  /** With the API key where an OAuth client has its secret. */
  const oauth = (endpoint: string, token: string, client_secret = own.apiKey) => {
    const body = new URLSearchParams({ token, client_id: own.id, client_secret });
    return look(`oauth2 ${endpoint}`, client.fetch(`/v1/oauth2/${endpoint}`, { method: "POST", body }));
  };
  /** Its answer repeats each token to the one that has found it, so it is not looked at. */
  const reportLeaked = async (...tokens: string[]) => {
    const findings = tokens.map((token) => ({ token, type: "polar_member_session_token", source: "commit" }));
    const body = new TextEncoder().encode(JSON.stringify(findings));
    const headers = { "Content-Type": "application/json", ...(await scanner.sign(body)) };
    return client.fetch("/v1/integrations/github/secret-scanning", { method: "POST", headers, body });
  };
  await oauth("introspect", browser.token);
  await oauth("introspect", browser.token, customer.token);
  await oauth("revoke", backend.code);
  // An address is changed: the link is in the mail, and on the page that asks for the button.
  const asked = await askForChange(client, own);
  keep("token of who asked", asked.token);
  keep("code of who asked", asked.code);
  keep("e-mail change", asked.change);
  const change = (path: string) => `${path}?token=${asked.change}`;
  await api("POST", REQUEST, asked.token, { email: own.individual.email });
  await api("GET", change(CHECK), asked.token);
  await look("portal with its form", follow(client, `${portal}/change-email`, cookieWith(asked.token)));
  await look("confirmed", submit(client, `${portal}/verify-email`, { token: asked.change }));
  await look("dead link of a change", follow(client, change(`${portal}/verify-email`)));
  await look("spent change", client.call("POST", VERIFY, null, { token: asked.change }));

  // Credentials in the wrong places.
  await api("GET", "/v1/member-sessions/current", asked.change);
  await api("GET", "/v1/member-sessions/", browser.token);
  await api("GET", "/v1/customers/x", browser.code);
  await api("GET", "/v1/member-sessions/current", own.apiKey);
  await api("GET", "/v1/member-sessions/", secrets.get("API key expired") as string);
  await api("POST", "/v1/member-sessions/redeem", atApplication.apiKey, { code: backend.code });
  await api("POST", "/v1/member-sessions/redeem", own.apiKey, { code: unused.code });
  await api("POST", "/v1/member-sessions/", own.apiKey, { member_id: crypto.randomUUID() });

  // What others vouch for: used, used again, and brought to the wrong places.
  const [impersonation, unusedImpersonation] = [await leave(own), await leave(own)];
  keep("impersonation", impersonation);
  keep("impersonation unused", unusedImpersonation);
  const vouched = await vouchFor(own);
  foreign.push(vouched.token, "external-SECRET-bearer");
  const door = (name: string, body: object) =>
    stytchCall(client, own, "POST", `/v1/b2b/${name}`, { organization_id: own.team.id, ...body });
  const impersonated = await success(door("impersonation/authenticate", { impersonation_token: impersonation }));
  const attested = await success(door("sessions/attest", vouched));
  keep("token of an impersonator", impersonated.session_token);
  keep("token by attestation", attested.session_token);
  await look("spent impersonation", door("impersonation/authenticate", { impersonation_token: impersonation }));
  await look("spent token", door("sessions/attest", vouched));
  await look("token for nobody", door("sessions/exchange_access_token", { access_token: vouched.token }));
  await look("migration", door("sessions/migrate", { session_token: foreign[1] }));
  await look("wrong door", door("sessions/authenticate", { session_token: unusedImpersonation }));
  await api("GET", "/v1/member-sessions/current", unusedImpersonation);

  // A backend that speaks Stytch's API, and what it gets wrong.
  shown = basic(projectId(own), own.apiKey).Authorization.replace("Basic ", "");
  const { session_token } = attested;
  const { session_jwt } = await success(door("sessions/authenticate", { session_token }));
  const second = await success(door("sessions/exchange", { session_jwt }));
  keep("token by exchange", second.session_token);
  jwts.push(impersonated.session_jwt, attested.session_jwt, session_jwt, second.session_jwt);
  const aboutOwner = `/v1/b2b/organizations/${own.team.id}/members/${own.team.owner.id}`;
  const inName = (headers: Record<string, string>) => stytchCall(client, own, "DELETE", aboutOwner, undefined, headers);
  const withHeader = (Authorization: string) => client.fetch("/v1/b2b/rbac/policy", { headers: { Authorization } });
  await look(
    "sessions listed",
    stytchCall(
      client,
      own,
      "GET",
      `/v1/b2b/sessions?${new URLSearchParams({
        organization_id: own.team.id,
        member_id: own.team.member.id,
      })}`,
    ),
  );
  await look("token in a member's name", inName({ "X-Stytch-Member-Session": session_token }));
  await look("JWT in a member's name", inName({ "X-Stytch-Member-SessionJWT": session_jwt }));
  await look("token and JWT", door("sessions/authenticate", { session_token, session_jwt }));
  await look("JWT as a token", door("sessions/authenticate", { session_token: session_jwt }));
  await look("token as a JWT", door("sessions/authenticate", { session_jwt: session_token }));
  await look("broken JWT", door("sessions/authenticate", { session_jwt: `${session_jwt}=` }));
  const at = session_jwt.lastIndexOf(".") + 1;
  const resigned = session_jwt.slice(0, at) + (session_jwt[at] === "A" ? "B" : "A") + session_jwt.slice(at + 1);
  await look("JWT with another signature", door("sessions/authenticate", { session_jwt: resigned }));
  await look("JWT as a secret", withHeader(basic(projectId(own), session_jwt).Authorization));
  await look("secret of another project", withHeader(basic(projectId(atApplication), own.apiKey).Authorization));
  await look("secret, shown twice", withHeader(`Basic ${shown}, Basic ${shown}`));
  await look("secret as a token", door("sessions/revoke", { session_token: own.apiKey }));

  // Trouble, while credentials are presented in every way.
  await client.settle();
  db.fail("any");
  kv.fail("any");
  await look("portal, outage", follow(client, portal, cookie));
  await look("landing, outage", follow(client, unused.url));
  await look("mailed link, outage", authenticate(client, { code: waiting.link }));
  await look("mailed link followed, outage", follow(client, waiting.url));
  await look("typed code, outage", authenticate(client, typedBody(own, waiting.typed)));
  await look("asking, outage", request(client, { email: own.team.member.email, organization_id: own.id }));
  await look("sign-out, outage", submit(client, `${portal}/sign-out`, {}, cookie));
  await look("button, outage", submit(client, portal, { code: unused.code }));
  await look(
    "strict, outage",
    client.fetch(`/v1/forward-auth?organization=${own.slug}`, {
      headers: { Cookie: cookie, "Session-Consistency": "strict" },
    }),
  );
  await api("POST", "/v1/member-sessions/redeem", atApplication.apiKey, { code: backend.code });
  await api("GET", "/v1/customer-portal/customer-session/user", browser.token);
  await api("POST", "/v1/member-sessions/", own.apiKey, { member_id: own.team.member.id });
  await oauth("introspect", browser.token);
  await oauth("revoke", browser.token);
  expect((await reportLeaked(browser.token, own.apiKey)).status).toBe(503);
  await look("confirmed, outage", submit(client, `${portal}/verify-email`, { token: asked.change }));
  await look("change, outage", follow(client, change(`${portal}/verify-email`)));
  await look("JWT, outage", door("sessions/authenticate", { session_jwt }));
  await look("token, outage", door("sessions/exchange", { session_token }));
  await look("member's name, outage", inName({ "X-Stytch-Member-Session": session_token }));
  await look("attest, outage", door("sessions/attest", vouched));
  await look("migration, outage", door("sessions/migrate", { session_token: foreign[1] }));
  await look("impersonation, outage", door("impersonation/authenticate", { impersonation_token: unusedImpersonation }));
  db.heal();
  const lost = await makeLink(client, own, own.team.billingManager);
  keep("token lost", lost.token);
  keep("code lost", lost.code);
  await api("DELETE", `/v1/member-sessions/${lost.sessionId}`, own.apiKey);
  await client.settle();
  kv.heal();

  await api("POST", "/v1/member-sessions/revoke", own.apiKey, { member_id: own.team.owner.id });
  await look("ended by its JWT", door("sessions/revoke", { session_jwt }));
  await look("ended JWT", door("sessions/authenticate", { session_jwt }));
  await look("sign-out", submit(client, `${portal}/sign-out`, {}, cookie));
  await look("signed out", follow(client, portal, cookie));
  await api("GET", "/v1/customer-portal/customer-session/user", browser.token);
  await oauth("introspect", browser.token);
  expect((await reportLeaked(customer.token, atApplication.apiKey)).status).toBe(200);
  await client.settle();

  for (const [index, line] of client.logged.entries()) seen.set(`log ${index}: ${line.event}`, flatten(line));
  for (const [name, rows] of await dumpD1()) seen.set(`D1 table ${name}`, JSON.stringify(rows));
  for (const [key, value] of await dumpKv()) seen.set(`KV ${key}`, `${key} ${value}`);
});

test("the day had everything in it: secrets of every kind, answers, log lines, tables and records", () => {
  const places = [...seen.keys()];
  const count = (pattern: RegExp) => places.filter((place) => pattern.test(place)).length;
  expect([...secrets.values()].every((secret) => /^lk_(mst|cst|oat|code|cev|login|imp)_t.{56}$/.test(secret))).toBe(
    true,
  );
  expect(secrets.size).toBe(25);
  expect(jwts.every((jwt) => /^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]{342}$/.test(jwt))).toBe(true);
  expect(new Set(jwts).size).toBeGreaterThan(2);
  expect(count(/^answer/)).toBeGreaterThan(30);
  expect(count(/^log/)).toBeGreaterThan(8);
  expect(places.filter((place) => place.startsWith("D1")).toSorted()).toEqual(
    [
      "api_keys",
      "attempts",
      "customers",
      "email_changes",
      "impersonations",
      "members",
      "organizations",
      "portal_codes",
      "sessions",
      "sign_in_codes",
      "spent_tokens",
      "trusted_issuers",
    ].map((name) => `D1 table ${name}`),
  );
  expect(count(/^KV s:/)).toBeGreaterThanOrEqual(4);
});

test("no token, code or API key is found anywhere, whole or in its secret part", () => {
  for (const [place, text] of seen) {
    for (const [name, secret] of secrets) {
      const body = secret.slice(-56);
      const found = [secret, body, body.slice(0, 30), body.slice(-30)].some((part) => text.includes(part));
      expect(found, `${name} in ${place}`).toBe(false);
    }
  }
});

test("no typed code is found anywhere, however it is written", () => {
  expect(typedCodes).toHaveLength(2);
  for (const [place, text] of seen) {
    for (const typed of typedCodes) {
      const plain = typed.replace("-", "");
      expect(text.toUpperCase().includes(typed) || text.toUpperCase().includes(plain), `${typed} in ${place}`).toBe(
        false,
      );
    }
  }
});

test("no token of another system is found anywhere, nor what it was signed with", () => {
  expect(foreign).toHaveLength(2);
  for (const [place, text] of seen) {
    for (const token of foreign) {
      for (const part of token.split(".").slice(-2)) expect(text.includes(part), place).toBe(false);
    }
  }
});

test("no session JWT is found anywhere, and no Basic credentials", () => {
  expect(atob(shown)).toMatch(/^project-live-.*:lk_oat_t/);
  for (const [place, text] of seen) {
    for (const jwt of jwts) {
      const [, payload, signature] = jwt.split(".") as [string, string, string];
      for (const part of [payload.slice(0, 40), signature.slice(-40)]) expect(text.includes(part), place).toBe(false);
    }
    // The half with the secret, however the text before it is cut.
    for (const cut of [0, 1, 2]) {
      const half = btoa(atob(shown).slice(-60 + cut)).slice(0, 60);
      expect(text.includes(half), place).toBe(false);
    }
  }
});

test("nothing that looks like one of our credentials is found anywhere", () => {
  for (const [place, text] of seen)
    expect(text, place).not.toMatch(/(lk|polar)_(mst|cst|oat|code|cev|login|imp)_[\w-]{20,}/);
});

test("KV holds ids and times, and no name or address", () => {
  for (const [place, text] of seen) {
    if (place.startsWith("KV")) expect(text, place).not.toMatch(/@|Team & Sons|A member|A owner/);
  }
});

test("the log holds no address, no name and no query", () => {
  for (const [place, text] of seen) {
    if (place.startsWith("log"))
      expect(text, place).not.toMatch(/@\w|Team & Sons|A member|\?code=|member_session_token/);
  }
});

const leave = ({ id, team }: Tenant) => letImpersonate(id, team.member.id);

/** What an issuer says of the team's member, for a profile of the tenant. */
async function vouchFor({ id, team }: Tenant) {
  const key = await makeIssuerKey();
  const issuer = "https://id.example.com/";
  const profile_id = await trustIssuer(id, { issuer, keys: { pems: [key.pem] } });
  const iat = fakeClock().now() / 1000;
  const claims = { iss: issuer, aud: AUDIENCE, email: team.member.email, jti: "jti", iat, exp: iat + 60 };
  return { profile_id, token: await signToken(key, claims) };
}

/** An error with all that hangs on it, as whatever serialises it might show it. */
function flatten(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner instanceof Error
      ? { ...inner, name: inner.name, message: inner.message, stack: inner.stack, cause: inner.cause }
      : inner,
  );
}

async function dumpD1(): Promise<[string, unknown[]][]> {
  const tables = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND name NOT LIKE 'd1_%'",
  ).all<{ name: string }>();
  return Promise.all(
    tables.results.map(
      async ({ name }): Promise<[string, unknown[]]> => [
        name,
        (await env.DB.prepare(`SELECT * FROM ${name}`).all()).results,
      ],
    ),
  );
}

async function dumpKv(): Promise<[string, string | null][]> {
  const { keys } = await env.SESSIONS.list();
  return Promise.all(
    keys.map(async ({ name }): Promise<[string, string | null]> => [name, await env.SESSIONS.get(name)]),
  );
}
