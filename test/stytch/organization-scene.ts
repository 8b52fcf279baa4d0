/** A project whose backend keeps organizations, and what a request may say of one. */

import { makeClient } from "../support/client.ts";
import { makeTenant } from "../support/fixtures.ts";
import { call, type Json, success } from "./support.ts";

export const PATH = "/v1/b2b/organizations";
export const at = (name: string) => `${PATH}/${encodeURIComponent(name)}`;

export async function makeScene() {
  const tenant = await makeTenant();
  const client = makeClient();
  const ask = (method: string, path: string, body?: unknown) => call(client, tenant, method, path, body);
  const create = async (body: object = {}): Promise<Json> =>
    (await success(ask("POST", PATH, { organization_name: "Acme", ...body }))).organization;
  const update = async (id: string, body: object): Promise<Json> =>
    (await success(ask("PUT", at(id), body))).organization;
  return { tenant, client, ask, create, update };
}

/** Every field that a request may have. */
export const FULL = {
  organization_name: "Acme Ltd",
  organization_slug: "Acme_1.~-",
  organization_logo_url: "https://example.com/logo.png",
  trusted_metadata: { plan: "pro", nested: { list: [null, 1.5] } },
  organization_external_id: "ext_1.|-A",
  sso_default_connection_id: "saml-connection-live-1",
  sso_jit_provisioning: "RESTRICTED",
  sso_jit_provisioning_allowed_connections: ["saml-connection-live-1"],
  email_allowed_domains: ["acme.com", "acme.co.uk"],
  email_jit_provisioning: "RESTRICTED",
  email_invites: "RESTRICTED",
  auth_methods: "RESTRICTED",
  allowed_auth_methods: ["sso", "magic_link", "email_otp", "password", "google_oauth", "microsoft_oauth"],
  mfa_policy: "REQUIRED_FOR_ALL",
  rbac_email_implicit_role_assignments: [{ domain: "acme.com", role_id: "stytch_admin" }],
  mfa_methods: "RESTRICTED",
  allowed_mfa_methods: ["sms_otp", "totp"],
  oauth_tenant_jit_provisioning: "RESTRICTED",
  allowed_oauth_tenants: { slack: ["T1"], hubspot: [], github: ["1", "2"] },
  claimed_email_domains: ["acme.dev"],
  first_party_connected_apps_allowed_type: "RESTRICTED",
  allowed_first_party_connected_apps: ["connected-app-live-1"],
  third_party_connected_apps_allowed_type: "NOT_ALLOWED",
  allowed_third_party_connected_apps: [],
};

export const UUID = "5e3d7a2c-9d0b-4c53-8a51-0b0a2a1d6f3e";
