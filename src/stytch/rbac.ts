/**
 * The policies that SDKs fetch to check permissions by themselves: the project's, which an operator sets, and the roles
 * that an organization has beside it.
 */

import { Hono } from "hono/quick";
import * as z from "zod/mini";
import { ownRoleFaults } from "../core/rbac-rules.ts";
import type { AppEnv } from "../http/env.ts";
import { project } from "./authenticate.ts";
import { namedOrganization } from "./directory.ts";
import { answer } from "./envelope.ts";
import { StytchError } from "./errors.ts";
import { wordsFor } from "./policy-faults.ts";
import { ownRolesField, presentPolicy, presentRoles } from "./policy-fields.ts";
import { jsonBody } from "./validate.ts";

const OWN_ROLES = "/v1/b2b/rbac/organizations/:organization_id";

/** For backends that check members' sessions as for those that keep organizations. */
const readsPolicies = project("member_sessions:read", "member_sessions:write", "customers:read", "customers:write");

export const rbac = new Hono<AppEnv>()
  .get("/v1/b2b/rbac/policy", readsPolicies, async (c) => {
    const policy = await c.var.services.policies.find(c.var.project.id);
    return answer(c, { policy: presentPolicy(policy) });
  })

  .get(OWN_ROLES, readsPolicies, async (c) => {
    const { ownRoles } = await namedOrganization(c, c.req.param("organization_id"));
    return answer(c, { org_policy: { roles: presentRoles(ownRoles) } });
  })

  .put(OWN_ROLES, project("customers:write"), jsonBody(z.object({ org_policy: ownRolesField })), async (c) => {
    const { org_policy: roles } = c.req.valid("json");
    const { policies } = c.var.services;
    const { id } = await namedOrganization(c, c.req.param("organization_id"));
    const [fault] = ownRoleFaults(await policies.find(c.var.project.id), roles);
    if (fault !== undefined) {
      const { errorType, phrase } = wordsFor(fault);
      throw new StytchError(errorType, `org_policy.${phrase}.`);
    }
    if (!(await policies.setOwnRoles(c.var.project.id, id, roles))) throw new StytchError("organization_not_found");
    return answer(c, { org_policy: { roles: presentRoles(roles) } });
  });
