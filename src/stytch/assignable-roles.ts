/**
 * Which roles may be given: those that the project's policy or the organization itself defines. What nobody defines
 * would permit nothing now, and perhaps something unforeseen later.
 */

import type { Context } from "hono";
import { EVERYBODYS_ROLE } from "../core/default-policy.ts";
import { type RbacRole, undefinedRoles } from "../core/rbac.ts";
import type { ProjectEnv } from "./authenticate.ts";
import { StytchError } from "./errors.ts";

/**
 * @param ownRoles of the organization in question.
 * @param ifUndefined what it is called where these roles are asked for.
 * @throws {StytchError} cannot_assign_default_rbac_role_id, `ifUndefined` @throws {LatchkeyError} unavailable
 */
export async function requireAssignable(
  c: Context<ProjectEnv>,
  roles: readonly string[],
  ownRoles: readonly RbacRole[],
  ifUndefined: "invalid_rbac_role_id" | "invalid_role",
): Promise<void> {
  if (roles.length === 0) return;
  if (roles.includes(EVERYBODYS_ROLE)) throw new StytchError("cannot_assign_default_rbac_role_id");
  const policy = await c.var.services.policies.find(c.var.project.id);
  const [unknown] = undefinedRoles(policy, ownRoles, roles);
  if (unknown !== undefined) throw new StytchError(ifUndefined, `There is no role ${unknown}.`);
}
