/** What a request may say of an organization (contract §1.1, §1.5, §2.11), and which error tells what is wrong with it. */

import { beforeAll, describe, expect, test } from "vitest";
import { at, makeScene, PATH, UUID } from "./organization-scene.ts";
import { failure, type Json, success } from "./support.ts";

const INVALID: [field: string, value: unknown, type: string][] = [
  ["organization_name", "", "invalid_organization_name"],
  ["organization_name", " \n ", "invalid_organization_name"],
  ["organization_name", "x".repeat(129), "invalid_organization_name"],
  ["organization_slug", "a", "invalid_organization_slug"],
  ["organization_slug", "", "invalid_organization_slug"],
  ["organization_slug", "x".repeat(129), "invalid_organization_slug"],
  ["organization_slug", "a b", "invalid_organization_slug"],
  ["organization_slug", "a/b", "invalid_organization_slug"],
  ["organization_slug", "é-é", "invalid_organization_slug"],
  ["organization_slug", "ab\n", "invalid_organization_slug"],
  ["organization_slug", 12, "invalid_organization_slug"],
  ["organization_slug", UUID, "invalid_organization_slug"],
  ["organization_slug", UUID.toUpperCase(), "invalid_organization_slug"],
  ["organization_slug", `organization-live-${UUID}`, "invalid_organization_slug"],
  ["organization_slug", `organization-test-${UUID}`, "invalid_organization_slug"],
  ["organization_logo_url", `https://example.com/${"x".repeat(2048)}`, "organization_logo_url_too_long"],
  ["organization_logo_url", "javascript:alert(1)", "invalid_url"],
  ["organization_logo_url", "logo.png", "invalid_url"],
  ["organization_logo_url", 1, "bad_request"],
  ["organization_external_id", "", "bad_request"],
  ["organization_external_id", "a/b", "bad_request"],
  ["organization_external_id", "x".repeat(129), "bad_request"],
  ["trusted_metadata", [], "metadata_invalid_format"],
  ["trusted_metadata", "x", "metadata_invalid_format"],
  ["trusted_metadata", Object.fromEntries(Array.from({ length: 21 }, (_, i) => [i, i])), "metadata_too_many_keys"],
  ["trusted_metadata", { k: "x".repeat(4096) }, "metadata_too_large"],
  ["sso_default_connection_id", 1, "bad_request"],
  ["sso_jit_provisioning", "SOMETIMES", "invalid_organization_auth_factor_setting"],
  ["sso_jit_provisioning", "all_allowed", "invalid_organization_auth_factor_setting"],
  ["sso_jit_provisioning_allowed_connections", "x", "bad_request"],
  ["sso_jit_provisioning_allowed_connections", [""], "bad_request"],
  ["email_invites", true, "invalid_organization_auth_factor_setting"],
  ["email_jit_provisioning", "ALL_ALLOWED", "invalid_organization_auth_factor_setting_for_email_jit_provisioning"],
  [
    "oauth_tenant_jit_provisioning",
    "ALL_ALLOWED",
    "invalid_organization_auth_factor_setting_for_oauth_tenant_jit_provisioning",
  ],
  ["auth_methods", "NOT_ALLOWED", "invalid_organization_auth_method_settings"],
  ["allowed_auth_methods", ["sso", "carrier_pigeon"], "invalid_organization_allowed_auth_methods"],
  ["allowed_auth_methods", "sso", "invalid_organization_allowed_auth_methods"],
  ["mfa_policy", "RESTRICTED", "invalid_organization_mfa_policy"],
  ["mfa_methods", "NOT_ALLOWED", "invalid_organization_mfa_factor_setting"],
  ["allowed_mfa_methods", ["sms"], "invalid_organization_allowed_mfa_methods"],
  ["allowed_oauth_tenants", [], "invalid_oauth_allowed_tenants_format"],
  ["allowed_oauth_tenants", { gitlab: ["1"] }, "invalid_oauth_allowed_tenants_format"],
  ["allowed_oauth_tenants", { slack: "T1" }, "invalid_oauth_allowed_tenants_format"],
  ["first_party_connected_apps_allowed_type", "SOME", "bad_request"],
  ["allowed_third_party_connected_apps", {}, "bad_request"],
  ["email_allowed_domains", ["acme"], "organization_settings_invalid_domain"],
  ["email_allowed_domains", ["@acme.com"], "organization_settings_invalid_domain"],
  ["email_allowed_domains", ["*.acme.com"], "organization_settings_invalid_domain"],
  ["email_allowed_domains", [`${"a.".repeat(126)}com`], "organization_settings_invalid_domain"],
  ["email_allowed_domains", ["acme.com", "ACME.com"], "organization_settings_duplicate_domain"],
  ["email_allowed_domains", ["acme.com", "GMail.com"], "organization_settings_domain_too_common"],
  ["claimed_email_domains", [1], "organization_settings_invalid_claimed_domain"],
  ["claimed_email_domains", ["a.com", "a.com"], "organization_settings_duplicate_claimed_domain"],
  ["claimed_email_domains", ["yahoo.com"], "organization_settings_claimed_domain_too_common"],
  ["rbac_email_implicit_role_assignments", [{ domain: "acme", role_id: "stytch_admin" }], "rbac_invalid_domain"],
  [
    "rbac_email_implicit_role_assignments",
    [{ domain: "gmail.com", role_id: "stytch_admin" }],
    "rbac_domain_too_common",
  ],
  ["rbac_email_implicit_role_assignments", [{ domain: "acme.com" }], "invalid_rbac_role_id"],
  ["rbac_email_implicit_role_assignments", [{ domain: "acme.com", role_id: "no_such" }], "invalid_rbac_role_id"],
  [
    "rbac_email_implicit_role_assignments",
    [{ domain: "acme.com", role_id: "stytch_member" }],
    "cannot_assign_default_rbac_role_id",
  ],
  ["rbac_email_implicit_role_assignments", {}, "bad_request"],
];

