/**
 * Which action it takes to change which field, where a member asks. A field that stands nowhere here is for those who
 * may do everything with the resource.
 */

/** No member may do it, whatever its roles. */
export const FORBIDDEN = "(forbidden)";
export const NEW_ADDRESS = "update.info.email";
/** A blank action stands in no policy: only "*" permits it. */
const UNNAMED = "";

/** null: the field changes nothing by itself. */
type Actions = Record<string, string | null>;

const ORGANIZATION: Actions = {
  organization_id: null,
  organization_name: "update.info.name",
  organization_slug: "update.info.slug",
  organization_logo_url: "update.info.logo-url",
  trusted_metadata: FORBIDDEN,
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

/**
 * What makes a member more than an ordinary one, when it is made too. An external id is one: by it trusted issuers and
 * the backend know a person, so that whoever may choose it would be taken for somebody else.
 */
const PRIVILEGES: Actions = {
  external_id: UNNAMED,
  trusted_metadata: FORBIDDEN,
  is_breakglass: "update.settings.is-breakglass",
  roles: "update.settings.roles",
};

const MEMBER: Actions = {
  ...PRIVILEGES,
  organization_id: null,
  member_id: null,
  name: "update.info.name",
  untrusted_metadata: "update.info.untrusted-metadata",
  mfa_phone_number: "update.info.mfa-phone",
  mfa_enrolled: "update.settings.mfa-enrolled",
  default_mfa_method: "update.settings.default-mfa-method",
  email_address: NEW_ADDRESS,
  unlink_email: NEW_ADDRESS,
  preserve_existing_sessions: null,
};

/** @param fields of the body, as sent: null is as good as absent. */
export const organizationChange = (fields: object) => actionsFor(ORGANIZATION, fields);
export const memberChange = (fields: object) => actionsFor(MEMBER, fields);
export const memberCreation = (fields: object) => [
  "create",
  ...sent(fields).flatMap((field) => PRIVILEGES[field] ?? []),
];

const sent = (fields: object) =>
  Object.entries(fields).flatMap(([field, value]) => (value === null || value === undefined ? [] : [field]));

const actionsFor = (table: Actions, fields: object) =>
  sent(fields).flatMap((field) => (table[field] === undefined ? UNNAMED : (table[field] ?? [])));
