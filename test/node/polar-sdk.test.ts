/**
 * Polar's own SDKs, unmodified, over HTTP: 0.45 is the last line with member sessions, 0.49 the last strict one, 1.0
 * the current one with its three API versions. Assertions are on what the SDK parsed.
 */

import { createHash, randomUUID } from "node:crypto";
import { Polar as Polar045 } from "polar-sdk-0.45";
import { HTTPValidationError as HTTPValidationError045 } from "polar-sdk-0.45/models/errors/httpvalidationerror.js";
import { SDKError as SDKError045 } from "polar-sdk-0.45/models/errors/sdkerror.js";
import { Polar as Polar049 } from "polar-sdk-0.49";
import { HTTPValidationError as HTTPValidationError049 } from "polar-sdk-0.49/models/errors/httpvalidationerror.js";
import { ResourceNotFound as ResourceNotFound049 } from "polar-sdk-0.49/models/errors/resourcenotfound.js";
import { SDKError as SDKError049 } from "polar-sdk-0.49/models/errors/sdkerror.js";
import { PolarClientError } from "polar-sdk-1.0";
import * as v2026_04 from "polar-sdk-1.0/2026-04";
import * as v2026_10 from "polar-sdk-1.0/2026-10";
import * as v2027_01 from "polar-sdk-1.0/2027-01";
import { beforeAll, describe, expect, test } from "vitest";
import { addMember, admin, api, demo, isLive, makeOrganization, makeTeam, signIn, unique } from "./support/demo.ts";

const HOUR_MS = 3_600_000;
const MEMBER_TOKEN = /^lk_mst_[\w-]{57}$/;
const INVALID_TOKEN = { error: "invalid_token", error_description: expect.stringContaining("expired, revoked") };
const UNAUTHORIZED = { error: "Unauthorized", detail: "Unauthorized" };
const ISO_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$/;
/** Well formed, and signed by nobody. */
const FORGED = `lk_mst_t${"A".repeat(56)}`;

const demoTeam = demo.customers.find(({ type }) => type === "team") as (typeof demo.customers)[number];
const demoIndividual = demo.customers.find(({ type }) => type === "individual") as (typeof demo.customers)[number];

const INSUFFICIENT_SCOPE = { error: "insufficient_scope", error_description: expect.stringContaining("privileges") };

/** May read customers and nothing else. */
let narrowKey: string;
beforeAll(async () => {
  const organization = ["--organization", demo.organization.slug];
  narrowKey = await admin("create-api-key", ...organization, "--name", "narrow", "--scopes", "customers:read");
});

