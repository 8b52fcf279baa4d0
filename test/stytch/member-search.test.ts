/**
 * Searching members (contract §2.11): over one or more organizations, by every filter, page by page.
 */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { makeClient } from "../support/client.ts";
import { makeApiKey, makeCustomer, makeMember, makeTenant, type Person, type Tenant } from "../support/fixtures.ts";
import { makeFaultyClient, update } from "../support/portal.ts";
import { call, failure, type Json, memberId, organizationId, success } from "./support.ts";

const client = makeClient();
const SEARCH = "/v1/b2b/organizations/members/search";

const ask = (tenant: Tenant, body: object) =>
  call(client, tenant, "POST", SEARCH, { organization_ids: [tenant.team.id], ...body });
const search = (tenant: Tenant, body: object = {}): Promise<Json> => success(ask(tenant, body));
const operand = (filter_name: unknown, filter_value: unknown) => ({ filter_name, filter_value });
const query = (operator: string, ...operands: object[]) => ({ query: { operator, operands } });
const idsOf = ({ members }: Json): string[] => members.map(({ member_id }: Json) => member_id.slice(-36));

/** Who is found by one filter. */
async function foundBy(tenant: Tenant, name: string, value: unknown): Promise<string[]> {
  return idsOf(await search(tenant, query("AND", operand(name, value)))).sort();
}
const sorted = (...people: Pick<Person, "id">[]) => people.map(({ id }) => id).sort();

describe("without a query", () => {
  test.each([
    {},
    { query: null, cursor: null, limit: null },
    { cursor: "" },
    query("AND"),
    query("or"),
    { query: { operator: "AND", operands: null } },
  ])("finds all members of the organization who are not deleted (%j)", async (body) => {
    const tenant = await makeTenant();
    const { owner, billingManager, member, id } = tenant.team;
    const deleted = await makeMember(tenant.id, id, "member", tenant.slug);
    await update("members", deleted.id, { deleted_at: 1 });
    const found = await search(tenant, body);
    expect(idsOf(found).sort()).toEqual(sorted(owner, billingManager, member));
    expect(found.results_metadata).toEqual({ total: 3, next_cursor: null });
  });

  test("shows members whole, and each of their organizations once, by its id", async () => {
    const tenant = await makeTenant();
    const { team, individual } = tenant;
    const empty = await makeCustomer(tenant.id, { type: "team" });
    const found = await search(tenant, { organization_ids: [team.externalId, organizationId(individual.id), empty] });
    expect(Object.keys(found)).toEqual(["members", "organizations", "results_metadata"]);
    expect(found.results_metadata.total).toBe(4);
    expect(Object.keys(found.organizations).sort()).toEqual([team.id, individual.id].map(organizationId).sort());
    const get = (path: string) => success(call(client, tenant, "GET", `/v1/b2b/organizations/${path}`));
    for (const member of found.members) {
      const single = await get(`${member.organization_id}/member?member_id=${member.member_id}`);
      expect(single).toEqual({
        member_id: member.member_id,
        member,
        organization: found.organizations[member.organization_id],
      });
    }
  });

  test("counts an organization that is named twice once, by whatever names", async () => {
    const tenant = await makeTenant();
    await update("customers", tenant.team.id, { slug: "acme" });
    const { id, externalId } = tenant.team;
    const found = await search(tenant, { organization_ids: [id, organizationId(id), externalId, "acme"] });
    expect(found.results_metadata.total).toBe(3);
  });
});

describe("organization_ids", () => {
  test.each([{ organization_ids: [] }, { organization_ids: null }, { organization_ids: undefined }])(
    "must be there (%j)",
    async (body) => {
      await failure(ask(await makeTenant(), body), 400, "member_search_organization_ids_empty");
    },
  );

  test("must all be the project's own", async () => {
    const [tenant, other] = [await makeTenant(), await makeTenant()];
    const names = [organizationId(other.team.id), other.team.externalId, "nobody", crypto.randomUUID()];
    for (const name of names) {
      await failure(ask(tenant, { organization_ids: [tenant.team.id, name] }), 404, "organization_not_found");
    }
    await failure(ask(tenant, { organization_ids: [""] }), 400, "invalid_organization_id");
    await failure(ask(tenant, { organization_ids: [1] }), 400, "bad_request");
    const test = `organization-test-${tenant.team.id}`;
    await failure(ask(tenant, { organization_ids: [test] }), 400, "test_id_used_in_live_environment");
  });

  test("may be hundreds", async () => {
    const tenant = await makeTenant();
    const ids = await Promise.all(Array.from({ length: 150 }, () => makeCustomer(tenant.id, { type: "team" })));
    const found = await search(tenant, { organization_ids: [...ids, tenant.team.id] });
    expect(found.results_metadata.total).toBe(3);
  });
});

