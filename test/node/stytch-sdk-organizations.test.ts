/**
 * Organizations and their members through Stytch's own Node SDKs, unmodified, over HTTP: made, changed, found, deleted,
 * and a session taken from one organization to another.
 */

import { B2BClient } from "stytch";
import { B2BClient as B2BClient12 } from "stytch-12";
import { describe, expect, test } from "vitest";
import { unique } from "./support/demo.ts";
import { demoProject, refusal } from "./support/stytch.ts";
import { makeTwoSignedIn, signInAgain, signInByMail } from "./support/stytch-people.ts";

const NOT_FOUND = refusal(404, "organization_not_found");

describe.each([
  ["14.2", B2BClient],
  ["12.43", B2BClient12 as unknown as typeof B2BClient],
])("SDK %s", (_, Client) => {
  const { organizations, sessions } = new Client({ ...demoProject });
  const { members } = organizations;
  const make = async () => {
    const organization_slug = unique("org").externalId;
    const { organization } = await organizations.create({ organization_name: "Acme", organization_slug });
    return organization;
  };
  const addMember = async (organization_id: string, more = {}) =>
    (await members.create({ organization_id, email_address: unique("someone").email, ...more })).member;

  test("an organization from creation to deletion, by id, slug and external id", async () => {
    const { externalId } = unique("ext");
    const { organization_id, organization_slug } = await make();
    const changes = { organization_name: "Acme Two", organization_external_id: externalId, trusted_metadata: { a: 1 } };
    const { organization } = await organizations.update({ organization_id, ...changes });
    expect(organization).toMatchObject({ organization_id, organization_slug, ...changes });
    for (const named of [organization_id, organization_slug, externalId]) {
      expect((await organizations.get({ organization_id: named })).organization).toEqual(organization);
    }
    await addMember(organization_id);
    expect(await organizations.metrics({ organization_id })).toMatchObject({ member_count: 1 });
    expect(await organizations.delete({ organization_id })).toMatchObject({ organization_id, status_code: 200 });
    await expect(organizations.get({ organization_id })).rejects.toMatchObject(NOT_FOUND);
  });

  test("a slug is one organization's", async () => {
    const { organization_slug } = await make();
    await expect(organizations.create({ organization_name: "B", organization_slug })).rejects.toMatchObject(
      refusal(400, "organization_slug_already_used"),
    );
  });

  test("organizations are searched page by page", async () => {
    const made = [await make(), await make(), await make()].map(({ organization_id }) => organization_id);
    const operands = [{ filter_name: "organization_ids" as const, filter_value: made }];
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await organizations.search({
        limit: 2,
        query: { operator: "AND", operands },
        ...(cursor === undefined ? {} : { cursor }),
      });
      found.push(...page.organizations.map(({ organization_id }) => organization_id));
      expect(page.results_metadata.total).toBe(3);
      cursor = page.results_metadata.next_cursor ?? undefined;
    } while (cursor !== undefined);
    expect(found.sort()).toEqual(made.sort());
  });

  test("a member from creation to deletion and back", async () => {
    const { organization_id } = await make();
    const { externalId } = unique("person");
    const created = await addMember(organization_id, {
      name: "Ann",
      external_id: externalId,
      untrusted_metadata: { b: 1 },
    });
    const { member_id, email_address } = created;
    expect(created).toMatchObject({ organization_id, name: "Ann", status: "active", external_id: externalId });
    const { member } = await members.update({ organization_id, member_id, name: "Bea", roles: ["stytch_admin"] });
    expect(member).toMatchObject({ name: "Bea", is_admin: true });
    for (const selector of [{ member_id }, { member_id: externalId }, { email_address }]) {
      expect((await members.get({ organization_id, ...selector })).member).toEqual(member);
    }
    expect((await members.dangerouslyGet({ member_id })).member).toEqual(member);
    const { session_token } = await signInAgain({ member_id });
    expect(await members.delete({ organization_id, member_id })).toMatchObject({ member_id, status_code: 200 });
    await expect(sessions.authenticate({ session_token })).rejects.toMatchObject(refusal(404, "session_not_found"));
    await expect(members.get({ organization_id, member_id })).rejects.toMatchObject(refusal(404, "member_not_found"));
    const back = await members.reactivate({ organization_id, member_id });
    expect(back.member).toMatchObject({ member_id, status: "active" });
  });

  test("a member's phone number, TOTP and retired address are taken away", async () => {
    const { organization_id } = await make();
    const { member_id, email_address } = await addMember(organization_id, { mfa_phone_number: "+15005550006" });
    const named = { organization_id, member_id };
    await members.update({ ...named, email_address: unique("renamed").email });
    expect((await members.deleteMFAPhoneNumber(named)).member).toMatchObject({ mfa_phone_number: "" });
    const { member } = await members.deleteTOTP(named);
    expect(member.retired_email_addresses).toEqual([expect.objectContaining({ email_address })]);
    expect((await members.unlinkRetiredEmail({ ...named, email_address })).member.retired_email_addresses).toEqual([]);
    const password = { organization_id, member_password_id: "none" };
    await expect(members.deletePassword(password)).rejects.toMatchObject(refusal(404, "member_password_not_found"));
  });

  test("members are searched by address and status, page by page, with their organizations", async () => {
    const { organization_id } = await make();
    const people = [
      await addMember(organization_id),
      await addMember(organization_id),
      await addMember(organization_id),
    ];
    const search = (more = {}) => members.search({ organization_ids: [organization_id], ...more });
    const first = await search({ limit: 2 });
    expect(first.results_metadata).toEqual({ total: 3, next_cursor: expect.any(String) });
    const second = await search({ limit: 2, cursor: first.results_metadata.next_cursor });
    const ids = [...first.members, ...second.members].map(({ member_id }) => member_id);
    expect(ids.sort()).toEqual(people.map(({ member_id }) => member_id).sort());
    expect(first.organizations[organization_id]).toMatchObject({ organization_id });
    const operands = [{ filter_name: "member_emails", filter_value: [people[1]?.email_address] }];
    const found = await search({ query: { operator: "or", operands } });
    expect(found.members.map(({ member_id }) => member_id)).toEqual([people[1]?.member_id]);
    await expect(members.search({ organization_ids: [] })).rejects.toMatchObject(
      refusal(400, "member_search_organization_ids_empty"),
    );
  });

  test("an address is one member's, and a member is asked for by one name", async () => {
    const { organization_id } = await make();
    const { email_address, member_id } = await addMember(organization_id);
    await expect(members.create({ organization_id, email_address })).rejects.toMatchObject(
      refusal(400, "duplicate_member_email"),
    );
    for (const selector of [{}, { email_address, member_id }]) {
      await expect(members.get({ organization_id, ...selector })).rejects.toMatchObject(
        refusal(400, "invalid_member_get_fields"),
      );
    }
  });

  test("a member who asks may do what its roles allow, in its own organization", async () => {
    const { admin, member } = await makeTwoSignedIn();
    const { organization_id } = admin;
    const as = ({ session_token }: { session_token: string }) => ({ authorization: { session_token } });
    const email_address = unique("invited").email;
    const added = await members.create({ organization_id, email_address }, as(admin));
    expect(added.member).toMatchObject({ email_address });
    const renamed = { organization_id, member_id: member.member_id, name: "Me" };
    expect((await members.update(renamed, as(member))).member).toMatchObject({ name: "Me" });
    const refused = refusal(403, "session_authorization_error");
    const another = { organization_id, member_id: admin.member_id, name: "You" };
    await expect(members.update(another, as(member))).rejects.toMatchObject(refused);
    await expect(organizations.delete({ organization_id }, as(member))).rejects.toMatchObject(refused);
    const elsewhere = { organization_id: (await make()).organization_id };
    await expect(organizations.delete(elsewhere, as(admin))).rejects.toMatchObject(
      refusal(403, "session_authorization_tenancy_error"),
    );
  });

  describe("exchange", () => {
    test("takes a person whose address is proved into another organization; the first session goes on", async () => {
      const { member } = await makeTwoSignedIn();
      const session_token = await signInByMail(member);
      const { organization_id, organization_slug } = await make();
      const { email_address } = member;
      const twin = await addMember(organization_id, { email_address, roles: ["stytch_admin"] });
      const there = await sessions.exchange({
        organization_id: organization_slug,
        session_token,
        session_duration_minutes: 30,
        session_custom_claims: { from: member.organization_id },
      });
      expect(there).toMatchObject({
        status_code: 200,
        member_authenticated: true,
        intermediate_session_token: "",
        member_id: twin.member_id,
        member: { organization_id, email_address_verified: true },
        member_session: {
          organization_slug,
          roles: ["stytch_member", "stytch_admin"],
          authentication_factors: [{ type: "email_otp", delivery_method: "email" }],
          custom_claims: { from: member.organization_id },
        },
      });
      const { member_session, session_jwt } = there;
      const expires_at = new Date(member_session?.expires_at ?? 0).toISOString();
      expect(await sessions.authenticateJwtLocal({ session_jwt })).toEqual({ ...member_session, expires_at });
      // And back, by the JWT.
      const back = await sessions.exchange({ organization_id: member.organization_id, session_jwt });
      expect(back).toMatchObject({ member_authenticated: true, member_id: member.member_id });
      for (const token of [session_token, there.session_token, back.session_token]) {
        await sessions.authenticate({ session_token: token });
      }
    });

    test("takes nobody who is not a member there", async () => {
      const { member } = await makeTwoSignedIn();
      const request = { organization_id: (await make()).organization_id, session_token: await signInByMail(member) };
      await expect(sessions.exchange(request)).rejects.toMatchObject(
        refusal(404, "member_does_not_exist_in_organization"),
      );
    });

    test("takes no session whose address nobody has proved", async () => {
      const { member } = await makeTwoSignedIn();
      const { organization_id } = await make();
      const { email_address, session_token } = member;
      await addMember(organization_id, { email_address });
      await expect(sessions.exchange({ organization_id, session_token })).rejects.toMatchObject(
        refusal(403, "insufficient_factors_for_session_exchange"),
      );
    });
  });
});

