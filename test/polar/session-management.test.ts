/** What Latchkey has and Polar lacks: list, read, revoke, redeem, and the holder's own view. */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { type Client, makeClient, NAVIGATION } from "../support/client.ts";
import { makeTenant, type Tenant } from "../support/fixtures.ts";
import { createSession, fault, isLive, type Json, json } from "./support.ts";

const list = async (client: Client, tenant: Tenant, query = ""): Promise<Json> =>
  json(await client.call("GET", `/v1/member-sessions/${query}`, tenant.apiKey), 200);

const idsOf = (page: Json) => page.items.map((item: Json) => item.id);

async function manySessions(client: Client, tenant: Tenant, count: number): Promise<Json[]> {
  const sessions: Json[] = [];
  for (let i = 0; i < count; i++) {
    sessions.unshift(await createSession(client, tenant));
    client.clock.advance(1000);
  }
  return sessions;
}

describe("the list", () => {
  test("has live sessions only, newest first, with neither token nor link", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const [newest, revoked, oldest] = await manySessions(client, tenant, 3);
    await client.call("DELETE", `/v1/member-sessions/${revoked.id}`, tenant.apiKey);
    const page = await list(client, tenant);
    expect(idsOf(page)).toEqual([newest.id, oldest.id]);
    expect(page.pagination).toEqual({ total_count: 2, max_page: 1 });
    expect(page.items[0]).toMatchObject({
      type: "member",
      member_id: tenant.team.member.id,
      customer_id: tenant.team.id,
      member: { id: tenant.team.member.id },
      customer: { id: tenant.team.id, email: null },
      last_accessed_at: null,
    });
    expect(JSON.stringify(page)).not.toMatch(/lk_|token|portal_url/);
  });

  test("can be narrowed to a member, a customer, or their external ids", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { team, individual } = tenant;
    const ofMember = await createSession(client, tenant);
    client.clock.advance(1);
    const ofOwner = await createSession(client, tenant, { member_id: team.owner.id });
    client.clock.advance(1);
    const ofIndividual = await createSession(client, tenant, { member_id: individual.owner.id });
    const queries: [string, Json[]][] = [
      ["", [ofIndividual, ofOwner, ofMember]],
      [`?member_id=${team.member.id}`, [ofMember]],
      [`?customer_id=${team.id}`, [ofOwner, ofMember]],
      [`?external_customer_id=${individual.externalId}`, [ofIndividual]],
      [`?customer_id=${team.id}&external_member_id=${team.owner.externalId}`, [ofOwner]],
      [`?external_customer_id=${team.externalId}&external_member_id=${team.member.externalId}`, [ofMember]],
      [`?customer_id=${individual.id}&member_id=${team.member.id}`, []],
      [`?member_id=${crypto.randomUUID()}`, []],
    ];
    for (const [query, expected] of queries) {
      expect(idsOf(await list(client, tenant, query)), query).toEqual(expected.map((session) => session.id));
    }
  });

  test("asks for the customer where an external member id alone would be ambiguous", async () => {
    const tenant = await makeTenant();
    const response = await makeClient().call("GET", "/v1/member-sessions/?external_member_id=x", tenant.apiKey);
    await fault(response, "RequestValidationError");
  });

  test("comes in pages, and a page beyond the last is empty", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const sessions = await manySessions(client, tenant, 5);
    const second = await list(client, tenant, "?page=2&limit=2");
    expect(idsOf(second)).toEqual([sessions[2].id, sessions[3].id]);
    expect(second.pagination).toEqual({ total_count: 5, max_page: 3 });
    for (const page of ["4", "9007199254740993", "1".repeat(400)]) {
      expect(idsOf(await list(client, tenant, `?page=${page}&limit=2`)), page).toEqual([]);
    }
    expect(idsOf(await list(client, tenant, "?limit=1000000"))).toHaveLength(5);
    expect(idsOf(await list(client, tenant, "?limit=x&limit=2&page=9&page=1")), "the last one counts").toHaveLength(2);
  });

  test.each([
    ["page=0", "greater_than"],
    ["page=-1", "greater_than"],
    ["limit=0", "greater_than"],
    ["limit=x", "int_parsing"],
    ["limit=1.5", "int_parsing"],
    ["member_id=x", "uuid_parsing"],
  ])("refuses ?%s", async (query, type) => {
    const response = await makeClient().call("GET", `/v1/member-sessions/?${query}`, (await makeTenant()).apiKey);
    expect(await fault(response, "RequestValidationError")).toMatchObject({
      type,
      loc: ["query", query.split("=")[0]],
    });
  });

  test("never shows another organization's sessions", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const stranger = await makeTenant();
    await createSession(client, tenant);
    for (const query of ["", `?member_id=${tenant.team.member.id}`, `?customer_id=${tenant.team.id}`]) {
      expect((await list(client, stranger, query)).pagination.total_count, query).toBe(0);
    }
  });
});

