/** Leaked tokens, as GitHub's secret scanning reports them: the signature, what is ended, and what is answered. */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import type { Fetch } from "../../src/outbound.ts";
import { type Client, makeClient } from "../support/client.ts";
import { credentials, makeApiKey, makeTenant } from "../support/fixtures.ts";
import { isRevoked, makeCustomerLink, makeFaultyClient, makeLink, update } from "../support/portal.ts";
import { keyList, makeScanner, publishedKeys, type Scanner, scanner } from "../support/scanner.ts";
import { fault, INVALID_TOKEN, isLive, type Json, json } from "./support.ts";

const PATH = "/v1/integrations/github/secret-scanning";
const MEMBER = "polar_member_session_token";
const CUSTOMER = "polar_customer_session_token";
const API_KEY = "polar_organization_access_token";

const finding = (token: string, type: string) => ({ token, type, url: "https://example.com/leak", source: "commit" });

function send(client: Client, body: string, headers: Record<string, string>): Promise<Response> {
  return client.fetch(PATH, { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body });
}

async function report(client: Client, findings: unknown, by: Scanner = scanner): Promise<Response> {
  const body = typeof findings === "string" ? findings : JSON.stringify(findings);
  return send(client, body, await by.sign(new TextEncoder().encode(body)));
}

const labels = async (client: Client, findings: unknown): Promise<string[]> =>
  (await json(await report(client, findings), 200)).map(({ label }: Json) => label);

async function isKeyRevoked(apiKey: string): Promise<boolean> {
  const credential = await credentials.verify(apiKey);
  const row = await env.DB.prepare("SELECT revoked_at FROM api_keys WHERE lookup_key = ?1")
    .bind(credential?.lookupKey)
    .first();
  return row?.["revoked_at"] !== null;
}