describe("the filter", () => {
  test("member_ids finds by id, bare id and external id, in any mixture", async () => {
    const tenant = await makeTenant();
    const { owner, billingManager, member } = tenant.team;
    const stranger = tenant.individual.owner;
    const ids = [memberId(owner.id), billingManager.id, member.externalId, stranger.id, "nobody"];
    expect(await foundBy(tenant, "member_ids", ids)).toEqual(sorted(owner, billingManager, member));
    expect(await foundBy(tenant, "member_ids", [])).toEqual([]);
    const test = query("AND", operand("member_ids", [`member-test-${owner.id}`]));
    await failure(ask(tenant, test), 400, "test_id_used_in_live_environment");
  });

  test("member_emails finds whole addresses, without regard to case in any script", async () => {
    const tenant = await makeTenant();
    const { id } = tenant.team;
    const person = await makeMember(tenant.id, id, "member", tenant.slug, "Ünal@example.com");
    const emails = ["üNAL@EXAMPLE.com", tenant.team.owner.email.toUpperCase(), "nal@example.com"];
    expect(await foundBy(tenant, "member_emails", emails)).toEqual(sorted(person, tenant.team.owner));
  });

  test("member_email_fuzzy finds parts of addresses, and means every character as it is", async () => {
    const tenant = await makeTenant();
    const { id } = tenant.team;
    const people = await Promise.all(
      ["a_b%c@example.com", "axbyc@example.com", "Ünal@example.com"].map((email) =>
        makeMember(tenant.id, id, "member", tenant.slug, email),
      ),
    );
    const [odd, , unal] = people as [Person, Person, Person];
    expect(await foundBy(tenant, "member_email_fuzzy", "A_B%C")).toEqual(sorted(odd));
    expect(await foundBy(tenant, "member_email_fuzzy", "üNa")).toEqual(sorted(unal));
    expect(await foundBy(tenant, "member_email_fuzzy", "@EXAMPLE.COM")).toEqual(sorted(...people));
    expect(await foundBy(tenant, "member_email_fuzzy", `%${"x".repeat(200)}`)).toEqual([]);
  });

  test("member_is_breakglass finds who is, or who is not", async () => {
    const tenant = await makeTenant();
    const { owner, billingManager, member } = tenant.team;
    await update("members", owner.id, { sign_in_settings: '{"is_breakglass":true}' });
    await update("members", member.id, { sign_in_settings: '{"is_breakglass":false}' });
    expect(await foundBy(tenant, "member_is_breakglass", true)).toEqual(sorted(owner));
    expect(await foundBy(tenant, "member_is_breakglass", false)).toEqual(sorted(billingManager, member));
  });

  test("statuses finds each status, the deleted only where it asks for them", async () => {
    const tenant = await makeTenant();
    const { owner, billingManager, member, id } = tenant.team;
    await update("members", billingManager.id, { status: "pending" });
    await update("members", member.id, { status: "invited" });
    const deleted = await makeMember(tenant.id, id, "member", tenant.slug);
    await update("members", deleted.id, { deleted_at: 1 });
    expect(await foundBy(tenant, "statuses", ["active"])).toEqual(sorted(owner));
    expect(await foundBy(tenant, "statuses", ["pending", "invited"])).toEqual(sorted(billingManager, member));
    expect(await foundBy(tenant, "statuses", ["deleted"])).toEqual(sorted(deleted));
    const { members } = await search(tenant, query("AND", operand("statuses", ["deleted", "active"])));
    expect(members.map(({ status }: Json) => status).sort()).toEqual(["active", "deleted"]);
    const { email } = deleted;
    expect(await foundBy(tenant, "member_emails", [email])).toEqual([]);
    await failure(ask(tenant, query("AND", operand("statuses", ["gone"]))), 400, "search_invalid_status_filter");
  });

  test.each([
    ["member_phone_numbers", "member_phone_number_fuzzy"],
    ["member_mfa_phone_numbers", "member_mfa_phone_number_fuzzy"],
  ])("%s finds numbers, and %s parts of them", async (whole, part) => {
    const tenant = await makeTenant();
    const { owner, member } = tenant.team;
    await update("members", owner.id, { sign_in_settings: '{"mfa_phone_number":"+15005550006"}' });
    await update("members", member.id, { sign_in_settings: '{"mfa_phone_number":"+15005550007"}' });
    expect(await foundBy(tenant, whole, ["+15005550006", "+1"])).toEqual(sorted(owner));
    expect(await foundBy(tenant, part, "5550")).toEqual(sorted(owner, member));
    expect(await foundBy(tenant, part, "0007")).toEqual(sorted(member));
  });

  test.each([
    [operand("member_name", "x"), "member_search_filter_name_not_recognized"],
    [operand("toString", "x"), "member_search_filter_name_not_recognized"],
    [operand("__proto__", "x"), "member_search_filter_name_not_recognized"],
    [operand("organization_slugs", ["x"]), "member_search_filter_name_not_recognized"],
    [operand(undefined, "x"), "member_search_missing_filter_name"],
    [operand("", "x"), "member_search_missing_filter_name"],
    [operand(1, "x"), "member_search_filter_name_must_be_string"],
    [operand("member_ids", undefined), "member_search_missing_filter_value"],
    [operand("member_ids", null), "member_search_missing_filter_value"],
    [operand("member_ids", "x"), "member_search_expected_array_of_strings"],
    [operand("member_emails", [1]), "member_search_expected_array_of_strings"],
    [operand("member_email_fuzzy", ["abc"]), "member_search_expected_string"],
    [operand("member_email_fuzzy", "ab"), "member_search_member_email_fuzzy_too_short"],
    [operand("member_email_fuzzy", "🎉🎉"), "member_search_member_email_fuzzy_too_short"],
    [operand("member_phone_number_fuzzy", "55"), "member_search_member_mfa_phone_number_fuzzy_too_short"],
    [operand("member_is_breakglass", "true"), "member_search_expected_boolean"],
    ["x", "bad_request"],
  ])("%j is refused as %s", async (given, type) => {
    await failure(ask(await makeTenant(), query("AND", given as object)), 400, type);
  });
});

