/**
 * What makes a session live, as SQL, stated once: every check, list, cap, extension and redemption uses this.
 * By convention `?1` is the present instant in each statement built from it.
 */

import type { CustomClaims } from "../core/custom-claims.ts";
import type { Factor } from "../core/factors.ts";
import type { LiveSession, SealedSession } from "../core/session.ts";
import {
  CUSTOMER_COLUMNS,
  type CustomerRow,
  MEMBER_COLUMNS,
  type MemberRow,
  ORGANIZATION_COLUMNS,
  type OrganizationRow,
  toCustomer,
  toMember,
  toOrganization,
} from "./rows.ts";

/** Rows that belong to an organization, a customer and perhaps a member, joined with these, dead or alive. */
export function withParents(tableAndAlias: string): string {
  const alias = tableAndAlias.split(" ")[1];
  return `${tableAndAlias}
  JOIN organizations o ON o.id = ${alias}.organization_id
  JOIN customers c ON c.id = ${alias}.customer_id
  LEFT JOIN members m ON m.id = ${alias}.member_id`;
}

export const SESSIONS = withParents("sessions s");

/** Epochs are compared for equality: raising one ends all sessions that hold the earlier value, and what they began. */
export const parentsLive = (alias: string) => `o.deleted_at IS NULL AND o.session_epoch = ${alias}.organization_epoch
  AND c.deleted_at IS NULL AND c.session_epoch = ${alias}.customer_epoch
  AND (${alias}.member_id IS NULL OR (m.deleted_at IS NULL AND m.session_epoch = ${alias}.member_epoch))`;

export const IS_LIVE = `s.revoked_at IS NULL AND s.expires_at > ?1 AND ${parentsLive("s")}`;

export const SESSION_COLUMNS = `s.id AS s_id, s.kind AS s_kind, s.return_url AS s_return_url,
  s.created_at AS s_created_at, s.modified_at AS s_modified_at, s.expires_at AS s_expires_at,
  s.absolute_expires_at AS s_absolute_expires_at, s.last_accessed_at AS s_last_accessed_at,
  s.custom_claims AS s_custom_claims, s.factors AS s_factors,
  ${ORGANIZATION_COLUMNS}, ${CUSTOMER_COLUMNS}, ${MEMBER_COLUMNS}`;

/** A token at rest, and what it takes to open it. */
export const SEALED_COLUMNS = `${SESSION_COLUMNS}, s.token_sealed, s.token_key`;

/** ?2 session id, ?3 organization id. */
export const SELECT_LIVE_BY_ID = `SELECT ${SESSION_COLUMNS} FROM ${SESSIONS}
  WHERE s.id = ?2 AND s.organization_id = ?3 AND ${IS_LIVE}`;

interface SessionColumns {
  s_id: string;
  s_kind: LiveSession["kind"];
  s_return_url: string | null;
  s_created_at: number;
  s_modified_at: number | null;
  s_expires_at: number;
  s_absolute_expires_at: number;
  s_last_accessed_at: number | null;
  s_custom_claims: string;
  s_factors: string;
}

export type LiveSessionRow = SessionColumns & OrganizationRow & CustomerRow & (MemberRow | { m_id: null });

export function toLiveSession(row: LiveSessionRow): LiveSession {
  const member = row.m_id === null ? null : toMember(row);
  return {
    id: row.s_id,
    kind: row.s_kind,
    organizationId: row.o_id,
    organizationSlug: row.o_slug,
    customerId: row.c_id,
    memberId: member?.id ?? null,
    role: member?.role ?? null,
    returnUrl: row.s_return_url,
    expiresAt: row.s_expires_at,
    createdAt: row.s_created_at,
    modifiedAt: row.s_modified_at,
    absoluteExpiresAt: row.s_absolute_expires_at,
    lastAccessedAt: row.s_last_accessed_at,
    factors: JSON.parse(row.s_factors) as Factor[],
    claims: JSON.parse(row.s_custom_claims) as CustomClaims,
    organization: toOrganization(row),
    customer: toCustomer(row),
    member,
  };
}

export type SealedRow = LiveSessionRow & { token_sealed: string; token_key: string };

export function toSealedSession(row: SealedRow): SealedSession {
  return { session: toLiveSession(row), tokenSealed: row.token_sealed, tokenKey: row.token_key };
}