/** The older one has no methods for these. */
test("SDK 14.2: external ids are taken away, and free for others", async () => {
  const { organizations } = new B2BClient({ ...demoProject });
  const { members } = organizations;
  const { externalId } = unique("taken");
  for (const organization_name of ["First", "Second"]) {
    const made = await organizations.create({ organization_name, organization_external_id: externalId });
    const { organization_id } = made.organization;
    for (const { email } of [unique("first"), unique("second")]) {
      const { member_id } = await members.create({ organization_id, email_address: email, external_id: externalId });
      const { member } = await members.deleteExternalId({ organization_id, member_id });
      expect(member).toMatchObject({ member_id, external_id: null });
    }
    const { organization } = await organizations.deleteExternalId({ organization_id });
    expect(organization).toMatchObject({ organization_name, organization_external_id: null });
  }
});

test("SDK 14.2: an organization's own role is at work in both checks", async () => {
  const { organization_id, member_id, session_token } = (await makeTwoSignedIn()).admin;
  const { organizations, rbac, sessions } = new B2BClient({ ...demoProject });
  const what = { resource_id: "stytch.sso", action: "get" };
  const permissions = [{ resource_id: what.resource_id, actions: [what.action] }];
  const role = { role_id: "sso_reader", description: "", permissions };
  await rbac.organizations.setOrgPolicy({ organization_id, org_policy: { roles: [role] } });
  await organizations.members.update({ organization_id, member_id, roles: [role.role_id] });
  const authorization_check = { organization_id, ...what };
  const { verdict, session_jwt } = await sessions.authenticate({ session_token, authorization_check });
  expect(verdict?.granting_roles).toEqual(["stytch_admin", role.role_id]);
  const local = await sessions.authenticateJwtLocal({ session_jwt, authorization_check });
  expect(local.roles).toContain(role.role_id);
});
