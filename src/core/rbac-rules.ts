/**
 * What makes a policy, or the roles that a customer adds to it, fit to be kept. Each fault says which rule is broken
 * and where; how that is worded is for those who show it.
 */

import { ADMIN_ROLE, EVERYBODYS_ROLE, RESERVED_PREFIX, RESERVED_RESOURCES } from "./default-policy.ts";
import type { RbacPermission, RbacPolicy, RbacResource, RbacRole } from "./rbac.ts";

/** In characters: of ids and of actions. */
export const MAX_NAME_LENGTH = 128;
export const MAX_DESCRIPTION_LENGTH = 1024;

export type RbacFaultReason =
  /** Of a role, a resource or a scope, as its path tells. */
  | "id_blank"
  | "id_too_long"
  | "id_duplicate"
  /** It begins as Stytch's own do and is none of them. */
  | "id_reserved"
  | "description_too_long"
  /** A customer's own role has the id of one of the policy's. */
  | "role_of_policy"
  | "default_role_missing"
  | "resource_unknown"
  | "reserved_resource_unknown"
  | "actions_missing"
  | "action_blank"
  | "action_too_long"
  | "action_unknown"
  | "wildcard_not_alone";

export interface RbacFault {
  reason: RbacFaultReason;
  /** Names and indexes down to the thing at fault: ["roles", 0, "permissions", 1]. */
  path: (string | number)[];
  /** The id or action in question. */
  named: string;
}

type Path = RbacFault["path"];

/** In exports of Stytch's there is one that nothing here asks for. */
const RESERVED_RESOURCE_IDS = new Set([...RESERVED_RESOURCES.map(({ id }) => id), "stytch.custom-org-roles"]);
const RESERVED_ROLE_IDS = new Set([EVERYBODYS_ROLE, ADMIN_ROLE]);
const NONE: ReadonlySet<string> = new Set();

/** A policy with the reserved resources that it leaves out, and the actions of those that it cuts short. */
export function completed(policy: RbacPolicy): RbacPolicy {
  const listed = new Map(policy.resources.map((resource) => [resource.id, resource]));
  const reserved = RESERVED_RESOURCES.map((resource) => {
    const { description, actions } = listed.get(resource.id) ?? resource;
    return { id: resource.id, description, actions: [...new Set([...resource.actions, ...actions])] };
  });
  const ids = new Set(reserved.map(({ id }) => id));
  return { ...policy, resources: [...reserved, ...policy.resources.filter(({ id }) => !ids.has(id))] };
}

/** All that is wrong with an organization's policy, as it stands before it is completed. */
export function* policyFaults(policy: RbacPolicy): Generator<RbacFault> {
  const { resources } = completed(policy);
  yield* namingFaults("roles", policy.roles, RESERVED_ROLE_IDS);
  if (!policy.roles.some(({ id }) => id === EVERYBODYS_ROLE)) {
    yield { reason: "default_role_missing", path: ["roles"], named: EVERYBODYS_ROLE };
  }
  yield* permissionFaults("roles", policy.roles, resources);
  yield* namingFaults("resources", policy.resources, RESERVED_RESOURCE_IDS);
  yield* declarationFaults(policy.resources);
  yield* namingFaults("scopes", policy.scopes, null);
  yield* permissionFaults("scopes", policy.scopes, resources);
}

/** All that is wrong with a customer's own roles, beside the policy of its organization. */
export function* ownRoleFaults(policy: RbacPolicy, roles: readonly RbacRole[]): Generator<RbacFault> {
  const taken = new Set(policy.roles.map(({ id }) => id));
  for (const [index, { id }] of roles.entries()) {
    if (taken.has(id)) yield { reason: "role_of_policy", path: ["roles", index], named: id };
  }
  yield* namingFaults("roles", roles, NONE);
  yield* permissionFaults("roles", roles, policy.resources);
}

/** @param reserved ids that may begin with the reserved prefix; null: the prefix means nothing here. */
function* namingFaults(
  list: string,
  items: readonly { id: string; description: string }[],
  reserved: ReadonlySet<string> | null,
): Generator<RbacFault> {
  const seen = new Set<string>();
  for (const [index, { id, description }] of items.entries()) {
    const path = [list, index];
    if (id.trim() === "") yield { reason: "id_blank", path, named: id };
    if (id.length > MAX_NAME_LENGTH) yield { reason: "id_too_long", path, named: id };
    if (seen.has(id)) yield { reason: "id_duplicate", path, named: id };
    if (reserved !== null && id.startsWith(RESERVED_PREFIX) && !reserved.has(id)) {
      yield { reason: "id_reserved", path, named: id };
    }
    if (description.length > MAX_DESCRIPTION_LENGTH) yield { reason: "description_too_long", path, named: id };
    seen.add(id);
  }
}

function* declarationFaults(resources: readonly RbacResource[]): Generator<RbacFault> {
  for (const [index, { id, actions }] of resources.entries()) {
    if (actions.length === 0) yield { reason: "actions_missing", path: ["resources", index], named: id };
    for (const [position, named] of actions.entries()) {
      const path = ["resources", index, "actions", position];
      if (named.trim() === "") yield { reason: "action_blank", path, named };
      if (named.length > MAX_NAME_LENGTH) yield { reason: "action_too_long", path, named };
    }
  }
}

function* permissionFaults(
  list: string,
  items: readonly { permissions: RbacPermission[] }[],
  resources: readonly RbacResource[],
): Generator<RbacFault> {
  const declared = new Map(resources.map(({ id, actions }) => [id, new Set(actions)]));
  for (const [index, { permissions }] of items.entries()) {
    for (const [position, { resource, actions }] of permissions.entries()) {
      const path = [list, index, "permissions", position];
      const known = declared.get(resource);
      if (known === undefined) yield unknownResource(path, resource);
      else yield* actionFaults(path, resource, actions, known);
    }
  }
}

function unknownResource(path: Path, named: string): RbacFault {
  return { reason: named.startsWith(RESERVED_PREFIX) ? "reserved_resource_unknown" : "resource_unknown", path, named };
}

function* actionFaults(path: Path, resource: string, actions: string[], known: Set<string>): Generator<RbacFault> {
  if (actions.length === 0) yield { reason: "actions_missing", path, named: resource };
  if (actions.includes("*")) {
    if (actions.length > 1) yield { reason: "wildcard_not_alone", path, named: resource };
    return;
  }
  for (const [position, named] of actions.entries()) {
    if (known.has(named)) continue;
    const reason = named.trim() === "" ? "action_blank" : "action_unknown";
    yield { reason, path: [...path, "actions", position], named };
  }
}
