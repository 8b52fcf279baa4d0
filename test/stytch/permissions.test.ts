/** Which action each field takes (contract §3): none is left out, and what has no action is for those who may do all. */

import { describe, expect, test } from "vitest";
import { RESERVED_RESOURCES } from "../../src/core/default-policy.ts";
import { FORBIDDEN, memberChange, memberCreation, organizationChange } from "../../src/stytch/permissions.ts";

const declared = (resource: string) => RESERVED_RESOURCES.find(({ id }) => id === resource)?.actions ?? [];
const each = (change: (fields: object) => string[], fields: string[]) =>
  Object.fromEntries(fields.map((field) => [field, change({ [field]: "x" }).join()]));

describe("a change", () => {
  test("of a member takes an action per field", () => {
    const fields = {
      name: "update.info.name",
      untrusted_metadata: "update.info.untrusted-metadata",
      mfa_phone_number: "update.info.mfa-phone",
      email_address: "update.info.email",
      unlink_email: "update.info.email",
      is_breakglass: "update.settings.is-breakglass",
      mfa_enrolled: "update.settings.mfa-enrolled",
      roles: "update.settings.roles",
      default_mfa_method: "update.settings.default-mfa-method",
    };
    expect(each(memberChange, Object.keys(fields))).toEqual(fields);
    for (const action of Object.values(fields)) expect(declared("stytch.member")).toContain(action);
  });

  test("of an organization takes an action per field", () => {
    const fields = {
      organization_name: "update.info.name",
      organization_slug: "update.info.slug",
      organization_logo_url: "update.info.logo-url",
      sso_default_connection_id: "update.settings.default-sso-connection",
      sso_jit_provisioning: "update.settings.sso-jit-provisioning",
      sso_jit_provisioning_allowed_connections: "update.settings.sso-jit-provisioning",
      email_allowed_domains: "update.settings.allowed-domains",
      email_jit_provisioning: "update.settings.email-jit-provisioning",
      email_invites: "update.settings.email-invites",
      auth_methods: "update.settings.allowed-auth-methods",
      allowed_auth_methods: "update.settings.allowed-auth-methods",
      mfa_policy: "update.settings.mfa-policy",
      mfa_methods: "update.settings.allowed-mfa-methods",
      allowed_mfa_methods: "update.settings.allowed-mfa-methods",
      rbac_email_implicit_role_assignments: "update.settings.implicit-roles",
      oauth_tenant_jit_provisioning: "update.settings.oauth-tenant-jit-provisioning",
      allowed_oauth_tenants: "update.settings.allowed-oauth-tenants",
    };
    expect(each(organizationChange, Object.keys(fields))).toEqual(fields);
    const given = new Set(Object.values(fields));
    expect(declared("stytch.organization").filter((action) => !given.has(action))).toEqual(["delete"]);
    for (const action of given) expect(declared("stytch.organization")).toContain(action);
  });

  test("takes all that its fields take, and nothing for fields that are null or say which or how", () => {
    expect(memberChange({ organization_id: "o", member_id: "m", preserve_existing_sessions: true })).toEqual([]);
    expect(memberChange({ name: null, roles: undefined })).toEqual([]);
    expect(memberChange({ name: "", mfa_enrolled: false, roles: [] })).toEqual([
      "update.info.name",
      "update.settings.mfa-enrolled",
      "update.settings.roles",
    ]);
    expect(organizationChange({ organization_id: "o", organization_name: "n", mfa_policy: null })).toEqual([
      "update.info.name",
    ]);
  });

  test("that has no action of its own takes one that only a wildcard permits", () => {
    expect(memberChange({ external_id: "x" })).toEqual([""]);
    expect(organizationChange({ claimed_email_domains: [], organization_external_id: "x" })).toEqual(["", ""]);
  });

  test("of trusted metadata is no member's", () => {
    for (const change of [memberChange, organizationChange, memberCreation]) {
      expect(change({ trusted_metadata: {} })).toContain(FORBIDDEN);
    }
  });
});

test("a new member takes the action to make one, and more where it is given more than others have", () => {
  const ordinary = { email_address: "a@example.com", name: "A", untrusted_metadata: {} };
  expect(memberCreation({ ...ordinary, mfa_enrolled: true, create_member_as_pending: true })).toEqual(["create"]);
  expect(memberCreation({ ...ordinary, external_id: "x" })).toEqual(["create", ""]);
  expect(memberCreation({ ...ordinary, roles: ["stytch_admin"], is_breakglass: true })).toEqual([
    "create",
    "update.settings.roles",
    "update.settings.is-breakglass",
  ]);
});
