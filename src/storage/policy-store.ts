/**
 * RBAC policies in D1: the organization's, which an operator sets, and the roles that a customer has beside it. Never
 * remembered: whoever loses a permission loses it at once.
 */

import { DEFAULT_POLICY } from "../core/default-policy.ts";
import type { Clock } from "../core/ports.ts";
import type { RbacPolicy, RbacRole } from "../core/rbac.ts";
import { completed } from "../core/rbac-rules.ts";
import type { Database } from "./database.ts";

export type PolicyStore = ReturnType<typeof createPolicyStore>;

export function createPolicyStore(database: Database, clock: Clock) {
  return {
    /** The policy of an organization that exists. @throws {LatchkeyError} unavailable */
    async find(organizationId: string): Promise<RbacPolicy> {
      const [row] = await database.read<{ rbac_policy: string | null }>(
        "SELECT rbac_policy FROM organizations WHERE id = ?1",
        organizationId,
      );
      const stored = row?.rbac_policy ?? null;
      return stored === null ? DEFAULT_POLICY : completed(JSON.parse(stored) as RbacPolicy);
    },

    /**
     * In the place of all that it had.
     * @param roles which break none of the rules of core/rbac-rules.ts.
     * @returns false: the organization has no such customer.
     * @throws {LatchkeyError} unavailable
     */
    async setOwnRoles(organizationId: string, customerId: string, roles: readonly RbacRole[]): Promise<boolean> {
      const [updated = []] = await database.transactRepeatable([
        `UPDATE customers SET rbac_roles = ?3, modified_at = ?4
         WHERE id = ?2 AND organization_id = ?1 AND deleted_at IS NULL RETURNING id`,
        organizationId,
        customerId,
        JSON.stringify(roles),
        clock.now(),
      ]);
      return updated.length > 0;
    },
  };
}
