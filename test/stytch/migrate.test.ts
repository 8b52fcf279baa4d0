/** Taking over sessions of an earlier identity provider by its UserInfo endpoint (contract §2.7). */

import { beforeEach, describe, expect, test } from "vitest";
import type { Fetch } from "../../src/outbound.ts";
import { type Client, makeClient } from "../support/client.ts";
import { makeCustomer, makeMember, makeTenant, type Tenant } from "../support/fixtures.ts";
import { makeFaultyClient, update } from "../support/portal.ts";
import { call, failure, memberId, organizationId, success } from "./support.ts";

const MIGRATE = "/v1/b2b/sessions/migrate";
const USERINFO = "https://id.example.com/userinfo";

let tenant: Tenant;
let client: Client;
let asked: { url: string; authorization: string | null }[];

/** A provider that answers this about whatever token. */
const answering =
  (response: () => Response | Promise<Response>): Fetch =>
  async (url, init) => {
    asked.push({ url, authorization: new Headers(init.headers).get("Authorization") });
    return response();
  };

const about = (claims: unknown) => answering(() => Response.json(claims));

beforeEach(async () => {
  asked = [];
  tenant = await makeTenant({ userinfo_url: USERINFO });
  client = makeClient({}, undefined, about({ sub: "x", email: tenant.team.member.email }));
});

const migrate = (body: Record<string, unknown> = {}, by = client) =>
  call(by, tenant, "POST", MIGRATE, { session_token: "external", organization_id: tenant.team.id, ...body });

describe("a session of an earlier provider", () => {
  test("becomes one of the member with that address, and says so", async () => {
    const answer = await success(migrate({ session_token: "abc.DEF-123_~+/=" }));
    expect(asked).toEqual([{ url: USERINFO, authorization: "Bearer abc.DEF-123_~+/=" }]);
    expect(answer).toMatchObject({
      member_id: memberId(tenant.team.member.id),
      organization_id: organizationId(tenant.team.id),
      member_authenticated: true,
      member_session: {
        authentication_factors: [{ type: "imported", delivery_method: "imported_auth0" }],
        expires_at: `${new Date(client.clock.now() + 3_600_000).toISOString().slice(0, 19)}Z`,
      },
      member: { email_address_verified: true },
    });
    const { session_token, session_jwt } = answer;
    for (const shown of [{ session_token }, { session_jwt }]) {
      await success(call(client, tenant, "POST", "/v1/b2b/sessions/authenticate", shown));
    }
  });

  test("gives a life and claims of the caller's choice", async () => {
    const wishes = { session_duration_minutes: 5, session_custom_claims: { a: 1 } };
    expect((await success(migrate(wishes))).member_session).toMatchObject({
      expires_at: `${new Date(client.clock.now() + 300_000).toISOString().slice(0, 19)}Z`,
      custom_claims: { a: 1 },
    });
    await failure(migrate({ session_duration_minutes: 4 }), 400, "invalid_session_duration_minutes");
    await failure(migrate({ session_duration_minutes: 100_000 }), 400, "invalid_session_duration");
    await failure(migrate({ session_custom_claims: { a: "x".repeat(4096) } }), 400, "custom_claims_too_large");
  });

  test("finds its member in whatever case, and makes one active who was only invited", async () => {
    await update("members", tenant.team.member.id, { status: "invited" });
    const by = makeClient(
      {},
      undefined,
      about({ email: tenant.team.member.email.toUpperCase(), email_verified: true }),
    );
    expect((await success(migrate({ organization_id: tenant.team.externalId }, by))).member).toMatchObject({
      member_id: memberId(tenant.team.member.id),
      status: "active",
    });
  });

  test("never makes a member, and is of no member of another organization", async () => {
    await failure(
      migrate({ organization_id: tenant.individual.id }),
      404,
      "migrate_from_external_email_does_not_exist",
    );
    const second = await makeCustomer(tenant.id, { type: "team" });
    const twin = await makeMember(tenant.id, second, "member", tenant.slug, tenant.team.member.email);
    expect((await success(migrate({ organization_id: second }))).member_id).toBe(memberId(twin.id));
    await update("members", tenant.team.member.id, { deleted_at: 1 });
    await failure(migrate(), 404, "migrate_from_external_email_does_not_exist");
  });
});

