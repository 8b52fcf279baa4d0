/**
 * RBAC policies as they stand in requests, answers and operators' files, and as the core has them: the one place that
 * knows both. Whether a policy makes sense is not asked here.
 */

import * as z from "zod/mini";
import type { RbacPermission, RbacPolicy, RbacRole } from "../core/rbac.ts";

/** What is null or missing is an empty list: SDKs leave empty lists out. */
const list = <Item extends z.ZodMiniType>(item: Item) =>
  z.pipe(
    z.nullish(z.array(item)),
    z.transform((items) => items ?? []),
  );

const text = z.pipe(
  z.nullish(z.string()),
  z.transform((given) => given ?? ""),
);

const permissions = list(
  z.pipe(
    z.object({ resource_id: z.string(), actions: list(z.string()) }),
    z.transform(({ resource_id, actions }): RbacPermission => ({ resource: resource_id, actions })),
  ),
);

const roles = list(
  z.pipe(
    z.object({ role_id: z.string(), description: text, permissions }),
    z.transform(({ role_id, ...role }): RbacRole => ({ id: role_id, ...role })),
  ),
);

const resources = list(
  z.pipe(
    z.object({ resource_id: z.string(), description: text, actions: list(z.string()) }),
    z.transform(({ resource_id, ...resource }) => ({ id: resource_id, ...resource })),
  ),
);

const scopes = list(
  z.pipe(
    z.object({ scope: z.string(), description: text, permissions }),
    z.transform(({ scope, ...rest }) => ({ id: scope, ...rest })),
  ),
);

export const ownRolesField = z.pipe(
  z.object({ roles }),
  z.transform((policy) => policy.roles),
);

export const policyField = z.object({ roles, resources, scopes });

export function presentPolicy({ roles, resources, scopes }: RbacPolicy) {
  return {
    roles: presentRoles(roles),
    resources: resources.map(({ id, description, actions }) => ({ resource_id: id, description, actions })),
    scopes: scopes.map(({ id, description, permissions }) => ({
      scope: id,
      description,
      permissions: presentPermissions(permissions),
    })),
  };
}

export function presentRoles(roles: readonly RbacRole[]) {
  return roles.map(({ id, description, permissions }) => ({
    role_id: id,
    description,
    permissions: presentPermissions(permissions),
  }));
}

const presentPermissions = (permissions: readonly RbacPermission[]) =>
  permissions.map(({ resource, actions }) => ({ resource_id: resource, actions }));
