/**
 * What Stytch keeps with an organization and a member about signing in, and what stands there when nobody has said
 * anything. Apart from what the core knows (roles, addresses), these settings are kept and shown.
 */

export const ORGANIZATION_DEFAULTS = {
  sso_jit_provisioning: "ALL_ALLOWED",
  sso_jit_provisioning_allowed_connections: [] as string[],
  sso_default_connection_id: null as string | null,
  sso_active_connections: [],
  scim_active_connection: null,
  email_allowed_domains: [] as string[],
  claimed_email_domains: [] as string[],
  email_jit_provisioning: "NOT_ALLOWED",
  email_invites: "ALL_ALLOWED",
  auth_methods: "ALL_ALLOWED",
  allowed_auth_methods: [] as string[],
  mfa_policy: "OPTIONAL",
  mfa_methods: "ALL_ALLOWED",
  allowed_mfa_methods: [] as string[],
  oauth_tenant_jit_provisioning: "NOT_ALLOWED",
  allowed_oauth_tenants: null as Record<string, unknown> | null,
  first_party_connected_apps_allowed_type: "ALL_ALLOWED",
  allowed_first_party_connected_apps: [] as string[],
  third_party_connected_apps_allowed_type: "ALL_ALLOWED",
  allowed_third_party_connected_apps: [] as string[],
};

export const MEMBER_DEFAULTS = {
  sso_registrations: [],
  scim_registration: null,
  oauth_registrations: [],
  is_breakglass: false,
  member_password_id: "",
  mfa_phone_number: "",
  mfa_phone_number_verified: false,
  mfa_enrolled: false,
  default_mfa_method: "",
  totp_registration_id: "",
  is_locked: false,
  lock_created_at: null,
  lock_expires_at: null,
};
