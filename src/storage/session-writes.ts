/**
 * Making sessions: one D1 transaction, then KV after the answer. Ids are made by the Worker, so that a creation whose
 * answer was lost is read back instead of repeated. A session made of what works once uses that up in its own
 * transaction: there is never the one without the other.
 */

import { emailKey } from "../core/directory.ts";
import { type ErrorCode, LatchkeyError } from "../core/errors.ts";
import { isImpersonated } from "../core/factors.ts";
import type { SessionStore } from "../core/ports.ts";
import type { LiveSession, SessionDraft, SessionProof } from "../core/session.ts";
import { type Statement, UniqueViolation } from "./database.ts";
import { EMAIL_CHANGE } from "./email-changes.ts";
import { FOREIGN_TOKEN, noteTestimony } from "./foreign-tokens.ts";
import { IMPERSONATION } from "./impersonations.ts";
import { followUpInKv } from "./kv-follow-up.ts";
import { IS_LIVE, type LiveSessionRow, SELECT_LIVE_BY_ID, SESSIONS, toLiveSession } from "./live-sessions.ts";
import { insertMember } from "./member-store.ts";
import { toFacts } from "./session-checks.ts";
import { bury, type EndedRow } from "./session-endings.ts";
import { putRecord } from "./session-records.ts";
import type { StoreContext } from "./session-store.ts";
import { SIGN_IN_CODE } from "./sign-in-codes.ts";

/**
 * From live parents only, with their epochs as they are in this transaction: a concurrent revoke-all wins or loses as
 * a whole. ?12 is the member, or NULL for a customer session; ?11 the customer, or NULL for the member's own.
 */
const INSERT_SESSION = `INSERT INTO sessions (id, lookup_key, token_key, token_sealed, kind, return_url, created_at,
    expires_at, absolute_expires_at, factors, custom_claims, organization_id, customer_id, member_id,
    organization_epoch, customer_epoch, member_epoch)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?13, ?14, o.id, c.id, m.id, o.session_epoch, c.session_epoch, m.session_epoch
  FROM organizations o
  JOIN customers c ON c.id = IFNULL(?11, (SELECT customer_id FROM members WHERE id = ?12))
    AND c.organization_id = o.id AND c.deleted_at IS NULL
  LEFT JOIN members m ON m.id = ?12 AND m.customer_id = c.id AND m.deleted_at IS NULL
  WHERE o.id = ?10 AND o.deleted_at IS NULL AND (?12 IS NULL OR m.id IS NOT NULL)`;

/** What makes a proof good, and what its use is. */
export interface ProofRule {
  /** Whether ?15, its lookup key, is good at this instant (?7) for the subject that the session is for (o, c, m). */
  isGood?: string;
  /** ?1 now, ?2 the session, ?3 the lookup key. Where the session was not made, none of these does anything. */
  uses: readonly string[];
  /** What it means when a UNIQUE index over these columns refuses one of them. */
  clash?(columns: string): ErrorCode;
}

const PROOFS: Record<SessionProof["kind"], ProofRule> = {
  sign_in_code: SIGN_IN_CODE,
  email_change: EMAIL_CHANGE,
  foreign_token: FOREIGN_TOKEN,
  impersonation: IMPERSONATION,
};

const INSERT_CODE = `INSERT INTO portal_codes (lookup_key, token_key, session_id, door, created_at, expires_at)
  SELECT ?2, ?3, s.id, ?4, ?5, ?6 FROM sessions s WHERE s.id = ?1`;

/**
 * ?2 is the new session: whose sessions to count is read from it, so where it was not made, none are. It counts itself,
 * but is never the one to go, even if another was made in the same millisecond.
 */
const END_OLDEST_BEYOND_CAP = `UPDATE sessions SET revoked_at = ?1 WHERE lookup_key IN (
    SELECT s.lookup_key FROM ${SESSIONS}
    WHERE s.customer_id = (SELECT customer_id FROM sessions WHERE id = ?2)
      AND s.member_id IS (SELECT member_id FROM sessions WHERE id = ?2) AND ${IS_LIVE}
    ORDER BY (s.id = ?2) DESC, s.created_at DESC, s.id
    LIMIT -1 OFFSET IFNULL((SELECT max_sessions_per_member FROM organizations WHERE id = ?3), 0))
  RETURNING lookup_key, expires_at`;