describe("one session", () => {
  test("is read by id while it lives, by its own organization", async () => {
    const tenant = await makeTenant();
    const stranger = await makeTenant();
    const client = makeClient();
    const { id } = await createSession(client, tenant);
    expect((await json(await client.call("GET", `/v1/member-sessions/${id}`, tenant.apiKey), 200)).id).toBe(id);
    const notFound = { error: "ResourceNotFound", detail: "Not found" };
    for (const [path, key] of [
      [id, stranger.apiKey],
      [crypto.randomUUID(), tenant.apiKey],
    ] as const) {
      expect(await json(await client.call("GET", `/v1/member-sessions/${path}`, key), 404)).toEqual(notFound);
    }
    client.clock.advance(3_600_000);
    await json(await client.call("GET", `/v1/member-sessions/${id}`, tenant.apiKey), 404);
  });

  test("is ended by DELETE, at once for a strict check, as often as one likes", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { id, token } = await createSession(client, tenant);
    expect(await isLive(client, token)).toBe(true);
    for (let i = 0; i < 3; i++) {
      const response = await client.call("DELETE", `/v1/member-sessions/${id}`, tenant.apiKey);
      expect(response.status).toBe(204);
      expect(await response.text()).toBe("");
    }
    expect(await isLive(client, token)).toBe(false);
  });

  test("another organization's DELETE is a 404 and changes nothing", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { id, token } = await createSession(client, tenant);
    await json(await client.call("DELETE", `/v1/member-sessions/${id}`, (await makeTenant()).apiKey), 404);
    expect(await isLive(client, token)).toBe(true);
  });
});

describe("revoke", () => {
  const revoke = (client: Client, tenant: Tenant, body: unknown) =>
    client.call("POST", "/v1/member-sessions/revoke", tenant.apiKey, body);

  test("ends all of a member, of a customer, of the organization, and no more than that", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const { team, individual } = tenant;
    const tokens = {
      member: (await createSession(client, tenant)).token,
      owner: (await createSession(client, tenant, { member_id: team.owner.id })).token,
      individual: (await createSession(client, tenant, { member_id: individual.owner.id })).token,
      stranger: (await createSession(client, await makeTenant())).token,
    };
    const alive = async () =>
      (
        await Promise.all(
          Object.entries(tokens).map(async ([who, token]) => ((await isLive(client, token)) ? who : [])),
        )
      )
        .flat()
        .sort();
    expect(await alive()).toEqual(["individual", "member", "owner", "stranger"]);
    expect((await revoke(client, tenant, { member_id: team.member.id })).status).toBe(204);
    expect(await alive()).toEqual(["individual", "owner", "stranger"]);
    expect((await revoke(client, tenant, { customer_id: team.id })).status).toBe(204);
    expect(await alive()).toEqual(["individual", "stranger"]);
    expect((await revoke(client, tenant, { organization: true })).status).toBe(204);
    expect(await alive()).toEqual(["stranger"]);
  });

  test("may spare one session of a member: sign out everywhere else", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const [here, there] = await manySessions(client, tenant, 2);
    const body = { member_id: tenant.team.member.id, except: here.id };
    expect((await revoke(client, tenant, body)).status).toBe(204);
    expect(await isLive(client, here.token)).toBe(true);
    expect(await isLive(client, there.token)).toBe(false);
    expect((await revoke(client, tenant, body)).status, "again").toBe(204);
    expect(await isLive(client, here.token)).toBe(true);
  });

  test("ends nothing at all when the session to spare is not a live one of that member", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const mine = await createSession(client, tenant);
    const owners = await createSession(client, tenant, { member_id: tenant.team.owner.id });
    for (const except of [owners.id, crypto.randomUUID()]) {
      const response = await revoke(client, tenant, { member_id: tenant.team.member.id, except });
      const found = await fault(response, "PolarRequestValidationError");
      expect(found).toMatchObject({ loc: ["body", "except"], msg: "Session does not exist for this member." });
    }
    expect(await isLive(client, mine.token)).toBe(true);
    expect(await isLive(client, owners.token)).toBe(true);
  });

  test.each([
    {},
    { organization: false },
    { member_id: crypto.randomUUID(), organization: true },
    { member_id: crypto.randomUUID(), customer_id: crypto.randomUUID() },
    { customer_id: crypto.randomUUID(), except: crypto.randomUUID() },
    { organization: true, except: crypto.randomUUID() },
  ])("asks for exactly one target: %o", async (body) => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { token } = await createSession(client, tenant);
    await fault(await revoke(client, tenant, body), "RequestValidationError");
    expect(await isLive(client, token)).toBe(true);
  });

  test("another organization's member or customer does not exist, and keeps its sessions", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const stranger = await makeTenant();
    const { token } = await createSession(client, tenant);
    const byMember = await revoke(client, stranger, { member_id: tenant.team.member.id });
    expect(await fault(byMember, "PolarRequestValidationError")).toMatchObject({ loc: ["body", "member_id"] });
    const byCustomer = await revoke(client, stranger, { customer_id: tenant.team.id });
    expect(await fault(byCustomer, "PolarRequestValidationError")).toMatchObject({ loc: ["body", "customer_id"] });
    await revoke(client, stranger, { organization: true });
    expect(await isLive(client, token)).toBe(true);
  });
});

