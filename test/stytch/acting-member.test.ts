/**
 * Calls in the name of a member (contract §3): who may, and what is refused how. The routes behind it are tried where
 * they are; here a route of our own asks for whatever permission the test wants.
 */

import { env } from "cloudflare:workers";
import { Hono } from "hono/quick";
import { describe, expect, test } from "vitest";
import type { AppEnv } from "../../src/http/env.ts";
import { createServices } from "../../src/services.ts";
import { permit } from "../../src/stytch/acting-member.ts";
import { project } from "../../src/stytch/authenticate.ts";
import { answer } from "../../src/stytch/envelope.ts";
import { respondTo, toStytchError } from "../../src/stytch/errors.ts";
import { FORBIDDEN } from "../../src/stytch/permissions.ts";
import { type Client, makeClient } from "../support/client.ts";
import { createFaultD1 } from "../support/fault-d1.ts";
import { makeTenant, type Person, type Tenant } from "../support/fixtures.ts";
import { unlimited } from "../support/limiters.ts";
import { makeLink, update } from "../support/portal.ts";
import { publishedKeys } from "../support/scanner.ts";
import { call, failure, success } from "./support.ts";

interface Asked {
  customerId: string;
  resource: "stytch.organization" | "stytch.member";
  actions: string[];
  memberId?: string;
}

const db = createFaultD1(env.DB);
const client = makeClient();

/** The dialect around one route that asks for what its body says. */
function makeProbe(): Client {
  const log = { info() {}, warn() {}, error() {} };
  const isolateEnv = { ...env, ...unlimited(), DB: db.binding };
  const app = new Hono<AppEnv>();
  app.onError((error, c) => respondTo(toStytchError(error), c));
  app.use(async (c, next) => {
    c.set("services", createServices(isolateEnv, { clock: client.clock, log, fetch: publishedKeys, waitUntil() {} }));
    await next();
  });
  app.put("/probe", project("members:write"), async (c) => {
    const { customerId, resource, actions, memberId } = (await c.req.json()) as Asked;
    const session = await permit(c, customerId, resource, actions, memberId);
    return answer(c, { actor: session?.member.id ?? null });
  });
  return {
    ...client,
    fetch: async (path, init) => app.fetch(new Request(new URL(path, "https://portal.test"), init), isolateEnv),
  };
}

const probe = makeProbe();

async function headersOf(tenant: Tenant, person: Person): Promise<Record<string, string>> {
  return { "X-Stytch-Member-Session": (await makeLink(client, tenant, person)).token };
}

const ask = (tenant: Tenant, asked: Partial<Asked>, headers: Record<string, string> = {}) =>
  call(
    probe,
    tenant,
    "PUT",
    "/probe",
    { customerId: tenant.team.id, resource: "stytch.member", actions: ["delete"], ...asked },
    headers,
  );

describe("a backend that acts by itself", () => {
  test("may do everything, and nothing is looked up for it", async () => {
    const tenant = await makeTenant();
    await ask(tenant, {});
    const before = db.count();
    expect(await success(ask(tenant, { customerId: "any", actions: [FORBIDDEN, "nothing"] }))).toEqual({ actor: null });
    expect(db.count()).toBe(before);
  });
});

describe("the member's session", () => {
  test("is recognised by token or by JWT, one that has expired included", async () => {
    const tenant = await makeTenant();
    const { owner } = tenant.team;
    const { token } = await makeLink(client, tenant, owner);
    expect(await success(ask(tenant, {}, { "X-Stytch-Member-Session": token }))).toEqual({ actor: owner.id });
    const authenticated = call(client, tenant, "POST", "/v1/b2b/sessions/authenticate", { session_token: token });
    const { session_jwt } = await success(authenticated);
    client.clock.advance(600_000);
    expect(await success(ask(tenant, {}, { "X-Stytch-Member-SessionJWT": session_jwt }))).toEqual({ actor: owner.id });
    const both = { "X-Stytch-Member-Session": token, "X-Stytch-Member-SessionJWT": session_jwt };
    await failure(ask(tenant, {}, both), 400, "too_many_session_arguments");
  });

  test("is not prolonged by what it is shown for", async () => {
    const tenant = await makeTenant();
    const { sessionId, token } = await makeLink(client, tenant, tenant.team.owner);
    const stored = () => env.DB.prepare("SELECT expires_at FROM sessions WHERE id = ?1").bind(sessionId).first();
    const before = await stored();
    client.clock.advance(60_000);
    await success(ask(tenant, {}, { "X-Stytch-Member-Session": token }));
    expect(await stored()).toEqual(before);
  });

  test("that is dead, forged or another project's ends the call, whatever the backend might do by itself", async () => {
    const [tenant, other] = [await makeTenant(), await makeTenant()];
    const { token, sessionId } = await makeLink(client, tenant, tenant.team.owner);
    await failure(ask(other, {}, { "X-Stytch-Member-Session": token }), 404, "session_not_found");
    const forged = { "X-Stytch-Member-Session": `lk_mst_t${"A".repeat(56)}` };
    await failure(ask(tenant, {}, forged), 404, "session_not_found");
    await client.call("DELETE", `/v1/member-sessions/${sessionId}`, tenant.apiKey);
    await failure(ask(tenant, {}, { "X-Stytch-Member-Session": token }), 404, "session_not_found");
    await failure(ask(tenant, {}, { "X-Stytch-Member-Session": "x" }), 400, "invalid_session_token");
    await failure(ask(tenant, {}, { "X-Stytch-Member-SessionJWT": "x" }), 400, "unable_to_parse_session_jwt");
    for (const name of ["X-Stytch-Member-Session", "X-Stytch-Member-SessionJWT"]) {
      await failure(ask(tenant, {}, { [name]: "" }), 400, "no_session_arguments");
    }
  });

  test("is asked of D1 every time, and an outage is no refusal", async () => {
    const tenant = await makeTenant();
    const headers = await headersOf(tenant, tenant.team.owner);
    await success(ask(tenant, {}, headers));
    db.fail(/rbac_policy/, { times: 1 });
    await failure(ask(tenant, {}, headers), 503, "server_unavailable");
  });
});