/** ?2 the new session, whose member is invited no longer; ?3 the address that was proved for it, if it is the member's. */
const WELCOME_MEMBER = `UPDATE members
  SET status = 'active', email_verified = iif(email_key = ?3, 1, email_verified), modified_at = ?1
  WHERE id = (SELECT member_id FROM sessions WHERE id = ?2)
    AND (status <> 'active' OR (email_verified = 0 AND email_key = ?3))`;

export function sessionWrites(context: StoreContext): Pick<SessionStore, "insert"> {
  const { database, cache, clock } = context;

  async function insert(draft: SessionDraft): Promise<LiveSession | null> {
    const ticket = cache.ticket();
    const provedAt = clock.now();
    const select: Statement = [SELECT_LIVE_BY_ID, provedAt, draft.id, draft.organizationId];
    let row: LiveSessionRow | undefined;
    let ended: EndedRow[] = [];
    try {
      const results = await database.transact(...insertStatements(draft), select);
      ended = results.at(-2) as EndedRow[];
      row = (results.at(-1) as LiveSessionRow[])[0];
    } catch (error) {
      const clash = error instanceof UniqueViolation && draft.proof && PROOFS[draft.proof.kind].clash?.(error.columns);
      if (clash) throw new LatchkeyError(clash);
      if (!(error instanceof LatchkeyError)) throw error;
      [row] = await database.read<LiveSessionRow>(...select);
      if (row === undefined) throw error;
    }
    if (row === undefined) return null;
    const session = toLiveSession(row);
    cacheInKv(context, draft.lookupKey, session, provedAt, ticket);
    bury(context, ended);
    return session;
  }

  return { insert };
}

/** @param before taken before D1 was asked: if this isolate has revoked anything since, its tombstones come first. */
export function cacheInKv(
  context: StoreContext,
  lookupKey: string,
  session: LiveSession,
  provedAt: number,
  before: number,
): void {
  const { kv, cache, clock } = context;
  if (!cache.isCurrent(before)) return;
  const ticket = cache.ticket();
  followUpInKv(context, "session", async () => {
    if (cache.isCurrent(ticket)) await putRecord(kv, lookupKey, { provedAt, facts: toFacts(session) }, clock.now());
  });
}

function insertStatements(draft: SessionDraft): Statement[] {
  const { id, createdAt, customerId, memberId, organizationId, code, proof } = draft;
  const rule = proof && PROOFS[proof.kind];
  const session: Statement = [
    rule?.isGood ? `${INSERT_SESSION} AND ${rule.isGood}` : INSERT_SESSION,
    id,
    draft.lookupKey,
    draft.tokenKey,
    draft.tokenSealed,
    draft.kind,
    draft.returnUrl,
    createdAt,
    draft.expiresAt,
    draft.absoluteExpiresAt,
    organizationId,
    customerId,
    memberId,
    JSON.stringify(draft.factors),
    JSON.stringify(draft.claims),
    ...(rule?.isGood ? [proof?.lookupKey] : []),
  ];
  const codes: Statement[] = code
    ? [[INSERT_CODE, id, code.lookupKey, code.tokenKey, code.door, createdAt, code.expiresAt]]
    : [];
  const newMember = proof?.testimony?.newMember;
  const members = newMember ? [insertMember(organizationId, newMember)] : [];
  const uses = (rule?.uses ?? []).map((sql): Statement => [sql, createdAt, id, proof?.lookupKey]);
  const notes = proof?.testimony ? [noteTestimony(createdAt, id, proof.lookupKey, id, proof.testimony)] : [];
  const proved = draft.provedEmail === null ? null : emailKey(draft.provedEmail);
  const isMember = memberId !== null && !isImpersonated(draft.factors);
  const welcome: Statement[] = isMember ? [[WELCOME_MEMBER, createdAt, id, proved]] : [];
  const cap: Statement = [END_OLDEST_BEYOND_CAP, createdAt, id, organizationId];
  return [...members, session, ...codes, ...uses, ...notes, ...welcome, cap];
}