describe("a signed report", () => {
  test("ends member sessions, customer sessions and API keys, and labels them as real", async () => {
    const client = makeClient();
    const [tenant, customers] = [await makeTenant(), await makeTenant({ member_model_enabled: 0 })];
    const [member, customer] = [await makeLink(client, tenant), await makeCustomerLink(client, customers)];
    const leakedKey = await makeApiKey(tenant.id);
    const bystander = await makeLink(client, tenant);
    await client.settle();
    const findings = [finding(member.token, MEMBER), finding(customer.token, CUSTOMER), finding(leakedKey, API_KEY)];
    expect(await json(await report(client, findings), 200)).toEqual(
      findings.map(({ token, type }) => ({ token_raw: token, token_type: type, label: "true_positive" })),
    );
    await client.settle();
    const elsewhere = makeClient();
    for (const { token } of [member, customer]) {
      expect(await isLive(elsewhere, token)).toBe(false);
      const atEdge = await makeClient().call("GET", "/v1/customer-portal/customer-session/introspect", token);
      expect(await atEdge.text(), "by its tombstone").toBe(INVALID_TOKEN);
    }
    for (const isolate of [client, elsewhere])
      expect((await isolate.call("GET", "/v1/member-sessions/", leakedKey)).status).toBe(401);
    expect(await isLive(elsewhere, bystander.token)).toBe(true);
    expect((await elsewhere.call("GET", "/v1/member-sessions/", tenant.apiKey)).status).toBe(200);
  });

  test("is taken back by the isolate that had just used the key or the session", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const { token } = await makeLink(client, tenant);
    await client.settle();
    const atEdge = () => client.call("GET", "/v1/customer-portal/customer-session/introspect", token);
    expect((await atEdge()).status).toBe(200);
    await report(client, [finding(token, MEMBER), finding(tenant.apiKey, API_KEY)]);
    expect((await atEdge()).status).toBe(401);
    expect((await client.call("GET", "/v1/member-sessions/", tenant.apiKey)).status).toBe(401);
  });

  test("ends whatever is ours, under whichever known type it was reported", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const links = [await makeLink(client, tenant), await makeLink(client, tenant)];
    const key = await makeApiKey(tenant.id);
    const mixed = [finding(links[0]?.token ?? "", CUSTOMER), finding(links[1]?.token ?? "", "polar_refresh_token")];
    expect(await labels(client, [...mixed, finding(key, MEMBER)])).toEqual(Array(3).fill("true_positive"));
    for (const { sessionId } of links) expect(await isRevoked(sessionId)).toBe(true);
    expect(await isKeyRevoked(key)).toBe(true);
  });

  test("may be repeated: what was known and is dead by now is still real", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const [leaked, expired] = [await makeLink(client, tenant), await makeLink(client, tenant)];
    await update("sessions", expired.sessionId, { expires_at: 1 });
    const key = await makeApiKey(tenant.id);
    const findings = [finding(leaked.token, MEMBER), finding(expired.token, MEMBER), finding(key, API_KEY)];
    for (let time = 0; time < 2; time++) {
      expect(await labels(client, findings)).toEqual(Array(3).fill("true_positive"));
      client.clock.advance(1000);
    }
    const row = await env.DB.prepare("SELECT revoked_at FROM sessions WHERE id = ?1").bind(leaked.sessionId).first();
    expect(row?.["revoked_at"]).toBe(client.clock.now() - 2000);
  });

  test("labels the rest as false: forged, never issued, a portal code, garbage, other known types", async () => {
    const { client, db } = makeFaultyClient();
    const tenant = await makeTenant();
    const { code, sessionId } = await makeLink(makeClient(), tenant);
    const worthless = [
      finding(`lk_mst_t${"A".repeat(56)}`, MEMBER),
      finding(code, MEMBER),
      finding("", MEMBER),
      finding("x".repeat(5000), API_KEY),
      finding("polar_pat_x", "polar_personal_access_token"),
    ];
    expect(await labels(client, worthless)).toEqual(worthless.map(() => "false_positive"));
    expect(db.count(), "no question to D1 about a forgery").toBe(0);
    expect(await labels(client, [finding((await credentials.mint("mst")).token, MEMBER)])).toEqual(["false_positive"]);
    expect(await labels(client, [finding((await credentials.mint("oat")).token, API_KEY)])).toEqual(["false_positive"]);
    expect(await isRevoked(sessionId)).toBe(false);
    expect(client.logged).toEqual([]);
  });

  test("takes every type of Polar's and the one for member sessions, in any case and under our own prefix", async () => {
    const types = [
      "client_secret",
      "client_registration_token",
      "authorization_code",
      "access_token",
      "refresh_token",
      "personal_access_token",
      "organization_access_token",
      "customer_session_token",
      "user_session_token",
      "member_session_token",
    ].flatMap((type) => [`polar_${type}`, `POLAR_${type.toUpperCase()}`, `lk_${type}`]);
    const answered = await json(
      await report(
        makeClient(),
        types.map((type) => finding("x", type)),
      ),
      200,
    );
    expect(answered.map(({ token_type }: Json) => token_type)).toEqual(types.map((type) => type.toLowerCase()));
  });

  test("with an unknown type is refused as a whole, and ends nothing", async () => {
    const client = makeClient();
    const { token, sessionId } = await makeLink(client, await makeTenant());
    for (const type of ["polar_portal_code", "github_member_session_token", "member_session_token", ""]) {
      const findings = [finding(token, MEMBER), finding(token, type)];
      const refused = await fault(await report(client, findings), "RequestValidationError");
      expect(refused).toMatchObject({ type: "enum", loc: ["body", 1, "type"], input: type });
      expect(refused.msg).toContain(`'${MEMBER}'`);
    }
    expect(await isRevoked(sessionId)).toBe(false);
  });

  test("may be empty, may leave out the URL, and may say more than we know of", async () => {
    const client = makeClient();
    const { token } = await makeLink(client, await makeTenant());
    expect(await json(await report(client, []), 200)).toEqual([]);
    expect(await labels(client, [{ token, type: MEMBER, source: "content", more: {} }])).toEqual(["true_positive"]);
    expect(await labels(client, [{ token, type: MEMBER, url: null, source: "content" }])).toEqual(["true_positive"]);
  });

  test.each([
    ["an object", {}, ["body"], "list_type"],
    ["a text", '"x"', ["body"], "list_type"],
    ["a list of texts", ["x"], ["body", 0], "model_attributes_type"],
    ["a finding without token", [{ type: MEMBER, source: "x" }], ["body", 0, "token"], "missing"],
    ["a finding without type", [{ token: "x", source: "x" }], ["body", 0, "type"], "missing"],
    ["a finding without source", [{ token: "x", type: MEMBER }], ["body", 0, "source"], "missing"],
    ["a token that is a number", [{ token: 1, type: MEMBER, source: "x" }], ["body", 0, "token"], "string_type"],
    ["a token with NUL", [finding("\0", MEMBER)], ["body", 0, "token"], "value_error"],
    ["a URL that is a list", [{ ...finding("x", MEMBER), url: [] }], ["body", 0, "url"], "string_type"],
    ["no JSON", "[", ["body", 1], "json_invalid"],
    ["nothing", "", ["body"], "missing"],
  ])("that is %s is refused", async (_, body, loc, type) => {
    const refused = await fault(await report(makeClient(), body), "RequestValidationError");
    expect(refused).toMatchObject({ loc, type });
  });

  test("of hundreds of tokens costs two writes and ends them all", async () => {
    const { client, db } = makeFaultyClient();
    const tenant = await makeTenant();
    const links = [];
    for (let i = 0; i < 60; i++) links.push(await makeLink(client, tenant, tenant.team.member));
    const keys = [await makeApiKey(tenant.id), await makeApiKey(tenant.id)];
    await client.settle();
    const before = db.count();
    const findings = [
      ...links.map(({ token }) => ({ token, type: MEMBER, source: "x" })),
      ...keys.map((token) => ({ token, type: API_KEY, source: "x" })),
      ...Array.from({ length: 700 }, () => ({ token: "", type: API_KEY, source: "" })),
    ];
    expect((await labels(client, findings)).filter((label) => label === "true_positive")).toHaveLength(62);
    expect(db.count() - before).toBe(2);
    for (const { sessionId } of links) expect(await isRevoked(sessionId)).toBe(true);
    for (const key of keys) expect(await isKeyRevoked(key)).toBe(true);
  });

  test("is logged by the ids of what it ended, once each, and by nothing that can be presented", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const { token, sessionId } = await makeLink(client, tenant);
    const key = await makeApiKey(tenant.id);
    await report(client, [finding(token, MEMBER), finding(token, MEMBER), finding(key, API_KEY), finding("x", MEMBER)]);
    const row = await env.DB.prepare("SELECT id FROM api_keys WHERE lookup_key = ?1")
      .bind((await credentials.verify(key))?.lookupKey)
      .first();
    const lines = [{ sessionId }, { apiKeyId: row?.["id"] }].map((id) => ({
      level: "warn",
      event: "leaked_credential_revoked",
      fields: { ...id, organizationId: tenant.id },
    }));
    expect(client.logged).toEqual(lines);
  });

  test("that meets an outage of D1 is 503, and works when it is sent again", async () => {
    const { client, db } = makeFaultyClient();
    const { token, sessionId } = await makeLink(client, await makeTenant());
    db.fail("any");
    const response = await report(client, [finding(token, MEMBER)]);
    expect((await json(response, 503)).error).toBe("ServiceUnavailable");
    expect(response.headers.get("Retry-After")).toBe("5");
    db.heal();
    expect(await labels(client, [finding(token, MEMBER)])).toEqual(["true_positive"]);
    expect(await isRevoked(sessionId)).toBe(true);
  });

  test("needs no bearer token; a live one changes nothing, and a dead one is told so", async () => {
    const client = makeClient();
    const { apiKey } = await makeTenant();
    const headers = await scanner.sign(new TextEncoder().encode("[]"));
    const withBearer = (token: string) => send(client, "[]", { ...headers, Authorization: `Bearer ${token}` });
    expect((await withBearer(apiKey)).status).toBe(200);
    expect(await (await withBearer("dead")).text()).toBe(INVALID_TOKEN);
  });
});