/** What was thrown, for assertions on its class and its fields. */
async function thrownBy(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (value) => expect.fail(`expected an error, got ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
}

function portalCodeLink(): RegExp {
  return new RegExp(`^${demo.base_url}/${demo.organization.slug}/portal\\?code=lk_code_[\\w-]{57}$`);
}

function gravatar(email: string): string {
  return `https://www.gravatar.com/avatar/${createHash("sha256").update(email.toLowerCase()).digest("hex")}?d=404`;
}

function expectNow(date: Date): void {
  expect(Math.abs(date.getTime() - Date.now())).toBeLessThan(30_000);
}

/** The token of a session that has been ended. */
async function deadToken(memberId: string): Promise<string> {
  const { token } = await signIn(memberId);
  await api("DELETE", "/v1/member-sessions/current", undefined, token);
  return token;
}

describe("SDK 0.45", () => {
  const polar = new Polar045({ accessToken: demo.api_key, serverURL: demo.base_url });

  test.each(demoTeam.members)("memberSessions.create signs in a team's $role", async (person) => {
    const session = await polar.memberSessions.create({
      memberId: person.id,
      returnUrl: "https://example.com/account?from=portal",
    });
    expect(session).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      modifiedAt: null,
      token: expect.stringMatching(MEMBER_TOKEN),
      returnUrl: "https://example.com/account?from=portal",
      memberPortalUrl: expect.stringMatching(portalCodeLink()),
      memberId: person.id,
      member: {
        id: person.id,
        customerId: demoTeam.id,
        email: person.email,
        externalId: person.external_id,
        role: person.role,
        createdAt: expect.any(Date),
      },
      customerId: demoTeam.id,
      customer: { id: demoTeam.id, type: "team", organizationId: demo.organization.id, deletedAt: null },
    });
    expectNow(session.createdAt);
    expect(session.expiresAt.getTime() - session.createdAt.getTime()).toBe(HOUR_MS);
  });

  test("memberSessions.create without a return URL has null there", async () => {
    const session = await polar.memberSessions.create({ memberId: demoTeam.members[0]?.id as string });
    expect(session.returnUrl).toBeNull();
  });

  test("memberSessions.create shows the owner's address for a team that has none: this SDK refuses null", async () => {
    const team = await makeTeam();
    const member = await addMember(team.id, null);
    const { customer, member: shown } = await polar.memberSessions.create({ memberId: member.id });
    expect(customer).toMatchObject({ email: team.owner.email, avatarUrl: gravatar(team.owner.email) });
    expect(shown).toMatchObject({ email: member.email, name: null, role: "member", modifiedAt: null });
  });

  test("memberSessions.create normalises the return URL", async () => {
    const session = await polar.memberSessions.create({
      memberId: demoTeam.members[0]?.id as string,
      returnUrl: "HTTPS://EXAMPLE.com:443/a/../b#f",
    });
    expect(session.returnUrl).toBe("https://example.com/b#f");
  });

  test("customerSessions.create signs in an individual, by id and by external id", async () => {
    for (const request of [{ customerId: demoIndividual.id }, { externalCustomerId: demoIndividual.external_id }]) {
      const session = await polar.customerSessions.create(request);
      expect(session).toMatchObject({
        token: expect.stringMatching(MEMBER_TOKEN),
        customerPortalUrl: expect.stringMatching(portalCodeLink()),
        returnUrl: null,
        customerId: demoIndividual.id,
        customer: { id: demoIndividual.id, externalId: demoIndividual.external_id, email: demoIndividual.email },
      });
      expectNow(session.createdAt);
    }
  });

  test("customerSession.introspect and getAuthenticatedUser know the holder of the token", async () => {
    const owner = demoTeam.members.find(({ role }) => role === "owner");
    const created = await polar.memberSessions.create({
      memberId: owner?.id as string,
      returnUrl: "https://example.com",
    });
    const seen = await polar.customerPortal.customerSession.introspect({ memberSession: created.token });
    expect(seen).toEqual({ expiresAt: created.expiresAt, returnUrl: "https://example.com/" });
    const user = await polar.customerPortal.customerSession.getAuthenticatedUser({ customerSession: created.token });
    expect(user).toEqual({
      type: "member",
      name: created.member.name,
      email: owner?.email,
      customerId: demoTeam.id,
      memberId: owner?.id,
      role: "owner",
    });
  });

  test("an unknown member, a malformed id and a team without a member are HTTPValidationError", async () => {
    const nobody = randomUUID();
    const unknown = await thrownBy(polar.memberSessions.create({ memberId: nobody }));
    expect(unknown).toBeInstanceOf(HTTPValidationError045);
    expect(unknown).toMatchObject({
      statusCode: 422,
      detail: [{ type: "value_error", loc: ["body", "member_id"], msg: "Member does not exist.", input: nobody }],
    });

    const malformed = await thrownBy(polar.memberSessions.create({ memberId: "me", returnUrl: "javascript:alert(1)" }));
    expect(malformed).toBeInstanceOf(HTTPValidationError045);
    expect(malformed).toMatchObject({
      detail: [
        { type: "uuid_parsing", loc: ["body", "member_id"], input: "me" },
        { type: "url_scheme", loc: ["body", "return_url"] },
      ],
    });

    const noMember = await thrownBy(polar.customerSessions.create({ customerId: demoTeam.id }));
    expect(noMember).toBeInstanceOf(HTTPValidationError045);
    expect(noMember).toMatchObject({
      detail: [{ loc: ["body", "member_id"], msg: "member_id is required for team customers.", input: null }],
    });
  });

  test("a key without the scope is SDKError 403 with Polar's body", async () => {
    const narrow = new Polar045({ accessToken: narrowKey, serverURL: demo.base_url });
    for (const call of [
      () => narrow.memberSessions.create({ memberId: demoTeam.members[0]?.id as string }),
      () => narrow.customerSessions.create({ customerId: demoIndividual.id }),
    ]) {
      const error = (await thrownBy(call())) as SDKError045;
      expect(error).toBeInstanceOf(SDKError045);
      expect(error.statusCode).toBe(403);
      expect(JSON.parse(error.body)).toEqual(INSUFFICIENT_SCOPE);
    }
  });

  test("no, unknown, wrong-kind and dead credentials are SDKError 401 with Polar's bodies", async () => {
    const memberId = demoTeam.members[0]?.id as string;
    const { token } = await signIn(memberId);
    const dead = await deadToken(memberId);
    const as = (accessToken: string) => new Polar045({ accessToken, serverURL: demo.base_url });
    const { customerSession } = polar.customerPortal;
    const cases: [() => Promise<unknown>, object][] = [
      [() => as("polar_oat_unknown").memberSessions.create({ memberId }), INVALID_TOKEN],
      [() => as(token).memberSessions.create({ memberId }), UNAUTHORIZED],
      [() => customerSession.introspect({ memberSession: demo.api_key }), UNAUTHORIZED],
      [() => customerSession.introspect({}), UNAUTHORIZED],
      [() => customerSession.introspect({ memberSession: FORGED }), INVALID_TOKEN],
      [() => customerSession.introspect({ memberSession: dead }), INVALID_TOKEN],
    ];
    for (const [call, body] of cases) {
      const error = (await thrownBy(call())) as SDKError045;
      expect(error).toBeInstanceOf(SDKError045);
      expect(error.statusCode).toBe(401);
      expect(JSON.parse(error.body)).toEqual(body);
    }
  });
});

