/**
 * What a request says of an organization: its schemas, and what they mean to a customer of the core.
 */

import * as z from "zod/mini";
import type { CustomerChange } from "../core/customers.ts";
import type { DomainRole, NewCustomer, Organization } from "../core/directory.ts";
import { firstKept } from "../core/kept.ts";
import type { ErrorType } from "./errors.ts";
import { metadata } from "./fields.ts";
import { domain, MAX_ENTRIES, settingFields, settingsOf } from "./organization-settings.ts";
import { isSlug } from "./organization-slugs.ts";

const MAX_NAME_LENGTH = 128;
const MAX_LOGO_URL_LENGTH = 2048;

const type = (error: ErrorType) => ({ error });

const name = (ifNone: ErrorType) =>
  z
    .string(type(ifNone))
    .check(
      z.regex(/\S/, type("invalid_organization_name")),
      z.maxLength(MAX_NAME_LENGTH, type("invalid_organization_name")),
    );

/** An empty one takes it away. */
const logoUrl = z.string().check(
  z.maxLength(MAX_LOGO_URL_LENGTH, type("organization_logo_url_too_long")),
  z.refine((text) => text === "" || /^https?:$/.test(URL.parse(text)?.protocol ?? ""), type("invalid_url")),
);

const externalId = z
  .string()
  .check(z.regex(/^[\w.|-]{1,128}$/, { error: "must have 1 to 128 characters, of letters, digits, ., _, - and |" }));

const domainRole = z.object({
  domain: domain("rbac_invalid_domain", "rbac_domain_too_common"),
  role_id: z.string(type("invalid_rbac_role_id")),
});

const shared = {
  organization_slug: z.nullish(
    z.string(type("invalid_organization_slug")).check(z.refine(isSlug, type("invalid_organization_slug"))),
  ),
  organization_logo_url: z.nullish(logoUrl),
  organization_external_id: z.nullish(externalId),
  trusted_metadata: z.nullish(metadata),
  rbac_email_implicit_role_assignments: z.nullish(z.array(domainRole).check(z.maxLength(MAX_ENTRIES))),
  ...settingFields,
};

export const OrganizationCreate = z.object({ organization_name: name("organization_name_missing"), ...shared });
export const OrganizationUpdate = z.object({
  organization_name: z.nullish(name("invalid_organization_name")),
  ...shared,
});

type Create = z.infer<typeof OrganizationCreate>;
type Update = z.infer<typeof OrganizationUpdate>;

/** Without any setting, members can be invited; whoever says how they come in has to say this too. */
function firstSettings(body: Create): Record<string, unknown> {
  const settings = settingsOf(body);
  return Object.keys(settings).length === 0 ? {} : { email_invites: "NOT_ALLOWED", ...settings };
}

/** @throws {LatchkeyError} metadata_too_large, metadata_too_many_keys */
export function toNewCustomer(body: Create, { id: organizationId }: Organization, now: number): NewCustomer {
  return {
    id: crypto.randomUUID(),
    organizationId,
    type: "team",
    externalId: body.organization_external_id ?? null,
    email: null,
    name: body.organization_name,
    billingAddress: null,
    taxId: null,
    locale: null,
    metadata: {},
    createdAt: now,
    slug: body.organization_slug ?? null,
    logoUrl: body.organization_logo_url || null,
    trustedMetadata: firstKept(body.trusted_metadata ?? {}),
    domainRoles: domainRolesOf(body) ?? [],
    signInSettings: firstSettings(body),
  };
}

export function toChange(body: Update): CustomerChange {
  const { organization_name, organization_slug, organization_logo_url, organization_external_id, trusted_metadata } =
    body;
  const domainRoles = domainRolesOf(body);
  const signInSettings = settingsOf(body);
  return {
    ...(organization_name != null && { name: organization_name }),
    ...(organization_slug != null && { slug: organization_slug }),
    ...(organization_logo_url != null && { logoUrl: organization_logo_url || null }),
    ...(organization_external_id != null && { newExternalId: organization_external_id }),
    ...(trusted_metadata != null && { trustedMetadata: trusted_metadata }),
    ...(domainRoles !== null && { domainRoles }),
    ...(Object.keys(signInSettings).length > 0 && { signInSettings }),
  };
}

/** null: nothing is said of them. */
function domainRolesOf({ rbac_email_implicit_role_assignments: given }: Create | Update): DomainRole[] | null {
  return given?.map(({ domain, role_id }) => ({ domain, role: role_id })) ?? null;
}
