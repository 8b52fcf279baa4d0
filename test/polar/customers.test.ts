/** Making customers and reading one (contracts §1.5–§1.7, §2.9 rows 17 to 21). */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { type Client, makeClient } from "../support/client.ts";
import { makeCustomer, makeTenant, type Tenant } from "../support/fixtures.ts";
import { fault, type Json, json } from "./support.ts";

const post = (client: Client, tenant: Tenant, path: string, body: unknown) =>
  client.call("POST", path, tenant.apiKey, body);
const get = (client: Client, tenant: Tenant, path: string) => client.call("GET", path, tenant.apiKey);

const unique = (name: string) => `${name}-${crypto.randomUUID().slice(0, 8)}@example.com`;

describe("creating a customer", () => {
  test("keeps what was sent, normalised, and reads back the same", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const email = unique("Ann.Smith+x");
    const made = await json(
      await post(client, tenant, "/v1/customers/", {
        email: ` Ann Smith <${email.replace("example.com", "Example.COM")}> `,
        external_id: " ext-1 ",
        name: "  Ann Smith ",
        locale: "fr_fr",
        metadata: { plan: "pro", seats: 3, rate: 1.5, vip: true },
        billing_address: { line1: "1 Main St", line2: " ", country: "us", state: "NY", city: "New York" },
      }),
      201,
    );
    expect(made).toMatchObject({
      type: "individual",
      email,
      external_id: "ext-1",
      name: "Ann Smith",
      billing_name: "Ann Smith",
      locale: "fr-FR",
      metadata: { plan: "pro", seats: 3, rate: 1.5, vip: true },
      billing_address: {
        line1: "1 Main St",
        line2: null,
        postal_code: null,
        city: "New York",
        state: "US-NY",
        country: "US",
      },
      email_verified: false,
      tax_id: null,
      organization_id: tenant.id,
      deleted_at: null,
    });
    expect(await json(await get(client, tenant, `/v1/customers/${made.id}`), 200)).toEqual(made);
  });

  test("has every key, with null where nothing was said: an e-mail is enough", async () => {
    const tenant = await makeTenant();
    const email = unique("bare");
    const body = { email, nothing: "known", id: "x", created_at: "x", organization_id: null };
    const made = await json(await post(makeClient(), tenant, "/v1/customers/", body), 201);
    expect(made).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      created_at: "2026-11-20T12:00:00Z",
      modified_at: null,
      metadata: {},
      external_id: null,
      email,
      email_verified: false,
      type: "individual",
      name: null,
      billing_name: null,
      billing_address: null,
      tax_id: null,
      locale: null,
      organization_id: tenant.id,
      default_payment_method_id: null,
      deleted_at: null,
      first_user_event_at: null,
      avatar_url: expect.stringContaining("https://www.gravatar.com/avatar/"),
    });
  });

  test("takes blank for nothing in names, external ids and lines of an address", async () => {
    const tenant = await makeTenant();
    const billing_address = { country: "FR", line1: " ", line2: "", postal_code: "\t", city: " ", state: "" };
    const body = { email: unique("blank"), external_id: " ", name: "", billing_address };
    const nothing = { line1: null, line2: null, postal_code: null, city: null, state: null };
    expect(await json(await post(makeClient(), tenant, "/v1/customers/", body), 201)).toMatchObject({
      external_id: null,
      name: null,
      billing_address: { country: "FR", ...nothing },
    });
  });

  test.each([
    ["fr_fr", "fr-FR"],
    ["EN-us", "en-US"],
    ["zh-hant-tw", "zh-Hant-TW"],
  ])("writes the locale %s as %s", async (locale, canonical) => {
    const body = { email: unique("l"), locale };
    const made = await json(await post(makeClient(), await makeTenant(), "/v1/customers/", body), 201);
    expect(made.locale).toBe(canonical);
  });

  test("gives Polar's picture for an address, without regard to case", async () => {
    const tenant = await makeTenant();
    const { avatar_url } = await json(
      await post(makeClient(), tenant, "/v1/customers/", { email: "Customer@example.com" }),
      201,
    );
    const hash = "e233d4a29013e9d87150c6237c6777bedf379ebf1acdc5d6126fec7e8bb74fb5";
    expect(avatar_url).toBe(`https://www.gravatar.com/avatar/${hash}?d=404`);
  });

  test("makes the owner too: from the customer, or as the caller names it", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const owners = async (customerId: string) =>
      (
        await env.DB.prepare("SELECT email, name, external_id, role FROM members WHERE customer_id = ?1")
          .bind(customerId)
          .all()
      ).results;
    const email = unique("solo");
    const solo = await json(
      await post(client, tenant, "/v1/customers/", { email, name: "Solo", external_id: "s" }),
      201,
    );
    expect(await owners(solo.id)).toEqual([{ email, name: "Solo", external_id: "s", role: "owner" }]);
    const owner = { email: unique("boss"), name: "Boss", external_id: "b" };
    const team = await json(await post(client, tenant, "/v1/customers/", { type: "team", owner }), 201);
    expect(team).toMatchObject({ type: "team", email: null, avatar_url: expect.stringContaining("gravatar") });
    expect(await owners(team.id)).toEqual([{ ...owner, role: "owner" }]);
  });

  test("makes an individual's owner as the caller names it, and a team's from its own e-mail where nobody is named", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const ownerOf = async (body: Json) => {
      const { id } = await json(await post(client, tenant, "/v1/customers/", body), 201);
      const { items } = await json(await get(client, tenant, `/v1/customers/${id}/members`), 200);
      expect(items).toMatchObject([{ role: "owner", created_at: "2026-11-20T12:00:00Z" }]);
      return items[0];
    };
    const owner = { email: unique("named"), name: "Named", external_id: "named" };
    expect(await ownerOf({ email: unique("solo"), name: "Solo", external_id: "solo", owner })).toMatchObject(owner);
    const email = unique("office");
    const office = { email, name: "Office", external_id: "office" };
    expect(await ownerOf({ type: "team", ...office })).toMatchObject(office);
    const partly = { type: "team", email: unique("partly"), name: "Partly", owner: { name: "Only a name" } };
    expect(await ownerOf(partly)).toMatchObject({ email: partly.email, name: "Only a name" });
  });

  test.each(["member_model_enabled", "seat_based_pricing_enabled"])(
    "makes an owner where %s alone is off",
    async (flag) => {
      const tenant = await makeTenant({ [flag]: 0 });
      const made = await json(await post(makeClient(), tenant, "/v1/customers/", { email: unique("a") }), 201);
      const { items } = await json(await get(makeClient(), tenant, `/v1/customers/${made.id}/members`), 200);
      expect(items).toMatchObject([{ role: "owner" }]);
    },
  );

  test("makes no owner where the organization knows no members", async () => {
    const tenant = await makeTenant({ member_model_enabled: 0, seat_based_pricing_enabled: 0 });
    const made = await json(await post(makeClient(), tenant, "/v1/customers/", { email: unique("a") }), 201);
    const { results } = await env.DB.prepare("SELECT id FROM members WHERE customer_id = ?1").bind(made.id).all();
    expect(results).toEqual([]);
  });

  test("tells both clashes at once, case aside, and leaves nothing behind", async () => {
    const tenant = await makeTenant();
    const { email, externalId } = tenant.individual;
    const before = await env.DB.prepare("SELECT COUNT(*) AS n FROM customers").first("n");
    const body = { email: email.toUpperCase(), external_id: externalId };
    const { detail } = await json(await post(makeClient(), tenant, "/v1/customers/", body), 422);
    expect(detail.map(({ loc, msg }: Json) => [loc.join("."), msg])).toEqual([
      ["body.email", "A customer with this email address already exists."],
      ["body.external_id", "A customer with this external ID already exists."],
    ]);
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM customers").first("n")).toBe(before);
  });

  test("compares addresses without regard to case in every script", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    await json(await post(client, tenant, "/v1/customers/", { email: "ЖАН@example.com" }), 201);
    const again = await post(client, tenant, "/v1/customers/", { email: "жан@example.com" });
    expect((await fault(again, "PolarRequestValidationError")).loc).toEqual(["body", "email"]);
  });

  test("lets two organizations have the same address and external id", async () => {
    const client = makeClient();
    const body = { email: unique("same"), external_id: "same" };
    await json(await post(client, await makeTenant(), "/v1/customers/", body), 201);
    await json(await post(client, await makeTenant(), "/v1/customers/", body), 201);
  });

  test("50 at once with one external id make one customer", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const attempts = Array.from({ length: 50 }, (_, i) =>
      post(client, tenant, "/v1/customers/", { email: unique(`p${i}`), external_id: "one" }),
    );
    const statuses = (await Promise.all(attempts)).map((response) => response.status).sort();
    expect(statuses).toEqual([201, ...Array(49).fill(422)]);
  });

  test.each([
    [{ email: "foo" }, "body.individual.email", "value_error"],
    [{}, "body.individual.email", "missing"],
    [{ email: "a@b" }, "body.individual.email", "value_error"],
    [{ email: "a@b.local" }, "body.individual.email", "value_error"],
    [{ email: "a@[127.0.0.1]" }, "body.individual.email", "value_error"],
    [{ email: '"a b"@example.com' }, "body.individual.email", "value_error"],
    [{ email: "a\0@example.com" }, "body.individual.email", "value_error"],
    [{ email: "a@example.com", name: "x".repeat(257) }, "body.individual.name", "string_too_long"],
    [{ email: "a@example.com", name: "\udc00" }, "body.individual.name", "string_unicode"],
    [{ email: "a@example.com", external_id: "\0" }, "body.individual.external_id", "value_error"],
    [{ email: "a@example.com", metadata: [] }, "body.individual.metadata", "dict_type"],
    [{ email: "a@example.com", metadata: { "": 1 } }, "body.individual.metadata..[key]", "string_too_short"],
    [
      { email: "a@example.com", metadata: { ["k".repeat(41)]: 1 } },
      `body.individual.metadata.${"k".repeat(41)}.[key]`,
      "string_too_long",
    ],
    [
      { email: "a@example.com", metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, i])) },
      "body.individual.metadata",
      "too_long",
    ],
    [{ email: "a@example.com", billing_address: {} }, "body.individual.billing_address.country", "missing"],
    [{ email: "a@example.com", billing_address: { country: "KP" } }, "body.individual.billing_address.country", "enum"],
    [
      { email: "a@example.com", billing_address: { country: "US", state: "XX" } },
      "body.individual.billing_address",
      "value_error",
    ],
    [
      { email: "a@example.com", billing_address: { country: "CA", state: "NY" } },
      "body.individual.billing_address",
      "value_error",
    ],
    [{ email: "a@example.com", locale: "und" }, "body.individual.locale", "value_error"],
    [{ email: "a@example.com", locale: "x-private" }, "body.individual.locale", "value_error"],
    [{ email: "a@example.com", locale: "not a locale" }, "body.individual.locale", "value_error"],
    [{ type: "team" }, "body.team", "value_error"],
    [{ type: "firm", email: "a@example.com" }, "body", "union_tag_invalid"],
    [{ type: null, email: "a@example.com" }, "body", "union_tag_invalid"],
  ])("refuses %j at %s", async (body, loc, type) => {
    const found = await fault(
      await post(makeClient(), await makeTenant(), "/v1/customers/", body),
      "RequestValidationError",
    );
    expect([found.loc.join("."), found.type]).toEqual([loc, type]);
  });

  test("refuses organization_id, which the key alone decides", async () => {
    const body = { email: unique("a"), organization_id: crypto.randomUUID() };
    const response = await post(makeClient(), await makeTenant(), "/v1/customers/", body);
    expect(await fault(response, "PolarRequestValidationError")).toMatchObject({
      type: "organization_token",
      msg: "Setting organization_id is disallowed when using an organization token.",
    });
  });
});