describe("SDKs 0.45 and 0.49 with an organization that has no member model", () => {
  let slug: string;
  let apiKey: string;
  beforeAll(async () => {
    ({ slug, apiKey } = await makeOrganization("plain", "--member-model", "off", "--portal-link", "token"));
  });

  test("customerSessions.create makes a customer session, with a link in Polar's own form", async () => {
    const polar = new Polar049({ accessToken: apiKey, serverURL: demo.base_url });
    const { externalId, email } = unique("solo+1");
    const customer = await polar.customers.create({ email, externalId, name: "Solo" });
    const session = await polar.customerSessions.create({ customerId: customer.id, memberId: randomUUID() });
    expect(session.token).toMatch(/^lk_cst_[\w-]{57}$/);
    const query = new URLSearchParams({ customer_session_token: session.token, email });
    expect(session.customerPortalUrl).toBe(`${demo.base_url}/${slug}/portal?${query}`);
    const { customerSession } = polar.customerPortal;
    expect(await customerSession.introspect({ customerSession: session.token })).toEqual({
      expiresAt: session.expiresAt,
      returnUrl: null,
    });
    expect(await customerSession.getAuthenticatedUser({ customerSession: session.token })).toEqual({
      type: "customer",
      name: "Solo",
      email,
      customerId: customer.id,
      memberId: null,
      role: null,
    });
  });

  test("memberSessions.create is 403 and says which flag is missing", async () => {
    const polar = new Polar045({ accessToken: apiKey, serverURL: demo.base_url });
    const team = await makeTeam({ apiKey });
    const member = await addMember(team.id, null, apiKey);
    const error = (await thrownBy(polar.memberSessions.create({ memberId: member.id }))) as SDKError045;
    expect(error).toBeInstanceOf(SDKError045);
    expect(error.statusCode).toBe(403);
    expect(JSON.parse(error.body)).toEqual({
      error: "NotPermitted",
      detail:
        "Member sessions require member_model_enabled to be enabled for the organization. Use customer sessions instead.",
    });
  });

  test("what one organization made does not exist for another's key", async () => {
    const polar = new Polar049({ accessToken: apiKey, serverURL: demo.base_url });
    expect(await thrownBy(polar.customers.get({ id: demoTeam.id }))).toBeInstanceOf(ResourceNotFound049);
    const externalCustomerId = demoTeam.external_id;
    const error = await thrownBy(polar.customerSessions.create({ externalCustomerId }));
    expect(error).toBeInstanceOf(HTTPValidationError049);
  });
});