describe("the operator", () => {
  const operands = ({ team }: Tenant) => [
    operand("member_emails", [team.owner.email, team.member.email]),
    operand("member_ids", [team.member.id, team.billingManager.id]),
  ];

  test("AND wants all of the operands, OR any, in whatever case", async () => {
    const tenant = await makeTenant();
    const { owner, billingManager, member } = tenant.team;
    for (const operator of ["AND", "and", "And"]) {
      expect(idsOf(await search(tenant, query(operator, ...operands(tenant))))).toEqual([member.id]);
    }
    for (const operator of ["OR", "or"]) {
      const found = idsOf(await search(tenant, query(operator, ...operands(tenant))));
      expect(found.sort()).toEqual(sorted(owner, billingManager, member));
    }
  });

  test("OR widens neither to other organizations nor to who is deleted", async () => {
    const tenant = await makeTenant();
    const { team, individual } = tenant;
    const other = await makeTenant();
    await update("members", team.owner.id, { deleted_at: 1 });
    const everybody = [team.owner, team.member, individual.owner, other.team.member];
    const operands = everybody.map(({ id, email }) => [operand("member_ids", [id]), operand("member_emails", [email])]);
    expect(idsOf(await search(tenant, query("OR", ...operands.flat())))).toEqual([team.member.id]);
  });

  test.each(["", "XOR", "ANDOR"])("must be one of the two (%j)", async (operator) => {
    await failure(ask(await makeTenant(), query(operator)), 400, "bad_request");
  });

  test("must be there, where there is a query", async () => {
    await failure(ask(await makeTenant(), { query: { operands: [] } }), 400, "bad_request");
  });

  test("joins 50 operands, and no more", async () => {
    const tenant = await makeTenant();
    const { member } = tenant.team;
    const many = (count: number) => Array.from({ length: count }, () => operand("member_ids", [member.id, "x"]));
    for (const operator of ["AND", "OR"]) {
      expect(idsOf(await search(tenant, query(operator, ...many(50))))).toEqual([member.id]);
    }
    await failure(ask(tenant, query("AND", ...many(51))), 400, "bad_request");
  });
});

