/** The Stytch dialect as the sweeps have to know it: the wire rules that hold for each of its answers. */

import { expect } from "vitest";
import { basic, projectId, REQUEST_ID } from "../stytch/support.ts";
import type { Dialect } from "./dialects.ts";
import type { Place } from "./text-fields.ts";

interface Refusal {
  error_type: string;
  error_message: string;
}

/** The types that these statuses have. */
const TYPES: Record<number, RegExp> = {
  // Of the caller's own credentials, or of a JWT that it has been given.
  401: /^(unauthorized_credentials|invalid_authorization_header)$|jwt|token/,
  405: /^method_not_allowed$/,
  413: /^request_too_large$/,
  429: /^too_many_requests$/,
  500: /^internal_server_error$/,
  503: /^server_unavailable$/,
};

/** What makes Stytch's browser SDKs sign their user out, and the one status with which that is meant. */
const SIGNS_OUT: Record<string, number> = {
  unauthorized_credentials: 401,
  user_unauthenticated: 0,
  invalid_secret_authentication: 0,
  session_not_found: 404,
};

export const STYTCH: Dialect = {
  // As the SDKs call, GET and DELETE included.
  headers: { "Content-Type": "application/json", "Cache-Control": "no-cache", Pragma: "no-cache", Accept: "*/*" },
  // With the project whose secret it is, or else the one that is asked for.
  show: (credential, { tenant, other }) => basic(projectId(credential === other.apiKey ? other : tenant), credential),
  misshow(credential, { tenant, other }) {
    const project = projectId(tenant);
    const encoded = btoa(`${project}:${credential}`);
    const asText = [
      credential,
      encoded,
      `Bearer ${credential}`,
      `Bearer ${encoded}`,
      `Token ${encoded}`,
      `Basic ${credential}`,
      `Basic ${project}:${credential}`,
      `Basic\t${encoded}`,
      `Basic "${encoded}"`,
      `Basic=${encoded}`,
      `Basic: ${encoded}`,
      `Basic ${encoded} x`,
      `Basic ${encoded}!`,
      `Basic %${encoded}`,
      `Basic ${encoded}, Basic ${encoded}`,
      `Basic ${encoded}, Bearer ${credential}`,
      `Basic realm=x, Basic ${encoded}`,
      "Basic",
      "Basic ",
      "Basic ====",
    ];
    const asPairs: [string, string][] = [
      ["", credential],
      [credential, ""],
      [credential, project],
      [credential, credential],
      // Of another project, with a secret that is not its own; and the reverse.
      [projectId(other), credential],
      [project, other.apiKey],
      [tenant.id, credential],
      [tenant.slug, credential],
      [project.toUpperCase(), credential],
      [`project-test-${tenant.id}`, credential],
      [`organization-live-${tenant.id}`, credential],
      [` ${project}`, credential],
      [project, ` ${credential}`],
      [project, `${credential}\n`],
      [project, `${credential}:`],
      [`${project}\0`, credential],
    ];
    return [
      ...asText.map((text) => ({ Authorization: text })),
      ...asPairs.map(([user, password]) => basic(user, password)),
      { Authorization: `Basic ${btoa(credential)}` },
      { "Proxy-Authorization": `Basic ${encoded}` },
      { "X-Api-Key": credential },
      { "X-Stytch-Member-Session": credential },
      { Cookie: `token=${credential}; Authorization=${encoded}; stytch_session=${credential}` },
    ];
  },

  maxBodyBytes: 64 * 1024,
  isLenient: true,
  malformed: 400,
  // 401: a JWT that proves nothing.
  unfit: () => [400, 401, 403, 404],
  /** What is of the right type may be refused or taken, unless it is too long, or a number. */
  tolerates(_route, _name, value, valid) {
    if (typeof value !== typeof valid || Array.isArray(value) !== Array.isArray(valid)) return false;
    return typeof value === "string" ? value === "" : typeof value !== "number";
  },

  expectServed(response, text, route) {
    // What nobody has is not found by whoever may look for it.
    if (route.ok === 404) return void STYTCH.expectRefusal(response, text);
    expectPlain(response);
    const body = JSON.parse(text);
    expect(body).toMatchObject({ status_code: 200, request_id: expect.stringMatching(REQUEST_ID) });
    expect(body).not.toHaveProperty("error");
  },
  expectRefusal(response, text) {
    expectPlain(response);
    const { status } = response;
    const body = JSON.parse(text) as Refusal;
    const { error_type } = body;
    expect(body).toEqual({
      status_code: status,
      request_id: expect.stringMatching(REQUEST_ID),
      error_type: expect.stringMatching(TYPES[status] ?? /^[a-z0-9_]+$/),
      error_message: expect.stringMatching(/\S/),
      error_url: expect.stringMatching(new RegExp(`^https://.*/${status}#${error_type}$`)),
    });
    expect(SIGNS_OUT[error_type] ?? status).toBe(status);
    return body;
  },
  expectTooMany: (response, text) => STYTCH.expectRefusal(response, text),
  nobody: { error_type: expect.stringMatching(/^(unauthorized_credentials|invalid_authorization_header)$/) },
  // By a challenge a browser would ask its user for the secret.
  challenge: /^$/,
  unforeseen: { error_type: "internal_server_error" },
  wantedScopes: (_, { scopes }) => scopes ?? [],
  blamed,
  comparable: (text) => text.replaceAll(/request-id-live-[0-9a-f-]+/g, "request-id"),
};

