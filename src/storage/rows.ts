/**
 * Columns and rows of the people tables, each with a prefix so that one joined row can hold all three.
 * How a stored customer, member or organization becomes a domain object.
 */

import type {
  Address,
  Customer,
  DomainRole,
  Kept,
  Member,
  Metadata,
  Organization,
  RetiredEmail,
  TaxId,
} from "../core/directory.ts";
import { parseExactly } from "../core/exact-json.ts";
import type { RbacRole } from "../core/rbac.ts";

export interface OrganizationRow {
  o_id: string;
  o_slug: string;
  o_name: string;
  o_created_at: number;
  o_modified_at: number | null;
  o_portal_link: Organization["portalLink"];
  o_portal_url: string | null;
  o_portal_code_ttl_seconds: number;
  o_allowed_return_origins: string;
  o_session_ttl_seconds: number;
  o_session_max_ttl_seconds: number;
  o_max_sessions_per_member: number;
  o_member_model_enabled: number;
  o_seat_based_pricing_enabled: number;
  o_login_picker: Organization["loginPicker"];
  o_allow_email_change: number;
  o_userinfo_url: string | null;
}

export const ORGANIZATION_COLUMNS = `o.id AS o_id, o.slug AS o_slug, o.name AS o_name,
  o.created_at AS o_created_at, o.modified_at AS o_modified_at,
  o.portal_link AS o_portal_link, o.portal_url AS o_portal_url, o.portal_code_ttl_seconds AS o_portal_code_ttl_seconds,
  o.allowed_return_origins AS o_allowed_return_origins, o.session_ttl_seconds AS o_session_ttl_seconds,
  o.session_max_ttl_seconds AS o_session_max_ttl_seconds, o.max_sessions_per_member AS o_max_sessions_per_member,
  o.member_model_enabled AS o_member_model_enabled, o.seat_based_pricing_enabled AS o_seat_based_pricing_enabled,
  o.login_picker AS o_login_picker, o.allow_email_change AS o_allow_email_change,
  o.userinfo_url AS o_userinfo_url`;

export function toOrganization(row: OrganizationRow): Organization {
  return {
    id: row.o_id,
    slug: row.o_slug,
    name: row.o_name,
    createdAt: row.o_created_at,
    modifiedAt: row.o_modified_at,
    portalLink: row.o_portal_link,
    portalUrl: row.o_portal_url,
    portalCodeTtlSeconds: row.o_portal_code_ttl_seconds,
    allowedReturnOrigins: JSON.parse(row.o_allowed_return_origins) as string[],
    sessionTtlSeconds: row.o_session_ttl_seconds,
    sessionMaxTtlSeconds: row.o_session_max_ttl_seconds,
    maxSessionsPerMember: row.o_max_sessions_per_member,
    memberModelEnabled: row.o_member_model_enabled === 1,
    seatBasedPricingEnabled: row.o_seat_based_pricing_enabled === 1,
    loginPicker: row.o_login_picker,
    allowEmailChange: row.o_allow_email_change === 1,
    userinfoUrl: row.o_userinfo_url,
  };
}

export interface CustomerRow {
  c_id: string;
  c_organization_id: string;
  c_type: Customer["type"];
  c_external_id: string | null;
  c_email: string | null;
  c_email_verified: number;
  c_name: string | null;
  c_billing_name: string | null;
  c_billing_address: string | null;
  c_tax_id: string | null;
  c_locale: string | null;
  c_metadata: string;
  c_slug: string | null;
  c_logo_url: string | null;
  c_trusted_metadata: string;
  c_rbac_roles: string;
  c_domain_roles: string;
  c_sign_in_settings: string;
  c_created_at: number;
  c_modified_at: number | null;
  c_deleted_at: number | null;
  c_owner_email: string | null;
}