describe("is refused", () => {
  test("every session, where the project has no UserInfo URL", async () => {
    tenant = await makeTenant();
    await failure(migrate(), 400, "migrate_from_external_missing_userinfo");
    expect(asked).toEqual([]);
  });

  test.each([
    "http://id.example.com/userinfo",
    "https://10.0.0.1/",
    "https://localhost/",
    "https://u:p@id.example.com/",
  ])("a UserInfo URL that is not called: %s", async (userinfo_url) => {
    tenant = await makeTenant({ userinfo_url });
    await failure(migrate(), 400, "invalid_userinfo_url");
    expect(asked).toEqual([]);
  });

  test.each<[string, () => Response]>([
    ["a token that the provider does not know", () => Response.json({ error: "invalid_token" }, { status: 401 })],
    ["a provider that has failed", () => Response.json({ email: "x@example.com" }, { status: 500 })],
    ["a provider that leads elsewhere", () => Response.redirect("https://evil.example/", 302)],
    ["no JSON", () => new Response("<html>")],
    ["a signed answer", () => new Response("a.b.c", { headers: { "Content-Type": "application/jwt" } })],
    ["an answer that does not end", () => new Response(`{"email":"${"x".repeat(70_000)}"}`)],
    ["null", () => Response.json(null)],
    ["a list", () => Response.json(["email"])],
    ["no address", () => Response.json({ sub: "x" })],
    ["an address that is none", () => Response.json({ email: "x" })],
    ["an address that is no text", () => Response.json({ email: ["x@example.com"] })],
    ["an address that is not verified", () => Response.json({ email: "x@example.com", email_verified: false })],
    ["an address of which nobody knows", () => Response.json({ email: "x@example.com", email_verified: null })],
  ])("%s", async (_, response) => {
    const by = makeClient({}, undefined, answering(response));
    await failure(migrate({}, by), 400, "migrate_from_external_unexpected_response");
    // Why stands in the log, and nothing of the session that was shown.
    expect(by.logged).toMatchObject([{ level: "warn", event: "identity_refused" }]);
    expect(by.logged[0]?.fields["reason"]).toMatch(/^outside_answer_unusable: ./);
    expect(JSON.stringify(by.logged)).not.toContain("external");
  });

  test.each(["", "a b", "a\r\nX-Evil: 1", "é", "\u007f", "x".repeat(8193)])("the token %j", async (session_token) => {
    await failure(migrate({ session_token }), 400, "invalid_session_token");
    expect(asked).toEqual([]);
  });

  test("an organization that there is not, and another project's, before the provider is asked", async () => {
    const other = await makeTenant();
    await failure(migrate({ organization_id: "nowhere" }), 404, "organization_not_found");
    await failure(migrate({ organization_id: other.team.id }), 404, "organization_not_found");
    await failure(migrate({ organization_id: undefined }), 400, "bad_request");
    await failure(migrate({ session_token: 1 }), 400, "bad_request");
    expect(asked).toEqual([]);
  });
});

describe("it is an outage, and no verdict on the session,", () => {
  test("when the provider does not answer", async () => {
    const broken = makeClient({}, undefined, () => Promise.reject(new Error("Network connection lost.")));
    const response = await migrate({}, broken);
    expect(response.headers.get("Retry-After")).toBe("5");
    await failure(response, 503, "server_unavailable");
    expect(JSON.stringify(broken.logged)).not.toContain("external");
  });

  test("when D1 is away", async () => {
    const { client: faulty, db } = makeFaultyClient();
    db.fail("any");
    await failure(migrate({}, faulty), 503, "server_unavailable");
  });
});
