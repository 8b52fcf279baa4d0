/**
 * `authorization_check`: whether a session may do something, by the policies of this moment. The SDKs decide the same
 * by themselves from copies of the policies.
 */

import type { Context } from "hono";
import * as z from "zod/mini";
import { decide, sessionRoles } from "../core/rbac.ts";
import type { ProjectEnv } from "./authenticate.ts";
import { StytchError } from "./errors.ts";
import { wireId } from "./ids.ts";
import type { MemberSession } from "./present.ts";

export const authorizationCheck = z.object({
  organization_id: z.string(),
  resource_id: z.string(),
  action: z.string(),
});

/**
 * @throws {StytchError} session_authorization_tenancy_error: an organization is compared as it is written, as in the
 * SDKs, so its slug is another one; session_authorization_error
 */
export async function verdictOn(
  c: Context<ProjectEnv>,
  { member, customer }: MemberSession,
  { organization_id, resource_id: resource, action }: z.infer<typeof authorizationCheck>,
) {
  const own = wireId("organization", customer.id);
  if (organization_id !== own) {
    throw new StytchError(
      "session_authorization_tenancy_error",
      `Subject organization_id ${own} does not match authZ request organization_id ${organization_id}`,
    );
  }
  const policy = await c.var.services.policies.find(c.var.project.id);
  const granting_roles = decide(policy, customer.ownRoles, sessionRoles(member, customer), { resource, action });
  if (granting_roles.length === 0) throw new StytchError("session_authorization_error");
  return { authorized: true, granting_roles };
}
