/**
 * What is taken away from members one by one (contract §2.11): second factors, passwords, retired addresses, external
 * ids. None of it ends a session (§2.12).
 */

import { describe, expect, test } from "vitest";
import { makeClient } from "../support/client.ts";
import { makeTenant, type Tenant } from "../support/fixtures.ts";
import { makeLink } from "../support/portal.ts";
import { call, failure, type Json, memberId, organizationId, success } from "./support.ts";

const client = makeClient();

const membersOf = ({ team }: Tenant) => `/v1/b2b/organizations/${organizationId(team.id)}/members`;
const memberOf = (tenant: Tenant) => `${membersOf(tenant)}/${tenant.team.member.id}`;
const put = async (tenant: Tenant, body: object): Promise<Json> =>
  (await success(call(client, tenant, "PUT", memberOf(tenant), body))).member;
const read = async (tenant: Tenant): Promise<Json> =>
  (await success(call(client, tenant, "GET", `${membersOf(tenant).slice(0, -1)}?member_id=${tenant.team.member.id}`)))
    .member;
const someAddress = () => `${crypto.randomUUID()}@example.com`;

const PHONE = { mfa_phone_number: "+15005550006", default_mfa_method: "sms_otp", mfa_enrolled: true };

test.each([
  ["the phone number", (tenant: Tenant) => `${membersOf(tenant)}/mfa_phone_numbers/${tenant.team.member.id}`],
  ["TOTP", (tenant: Tenant) => `${memberOf(tenant)}/totp`],
  ["the external id", (tenant: Tenant) => `${memberOf(tenant)}/external_id`],
])(
  "DELETE of %s answers with the member and its organization, as often as asked, and ends no session",
  async (_, of) => {
    const tenant = await makeTenant();
    await put(tenant, PHONE);
    const { token } = await makeLink(client, tenant);
    for (const body of [undefined, {}]) {
      const { member_id, member, organization } = await success(call(client, tenant, "DELETE", of(tenant), body));
      expect([member_id, member]).toEqual([memberId(tenant.team.member.id), await read(tenant)]);
      expect(organization.organization_id).toBe(organizationId(tenant.team.id));
    }
    await success(call(client, tenant, "POST", "/v1/b2b/sessions/authenticate", { session_token: token }));
  },
);

describe("the phone number", () => {
  const path = (tenant: Tenant) => `${membersOf(tenant)}/mfa_phone_numbers/${tenant.team.member.id}`;

  test("goes with the default method that needs it, and makes room for another", async () => {
    const tenant = await makeTenant();
    const before = await put(tenant, PHONE);
    const { member } = await success(call(client, tenant, "DELETE", path(tenant)));
    const without = { mfa_phone_number: "", default_mfa_method: "", updated_at: expect.any(String) };
    expect(member).toEqual({ ...before, ...without });
    expect(await put(tenant, { mfa_phone_number: "+15005550007" })).toMatchObject({ mfa_phone_number: "+15005550007" });
  });

  test("leaves the default method that does not need it", async () => {
    const tenant = await makeTenant();
    await put(tenant, { ...PHONE, default_mfa_method: "totp" });
    const { member } = await success(call(client, tenant, "DELETE", path(tenant)));
    expect(member).toMatchObject({ mfa_phone_number: "", default_mfa_method: "totp" });
  });
});

test("TOTP goes with the default method that needs it, and leaves the phone number", async () => {
  const tenant = await makeTenant();
  const before = await put(tenant, { ...PHONE, default_mfa_method: "totp" });
  const { member } = await success(call(client, tenant, "DELETE", `${memberOf(tenant)}/totp`));
  expect(member).toEqual({ ...before, default_mfa_method: "", updated_at: expect.any(String) });
});

test("the external id is free for another member once it is taken away", async () => {
  const tenant = await makeTenant();
  const { externalId } = tenant.team.member;
  const byExternalId = `${membersOf(tenant)}/${externalId}/external_id`;
  expect((await success(call(client, tenant, "DELETE", byExternalId))).member.external_id).toBeNull();
  await failure(call(client, tenant, "DELETE", byExternalId), 404, "member_not_found");
  const body = { email_address: someAddress(), external_id: externalId };
  await success(call(client, tenant, "POST", membersOf(tenant), body));
});