describe("SDK 0.49", () => {
  const polar = new Polar049({ accessToken: demo.api_key, serverURL: demo.base_url });

  test("customers.create and get an individual with metadata and billing address", async () => {
    const { externalId, email } = unique("solo");
    const created = await polar.customers.create({
      email,
      externalId,
      name: "Sofía Núñez",
      locale: "fr-FR",
      billingAddress: { line1: "1 Main St", city: "Springfield", postalCode: "62701", state: "IL", country: "US" },
      metadata: { plan: "pro", seats: 3, ratio: 0.5, trial: true },
    });
    expect(created).toMatchObject({
      type: "individual",
      externalId,
      email,
      emailVerified: false,
      name: "Sofía Núñez",
      billingName: "Sofía Núñez",
      billingAddress: { line1: "1 Main St", line2: null, city: "Springfield", state: "US-IL", country: "US" },
      taxId: null,
      locale: "fr-FR",
      metadata: { plan: "pro", seats: 3, ratio: 0.5, trial: true },
      organizationId: demo.organization.id,
      modifiedAt: null,
      deletedAt: null,
      defaultPaymentMethodId: null,
      avatarUrl: gravatar(email),
    });
    expectNow(created.createdAt);
    expect(await polar.customers.get({ id: created.id })).toEqual(created);
  });

  test("customers.create and get a team without an address, and its owner can sign in", async () => {
    const team = unique("team");
    const owner = unique("owner");
    const created = await polar.customers.create({
      type: "team",
      externalId: team.externalId,
      name: "Team & Sons",
      owner: { email: owner.email, name: "Olga", externalId: owner.externalId },
    });
    expect(created).toMatchObject({
      type: "team",
      email: null,
      avatarUrl: gravatar(owner.email),
      metadata: {},
      billingAddress: null,
      locale: null,
    });
    expect(await polar.customers.get({ id: created.id })).toEqual(created);
    const found = await polar.customers.members.getExternal({
      externalId: team.externalId,
      memberExternalId: owner.externalId,
    });
    expect(found).toMatchObject({ role: "owner", name: "Olga", email: owner.email, createdAt: created.createdAt });
    const session = await polar.customerSessions.create({ customerId: created.id, memberId: found.id });
    const user = await polar.customerPortal.customerSession.getAuthenticatedUser({ memberSession: session.token });
    expect(user).toMatchObject({ type: "member", memberId: found.id, customerId: created.id, role: "owner" });
  });

  test("customers.members.create and get, by our ids and by the organization's", async () => {
    const team = await makeTeam();
    const manager = unique("manager");
    const created = await polar.customers.members.create({
      id: team.id,
      memberCreateFromCustomer: {
        email: manager.email,
        name: "Manfred",
        externalId: manager.externalId,
        role: "billing_manager",
      },
    });
    expect(created).toMatchObject({
      customerId: team.id,
      email: manager.email,
      name: "Manfred",
      externalId: manager.externalId,
      role: "billing_manager",
      modifiedAt: null,
    });
    expectNow(created.createdAt);
    expect(await polar.customers.members.get({ id: team.id, memberId: created.id })).toEqual(created);

    const plain = await polar.customers.members.createExternal({
      externalId: team.externalId,
      memberCreateFromCustomer: { email: unique("plain").email },
    });
    expect(plain).toMatchObject({ customerId: team.id, name: null, externalId: null, role: "member" });
  });

  test("an address that is a member already is that member, unchanged", async () => {
    const team = await makeTeam();
    const member = await addMember(team.id, "First");
    const again = await polar.customers.members.create({
      id: team.id,
      memberCreateFromCustomer: { email: member.email.toUpperCase(), name: "Second", role: "billing_manager" },
    });
    expect(again).toMatchObject({ id: member.id, name: "First", role: "member" });
  });

  test("external ids with blanks, slashes and percent signs are found", async () => {
    const mark = randomUUID();
    const [externalId, memberExternalId] = [`org 1/2%2F é ${mark}`, `usr 3/4% ${mark}`];
    const team = await polar.customers.create({ type: "team", externalId, owner: { email: unique("o").email } });
    const created = await polar.customers.members.createExternal({
      externalId,
      memberCreateFromCustomer: { email: unique("m").email, externalId: memberExternalId },
    });
    expect(created).toMatchObject({ customerId: team.id, externalId: memberExternalId });
    expect(await polar.customers.members.getExternal({ externalId, memberExternalId })).toEqual(created);
  });

  test("customerSessions.create signs in a team's member by id and by external id", async () => {
    const team = await makeTeam();
    const member = await addMember(team.id, "Mia");
    const externalMemberId = member.external_id as string;
    for (const request of [
      { customerId: team.id, memberId: member.id },
      { customerId: team.id, externalMemberId },
      { externalCustomerId: team.externalId, memberId: member.id },
      { externalCustomerId: team.externalId, externalMemberId },
    ]) {
      const session = await polar.customerSessions.create({ ...request, returnUrl: "https://example.com/back" });
      expect(session).toMatchObject({
        token: expect.stringMatching(MEMBER_TOKEN),
        customerPortalUrl: expect.stringMatching(portalCodeLink()),
        returnUrl: "https://example.com/back",
        customerId: team.id,
        customer: { id: team.id, type: "team", email: null, name: team.name, avatarUrl: gravatar(team.owner.email) },
        modifiedAt: null,
      });
      expect(session.expiresAt.getTime() - session.createdAt.getTime()).toBe(HOUR_MS);
      const { customerSession } = polar.customerPortal;
      expect(await customerSession.getAuthenticatedUser({ memberSession: session.token })).toEqual({
        type: "member",
        name: "Mia",
        email: member.email,
        customerId: team.id,
        memberId: member.id,
        role: "member",
      });
      expect(await customerSession.introspect({ customerSession: session.token })).toEqual({
        expiresAt: session.expiresAt,
        returnUrl: "https://example.com/back",
      });
    }
  });

  test("a team without a member, a stranger and an unknown customer are HTTPValidationError", async () => {
    const [team, other] = [await makeTeam(), await makeTeam()];
    const stranger = await addMember(other.id, "Stranger");
    const nobody = randomUUID();
    const cases = [
      [{ customerId: team.id }, "member_id", "member_id is required for team customers."],
      [{ customerId: team.id, memberId: stranger.id }, "member_id", "Member does not exist for this customer."],
      [
        { customerId: team.id, externalMemberId: stranger.external_id },
        "external_member_id",
        "Member does not exist for this customer.",
      ],
      [{ customerId: nobody }, "customer_id", "Customer does not exist."],
      [{ externalCustomerId: nobody }, "external_customer_id", "Customer does not exist."],
    ] as const;
    for (const [request, field, msg] of cases) {
      const error = await thrownBy(polar.customerSessions.create(request));
      expect(error).toBeInstanceOf(HTTPValidationError049);
      expect(error).toMatchObject({ statusCode: 422, detail: [{ type: "value_error", loc: ["body", field], msg }] });
    }
  });

  test("schema faults and taken addresses are HTTPValidationError that names the place", async () => {
    const bad = await thrownBy(polar.customers.create({ email: "not an address", metadata: { k: "" } }));
    expect(bad).toBeInstanceOf(HTTPValidationError049);
    expect((bad as HTTPValidationError049).detail?.map(({ loc }) => loc.slice(0, 3))).toEqual(
      expect.arrayContaining([
        ["body", "individual", "email"],
        ["body", "individual", "metadata"],
      ]),
    );

    const taken = await thrownBy(polar.customers.create({ email: demoIndividual.email as string }));
    expect(taken).toBeInstanceOf(HTTPValidationError049);
    expect(taken).toMatchObject({
      detail: [{ loc: ["body", "email"], msg: "A customer with this email address already exists." }],
    });
  });

  test("what does not exist is ResourceNotFound", async () => {
    const id = randomUUID();
    const cases: [() => Promise<unknown>, string][] = [
      [() => polar.customers.get({ id }), "Not found"],
      [() => polar.customers.members.get({ id: demoTeam.id, memberId: id }), "Member not found"],
      [() => polar.customers.members.get({ id, memberId: id }), "Customer not found"],
      [
        () => polar.customers.members.getExternal({ externalId: demoTeam.external_id, memberExternalId: id }),
        "Member not found",
      ],
      [
        () => polar.customers.members.create({ id, memberCreateFromCustomer: { email: unique("x").email } }),
        "Customer not found",
      ],
    ];
    for (const [call, detail] of cases) {
      const error = await thrownBy(call());
      expect(error).toBeInstanceOf(ResourceNotFound049);
      expect(error).toMatchObject({ statusCode: 404, error: "ResourceNotFound", detail });
    }
  });

  test("a key without the scope is SDKError 403 with Polar's body; what it may do, it does", async () => {
    const narrow = new Polar049({ accessToken: narrowKey, serverURL: demo.base_url });
    for (const call of [
      () => narrow.customers.create({ email: unique("x").email }),
      () => narrow.customerSessions.create({ customerId: demoIndividual.id }),
      () => narrow.customers.members.get({ id: demoTeam.id, memberId: demoTeam.members[0]?.id as string }),
    ]) {
      const error = (await thrownBy(call())) as SDKError049;
      expect(error).toBeInstanceOf(SDKError049);
      expect(error.statusCode).toBe(403);
      expect(JSON.parse(error.body)).toEqual(INSUFFICIENT_SCOPE);
    }
    expect(await narrow.customers.get({ id: demoTeam.id })).toMatchObject({ id: demoTeam.id });
  });

  test("unknown, wrong-kind and dead credentials are SDKError 401 with Polar's bodies", async () => {
    const memberId = demoTeam.members[0]?.id as string;
    const { token } = await signIn(memberId);
    const as = (accessToken: string) => new Polar049({ accessToken, serverURL: demo.base_url });
    const { customerSession } = polar.customerPortal;
    const dead = await deadToken(memberId);
    expect(await isLive(dead)).toBe(false);
    const cases: [() => Promise<unknown>, object][] = [
      [() => as("nonsense").customers.get({ id: demoTeam.id }), INVALID_TOKEN],
      [() => as(token).customers.get({ id: demoTeam.id }), UNAUTHORIZED],
      [() => as(dead).customers.get({ id: demoTeam.id }), INVALID_TOKEN],
      [() => customerSession.introspect({ memberSession: dead }), INVALID_TOKEN],
      [() => customerSession.getAuthenticatedUser({ memberSession: dead }), INVALID_TOKEN],
      [() => customerSession.getAuthenticatedUser({ memberSession: demo.api_key }), UNAUTHORIZED],
    ];
    for (const [call, body] of cases) {
      const error = (await thrownBy(call())) as SDKError049;
      expect(error).toBeInstanceOf(SDKError049);
      expect(error.statusCode).toBe(401);
      expect(JSON.parse(error.body)).toEqual(body);
    }
  });
});

