/**
 * How an organization's members may sign in, as a request says it. These settings are kept and shown; of what they
 * allow, this service does little itself.
 */

import * as z from "zod/mini";
import { COMMON_DOMAINS } from "./common-domains.ts";
import type { ErrorType } from "./errors.ts";
import { isObject } from "./fields.ts";

const type = (error: ErrorType) => ({ error });

const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/;
const MAX_DOMAIN_LENGTH = 253;

/**
 * Of any list. They stand in the organization's row, which every check of a session reads, and its own people may fill
 * them.
 */
export const MAX_ENTRIES = 50;

/** Kept in lower case. */
export const domain = (invalid: ErrorType, tooCommon: ErrorType) =>
  z.string(type(invalid)).check(
    z.toLowerCase(),
    z.maxLength(MAX_DOMAIN_LENGTH, type(invalid)),
    z.regex(DOMAIN, type(invalid)),
    z.refine((text) => !COMMON_DOMAINS.has(text), type(tooCommon)),
  );

const domains = (invalid: ErrorType, duplicate: ErrorType, tooCommon: ErrorType) =>
  z.array(domain(invalid, tooCommon)).check(
    z.maxLength(MAX_ENTRIES),
    z.refine((list) => new Set(list).size === list.length, type(duplicate)),
  );

const ids = z.array(z.string().check(z.minLength(1), z.maxLength(128))).check(z.maxLength(MAX_ENTRIES));

const oneOf = <const Value extends string>(error: ErrorType, ...values: Value[]) => z.enum(values, type(error));
const listOf = <const Value extends string>(error: ErrorType, ...values: Value[]) =>
  z.array(z.enum(values, type(error)), type(error)).check(z.maxLength(MAX_ENTRIES));

const authFactor = oneOf("invalid_organization_auth_factor_setting", "ALL_ALLOWED", "RESTRICTED", "NOT_ALLOWED");
const connectedApps = z.enum(["ALL_ALLOWED", "RESTRICTED", "NOT_ALLOWED"]);

const TENANT_PROVIDERS = ["slack", "hubspot", "github"];

const isOauthTenants = (value: unknown) =>
  isObject(value) &&
  Object.entries(value).every(
    ([provider, tenants]) => TENANT_PROVIDERS.includes(provider) && z.safeParse(ids, tenants).success,
  );

const SETTINGS = {
  sso_default_connection_id: z.string().check(z.maxLength(128)),
  sso_jit_provisioning: authFactor,
  sso_jit_provisioning_allowed_connections: ids,
  email_allowed_domains: domains(
    "organization_settings_invalid_domain",
    "organization_settings_duplicate_domain",
    "organization_settings_domain_too_common",
  ),
  claimed_email_domains: domains(
    "organization_settings_invalid_claimed_domain",
    "organization_settings_duplicate_claimed_domain",
    "organization_settings_claimed_domain_too_common",
  ),
  email_jit_provisioning: oneOf(
    "invalid_organization_auth_factor_setting_for_email_jit_provisioning",
    "RESTRICTED",
    "NOT_ALLOWED",
  ),
  email_invites: authFactor,
  auth_methods: oneOf("invalid_organization_auth_method_settings", "ALL_ALLOWED", "RESTRICTED"),
  allowed_auth_methods: listOf(
    "invalid_organization_allowed_auth_methods",
    "sso",
    "magic_link",
    "email_otp",
    "password",
    "google_oauth",
    "microsoft_oauth",
    "slack_oauth",
    "github_oauth",
    "hubspot_oauth",
  ),
  mfa_policy: oneOf("invalid_organization_mfa_policy", "REQUIRED_FOR_ALL", "OPTIONAL"),
  mfa_methods: oneOf("invalid_organization_mfa_factor_setting", "ALL_ALLOWED", "RESTRICTED"),
  allowed_mfa_methods: listOf("invalid_organization_allowed_mfa_methods", "sms_otp", "totp"),
  oauth_tenant_jit_provisioning: oneOf(
    "invalid_organization_auth_factor_setting_for_oauth_tenant_jit_provisioning",
    "RESTRICTED",
    "NOT_ALLOWED",
  ),
  allowed_oauth_tenants: z.custom<Record<string, string[]>>(
    isOauthTenants,
    type("invalid_oauth_allowed_tenants_format"),
  ),
  first_party_connected_apps_allowed_type: connectedApps,
  allowed_first_party_connected_apps: ids,
  third_party_connected_apps_allowed_type: connectedApps,
  allowed_third_party_connected_apps: ids,
};

export type Setting = keyof typeof SETTINGS;

const NAMES = Object.keys(SETTINGS) as Setting[];

/** Each may be absent or null. */
export const settingFields = Object.fromEntries(NAMES.map((name) => [name, z.nullish(SETTINGS[name])])) as {
  [name in Setting]: z.ZodMiniOptional<z.ZodMiniNullable<(typeof SETTINGS)[name]>>;
};

/** Those of a body that say something. No connection is the default one where its id is empty. */
export function settingsOf(body: { [name in Setting]?: unknown }): Record<string, unknown> {
  const said = NAMES.filter((name) => body[name] != null);
  return Object.fromEntries(
    said.map((name) => [name, name === "sso_default_connection_id" && body[name] === "" ? null : body[name]]),
  );
}
