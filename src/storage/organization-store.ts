/**
 * Organizations in D1, remembered by the isolate: settings take effect within 30 s.
 */

import type { Organization } from "../core/directory.ts";
import type { Clock } from "../core/ports.ts";
import type { Database } from "./database.ts";
import { createExpiringCache, type ExpiringCache } from "./expiring-cache.ts";
import { ORGANIZATION_COLUMNS, type OrganizationRow, toOrganization } from "./rows.ts";

/** One per isolate. Pages that need no session show the organization's name; anybody may ask for them, often. */
export type OrganizationCache = ExpiringCache<Organization | null>;
export const createOrganizationCache = (): OrganizationCache => createExpiringCache(30_000, 1000);

export type OrganizationStore = ReturnType<typeof createOrganizationStore>;

export function createOrganizationStore(database: Database, cache: OrganizationCache, clock: Clock) {
  /** No slug looks like an id, so one cache holds both. */
  async function findBy(column: "slug" | "id", value: string): Promise<Organization | null> {
    const now = clock.now();
    const cached = cache.get(value, now);
    if (cached !== undefined) return cached;
    const [row] = await database.read<OrganizationRow>(
      `SELECT ${ORGANIZATION_COLUMNS} FROM organizations o WHERE o.${column} = ?1 AND o.deleted_at IS NULL`,
      value,
    );
    const organization = row === undefined ? null : toOrganization(row);
    cache.set(value, organization, now);
    return organization;
  }

  /** As it was up to 30 s ago. */
  return {
    findBySlug: (slug: string) => findBy("slug", slug),
    findById: (id: string) => findBy("id", id),
  };
}