describe("a report that GitHub has not signed", () => {
  /** Sends a report of a live session. @returns the answer, and whether the session is live after it. */
  async function attempt(
    headersFor: (body: Uint8Array) => Promise<Record<string, string>>,
    sent = (body: string) => body,
  ) {
    const client = makeClient();
    const { token, sessionId } = await makeLink(client, await makeTenant());
    const body = JSON.stringify([finding(token, MEMBER)]);
    const response = await send(client, sent(body), await headersFor(new TextEncoder().encode(body)));
    expect(await isRevoked(sessionId)).toBe(false);
    return response;
  }

  test.each([
    ["either header", {}, ["github-public-key-identifier", "github-public-key-signature"]],
    ["the signature", { "Github-Public-Key-Identifier": scanner.keyIdentifier }, ["github-public-key-signature"]],
    ["the key's name", { "Github-Public-Key-Signature": "MAYCAQECAQE=" }, ["github-public-key-identifier"]],
  ])("lacks %s: 422, whatever its body is", async (_, headers, missing) => {
    const response = await attempt(async () => headers);
    expect(await json(response, 422)).toEqual({
      error: "RequestValidationError",
      detail: missing.map((name) => ({ type: "missing", loc: ["header", name], msg: "Field required", input: null })),
    });
    expect((await send(makeClient(), "{", headers)).status).toBe(422);
  });

  test("names a key that GitHub does not publish: 400", async () => {
    const stranger = await makeScanner();
    const response = await attempt((body) => stranger.sign(body));
    const detail = `Public key with key_identifier ${stranger.keyIdentifier} not found.`;
    expect(await json(response, 400)).toEqual({ error: "PublicKeyNotFound", detail });
  });

  test("has another's, a wrong or no signature: 403, before its body is looked at", async () => {
    const stranger = await makeScanner();
    const forge = async (body: Uint8Array, change: (signature: string) => string) => {
      const headers = await scanner.sign(body);
      const signature = headers["Github-Public-Key-Signature"] as string;
      return { ...headers, "Github-Public-Key-Signature": change(signature) };
    };
    const responses = [
      await attempt(async (body) => ({
        ...(await stranger.sign(body)),
        "Github-Public-Key-Identifier": scanner.keyIdentifier,
      })),
      await attempt(
        (body) => scanner.sign(body),
        (body) => `${body} `,
      ),
      await attempt(
        (body) => scanner.sign(body),
        (body) => body.replace("commit", "Commit"),
      ),
      await attempt(
        (body) => scanner.sign(body),
        () => "{",
      ),
      await attempt((body) => forge(body, () => "")),
      await attempt((body) => forge(body, () => "no base64!")),
      await attempt((body) => forge(body, () => "MAYCAQACAQA=")),
      await attempt((body) => forge(body, (signature) => signature.slice(0, -4))),
      await attempt((body) => forge(body, (signature) => `${signature.slice(0, 20)}A${signature.slice(21)}`)),
    ];
    for (const response of responses) {
      expect(await json(response, 403)).toEqual({ error: "InvalidSignature", detail: "Invalid signature." });
    }
  });
});