describe.each([
  ["2026-04", v2026_04],
  ["2026-10", v2026_10],
  ["2027-01", v2027_01],
])("SDK 1.0, version %s", (_, { createPolar, errors }) => {
  const polar = createPolar({ accessToken: demo.api_key, baseUrl: demo.base_url });

  test("customers: an individual with metadata and billing address, a team with its owner", async () => {
    const solo = unique("solo");
    const individual = await polar.customers.create({
      email: solo.email,
      external_id: solo.externalId,
      billing_address: { country: "FR", postal_code: "75001" },
      metadata: { plan: "pro", seats: 3, ratio: 1.5, trial: false },
    });
    expect(individual).toMatchObject({
      type: "individual",
      email: solo.email,
      external_id: solo.externalId,
      email_verified: false,
      name: null,
      billing_name: null,
      billing_address: { country: "FR", postal_code: "75001", line1: null, line2: null, city: null, state: null },
      tax_id: null,
      locale: null,
      metadata: { plan: "pro", seats: 3, ratio: 1.5, trial: false },
      organization_id: demo.organization.id,
      default_payment_method_id: null,
      first_user_event_at: null,
      created_at: expect.stringMatching(ISO_UTC),
      modified_at: null,
      deleted_at: null,
      avatar_url: gravatar(solo.email),
    });
    expectNow(new Date(individual.created_at));
    expect(await polar.customers.get(individual.id)).toEqual(individual);

    const owner = unique("owner");
    const team = await polar.customers.create({ type: "team", name: "T", owner: { email: owner.email } });
    expect(team).toMatchObject({ type: "team", email: null, billing_name: "T", avatar_url: gravatar(owner.email) });
    expect(await polar.customers.get(team.id)).toEqual(team);
  });

  test("customers.members: create and get, by our ids and by the organization's", async () => {
    const team = await makeTeam();
    const { email, externalId } = unique("manager");
    const created = await polar.customers.members.createExternal(team.externalId, {
      email,
      name: "Manfred",
      external_id: externalId,
      role: "billing_manager",
    });
    expect(created).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      created_at: expect.stringMatching(ISO_UTC),
      modified_at: null,
      customer_id: team.id,
      email,
      name: "Manfred",
      external_id: externalId,
      role: "billing_manager",
    });
    expect(await polar.customers.members.get(team.id, created.id)).toEqual(created);
    expect(await polar.customers.members.getExternal(team.externalId, externalId)).toEqual(created);
    const plain = await polar.customers.members.create(team.id, { email: unique("plain").email });
    expect(plain).toMatchObject({ name: null, external_id: null, role: "member" });
  });

  test("customerSessions.create, introspect and getAuthenticatedUser", async () => {
    const team = await makeTeam();
    const member = await addMember(team.id, "Mia");
    for (const request of [
      { customer_id: team.id, member_id: member.id },
      { external_customer_id: team.externalId, external_member_id: member.external_id },
    ]) {
      const session = await polar.customerSessions.create({ ...request, return_url: "https://example.com" });
      expect(session).toMatchObject({
        token: expect.stringMatching(MEMBER_TOKEN),
        customer_portal_url: expect.stringMatching(portalCodeLink()),
        return_url: "https://example.com/",
        customer_id: team.id,
        customer: { id: team.id, email: null, type: "team" },
        created_at: expect.stringMatching(ISO_UTC),
        modified_at: null,
      });
      expect(Date.parse(session.expires_at) - Date.parse(session.created_at)).toBe(HOUR_MS);

      const holder = { accessToken: session.token };
      const { customerSession } = polar.customerPortal;
      expect(await customerSession.introspect(holder)).toEqual({
        expires_at: session.expires_at,
        return_url: "https://example.com/",
      });
      expect(await customerSession.getAuthenticatedUser(holder)).toEqual({
        type: "member",
        name: "Mia",
        email: member.email,
        customer_id: team.id,
        member_id: member.id,
        role: "member",
      });
    }
    const individual = await polar.customerSessions.create({ customer_id: demoIndividual.id });
    expect(individual).toMatchObject({ customer_id: demoIndividual.id, return_url: null });
  });

  test("422 is HTTPValidationError, 404 ResourceNotFound, each with the whole body", async () => {
    const id = randomUUID();
    const noMember = await thrownBy(polar.customerSessions.create({ customer_id: demoTeam.id }));
    expect(noMember).toBeInstanceOf(errors.HTTPValidationError);
    expect(noMember).toMatchObject({
      statusCode: 422,
      error: {
        error: "PolarRequestValidationError",
        detail: [
          {
            type: "value_error",
            loc: ["body", "member_id"],
            msg: "member_id is required for team customers.",
            input: null,
          },
        ],
      },
    });
    const schema = await thrownBy(polar.customers.members.create(demoTeam.id, { email: "nobody" }));
    expect(schema).toBeInstanceOf(errors.HTTPValidationError);
    expect(schema).toMatchObject({ error: { error: "RequestValidationError", detail: [{ loc: ["body", "email"] }] } });

    for (const [call, detail] of [
      [() => polar.customers.get(id), "Not found"],
      [() => polar.customers.members.get(demoTeam.id, id), "Member not found"],
      [() => polar.customers.members.getExternal(id, id), "Customer not found"],
    ] as const) {
      const error = await thrownBy(call());
      expect(error).toBeInstanceOf(errors.ResourceNotFound);
      expect(error).toMatchObject({ statusCode: 404, error: { error: "ResourceNotFound", detail } });
    }
  });

  test("403 is PolarClientError with the body as text, or NotPermitted where the SDK declares it", async () => {
    const narrow = { accessToken: narrowKey };
    const error = await thrownBy(polar.customerSessions.create({ customer_id: demoIndividual.id }, narrow));
    expect(error).toBeInstanceOf(PolarClientError);
    expect(error).toMatchObject({ statusCode: 403 });
    expect(JSON.parse((error as PolarClientError).error as string)).toEqual(INSUFFICIENT_SCOPE);

    const declared = await thrownBy(polar.customers.members.create(demoTeam.id, { email: unique("x").email }, narrow));
    expect(declared).toBeInstanceOf(errors.NotPermitted);
    expect(declared).toMatchObject({ statusCode: 403, error: INSUFFICIENT_SCOPE });
    expect(await polar.customers.get(demoTeam.id, narrow)).toMatchObject({ id: demoTeam.id });
  });

  test("401 is PolarClientError with the body as text", async () => {
    const memberId = demoTeam.members[0]?.id as string;
    const { token } = await signIn(memberId);
    const dead = await deadToken(memberId);
    const { customerSession } = polar.customerPortal;
    const cases: [() => Promise<unknown>, object][] = [
      [() => polar.customers.get(demoTeam.id, { accessToken: "polar_oat_unknown" }), INVALID_TOKEN],
      [() => polar.customers.get(demoTeam.id, { accessToken: token }), UNAUTHORIZED],
      [() => customerSession.introspect({ accessToken: FORGED }), INVALID_TOKEN],
      [() => customerSession.introspect({ accessToken: dead }), INVALID_TOKEN],
      [() => customerSession.getAuthenticatedUser({ accessToken: dead }), INVALID_TOKEN],
      [() => customerSession.introspect({ accessToken: demo.api_key }), UNAUTHORIZED],
    ];
    for (const [call, body] of cases) {
      const error = (await thrownBy(call())) as PolarClientError;
      expect(error).toBeInstanceOf(PolarClientError);
      expect(error.statusCode).toBe(401);
      expect(JSON.parse(error.error as string)).toEqual(body);
    }
  });
});
