/** Session JWTs (contract §4): their exact claims, the key set, refresh, reuse, and every JWT that is refused. */

import { describe, expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { makeTenant, type Tenant } from "../support/fixtures.ts";
import { makeFaultyClient, update } from "../support/portal.ts";
import { call, failure, memberId, organizationId, projectId, success } from "./support.ts";

const AUTHENTICATE = "/v1/b2b/sessions/authenticate";

async function scene(settings: Record<string, number> = {}) {
  const client = makeClient();
  const tenant = await makeTenant(settings);
  const made = await client.call("POST", "/v1/member-sessions/", tenant.apiKey, { member_id: tenant.team.member.id });
  const { token, id } = (await made.json()) as { token: string; id: string };
  await client.settle();
  return { client, tenant, token, id };
}

const authenticate = (client: Client, tenant: Tenant, body: object) =>
  success(call(client, tenant, "POST", AUTHENTICATE, body));

const decoded = (part: string | undefined) =>
  JSON.parse(
    new TextDecoder().decode(
      Uint8Array.from(atob((part ?? "").replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0)),
    ),
  );
const payloadOf = (jwt: string) => decoded(jwt.split(".")[1]);

describe("a session JWT", () => {
  test("has these claims and no others, and says of the session what the answer says", async () => {
    const { client, tenant, token } = await scene();
    const claims = { plan: "gold", nested: { ü: [1, null] } };
    const { session_jwt, member_session } = await authenticate(client, tenant, {
      session_token: token,
      session_custom_claims: claims,
    });
    const { member_session_id, started_at, last_accessed_at, expires_at, authentication_factors, roles } =
      member_session;
    const now = Math.floor(client.clock.now() / 1000);
    expect(decoded(session_jwt.split(".")[0])).toEqual({
      alg: "RS256",
      typ: "JWT",
      kid: expect.stringMatching(/^jwk-live-/),
    });
    expect(payloadOf(session_jwt)).toEqual({
      ...claims,
      iss: `stytch.com/${projectId(tenant)}`,
      aud: [projectId(tenant)],
      sub: memberId(tenant.team.member.id),
      iat: now - 5,
      nbf: now - 5,
      exp: now + 295,
      "https://stytch.com/session": {
        id: member_session_id,
        started_at,
        last_accessed_at,
        expires_at,
        attributes: { user_agent: "", ip_address: "" },
        authentication_factors,
        roles,
      },
      "https://stytch.com/organization": { organization_id: organizationId(tenant.team.id), slug: tenant.team.id },
    });
  });

  test("ends with its session at the latest", async () => {
    const { client, tenant, token } = await scene();
    client.clock.advance(3_600_000 - 60_500);
    const { session_jwt, member_session } = await authenticate(client, tenant, { session_token: token });
    expect(payloadOf(session_jwt).exp * 1000).toBe(Date.parse(member_session.expires_at));
  });

  test("cannot be made to say something else by a custom claim of the same name", async () => {
    const { client, tenant, token } = await scene();
    const { session_jwt } = await authenticate(client, tenant, {
      session_token: token,
      session_custom_claims: { iss: "x", cnf: { jkt: "x" }, __proto__: { sub: "x" } },
    });
    expect(payloadOf(session_jwt)).toMatchObject({
      iss: `stytch.com/${projectId(tenant)}`,
      sub: memberId(tenant.team.member.id),
    });
    await authenticate(client, tenant, { session_jwt });
  });

  test("is the same within a minute while nothing has changed, and another one as soon as something has", async () => {
    const { client, tenant, token } = await scene();
    const jwt = async (body: object = {}) =>
      (await authenticate(client, tenant, { session_token: token, ...body })).session_jwt;
    const first = await jwt();
    await client.settle();
    client.clock.advance(59_000);
    expect(await jwt()).toBe(first);
    const claimed = await jwt({ session_custom_claims: { a: 1 } });
    expect(claimed).not.toBe(first);
    await update("members", tenant.team.member.id, { assigned_roles: '["editor"]' });
    const promoted = await jwt();
    expect(payloadOf(promoted)["https://stytch.com/session"].roles).toEqual(["stytch_member", "editor"]);
    client.clock.advance(60_000);
    expect(payloadOf(await jwt()).iat).toBe(Math.floor(client.clock.now() / 1000) - 5);
  });

  test("refreshes, however long ago it expired, while its session lives, and gives the session's own token", async () => {
    const { client, tenant, token } = await scene({ session_ttl_seconds: 86_400 });
    const { session_jwt } = await authenticate(client, tenant, { session_token: token });
    client.clock.advance(82_000_000);
    const refreshed = await authenticate(client, tenant, { session_jwt });
    expect(refreshed.session_token).toBe(token);
    expect(payloadOf(refreshed.session_jwt).exp).toBeGreaterThan(client.clock.now() / 1000);
    client.clock.advance(86_400_000 - 82_000_000);
    await failure(call(client, tenant, "POST", AUTHENTICATE, { session_jwt }), 404, "session_not_found");
  });

  test("refreshes even where it is long, of a member with a hundred and fifty roles", async () => {
    const { client, tenant, token } = await scene();
    const roles = Array.from({ length: 150 }, (_, index) => `role-${index}-`.padEnd(128, "x"));
    await update("members", tenant.team.member.id, { assigned_roles: JSON.stringify(roles) });
    const { session_jwt } = await authenticate(client, tenant, { session_token: token });
    expect(session_jwt.length).toBeGreaterThan(20_000);
    expect((await authenticate(client, tenant, { session_jwt })).member_session.roles).toHaveLength(151);
  });

  test("is worth nothing once its session was ended, by whichever API", async () => {
    const { client, tenant, token } = await scene();
    const { session_jwt } = await authenticate(client, tenant, { session_token: token });
    await client.call("DELETE", "/v1/member-sessions/current", token);
    await failure(call(client, tenant, "POST", AUTHENTICATE, { session_jwt }), 404, "session_not_found");
  });
});

describe("what it costs", () => {
  const strictReads = (db: { log: { statements: { sql: string }[] }[] }) =>
    db.log.flatMap(({ statements }) => statements).filter(({ sql }) => /FROM sessions s/.test(sql)).length;

  test.each(["session_token", "session_jwt"])(
    "by %s, a session is recognised with one statement, and signed once a minute",
    async (by) => {
      const { client: home, tenant, token } = await scene();
      const { session_jwt } = await authenticate(home, tenant, { session_token: token });
      await home.settle();
      const { client, db } = makeFaultyClient(home.clock);
      const body = { [by]: by === "session_token" ? token : session_jwt };
      await authenticate(client, tenant, body);
      db.log.length = 0;
      const signatures = countSignatures();
      const answers = new Set<string>();
      for (let i = 0; i < 5; i++) answers.add((await authenticate(client, tenant, body)).session_jwt);
      expect(signatures.stop()).toBe(0);
      expect(answers.size).toBe(1);
      // The API key is remembered by the isolate; what is left is the one strict statement.
      expect([db.log.length, strictReads(db)]).toEqual([5, 5]);
    },
  );
});

/** How often an RSA key signs until `stop`. */
function countSignatures() {
  const original = crypto.subtle.sign;
  let count = 0;
  crypto.subtle.sign = (algorithm, key, data) => {
    if (JSON.stringify(algorithm).includes("RSASSA")) count++;
    return original.call(crypto.subtle, algorithm, key, data);
  };
  return {
    stop() {
      crypto.subtle.sign = original;
      return count;
    },
  };
}

describe("the key set", () => {
  test("is public, complete and without anything private, and needs neither D1 nor KV", async () => {
    const { tenant, client: home } = await scene();
    const { client, db, kv } = makeFaultyClient(home.clock);
    db.fail("any");
    kv.fail("any");
    for (const headers of [{}, { Authorization: "Basic bogus" }, { "Content-Type": "application/json" }]) {
      const response = await client.fetch(`/v1/b2b/sessions/jwks/${projectId(tenant)}`, { headers });
      expect(response.headers.get("Cache-Control")).toBe("public, max-age=300");
      const { keys } = await success(response);
      expect(keys.length).toBeGreaterThan(0);
      for (const key of keys) {
        expect(key).toEqual({
          kty: "RSA",
          use: "sig",
          key_ops: ["verify"],
          alg: "RS256",
          kid: expect.stringMatching(/^jwk-live-[0-9a-f-]{36}$/),
          x5c: [],
          x5tS256: "",
          n: expect.stringMatching(/^[\w-]{342}$/),
          e: "AQAB",
        });
      }
    }
    expect(db.count() + kv.count()).toBe(0);
  });

  test("is not asked for by another word than a project's id", async () => {
    const client = makeClient();
    for (const id of ["x", "project-live-x", `organization-live-${crypto.randomUUID()}`]) {
      await failure(client.fetch(`/v1/b2b/sessions/jwks/${id}`), 400, "invalid_project_id");
    }
  });
});

describe("a JWT is refused", () => {
  test("that cannot be parsed, or is not signed by us", async () => {
    const { client, tenant, token } = await scene();
    const { session_jwt } = await authenticate(client, tenant, { session_token: token });
    const [header, payload, signature] = session_jwt.split(".") as [string, string, string];
    const unparsable = [
      "x",
      "a.b.c",
      `${session_jwt}.`,
      ` ${session_jwt}`,
      `${header}.${payload}`,
      `${session_jwt}=`,
      token,
    ];
    for (const jwt of unparsable) {
      await failure(
        call(client, tenant, "POST", AUTHENTICATE, { session_jwt: jwt }),
        400,
        "unable_to_parse_session_jwt",
      );
    }
    const altered = `${signature[0] === "A" ? "B" : "A"}${signature.slice(1)}`;
    const none = btoa('{"alg":"none","typ":"JWT","kid":"x"}').replaceAll("=", "");
    for (const jwt of [`${header}.${payload}.${altered}`, `${none}.${payload}.${signature}`]) {
      await failure(call(client, tenant, "POST", AUTHENTICATE, { session_jwt: jwt }), 401, "invalid_session_jwt");
    }
  });

  test("of another project, though one Worker signs for both", async () => {
    const { client, tenant, token } = await scene();
    const other = await makeTenant();
    const { session_jwt } = await authenticate(client, tenant, { session_token: token });
    await failure(call(client, other, "POST", AUTHENTICATE, { session_jwt }), 401, "jwt_invalid_issuer");
  });

  test("without a question to D1 about it", async () => {
    const { client: home, tenant } = await scene();
    const { client, db } = makeFaultyClient(home.clock);
    await failure(call(client, tenant, "POST", AUTHENTICATE, {}), 400, "no_session_arguments");
    const before = db.count();
    await call(client, tenant, "POST", AUTHENTICATE, { session_jwt: "a.b.c" });
    expect(db.count()).toBe(before);
  });
});

describe("an authorization check", () => {
  const check = (client: Client, tenant: Tenant, token: string, changes: object = {}, more: object = {}) =>
    call(client, tenant, "POST", AUTHENTICATE, {
      session_token: token,
      authorization_check: {
        organization_id: organizationId(tenant.team.id),
        resource_id: "stytch.self",
        action: "revoke-sessions",
        ...changes,
      },
      ...more,
    });

  test("that is passed names every role that grants it", async () => {
    const { client, tenant, token } = await scene();
    await update("members", tenant.team.member.id, { assigned_roles: '["second","third"]' });
    const self = [{ resource: "stytch.self", actions: ["revoke-sessions"] }];
    const roles = [
      { id: "third", description: "", permissions: self },
      { id: "second", description: "", permissions: [{ resource: "stytch.self", actions: ["delete"] }] },
    ];
    await update("customers", tenant.team.id, { rbac_roles: JSON.stringify(roles) });
    const { verdict } = await success(check(client, tenant, token));
    expect(verdict).toEqual({ authorized: true, granting_roles: ["stytch_member", "third"] });
  });

  test("that fails changes nothing", async () => {
    const { client, tenant, token } = await scene();
    const change = { session_custom_claims: { a: 1 }, session_duration_minutes: 5 };
    const before = await authenticate(client, tenant, { session_token: token });
    await failure(
      check(client, tenant, token, { resource_id: "stytch.member" }, change),
      403,
      "session_authorization_error",
    );
    const after = await authenticate(client, tenant, { session_token: token });
    expect(after.member_session).toEqual(before.member_session);
  });

  test("for another organization says which, and a slug is another one", async () => {
    const { client, tenant, token } = await scene();
    for (const organization_id of [tenant.team.id, organizationId(tenant.individual.id), ""]) {
      const { error_message } = await failure(
        check(client, tenant, token, { organization_id }),
        403,
        "session_authorization_tenancy_error",
      );
      expect(error_message).toBe(
        `Subject organization_id ${organizationId(tenant.team.id)} does not match authZ request organization_id ${organization_id}`,
      );
    }
  });

  test("needs all of its three fields", async () => {
    const { client, tenant, token } = await scene();
    for (const field of ["organization_id", "resource_id", "action"]) {
      await failure(check(client, tenant, token, { [field]: undefined }), 400, "bad_request");
    }
  });
});