describe("a member", () => {
  test("acts within its own organization", async () => {
    const tenant = await makeTenant();
    const headers = await headersOf(tenant, tenant.team.owner);
    const elsewhere = { customerId: tenant.individual.id, actions: [] };
    await failure(ask(tenant, elsewhere, headers), 403, "session_authorization_tenancy_error");
    await failure(ask(tenant, { customerId: "" }, headers), 403, "session_authorization_tenancy_error");
    await success(ask(tenant, { actions: [] }, headers));
  });

  test("needs every action that is asked for, by the roles that it has", async () => {
    const tenant = await makeTenant();
    const { owner, billingManager, member } = tenant.team;
    const outcomes = async (person: Person, asked: Partial<Asked>) => {
      const { status } = await ask(tenant, asked, await headersOf(tenant, person));
      return status;
    };
    const table: [Partial<Asked>, number, number, number][] = [
      [{ actions: ["create"] }, 200, 200, 403],
      [{ actions: ["create", "search", "delete", "update.info.name"] }, 200, 200, 403],
      [{ actions: ["create", "update.settings.roles"] }, 200, 403, 403],
      [{ actions: ["update.settings.roles", "create"] }, 200, 403, 403],
      [{ actions: [""] }, 200, 403, 403],
      [{ resource: "stytch.organization", actions: ["delete"] }, 200, 403, 403],
      [{ resource: "stytch.organization", actions: [""] }, 200, 403, 403],
    ];
    for (const [asked, ...expected] of table) {
      const got = [];
      for (const person of [owner, billingManager, member]) got.push(await outcomes(person, asked));
      expect([asked, ...got]).toEqual([asked, ...expected]);
    }
    const headers = await headersOf(tenant, member);
    await failure(ask(tenant, {}, headers), 403, "session_authorization_error");
  });

  test("has the roles of this moment: assigned, by its domain, and those of its organization", async () => {
    const tenant = await makeTenant();
    const { member, id } = { member: tenant.team.member, id: tenant.team.id };
    const headers = await headersOf(tenant, member);
    const isPermitted = async () => (await ask(tenant, { actions: ["search"] }, headers)).status === 200;
    expect(await isPermitted()).toBe(false);
    await update("members", member.id, { assigned_roles: '["stytch_admin"]' });
    expect(await isPermitted()).toBe(true);
    await update("members", member.id, { assigned_roles: "[]" });
    expect(await isPermitted()).toBe(false);
    const domain = member.email.split("@")[1];
    await update("customers", id, { domain_roles: JSON.stringify([{ domain, role: "local" }]) });
    expect(await isPermitted()).toBe(false);
    const local = { id: "local", description: "", permissions: [{ resource: "stytch.member", actions: ["search"] }] };
    await update("customers", id, { rbac_roles: JSON.stringify([local]) });
    expect(await isPermitted()).toBe(true);
    await update("customers", id, { domain_roles: "[]" });
    expect(await isPermitted()).toBe(false);
    const everybody = { ...local, id: "stytch_member" };
    await update("organizations", tenant.id, {
      rbac_policy: JSON.stringify({ roles: [everybody], resources: [], scopes: [] }),
    });
    expect(await isPermitted()).toBe(true);
  });

  test("changes its own record by the permission over itself too, but neither its roles nor its privileges", async () => {
    const tenant = await makeTenant();
    const { member, billingManager } = tenant.team;
    const headers = await headersOf(tenant, member);
    const own = [
      "update.info.name",
      "update.info.untrusted-metadata",
      "update.info.mfa-phone",
      "update.info.delete.mfa-phone",
      "update.info.delete.mfa-totp",
      "update.info.delete.password",
      "update.settings.mfa-enrolled",
      "update.settings.default-mfa-method",
      "delete",
      "revoke-sessions",
    ];
    await success(ask(tenant, { actions: own, memberId: member.id }, headers));
    for (const action of own) {
      const others = { actions: [action], memberId: billingManager.id };
      await failure(ask(tenant, others, headers), 403, "session_authorization_error");
    }
    for (const action of ["update.settings.roles", "update.settings.is-breakglass", "create", "search", ""]) {
      const asked = { actions: [action], memberId: member.id };
      await failure(ask(tenant, asked, headers), 403, "session_authorization_error");
    }
    const organization = { resource: "stytch.organization" as const, actions: ["delete"] };
    await failure(ask(tenant, organization, headers), 403, "session_authorization_error");
    const nothing = { roles: [{ id: "stytch_member", description: "", permissions: [] }], resources: [], scopes: [] };
    await update("organizations", tenant.id, { rbac_policy: JSON.stringify(nothing) });
    const asked = { actions: ["update.info.name"], memberId: member.id };
    await failure(ask(tenant, asked, headers), 403, "session_authorization_error");
  });

  test("changes no trusted metadata, and not its own address, not even as an administrator", async () => {
    const tenant = await makeTenant();
    const { owner, member } = tenant.team;
    const headers = await headersOf(tenant, owner);
    await failure(ask(tenant, { actions: [FORBIDDEN] }, headers), 401, "cannot_update_trusted_metadata");
    const address = { actions: ["update.info.email"] };
    const own = { ...address, memberId: owner.id };
    await failure(ask(tenant, own, headers), 400, "member_cannot_update_their_email_address");
    await success(ask(tenant, { ...address, memberId: member.id }, headers));
  });
});