describe("the keys of GitHub", () => {
  /** An isolate that sees what is published now, and counts how often it asks. */
  function makeIsolate(answer: { current: (init: RequestInit) => Response | Promise<Response> }) {
    let asked = 0;
    const outside: Fetch = async (_, init) => {
      asked++;
      return answer.current(init);
    };
    return { client: makeClient({}, undefined, outside), asked: () => asked };
  }
  const published = (...scanners: Scanner[]) => Response.json(keyList(...scanners));
  const expectOutage = async (response: Response) => {
    expect((await json(response, 503)).error).toBe("ServiceUnavailable");
    expect(response.headers.get("Retry-After")).toBe("5");
  };

  test("are asked for once an hour", async () => {
    const { client, asked } = makeIsolate({ current: () => published(scanner) });
    for (const wait of [0, 0, 3_599_999]) {
      client.clock.advance(wait);
      expect((await report(client, [])).status).toBe(200);
    }
    expect(asked()).toBe(1);
    client.clock.advance(1);
    expect((await report(client, [])).status).toBe(200);
    expect(asked()).toBe(2);
    client.clock.advance(-1);
    expect((await report(client, [])).status, "a clock that has gone back").toBe(200);
    expect(asked()).toBe(3);
  });

  test("that are new are found within a minute, and strangers' names do not make us ask more often", async () => {
    const rotated = await makeScanner();
    const answer = { current: () => published(scanner) };
    const { client, asked } = makeIsolate(answer);
    expect((await report(client, [], rotated)).status).toBe(400);
    answer.current = () => published(scanner, rotated);
    client.clock.advance(59_999);
    for (let time = 0; time < 20; time++) expect((await report(client, [], await makeScanner())).status).toBe(400);
    expect((await report(client, [], rotated)).status).toBe(400);
    expect(asked()).toBe(1);
    client.clock.advance(1);
    expect((await report(client, [], rotated)).status).toBe(200);
    expect((await report(client, [])).status).toBe(200);
    expect(asked()).toBe(2);
  });

  test("that GitHub has withdrawn are believed for the rest of their hour at most", async () => {
    const answer = { current: () => published(scanner) };
    const { client } = makeIsolate(answer);
    expect((await report(client, [])).status).toBe(200);
    answer.current = () => published();
    client.clock.advance(3_600_000);
    expect((await report(client, [])).status).toBe(400);
  });

  test.each<[string, (init: RequestInit) => Response | Promise<Response>]>([
    ["does not answer", () => Promise.reject(new Error("Network connection lost."))],
    ["refuses us", () => Response.json(keyList(scanner), { status: 403 })],
    ["has failed", () => new Response("oops", { status: 500 })],
    ["leads elsewhere", () => Response.redirect("https://example.com/keys", 302)],
    ["answers with nothing", () => new Response("")],
    ["answers with no JSON", () => new Response("<html>")],
    ["answers with another JSON", () => Response.json({ keys: [] })],
    ["answers with a key that is none", () => published({ ...scanner, pem: "x" })],
    ["does not stop", () => new Response(`${JSON.stringify(keyList(scanner))}${" ".repeat(65_536)}`)],
  ])(
    "cannot be had where their source %s: 503, nothing is ended, and a moment later all is well",
    async (_, current) => {
      const answer = { current };
      const { client } = makeIsolate(answer);
      const { token, sessionId } = await makeLink(client, await makeTenant());
      await expectOutage(await report(client, [finding(token, MEMBER)]));
      expect(await isRevoked(sessionId)).toBe(false);
      expect(client.logged.map(({ event }) => event)).toEqual(["request_failed"]);
      answer.current = () => published(scanner);
      client.clock.advance(3_600_000);
      expect(await labels(client, [finding(token, MEMBER)])).toEqual(["true_positive"]);
    },
  );

  test("cannot be had where their source is silent: 503 after three seconds", async () => {
    const silence = (init: RequestInit) =>
      new Promise<Response>((_, reject) => {
        init.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      });
    const startedAt = performance.now();
    await expectOutage(await report(makeIsolate({ current: silence }).client, []));
    expect(performance.now() - startedAt).toBeGreaterThan(2900);
    expect(performance.now() - startedAt).toBeLessThan(4500);
  });

  test("that cannot be had are not asked for again by every stranger's call, only after five seconds", async () => {
    const { client, asked } = makeIsolate({ current: () => new Response(null, { status: 500 }) });
    for (let time = 0; time < 10; time++) await expectOutage(await report(client, []));
    client.clock.advance(4999);
    await expectOutage(await report(client, []));
    expect(asked()).toBe(1);
    client.clock.advance(1);
    await expectOutage(await report(client, []));
    expect(asked()).toBe(2);
  });

  test("that are known serve on while their source is away, and a new name is 503, never unknown", async () => {
    const answer = { current: (): Response => published(scanner) };
    const { client } = makeIsolate(answer);
    expect((await report(client, [])).status).toBe(200);
    answer.current = () => new Response(null, { status: 500 });
    client.clock.advance(3_599_999);
    expect((await report(client, [])).status).toBe(200);
    await expectOutage(await report(client, [], await makeScanner()));
    expect((await report(client, [])).status).toBe(200);
    client.clock.advance(1);
    await expectOutage(await report(client, []));
  });

  test("are each isolate's own, and are not asked for where nothing says who signed", async () => {
    const { client, asked } = makeIsolate({ current: () => published(scanner) });
    await send(client, "[]", {});
    expect(asked()).toBe(0);
  });

  test("are asked for at the configured address, and where there is none the route does not exist", async () => {
    const urls: string[] = [];
    const outside: Fetch = async (url) => {
      urls.push(url);
      return published(scanner);
    };
    const SECRET_SCANNING_KEYS_URL = "https://mirror.example.com/keys?of=github";
    expect((await report(makeClient({ SECRET_SCANNING_KEYS_URL }, undefined, outside), [])).status).toBe(200);
    expect(urls).toEqual([SECRET_SCANNING_KEYS_URL]);
    const off = await report(makeClient({ SECRET_SCANNING_KEYS_URL: "" }, undefined, publishedKeys), []);
    expect(await json(off, 404)).toEqual({ detail: "Not Found" });
  });
});
