/**
 * A team's members as their owner and billing managers see and change them in the portal, with their own sessions.
 */

import { createMiddleware } from "hono/factory";
import { Hono } from "hono/quick";
import * as z from "zod/mini";
import { requireAddable } from "../core/member-roles.ts";
import type { LiveSession } from "../core/session.ts";
import type { AppEnv } from "../http/env.ts";
import { managersOnly, memberHolder } from "./authenticate.ts";
import { email } from "./email-field.ts";
import { notPermitted, resourceNotFound } from "./errors.ts";
import { string, trimmedString, uuid } from "./fields.ts";
import { anyRole, memberChange } from "./member-requests.ts";
import { presentPage } from "./pages.ts";
import { presentPortalMember } from "./present.ts";
import { pagination } from "./query-fields.ts";
import { jsonBody, pathParameters, queryParameters } from "./validate.ts";

const PortalMemberCreate = z.object({
  email,
  name: z.nullish(string),
  role: z._default(anyRole, "member"),
});

/** null or blank leaves a thing as it is. */
const PortalMemberUpdate = z.object({ name: z.nullish(trimmedString(256)), role: z.nullish(anyRole) });

const memberId = pathParameters(z.object({ id: uuid("any") }));
const managers = managersOnly("Insufficient role for this operation");

const teamsOnly = createMiddleware<AppEnv & { Variables: { session: LiveSession } }>(async (c, next) => {
  if (c.var.session.customer.type !== "team") {
    throw notPermitted(
      "Member management is only available for team customers. Purchase a seat-based product to enable team features.",
    );
  }
  await next();
});

const TEAM = "/v1/customer-portal/members";
const TEAM_MEMBER = `${TEAM}/:id` as const;

export const portalMembers = new Hono<AppEnv>()
  .get(TEAM, memberHolder, managers, teamsOnly, queryParameters(z.object(pagination)), async (c) => {
    const { organizationId, customerId } = c.var.session;
    const filter = { of: [{ id: customerId }], role: null };
    return c.json(
      await presentPage(c.req.valid("query"), presentPortalMember, (page) =>
        c.var.services.members.list(organizationId, filter, false, page),
      ),
    );
  })

  .post(TEAM, memberHolder, managers, teamsOnly, jsonBody(PortalMemberCreate), async (c) => {
    const { organizationId, customerId } = c.var.session;
    const { email, name = null, role } = c.req.valid("json");
    requireAddable(role);
    const member = await c.var.services.members.add(
      organizationId,
      {
        id: crypto.randomUUID(),
        customerId,
        email,
        name,
        externalId: null,
        role,
        createdAt: c.var.services.clock.now(),
      },
      c.var.member.id,
    );
    return c.json(presentPortalMember(member), 201);
  })

  .patch(TEAM_MEMBER, memberHolder, managers, teamsOnly, memberId, jsonBody(PortalMemberUpdate), async (c) => {
    const { organizationId, customerId } = c.var.session;
    const ref = { ...c.req.valid("param"), of: { id: customerId } };
    const change = memberChange(c.req.valid("json"));
    const member = await c.var.services.members.update(organizationId, ref, change, c.var.member.id);
    if (member === null) throw resourceNotFound("Member not found");
    return c.json(presentPortalMember(member));
  })

  .delete(TEAM_MEMBER, memberHolder, managers, teamsOnly, memberId, async (c) => {
    const { organizationId, customerId } = c.var.session;
    const ref = { ...c.req.valid("param"), of: { id: customerId } };
    const removed = await c.var.services.members.remove(organizationId, ref, c.var.member.id);
    if (removed === null) throw resourceNotFound("Member not found");
    return c.body(null, 204);
  });