describe("one customer", () => {
  const external = "/v1/customers/external";

  test("is read by its external id as by ours, slashes and all, encoded or not", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const ids = ["usr 1/2", "a/members", "a/state", "state", "export", "ünï", "50%", "?x=1#y"];
    for (const external_id of ids) {
      const made = await json(await post(client, tenant, "/v1/customers/", { email: unique("x"), external_id }), 201);
      const encoded = `${external}/${encodeURIComponent(external_id)}`;
      expect(await json(await get(client, tenant, encoded), 200), external_id).toEqual(made);
      const state = await json(await get(client, tenant, `${encoded}/state`), 200);
      expect(state.id, external_id).toBe(made.id);
    }
    expect((await json(await get(client, tenant, `${external}/usr%201/2`), 200)).external_id).toBe("usr 1/2");
    expect((await json(await get(client, tenant, `${external}/usr%201/2/state`), 200)).external_id).toBe("usr 1/2");
  });

  test("has no picture where nobody has an address", async () => {
    const tenant = await makeTenant();
    const id = await makeCustomer(tenant.id, { type: "team" });
    expect(await json(await get(makeClient(), tenant, `/v1/customers/${id}`), 200)).toMatchObject({
      email: null,
      avatar_url: null,
    });
  });

  test.each(["", "/state", "/payment-methods", "/members"])(
    "is found by its id in any case, with or without hyphens, and only version 4 is an id: …%s",
    async (suffix) => {
      const tenant = await makeTenant();
      const client = makeClient();
      const { id } = tenant.individual;
      const found = await json(await get(client, tenant, `/v1/customers/${id}${suffix}`), 200);
      for (const spelled of [id.toUpperCase(), id.replaceAll("-", "")]) {
        expect(await json(await get(client, tenant, `/v1/customers/${spelled}${suffix}`), 200)).toEqual(found);
      }
      for (const other of ["6ba7b810-9dad-11d1-80b4-00c04fd430c8", "00000000-0000-0000-0000-000000000000"]) {
        const refused = await fault(
          await get(client, tenant, `/v1/customers/${other}${suffix}`),
          "RequestValidationError",
        );
        expect(refused).toMatchObject({ type: "uuid_version", loc: ["path", "id"] });
      }
    },
  );

  test("has no external id with U+0000 in it, wherever its path goes on to", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    for (const rest of ["", "/state", "/payment-methods", "/members", "/members/x"]) {
      const refused = await fault(await get(client, tenant, `${external}/a%00${rest}`), "RequestValidationError");
      expect(refused, rest).toMatchObject({ type: "value_error", loc: ["path", "external_id"] });
    }
  });

  test("has a state: itself, and nothing sold to it here", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { id, externalId } = tenant.individual;
    const customer = await json(await get(client, tenant, `/v1/customers/${id}`), 200);
    for (const path of [`/v1/customers/${id}/state`, `${external}/${externalId}/state`]) {
      expect(await json(await get(client, tenant, path), 200)).toEqual({
        ...customer,
        active_subscriptions: [],
        granted_benefits: [],
        active_meters: [],
      });
    }
  });

  test("has no payment methods, page after page", async () => {
    const tenant = await makeTenant();
    const client = makeClient();
    const { id, externalId } = tenant.team;
    for (const path of [`/v1/customers/${id}/payment-methods`, `${external}/${externalId}/payment-methods`]) {
      for (const query of ["", "?page=3&limit=1"]) {
        const none = { items: [], pagination: { total_count: 0, max_page: 0 } };
        expect(await json(await get(client, tenant, path + query), 200)).toEqual(none);
      }
      const refused = await fault(await get(client, tenant, `${path}?limit=0`), "RequestValidationError");
      expect(refused.loc).toEqual(["query", "limit"]);
    }
  });

  test("is not found by whoever has no such customer", async () => {
    const [tenant, stranger] = [await makeTenant(), await makeTenant()];
    const client = makeClient();
    const { id, externalId } = stranger.team;
    for (const path of [`/v1/customers/${id}`, `/v1/customers/${crypto.randomUUID()}`, `${external}/${externalId}`]) {
      for (const suffix of ["", "/state", "/payment-methods"]) {
        const missing = await json(await get(client, tenant, path + suffix), 404);
        expect(missing).toEqual({ error: "ResourceNotFound", detail: "Not found" });
      }
    }
  });
});

test("a customer is read by its own organization only, and not once deleted", async () => {
  const client = makeClient();
  const tenant = await makeTenant();
  const path = `/v1/customers/${tenant.individual.id}`;
  await json(await get(client, tenant, path), 200);
  const notFound = { error: "ResourceNotFound", detail: "Not found" };
  expect(await json(await get(client, await makeTenant(), path), 404)).toEqual(notFound);
  await env.DB.prepare("UPDATE customers SET deleted_at = 1 WHERE id = ?1").bind(tenant.individual.id).run();
  expect(await json(await get(client, tenant, path), 404)).toEqual(notFound);
  const malformed = await fault(await get(client, tenant, "/v1/customers/abc"), "RequestValidationError");
  expect(malformed).toMatchObject({ loc: ["path", "id"], type: "uuid_parsing" });
});
