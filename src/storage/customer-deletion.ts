/**
 * Deleting a customer and its members, in one transaction with the end of all their sessions. The rows stay, so that
 * no id is ever given out twice; addresses and external ids become free.
 */

import type { Statement } from "./database.ts";
import type { StoreContext } from "./session-store.ts";

/** No mail server will ever have it (RFC 2606). */
const NOBODY = "id || '@anonymized.invalid'";
/** Not a digest of what stood there: that could be guessed. */
const NO_NAME = "lower(hex(randomblob(32)))";

const LIVING = "id = ?1 AND organization_id = ?2 AND deleted_at IS NULL";
const OF_LIVING = `customer_id = (SELECT id FROM customers WHERE ${LIVING})`;

/** Those who left earlier are people too. */
const ANONYMIZE_MEMBERS = `UPDATE members SET email = ${NOBODY}, email_key = ${NOBODY}, name = NULL,
  trusted_metadata = '{}', untrusted_metadata = '{}', sign_in_settings = '{}', retired_emails = '[]'
  WHERE ${OF_LIVING}`;

/** A tax id marks a business, and keeps its name: it stands on invoices. */
const ANONYMIZE = `UPDATE customers SET
    email = iif(email IS NULL, NULL, ${NOBODY}), email_key = iif(email IS NULL, NULL, ${NOBODY}), email_verified = 0,
    trusted_metadata = '{}', sign_in_settings = '{}', domain_roles = '[]', logo_url = NULL,
    name = iif(name IS NULL OR tax_id IS NOT NULL, name, ${NO_NAME}),
    billing_name = iif(billing_name IS NULL, NULL, ${NO_NAME}), billing_address = NULL, slug = NULL,
    metadata = json_set(metadata, '$.__anonymized_at', ?3)
  WHERE ${LIVING}`;

/** What was mailed holds addresses too, and so may what sessions claim and how they came to be. Codes go before the members' own addresses do: by these they are found. */
const FORGET_WORDS = [
  `DELETE FROM email_changes WHERE ${OF_LIVING}`,
  `UPDATE sessions SET factors = '[]', custom_claims = '{}' WHERE ${OF_LIVING}`,
  `DELETE FROM sign_in_codes WHERE organization_id = ?2
    AND email_key IN (SELECT email_key FROM members WHERE ${OF_LIVING})`,
];

const DELETE_MEMBERS = `UPDATE members SET deleted_at = ?3, session_epoch = session_epoch + 1
  WHERE ${OF_LIVING} AND deleted_at IS NULL`;

/** The external id goes where the organization's support can still find it. */
const DELETE = `UPDATE customers SET deleted_at = ?3, session_epoch = session_epoch + 1, external_id = NULL,
    metadata = iif(external_id IS NULL, metadata, json_set(metadata, '$.__external_id', external_id))
  WHERE ${LIVING} RETURNING id`;

const IS_DONE = `SELECT 1 FROM customers WHERE id = ?1 AND organization_id = ?2 AND deleted_at IS NOT NULL
  AND (?3 = 0 OR metadata ->> '$.__anonymized_at' IS NOT NULL)`;

export function customerDeletion({ database, cache, clock }: StoreContext) {
  async function remove(organizationId: string, id: string, anonymize: boolean): Promise<boolean> {
    const now = clock.now();
    const key = [id, organizationId] as const;
    const anonymizing: Statement[] = anonymize
      ? [
          ...FORGET_WORDS.map((sql): Statement => [sql, ...key]),
          [ANONYMIZE_MEMBERS, ...key],
          [ANONYMIZE, ...key, new Date(now).toISOString()],
        ]
      : [];
    try {
      const results = await database.transact(...anonymizing, [DELETE_MEMBERS, ...key, now], [DELETE, ...key, now]);
      return (results.at(-1) as unknown[]).length > 0;
    } catch (error) {
      // Not repeated: a second time would not find the customer that the first one may have deleted.
      const done = await database.read(IS_DONE, ...key, anonymize ? 1 : 0);
      if (done.length === 0) throw error;
      return true;
    }
  }

  return {
    /**
     * @param anonymize also removes what tells who the customer and its members were.
     * @returns false: there is no such customer any more.
     * @throws {LatchkeyError} unavailable
     */
    async delete(organizationId: string, id: string, anonymize: boolean): Promise<boolean> {
      const deleted = await remove(organizationId, id, anonymize);
      cache.evictAll();
      return deleted;
    },
  };
}
