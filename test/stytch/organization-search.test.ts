/** Searching among organizations (contract §2.11): filters, operators, pages, and what is wrong with a search. */

import { beforeAll, describe, expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { makeCustomer, makeMember, makeTenant, type Tenant } from "../support/fixtures.ts";
import { makeFaultyClient } from "../support/portal.ts";
import { call, failure, type Json, organizationId, success } from "./support.ts";

const PATH = "/v1/b2b/organizations";

interface Operand {
  filter_name?: unknown;
  filter_value?: unknown;
}

const search = (client: Client, tenant: Tenant, body: object) => call(client, tenant, "POST", `${PATH}/search`, body);

/** Names of the organizations that were found, in their order. */
async function names(client: Client, tenant: Tenant, body: object = {}): Promise<string[]> {
  const { organizations, results_metadata } = await success(search(client, tenant, body));
  expect(results_metadata).toEqual({ total: organizations.length, next_cursor: null });
  return organizations.map(({ organization_name }: Json) => organization_name);
}

const query = (operator: string, ...operands: Operand[]) => ({ query: { operator, operands } });
const where = (filter_name: string, filter_value: unknown): Operand => ({ filter_name, filter_value });

/** A project in which everything can be found by something. Its own team and individual are named "Team & Sons" and by address. */
let tenant: Tenant;
let client: Client;
const ids: Record<string, string> = {};
let SOLO: string;
const TEAM = "Team & Sons";

beforeAll(async () => {
  [tenant, client] = [await makeTenant(), makeClient()];
  SOLO = tenant.individual.email;
  const made: [name: string, body: object][] = [
    ["Acme", { organization_slug: "acme", email_allowed_domains: ["acme.com", "acme.dev"] }],
    ["Émile Écru", { organization_slug: "Ecru-Paris", claimed_email_domains: ["ecru.fr"] }],
    ["50% _off", { organization_slug: "off.50", email_allowed_domains: ["off.acme.com"] }],
  ];
  for (const [organization_name, body] of made) {
    client.clock.advance(1000);
    const request = call(client, tenant, "POST", PATH, { organization_name, ...body });
    ids[organization_name] = (await success(request)).organization.organization_id;
  }
  const uuid = (name: string) => (ids[name] as string).slice("organization-live-".length);
  await makeMember(tenant.id, uuid("Acme"), "member", "acme", "Wile.E@Coyote.example");
  await makeMember(tenant.id, uuid("Émile Écru"), "member", "ecru", "Élodie@ecru.example");
  const gone = await makeMember(tenant.id, uuid("50% _off"), "member", "off", "gone@coyote.example");
  await client.call("DELETE", `/v1/members/${gone.id}`, tenant.apiKey);
});

const found = (operator: string, ...operands: Operand[]) => names(client, tenant, query(operator, ...operands));

describe("a search", () => {
  test("without a query, or with one that has no operands, finds all of the project, oldest first", async () => {
    const all = [TEAM, SOLO, "Acme", "Émile Écru", "50% _off"];
    const everything = await names(client, tenant);
    expect([...everything.slice(0, 2)].sort(), "made in the same millisecond").toEqual([TEAM, SOLO].sort());
    expect(everything.slice(2)).toEqual(all.slice(2));
    for (const body of [query("AND"), query("or"), { query: { operator: "OR", operands: null } }, { query: null }]) {
      expect(await names(client, tenant, body)).toEqual(everything);
    }
  });

  test("shows organizations as they are shown everywhere", async () => {
    const acme = await success(call(client, tenant, "GET", `${PATH}/acme`));
    const { organizations } = await success(
      search(client, tenant, query("AND", where("organization_slugs", ["acme"]))),
    );
    expect(organizations).toEqual([acme.organization]);
  });

  test("finds nothing of another project, by whatever name", async () => {
    const stranger = await makeTenant();
    for (const operand of [
      where("organization_ids", Object.values(ids)),
      where("organization_slugs", ["acme"]),
      where("organization_name_fuzzy", "acme"),
      where("member_emails", ["wile.e@coyote.example"]),
      where("member_email_fuzzy", "coyote"),
    ]) {
      expect(await names(client, stranger, query("AND", operand))).toEqual([]);
    }
  });

  test("finds nothing that was deleted", async () => {
    const other = await makeTenant();
    const { organization } = await success(call(client, other, "POST", PATH, { organization_name: "Gone" }));
    await success(call(client, other, "DELETE", `${PATH}/${organization.organization_id}`));
    expect(await names(client, other, query("AND", where("organization_ids", [organization.organization_id])))).toEqual(
      [],
    );
  });
});

describe("filters", () => {
  test("organization_ids: with or without what goes before them; what is no id finds nothing", async () => {
    const uuid = (ids["Acme"] as string).slice("organization-live-".length);
    expect(await found("AND", where("organization_ids", [ids["Acme"], ids["50% _off"]]))).toEqual(["Acme", "50% _off"]);
    expect(await found("AND", where("organization_ids", [uuid.toUpperCase(), "acme", crypto.randomUUID()]))).toEqual([
      "Acme",
    ]);
    expect(await found("AND", where("organization_ids", []))).toEqual([]);
  });

  test("organization_slugs: exactly, and as they are shown", async () => {
    expect(await found("AND", where("organization_slugs", ["acme", "Ecru-Paris"]))).toEqual(["Acme", "Émile Écru"]);
    expect(await found("AND", where("organization_slugs", ["ACME", "acm"]))).toEqual([]);
    expect(await found("AND", where("organization_slugs", [tenant.team.id]))).toEqual([TEAM]);
  });

  test("organization_name_fuzzy: part of the name as it is shown, without regard to case in any script", async () => {
    expect(await found("AND", where("organization_name_fuzzy", "ÉCR"))).toEqual(["Émile Écru"]);
    expect(await found("AND", where("organization_name_fuzzy", "émile é"))).toEqual(["Émile Écru"]);
    expect(await found("AND", where("organization_name_fuzzy", "ecru"))).toEqual([]);
    expect(await found("AND", where("organization_name_fuzzy", "SOLO@"))).toEqual([SOLO]);
    const { individual } = tenant;
    const other = await makeCustomer(tenant.id, { type: "team", billing_name: "Bills Ltd", email: "b@example.com" });
    const nameless = await makeCustomer(tenant.id, { type: "team" });
    expect(await found("AND", where("organization_name_fuzzy", "bills"))).toEqual(["Bills Ltd"]);
    expect(await found("AND", where("organization_name_fuzzy", nameless.slice(4, 30)))).toEqual([nameless]);
    expect(await found("AND", where("organization_name_fuzzy", individual.id.slice(0, 13)))).toEqual([]);
    for (const id of [other, nameless]) await success(call(client, tenant, "DELETE", `${PATH}/${id}`));
  });

  test("fuzzy filters take every character for itself", async () => {
    expect(await found("AND", where("organization_name_fuzzy", "50% _"))).toEqual(["50% _off"]);
    expect(await found("AND", where("organization_name_fuzzy", "50%%"))).toEqual([]);
    expect(await found("AND", where("organization_name_fuzzy", "A_me"))).toEqual([]);
    expect(await found("AND", where("organization_name_fuzzy", "x".repeat(500)))).toEqual([]);
    expect(await found("AND", where("organization_name_fuzzy", `'") OR 1=1 --`))).toEqual([]);
    expect(await found("AND", where("organization_name_fuzzy", "äöüßéèàùçñåøæœ".repeat(10)))).toEqual([]);
  });

  test("organization_slug_fuzzy", async () => {
    expect(await found("AND", where("organization_slug_fuzzy", "PARIS"))).toEqual(["Émile Écru"]);
    expect(await found("AND", where("organization_slug_fuzzy", "f.5"))).toEqual(["50% _off"]);
  });

  test("member_emails: whole addresses of members that there are, without regard to case", async () => {
    expect(await found("AND", where("member_emails", ["WILE.E@coyote.EXAMPLE", "nobody@x.example"]))).toEqual(["Acme"]);
    expect(await found("AND", where("member_emails", ["éLODIE@ecru.example"]))).toEqual(["Émile Écru"]);
    expect(await found("AND", where("member_emails", ["coyote.example", "gone@coyote.example"]))).toEqual([]);
    expect(await found("AND", where("member_emails", [tenant.team.owner.email]))).toEqual([TEAM]);
  });

  test("member_email_fuzzy: part of an address of a member that there is", async () => {
    expect(await found("AND", where("member_email_fuzzy", "@COYOTE"))).toEqual(["Acme"]);
    expect(await found("AND", where("member_email_fuzzy", "ÉLO"))).toEqual(["Émile Écru"]);
    expect(await found("AND", where("member_email_fuzzy", "gone@"))).toEqual([]);
  });

  test("allowed_domains, allowed_domain_fuzzy and claimed_email_domains", async () => {
    expect(await found("AND", where("allowed_domains", ["ACME.com"]))).toEqual(["Acme"]);
    expect(await found("AND", where("allowed_domains", ["acme.dev", "off.acme.com"]))).toEqual(["Acme", "50% _off"]);
    expect(await found("AND", where("allowed_domains", ["ecru.fr"]))).toEqual([]);
    expect(await found("AND", where("allowed_domain_fuzzy", "ACME.C"))).toEqual(["Acme", "50% _off"]);
    expect(await found("AND", where("allowed_domain_fuzzy", "off.a"))).toEqual(["50% _off"]);
    expect(await found("AND", where("claimed_email_domains", ["Ecru.FR", "other.fr"]))).toEqual(["Émile Écru"]);
    expect(await found("AND", where("claimed_email_domains", ["acme.com"]))).toEqual([]);
  });

  test("has_active_sso_connection and sso_connection_id: nobody has one", async () => {
    expect(await found("AND", where("has_active_sso_connection", true))).toEqual([]);
    expect(await found("AND", where("has_active_sso_connection", false))).toHaveLength(5);
    expect(await found("AND", where("sso_connection_id", "saml-connection-live-1"))).toEqual([]);
  });
});

describe("operators", () => {
  const acme = where("organization_name_fuzzy", "acme");
  const domain = where("allowed_domain_fuzzy", "acme");
  const none = where("sso_connection_id", "x");

  test.each([
    ["AND", [acme, domain], ["Acme"]],
    ["and", [acme, none], []],
    ["OR", [acme, domain], ["Acme", "50% _off"]],
    ["or", [acme, none], ["Acme"]],
    ["Or", [none, none], []],
  ] as const)("%s", async (operator, operands, expected) => {
    expect(await found(operator, ...operands)).toEqual(expected);
  });

  test("of another project's organizations let none of them through", async () => {
    const stranger = await makeTenant();
    const either = query("OR", acme, domain, where("organization_ids", Object.values(ids)));
    expect(await names(client, stranger, either)).toEqual([]);
  });

  test("take fifty operands of the most expensive sort", async () => {
    const dear = where("organization_name_fuzzy", "àáâãäåæçèéêëìíîïðñòóôõöøùúûüý");
    for (const operator of ["AND", "OR"]) expect(await found(operator, ...Array(50).fill(dear))).toEqual([]);
    const more = query("AND", ...Array(51).fill(dear));
    await failure(search(client, tenant, more), 400, "bad_request");
  });

  test("take a thousand values", async () => {
    const many = [...Array.from({ length: 1000 }, () => crypto.randomUUID()), ids["Acme"]];
    expect(await found("AND", where("organization_ids", many))).toEqual(["Acme"]);
  });
});

describe("pages", () => {
  /** Names page by page, as somebody walks who follows the cursors. */
  async function walk(body: object, between: () => Promise<unknown> = async () => {}): Promise<string[][]> {
    const pages: string[][] = [];
    let cursor: string | null = null;
    do {
      const { organizations, results_metadata }: Json = await success(search(client, tenant, { ...body, cursor }));
      pages.push(organizations.map(({ organization_name }: Json) => organization_name));
      cursor = results_metadata.next_cursor;
      if (cursor !== null) expect(cursor).toMatch(/^[\w-]+$/);
      await between();
    } while (cursor !== null && pages.length < 10);
    return pages;
  }

  test("hold as many as were asked for, and meet everybody once", async () => {
    const all = await names(client, tenant);
    expect(await walk({ limit: 2 })).toEqual([all.slice(0, 2), all.slice(2, 4), all.slice(4)]);
    expect(await walk({ limit: 5 })).toEqual([all]);
    expect(await walk({ limit: 1000 })).toEqual([all]);
    expect(await walk({ limit: 1 })).toEqual(all.map((name) => [name]));
    const { results_metadata } = await success(search(client, tenant, { limit: 2 }));
    expect(results_metadata.total, "of all pages").toBe(5);
  });

  test("go on with the same query where the cursor points", async () => {
    const domain = query("AND", where("allowed_domain_fuzzy", "acme"));
    expect(await walk({ ...domain, limit: 1 })).toEqual([["Acme"], ["50% _off"]]);
  });

  test("do not shift when somebody is added or leaves meanwhile", async () => {
    const all = await names(client, tenant);
    let added: string | null = null;
    const pages = await walk({ limit: 2 }, async () => {
      if (added !== null) return;
      added = await makeCustomer(tenant.id, { type: "team", name: "Before all", created_at: 1 });
    });
    expect(pages.flat()).toEqual(all);
    await success(call(client, tenant, "DELETE", `${PATH}/${added}`));
  });

  test("have a hundred rows unless asked otherwise", async () => {
    const crowded = await makeTenant();
    for (let i = 0; i < 101; i++) await makeCustomer(crowded.id, { type: "team" });
    const { organizations, results_metadata } = await success(search(client, crowded, {}));
    expect(organizations).toHaveLength(100);
    expect(results_metadata.total).toBe(103);
    const rest = await success(search(client, crowded, { cursor: results_metadata.next_cursor }));
    expect(rest.organizations).toHaveLength(3);
    const seen = [...organizations, ...rest.organizations].map(({ organization_id }: Json) => organization_id);
    expect(new Set(seen).size).toBe(103);
    expect(seen).toContain(organizationId(crowded.team.id));
  });
});

const wrong = (operand: Operand) => query("AND", operand);
const FUZZY = ["organization_name_fuzzy", "organization_slug_fuzzy", "member_email_fuzzy", "allowed_domain_fuzzy"];
const LISTS = ["organization_ids", "organization_slugs", "member_emails", "allowed_domains", "claimed_email_domains"];
const ALL = [...FUZZY, ...LISTS, "has_active_sso_connection", "sso_connection_id"];

const INVALID: [what: string, body: object, type: string][] = [
  ["a limit of 0", { limit: 0 }, "bad_request"],
  ["a limit of 1001", { limit: 1001 }, "bad_request"],
  ["a limit of 1.5", { limit: 1.5 }, "bad_request"],
  ["a limit that is text", { limit: "10" }, "bad_request"],
  ["a cursor of its own", { cursor: "abc" }, "bad_request"],
  ["a cursor that is a number", { cursor: 1 }, "bad_request"],
  ["a query without an operator", { query: { operands: [] } }, "bad_request"],
  ["an unknown operator", query("XOR"), "bad_request"],
  ["operands that are no list", { query: { operator: "AND", operands: {} } }, "bad_request"],
  ["an operand that is none", { query: { operator: "AND", operands: ["x"] } }, "bad_request"],
  ["no filter_name", wrong({ filter_value: [] }), "organization_search_missing_filter_name"],
  ["a filter_name that is a number", wrong({ filter_name: 1 }), "organization_search_filter_name_must_be_string"],
  ["an unknown filter", wrong(where("colour", "red")), "organization_search_filter_name_not_recognized"],
  ["a filter for members", wrong(where("statuses", [])), "organization_search_filter_name_not_recognized"],
  ["a name of Object's", wrong(where("toString", "x")), "organization_search_filter_name_not_recognized"],
  [
    "an id of a test environment",
    wrong(where("organization_ids", [`organization-test-${crypto.randomUUID()}`])),
    "test_id_used_in_live_environment",
  ],
  ["a flag that is text", wrong(where("has_active_sso_connection", "true")), "organization_search_expected_boolean"],
  ["a connection that is a list", wrong(where("sso_connection_id", ["x"])), "organization_search_expected_string"],
  ...ALL.map((name): [string, object, string] => [
    `no filter_value for ${name}`,
    wrong({ filter_name: name }),
    "organization_search_missing_filter_value",
  ]),
  ...FUZZY.map((name): [string, object, string] => [
    `two characters for ${name}`,
    wrong(where(name, "éé")),
    `organization_search_${name}_too_short`,
  ]),
  ...FUZZY.map((name): [string, object, string] => [
    `a list for ${name}`,
    wrong(where(name, ["abc"])),
    "organization_search_expected_string",
  ]),
  ...LISTS.flatMap((name): [string, object, string][] => [
    [`a text for ${name}`, wrong(where(name, "abc")), "organization_search_expected_array_of_strings"],
    [`a number among ${name}`, wrong(where(name, ["abc", 1])), "organization_search_expected_array_of_strings"],
  ]),
];

test.each(INVALID)("a search with %s is refused", async (_, body, type) => {
  await failure(search(client, tenant, body), 400, type);
});

test("while D1 is away, nothing is found to be missing", async () => {
  const { client: faulty, db } = makeFaultyClient();
  db.fail("batch", { times: 1 });
  await failure(search(faulty, tenant, {}), 503, "server_unavailable");
});

test.each([
  [{ limit: 0 }, "limit is too small: it must be 1 at least."],
  [{ limit: 1001 }, "limit is too large: it may be 1000 at most."],
  [{ cursor: "abc" }, "cursor is none that a search has given."],
  [query("XOR"), "query.operator must be AND or OR."],
])("a search by %j is told what is wrong", async (body, message) => {
  const asked = search(makeClient(), await makeTenant(), body);
  expect((await failure(asked, 400, "bad_request")).error_message).toBe(message);
});