export const CUSTOMER_COLUMNS = `c.id AS c_id, c.organization_id AS c_organization_id, c.type AS c_type,
  c.external_id AS c_external_id, c.email AS c_email, c.email_verified AS c_email_verified, c.name AS c_name,
  c.billing_name AS c_billing_name, c.billing_address AS c_billing_address, c.tax_id AS c_tax_id, c.locale AS c_locale,
  c.metadata AS c_metadata, c.slug AS c_slug, c.logo_url AS c_logo_url, c.trusted_metadata AS c_trusted_metadata,
  c.rbac_roles AS c_rbac_roles, c.domain_roles AS c_domain_roles, c.sign_in_settings AS c_sign_in_settings,
  c.created_at AS c_created_at, c.modified_at AS c_modified_at, c.deleted_at AS c_deleted_at,
  (SELECT w.email FROM members w WHERE w.customer_id = c.id AND w.role = 'owner' AND w.deleted_at IS NULL)
    AS c_owner_email`;

export function toCustomer(row: CustomerRow): Customer {
  return {
    id: row.c_id,
    organizationId: row.c_organization_id,
    type: row.c_type,
    externalId: row.c_external_id,
    email: row.c_email,
    emailVerified: row.c_email_verified === 1,
    name: row.c_name,
    billingName: row.c_billing_name,
    billingAddress: row.c_billing_address === null ? null : (JSON.parse(row.c_billing_address) as Address),
    taxId: row.c_tax_id === null ? null : (JSON.parse(row.c_tax_id) as TaxId),
    locale: row.c_locale,
    metadata: parseExactly(row.c_metadata) as Metadata,
    slug: row.c_slug,
    logoUrl: row.c_logo_url,
    trustedMetadata: JSON.parse(row.c_trusted_metadata) as Kept,
    ownRoles: JSON.parse(row.c_rbac_roles) as RbacRole[],
    domainRoles: JSON.parse(row.c_domain_roles) as DomainRole[],
    signInSettings: JSON.parse(row.c_sign_in_settings) as Kept,
    createdAt: row.c_created_at,
    modifiedAt: row.c_modified_at,
    deletedAt: row.c_deleted_at,
    ownerEmail: row.c_owner_email,
  };
}

export interface MemberRow {
  m_id: string;
  m_customer_id: string;
  m_email: string;
  m_name: string | null;
  m_external_id: string | null;
  m_role: Member["role"];
  m_status: Member["status"];
  m_email_verified: number;
  m_assigned_roles: string;
  m_trusted_metadata: string;
  m_untrusted_metadata: string;
  m_sign_in_settings: string;
  m_retired_emails: string;
  m_created_at: number;
  m_modified_at: number | null;
  m_deleted_at: number | null;
}

export const MEMBER_COLUMNS = `m.id AS m_id, m.customer_id AS m_customer_id, m.email AS m_email, m.name AS m_name,
  m.external_id AS m_external_id, m.role AS m_role, m.status AS m_status,
  m.email_verified AS m_email_verified, m.assigned_roles AS m_assigned_roles,
  m.trusted_metadata AS m_trusted_metadata, m.untrusted_metadata AS m_untrusted_metadata,
  m.sign_in_settings AS m_sign_in_settings, m.retired_emails AS m_retired_emails, m.created_at AS m_created_at,
  m.modified_at AS m_modified_at, m.deleted_at AS m_deleted_at`;

export function toMember(row: MemberRow): Member {
  return {
    id: row.m_id,
    customerId: row.m_customer_id,
    email: row.m_email,
    name: row.m_name,
    externalId: row.m_external_id,
    role: row.m_role,
    status: row.m_status,
    emailVerified: row.m_email_verified === 1,
    assignedRoles: JSON.parse(row.m_assigned_roles) as string[],
    trustedMetadata: JSON.parse(row.m_trusted_metadata) as Kept,
    untrustedMetadata: JSON.parse(row.m_untrusted_metadata) as Kept,
    signInSettings: JSON.parse(row.m_sign_in_settings) as Kept,
    retiredEmails: (JSON.parse(row.m_retired_emails) as RetiredEmail[]).map(({ id, email }) => ({ id, email })),
    createdAt: row.m_created_at,
    modifiedAt: row.m_modified_at,
    deletedAt: row.m_deleted_at,
  };
}