describe("the holder", () => {
  test("sees its own session and can end it, with nothing but its token", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const { id, token } = await createSession(client, tenant);
    const current = await json(await client.call("GET", "/v1/member-sessions/current", token), 200);
    expect(current).toMatchObject({ id, type: "member", member: { email: tenant.team.member.email } });
    expect((await client.call("DELETE", "/v1/member-sessions/current", token)).status).toBe(204);
    expect(await isLive(client, token)).toBe(false);
  });

  test("is not an API key", async () => {
    const tenant = await makeTenant();
    const response = await makeClient().call("GET", "/v1/member-sessions/current", tenant.apiKey);
    expect(await json(response, 401)).toEqual({ error: "Unauthorized", detail: "Unauthorized" });
  });
});

describe("redeem", () => {
  const codeIn = (url: string) => new URL(url).searchParams.get("code");
  const redeem = (client: Client, tenant: Tenant, code: unknown) =>
    client.call("POST", "/v1/member-sessions/redeem", tenant.apiKey, { code });

  test("trades the code of an organization with its own application for MemberSession JSON, once", async () => {
    const client = makeClient();
    const tenant = await makeTenant({ portal_url: "https://app.example.com/in" });
    const made = await createSession(client, tenant, { return_url: "https://app.example.com/x" });
    const code = codeIn(made.member_portal_url);
    const redeemed = await json(await redeem(client, tenant, code), 200);
    expect(redeemed).toEqual({ ...made, member_portal_url: "https://app.example.com/in" });
    expect(await isLive(client, redeemed.token)).toBe(true);
    expect(await fault(await redeem(client, tenant, code), "PolarRequestValidationError")).toMatchObject({
      loc: ["body", "code"],
      input: null,
    });
  });

  test("a code meant for the browser is refused here, and still works there", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    const made = await createSession(client, tenant);
    await fault(await redeem(client, tenant, codeIn(made.member_portal_url)), "PolarRequestValidationError");
    const landing = await client.fetch(made.member_portal_url, { headers: NAVIGATION });
    expect(landing.status).toBe(303);
  });

  test("a link made while the key's organization is remembered leads to the door that its code fits", async () => {
    const client = makeClient();
    const tenant = await makeTenant();
    await createSession(client, tenant);
    const portalUrl = "https://app.example.com/in";
    await env.DB.prepare("UPDATE organizations SET portal_url = ?2 WHERE id = ?1").bind(tenant.id, portalUrl).run();
    const remembered = await createSession(client, tenant);
    expect(remembered.member_portal_url).toContain(`https://portal.test/${tenant.slug}/portal?code=`);
    expect((await client.fetch(remembered.member_portal_url, { headers: NAVIGATION })).status).toBe(303);
    client.clock.advance(30_000);
    const fresh = await createSession(client, tenant);
    expect(fresh.member_portal_url).toContain(`${portalUrl}?code=`);
    await json(await redeem(client, tenant, codeIn(fresh.member_portal_url)), 200);
  });

  test("another organization's key cannot redeem it, and does not use it up", async () => {
    const client = makeClient();
    const tenant = await makeTenant({ portal_url: "https://app.example.com/in" });
    const code = codeIn((await createSession(client, tenant)).member_portal_url);
    await fault(await redeem(client, await makeTenant(), code), "PolarRequestValidationError");
    await json(await redeem(client, tenant, code), 200);
  });

  test("a code past its time, and what is no code at all, are refused alike", async () => {
    const client = makeClient();
    const tenant = await makeTenant({ portal_url: "https://app.example.com/in" });
    const made = await createSession(client, tenant);
    client.clock.advance(300_000);
    const bodies = await Promise.all(
      [codeIn(made.member_portal_url), made.token, "", "x", `lk_code_t${"A".repeat(56)}`].map(async (code) =>
        (await redeem(client, tenant, code)).text(),
      ),
    );
    expect(new Set(bodies).size).toBe(1);
  });
});