describe("pages", () => {
  /** A team of so many members, some made in the same millisecond, in two organizations. */
  async function makeCrowd(count: number) {
    const tenant = await makeTenant();
    const second = await makeCustomer(tenant.id, { type: "team" });
    const ids: { id: string; at: number }[] = [];
    for (let i = 0; i < count; i++) {
      const { id } = await makeMember(tenant.id, i % 2 === 0 ? tenant.team.id : second, "member", tenant.slug);
      const at = Math.floor(i / 3);
      await update("members", id, { created_at: at });
      ids.push({ id, at });
    }
    for (const { id } of Object.values(tenant.team).filter((person) => typeof person === "object")) {
      await env.DB.prepare("DELETE FROM members WHERE id = ?1").bind(id).run();
    }
    const inOrder = ids.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1)).map(({ id }) => id);
    return { tenant, inOrder, organization_ids: [tenant.team.id, second] };
  }

  test("come oldest first, each member once, and end with no cursor", async () => {
    const { tenant, inOrder, organization_ids } = await makeCrowd(10);
    for (const limit of [1, 3, 5, 10, 11]) {
      const seen: string[] = [];
      let cursor: string | null = "";
      let pages = 0;
      while (cursor !== null) {
        const found: Json = await search(tenant, { organization_ids, limit, cursor });
        seen.push(...idsOf(found));
        expect(found.results_metadata.total).toBe(10);
        cursor = found.results_metadata.next_cursor;
        pages++;
      }
      expect([limit, pages, seen]).toEqual([limit, Math.ceil(10 / limit), inOrder]);
    }
  });

  test("miss and repeat nobody who was there, whoever is added and deleted between them", async () => {
    const { tenant, inOrder, organization_ids } = await makeCrowd(6);
    const first = await search(tenant, { organization_ids, limit: 3 });
    await update("members", inOrder[2] as string, { deleted_at: 1 });
    const added = await makeMember(tenant.id, tenant.team.id, "member", tenant.slug);
    await update("members", added.id, { created_at: -1 });
    const { next_cursor: cursor } = first.results_metadata;
    expect(idsOf(await search(tenant, { organization_ids, limit: 3, cursor }))).toEqual(inOrder.slice(3));
  });

  test("keep the filter that they are asked with", async () => {
    const { tenant, inOrder, organization_ids } = await makeCrowd(6);
    const ids = [1, 3, 5].map((i) => inOrder[i] as string);
    const body = {
      organization_ids,
      limit: 2,
      ...query("OR", operand("member_ids", ids), operand("member_ids", ["x"])),
    };
    const first = await search(tenant, body);
    expect(first.results_metadata.total).toBe(3);
    const cursor = first.results_metadata.next_cursor;
    expect([idsOf(first), idsOf(await search(tenant, { ...body, cursor }))]).toEqual([ids.slice(0, 2), ids.slice(2)]);
  });

  test("hold 100 members where nothing else is said, and 1,000 at most", async () => {
    const tenant = await makeTenant();
    const insert = `INSERT INTO members (id, organization_id, customer_id, email, email_key, role, created_at)
      SELECT lower(hex(randomblob(16))), ?1, ?2, key || '@x', key || '@x', 'member', key
      FROM json_each(?3)`;
    await env.DB.prepare(insert)
      .bind(tenant.id, tenant.team.id, JSON.stringify(Array(1000).fill(0)))
      .run();
    expect((await search(tenant)).members).toHaveLength(100);
    const { members, results_metadata } = await search(tenant, { limit: 1000 });
    expect([members.length, results_metadata]).toEqual([1000, { total: 1003, next_cursor: expect.any(String) }]);
    for (const limit of [0, -1, 1001, 1.5, "10"]) await failure(ask(tenant, { limit }), 400, "bad_request");
  });

  test("are refused for a cursor that no search has given", async () => {
    const tenant = await makeTenant();
    for (const cursor of ["x", "WzEsIngiXQ", 1, "W10="]) await failure(ask(tenant, { cursor }), 400, "bad_request");
  });
});

test("members are searched with the scopes that read them", async () => {
  const tenant = await makeTenant();
  const withScopes = async (...scopes: string[]) => ({ ...tenant, apiKey: await makeApiKey(tenant.id, scopes) });
  await search(await withScopes("members:read"));
  await search(await withScopes("members:write"));
  await failure(ask(await withScopes("customers:read"), {}), 403, "unauthorized_action");
});

test("an outage of D1 is no empty page", async () => {
  const tenant = await makeTenant();
  const { client: faulty, db } = makeFaultyClient();
  db.fail(/COUNT\(\*\)/, { times: 1 });
  await failure(
    call(faulty, tenant, "POST", SEARCH, { organization_ids: [tenant.team.id] }),
    503,
    "server_unavailable",
  );
});