/** Neither CORS nor a version nor another address: this dialect is for backends. */
function expectPlain(response: Response): void {
  expect(response.headers.get("Content-Type")).toBe("application/json");
  const names = [...response.headers.keys()];
  expect(names.filter((name) => /^(polar|access-control)|^(location|set-cookie)$/.test(name))).toEqual([]);
}

/** Fields that take a few words only: what is none for one of them is none for any. */
const CHOICES = [
  "sso_jit_provisioning",
  "email_jit_provisioning",
  "email_invites",
  "auth_methods",
  "allowed_auth_methods",
  "mfa_policy",
  "mfa_methods",
  "allowed_mfa_methods",
  "oauth_tenant_jit_provisioning",
  "first_party_connected_apps_allowed_type",
  "third_party_connected_apps_allowed_type",
];

/** Of which fields these types are said, which do not have their names. */
const SAID_OF: Record<string, string[]> = {
  session_authorization_error: ["resource_id", "action"],
  session_authorization_tenancy_error: ["organization_id"],
  invalid_url: ["organization_logo_url"],
  invalid_organization_auth_factor_setting: CHOICES,
  invalid_organization_auth_factor_setting_for_email_jit_provisioning: CHOICES,
  invalid_organization_auth_factor_setting_for_oauth_tenant_jit_provisioning: CHOICES,
  invalid_organization_auth_method_settings: CHOICES,
  invalid_organization_allowed_auth_methods: CHOICES,
  invalid_organization_mfa_policy: CHOICES,
  invalid_organization_mfa_factor_setting: CHOICES,
  invalid_organization_allowed_mfa_methods: CHOICES,
  invalid_oauth_allowed_tenants_format: ["allowed_oauth_tenants"],
  invalid_rbac_role_id: ["role_id"],
  invalid_role: ["roles"],
  invalid_phone_number: ["mfa_phone_number"],
  invalid_mfa_default_method: ["default_mfa_method"],
  organization_settings_invalid_domain: ["email_allowed_domains"],
  organization_settings_invalid_claimed_domain: ["claimed_email_domains"],
  rbac_invalid_domain: ["domain"],
};

/** By the place that the message begins with, or by the type: `organization_not_found` is said of `organization_id`. */
function blamed(places: Place[], refusal: unknown): Place[] {
  const { error_type, error_message } = refusal as Refusal;
  const known = SAID_OF[error_type];
  if (known !== undefined) return places.filter((place) => known.includes(fieldOf(place)));
  const told = /^([\w.[\]]+) /.exec(error_message)?.[1]?.replaceAll("[", ".").replaceAll("]", "");
  const within = places.filter((place) => told !== undefined && `${place.join(".")}.`.startsWith(`${told}.`));
  if (within.length === 1) return within;
  const stem = (place: Place) => fieldOf(place).replace(/(_id|_token|_jwt|_address|s)$/, "");
  return (within.length > 0 ? within : places).filter((place) => error_type.includes(stem(place))).slice(0, 1);
}

/** The name of a list stands for what is in it. */
const fieldOf = (place: Place) => place.findLast((key) => !/^\d+$/.test(key)) as string;