describe("what is wrong is refused, on the way in and on the way to something else", () => {
  const shown = INVALID.map(
    ([field, value, type]) => [field, JSON.stringify(value).slice(0, 60), value, type] as const,
  );

  let shared: Awaited<ReturnType<typeof makeScene>>;
  let made: Json;

  beforeAll(async () => {
    shared = await makeScene();
    made = await shared.create();
  });

  test.each(shown)("%s: %s", async (field, _, value, type) => {
    const { ask } = shared;
    await failure(ask("POST", PATH, { organization_name: "New", [field]: value }), 400, type);
    await failure(ask("PUT", at(made.organization_id), { organization_name: "New", [field]: value }), 400, type);
    expect((await success(ask("GET", at(made.organization_id)))).organization).toEqual(made);
    const { results_metadata } = await success(ask("POST", `${PATH}/search`, {}));
    expect(results_metadata.total, "the tenant's own two, and one").toBe(3);
  });

  test("a name is required of a new organization, and of no other", async () => {
    const { create, update, ask } = await makeScene();
    for (const body of [{}, { organization_name: null }, { organization_name: 1 }]) {
      await failure(ask("POST", PATH, body), 400, "organization_name_missing");
    }
    const { organization_id } = await create();
    await update(organization_id, { organization_slug: "other" });
    await failure(ask("PUT", at(organization_id), { organization_name: 1 }), 400, "invalid_organization_name");
  });

  test("bad_request names the field", async () => {
    const { ask } = await makeScene();
    const body = { organization_name: "New", organization_external_id: "a/b" };
    const { error_message } = await failure(ask("POST", PATH, body), 400, "bad_request");
    expect(error_message).toMatch(/^organization_external_id must have /);
  });

  test("a list holds 50 entries, whoever fills it: every check of a session reads them", async () => {
    const { create, ask } = await makeScene();
    const lists: [string, (index: number) => unknown][] = [
      ["sso_jit_provisioning_allowed_connections", (index) => `connection-${index}`],
      ["email_allowed_domains", (index) => `d${index}.example.com`],
      ["claimed_email_domains", (index) => `d${index}.example.com`],
      ["allowed_auth_methods", () => "magic_link"],
      ["allowed_first_party_connected_apps", (index) => `app-${index}`],
      [
        "rbac_email_implicit_role_assignments",
        (index) => ({ domain: `d${index}.example.com`, role_id: "stytch_admin" }),
      ],
    ];
    const { organization_id } = await create();
    for (const [field, entry] of lists) {
      const list = (length: number) => Array.from({ length }, (_, index) => entry(index));
      expect((await ask("PUT", at(organization_id), { [field]: list(51) })).status, field).toBe(400);
      await success(ask("PUT", at(organization_id), { [field]: list(50) }));
    }
  });

  test("a domain counts without regard to case, and is shown in lower case", async () => {
    const { create } = await makeScene();
    const body = {
      email_allowed_domains: ["Acme.COM"],
      rbac_email_implicit_role_assignments: [{ domain: "ACME.com", role_id: "stytch_admin" }],
    };
    expect(await create(body)).toMatchObject({
      email_allowed_domains: ["acme.com"],
      rbac_email_implicit_role_assignments: [{ domain: "acme.com", role_id: "stytch_admin" }],
    });
  });

  test("metadata takes every key, that of prototypes too", async () => {
    const { ask } = await makeScene();
    const body = '{"organization_name":"Acme","trusted_metadata":{"__proto__":{"a":1},"constructor":2}}';
    const { organization } = await success(ask("POST", PATH, body));
    expect(JSON.stringify(organization.trusted_metadata)).toBe('{"__proto__":{"a":1},"constructor":2}');
  });

  test("metadata is measured after the merge", async () => {
    const { create, ask } = await makeScene();
    const { organization_id } = await create({ trusted_metadata: { k: "x".repeat(4000) } });
    const more = { trusted_metadata: { l: "x".repeat(100) } };
    await failure(ask("PUT", at(organization_id), more), 400, "metadata_too_large");
  });
});