test("nobody has a password, so none is found", async () => {
  const tenant = await makeTenant();
  for (const id of [`member-password-live-${crypto.randomUUID()}`, tenant.team.member.id]) {
    const path = `${membersOf(tenant)}/passwords/${id}`;
    await failure(call(client, tenant, "DELETE", path, {}), 404, "member_password_not_found");
  }
  const elsewhere = `/v1/b2b/organizations/nobody/members/passwords/x`;
  await failure(call(client, tenant, "DELETE", elsewhere), 404, "organization_not_found");
});

describe("a retired address", () => {
  test("is one of the newest twenty: the oldest of more is forgotten", async () => {
    const tenant = await makeTenant();
    const addresses = Array.from({ length: 23 }, someAddress);
    for (const email_address of addresses) await put(tenant, { email_address });
    const { retired_email_addresses } = await put(tenant, { email_address: someAddress() });
    const retired = (retired_email_addresses as Json[]).map(({ email_address }) => email_address);
    expect(retired).toEqual(addresses.slice(-20));
  });

  const unlink = (tenant: Tenant, body: object) =>
    call(client, tenant, "POST", `${memberOf(tenant)}/unlink_retired_email`, body);

  /** A member that had two addresses before its present one. */
  async function makeRetired() {
    const tenant = await makeTenant();
    await put(tenant, { email_address: someAddress() });
    const { retired_email_addresses } = await put(tenant, { email_address: someAddress() });
    const [first, second] = retired_email_addresses as [Json, Json];
    return { tenant, first, second };
  }

  test.each([
    ["its id", ({ email_id }: Json) => ({ email_id })],
    ["itself, in whatever case", ({ email_address }: Json) => ({ email_address: email_address.toUpperCase() })],
    ["both", (retired: Json) => retired],
  ])("is unlinked by %s, and free for others", async (_, named) => {
    const { tenant, first, second } = await makeRetired();
    const { member, ...rest } = await success(unlink(tenant, named(first)));
    expect(member.retired_email_addresses).toEqual([second]);
    expect(rest).toMatchObject({
      member_id: memberId(tenant.team.member.id),
      organization_id: organizationId(tenant.team.id),
      organization: { organization_id: organizationId(tenant.team.id) },
    });
    const body = { email_address: first.email_address };
    await success(call(client, tenant, "POST", membersOf(tenant), body));
    await failure(unlink(tenant, named(first)), 404, "email_not_found");
  });

  test("is not unlinked by what names none, or two", async () => {
    const { tenant, first, second } = await makeRetired();
    const { email_address } = await read(tenant);
    const unknown = [
      { email_address },
      { email_id: `email-live-${crypto.randomUUID()}` },
      { email_id: "x" },
      { email_id: first.email_id, email_address: second.email_address },
    ];
    for (const body of unknown) await failure(unlink(tenant, body), 404, "email_not_found");
    for (const body of [{}, { email_id: "", email_address: null }]) {
      await failure(unlink(tenant, body), 400, "retired_email_missing_email_identifiers");
    }
    const test = { email_id: first.email_id.replace("live", "test") };
    await failure(unlink(tenant, test), 400, "test_id_used_in_live_environment");
    expect((await read(tenant)).retired_email_addresses).toEqual([first, second]);
  });
});

test("words of our own in paths are no organization's or member's names", async () => {
  const tenant = await makeTenant();
  const { id } = tenant.team.member;
  for (const [method, path] of [
    ["GET", `/v1/b2b/organizations/members/dangerously_get/${id}`],
    ["POST", "/v1/b2b/organizations/members/search"],
  ] as const) {
    const response = await call(client, tenant, method, path, method === "POST" ? { organization_ids: [] } : undefined);
    expect(await response.text()).not.toContain("organization_not_found");
  }
  await failure(call(client, tenant, "GET", membersOf(tenant)), 405, "method_not_allowed");
  await failure(call(client, tenant, "GET", `${memberOf(tenant)}/nothing`), 404, "route_not_found");
});
