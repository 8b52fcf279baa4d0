/**
 * Sign-in codes in D1 only: single use and a bound on attempts need atomic writes. Using one up is part of making its
 * session (session-writes.ts), by the rule that stands here.
 */

import type { Organization } from "../core/directory.ts";
import type { Clock, OrganizationRef, SignInCode, SignInStore } from "../core/ports.ts";
import type { SignInPerson } from "../core/sign-in.ts";
import { MAX_TYPED_ATTEMPTS } from "../core/typed-codes.ts";
import type { Database, Statement } from "./database.ts";
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
import type { ProofRule } from "./session-writes.ts";

const OF_CHOSEN_CUSTOMER = `c.deleted_at IS NULL AND (?3 IS NULL OR c.id = ?3) ORDER BY c.created_at, c.id LIMIT 100`;

const SELECT_MEMBERS = `SELECT ${CUSTOMER_COLUMNS}, ${MEMBER_COLUMNS} FROM members m
  JOIN organizations o ON o.id = m.organization_id AND o.deleted_at IS NULL
  JOIN customers c ON c.id = m.customer_id
  WHERE m.organization_id = ?1 AND m.email_key = ?2 AND m.deleted_at IS NULL AND ${OF_CHOSEN_CUSTOMER}`;

const SELECT_CUSTOMERS = `SELECT ${CUSTOMER_COLUMNS}, NULL AS m_id FROM customers c
  JOIN organizations o ON o.id = c.organization_id AND o.deleted_at IS NULL
  WHERE c.organization_id = ?1 AND c.email_key = ?2 AND ${OF_CHOSEN_CUSTOMER}`;

/** Does nothing the second time, so that a lost answer may be asked for again. */
const INSERT = `INSERT INTO sign_in_codes
    (lookup_key, token_key, organization_id, email_key, customer_id, typed_mac, created_at, expires_at)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (lookup_key) DO NOTHING`;

/**
 * ?4 is 1 to keep the new code and end the others, 0 to have the new one go again. The others of an address must live
 * on then: else anybody could end a member's code without a new one being sent.
 */
const DELETE_OTHERS_OR_ITSELF = `DELETE FROM sign_in_codes
  WHERE organization_id = ?1 AND email_key = ?2 AND (lookup_key <> ?3) = ?4`;

const IS_ALIVE = "used_at IS NULL AND expires_at > ?1";

const SELECT_ALIVE = `SELECT k.email_key, k.customer_id, ${ORGANIZATION_COLUMNS} FROM sign_in_codes k
  JOIN organizations o ON o.id = k.organization_id AND o.deleted_at IS NULL
  WHERE k.lookup_key = ?2 AND ${IS_ALIVE}`;

/** ?2 names the organization by id or by slug, whichever column is asked. */
const countAttemptAt = (column: "id" | "slug") => `UPDATE sign_in_codes SET attempts = attempts + 1
  WHERE organization_id = (SELECT id FROM organizations WHERE ${column} = ?2 AND deleted_at IS NULL)
    AND email_key = ?3 AND ${IS_ALIVE} AND attempts < ${MAX_TYPED_ATTEMPTS}
  RETURNING lookup_key, token_key, organization_id, email_key, typed_mac`;

/**
 * Good for the very person that the code was mailed to: an address that was changed since, or a customer that was not
 * chosen, makes no session. Whoever has just opened a message to it has proved the customer's own address, if it is
 * that one.
 */
export const SIGN_IN_CODE: ProofRule = {
  isGood: `EXISTS (SELECT 1 FROM sign_in_codes k
    WHERE k.lookup_key = ?15 AND k.used_at IS NULL AND k.expires_at > ?7 AND k.organization_id = o.id
      AND IFNULL(k.customer_id, c.id) = c.id AND k.email_key = IFNULL(m.email_key, c.email_key))`,
  uses: [
    `UPDATE sign_in_codes SET used_at = ?1, used_by = ?2
      WHERE lookup_key = ?3 AND EXISTS (SELECT 1 FROM sessions WHERE id = ?2)`,
    `UPDATE customers SET email_verified = 1, modified_at = ?1
      WHERE id = (SELECT customer_id FROM sessions WHERE id = ?2) AND email_verified = 0
        AND email_key = (SELECT email_key FROM sign_in_codes WHERE lookup_key = ?3 AND used_by = ?2)`,
  ],
};

const FORGIVE_ATTEMPT = "UPDATE sign_in_codes SET attempts = attempts - 1 WHERE lookup_key = ?1 AND attempts > 0";

type PersonRow = CustomerRow & (MemberRow | { m_id: null });
type AliveRow = OrganizationRow & { email_key: string; customer_id: string | null };
type AttemptRow = Record<"lookup_key" | "token_key" | "organization_id" | "email_key" | "typed_mac", string>;

export function createSignInStore(database: Database, clock: Clock): SignInStore {
  const selectAlive = (lookupKey: string): Statement => [SELECT_ALIVE, clock.now(), lookupKey];

  const toCode = (lookupKey: string, [row]: AliveRow[]): SignInCode | null =>
    row === undefined
      ? null
      : { lookupKey, organization: toOrganization(row), emailKey: row.email_key, customerId: row.customer_id };

  return {
    async findPeople(organization: Organization, emailKey: string, customerId: string | null): Promise<SignInPerson[]> {
      const select = organization.memberModelEnabled ? SELECT_MEMBERS : SELECT_CUSTOMERS;
      const rows = await database.read<PersonRow>(select, organization.id, emailKey, customerId);
      return rows.map((row) => ({ customer: toCustomer(row), member: row.m_id === null ? null : toMember(row) }));
    },

    async addCode(code, isKnown) {
      const { lookupKey, organizationId, emailKey } = code;
      await database.transactRepeatable(
        [
          INSERT,
          lookupKey,
          code.tokenKey,
          organizationId,
          emailKey,
          code.customerId,
          code.mac,
          code.createdAt,
          code.expiresAt,
        ],
        [DELETE_OTHERS_OR_ITSELF, organizationId, emailKey, lookupKey, isKnown ? 1 : 0],
      );
    },

    async findCode(lookupKey) {
      return toCode(lookupKey, await database.read<AliveRow>(...selectAlive(lookupKey)));
    },

    async countAttempt(organization: OrganizationRef, emailKey) {
      const [column, value] =
        "id" in organization ? (["id", organization.id] as const) : (["slug", organization.slug] as const);
      const [rows] = await database.transact([countAttemptAt(column), clock.now(), value, emailKey]);
      const [row] = rows as AttemptRow[];
      if (row === undefined) return null;
      return {
        lookupKey: row.lookup_key,
        tokenKey: row.token_key,
        organizationId: row.organization_id,
        emailKey: row.email_key,
        mac: row.typed_mac,
      };
    },

    async forgiveAttempt(lookupKey) {
      const [, rows] = await database.transact([FORGIVE_ATTEMPT, lookupKey], selectAlive(lookupKey));
      return toCode(lookupKey, rows as AliveRow[]);
    },

    async wasUsedBy(lookupKey, sessionId) {
      const select = "SELECT 1 FROM sign_in_codes WHERE lookup_key = ?1 AND used_by = ?2";
      return (await database.read(select, lookupKey, sessionId)).length > 0;
    },
  };
}
