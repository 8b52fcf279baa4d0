/**
 * Member sessions: Polar's create, and what Polar lacks, in its style: list, read, revoke, redeem, and the holder's
 * own view of its session.
 */

import { Hono } from "hono/quick";
import * as z from "zod/mini";
import type { Organization } from "../core/directory.ts";
import { LatchkeyError } from "../core/errors.ts";
import type { RevocationTarget, SessionFilter } from "../core/ports.ts";
import type { AppEnv } from "../http/env.ts";
import type { Services } from "../services.ts";
import { holder, merchant } from "./authenticate.ts";
import { invalidRequest, notPermitted, resourceNotFound } from "./errors.ts";
import { expiresIn, httpUrl, string, uuid } from "./fields.ts";
import { presentPage } from "./pages.ts";
import { portalHome, portalLink } from "./portal-link.ts";
import { presentCustomerSession, presentMemberSession, presentSession } from "./present.ts";
import { pagination } from "./query-fields.ts";
import { jsonBody, pathParameters, queryParameters } from "./validate.ts";

const MemberSessionCreate = z.object({
  member_id: uuid(4),
  return_url: z.nullish(httpUrl),
  expires_in: z.nullish(expiresIn),
});

const MemberSessionFilter = z.object({
  ...pagination,
  member_id: z.optional(uuid("any")),
  customer_id: z.optional(uuid("any")),
  external_customer_id: z.optional(string),
  external_member_id: z.optional(string),
});

const MemberSessionRevoke = z.object({
  member_id: z.nullish(uuid("any")),
  customer_id: z.nullish(uuid("any")),
  organization: z.nullish(z.boolean({ error: "bool_type" })),
  except: z.nullish(uuid("any")),
});

const MemberSessionRedeem = z.object({ code: string });
const SessionId = z.object({ id: uuid("any") });

export const memberSessions = new Hono<AppEnv>()
  .post("/v1/member-sessions/", merchant("member_sessions:write"), jsonBody(MemberSessionCreate), async (c) => {
    const { organization } = c.var;
    const { sessions, config } = c.var.services;
    const { member_id: memberId, return_url, expires_in } = c.req.valid("json");
    await requireMemberSessions(c.var.services, organization, memberId);
    const issued = await sessions.create({
      organization,
      customerId: null,
      memberId,
      returnUrl: return_url ?? null,
      ttlSeconds: expires_in ?? null,
    });
    const url = portalLink(issued, organization, config.portalOrigin, "member_session_token");
    return c.json(await presentMemberSession(issued.session, issued.token, url), 201);
  })

  .get(
    "/v1/member-sessions/",
    merchant("member_sessions:read", "member_sessions:write"),
    queryParameters(MemberSessionFilter),
    async (c) => {
      const query = c.req.valid("query");
      const filter: SessionFilter = {
        ...(query.member_id !== undefined && { memberId: query.member_id }),
        ...(query.customer_id !== undefined && { customerId: query.customer_id }),
        ...(query.external_customer_id !== undefined && { externalCustomerId: query.external_customer_id }),
        ...(query.external_member_id !== undefined && { externalMemberId: query.external_member_id }),
      };
      if (filter.externalMemberId !== undefined && !filter.customerId && !filter.externalCustomerId) {
        const msg = "An external member ID is unique within a customer only: add customer_id or external_customer_id.";
        throw invalidRequest([{ type: "missing", loc: ["query", "customer_id"], msg, input: c.req.query() }]);
      }
      return c.json(
        await presentPage(query, presentSession, (page) =>
          c.var.services.sessions.list(c.var.organization.id, filter, page),
        ),
      );
    },
  )

  .get("/v1/member-sessions/current", holder, async (c) => c.json(await presentSession(c.var.session)))

  .delete("/v1/member-sessions/current", holder, async (c) => {
    const { organizationId, id } = c.var.session;
    await c.var.services.sessions.signOut(organizationId, id);
    return c.body(null, 204);
  })

  .post("/v1/member-sessions/revoke", merchant("member_sessions:write"), jsonBody(MemberSessionRevoke), async (c) => {
    await c.var.services.sessions.revokeAll(c.var.organization.id, revocationTarget(c.req.valid("json")));
    return c.body(null, 204);
  })

  .post("/v1/member-sessions/redeem", merchant("member_sessions:redeem"), jsonBody(MemberSessionRedeem), async (c) => {
    const { organization } = c.var;
    const { sessions, config } = c.var.services;
    const { session, token } = await sessions.redeem(c.req.valid("json").code, "backend", { id: organization.id });
    const home = portalHome(organization, config.portalOrigin);
    const present = session.kind === "customer" ? presentCustomerSession : presentMemberSession;
    return c.json(await present(session, token, home));
  })

  .get(
    "/v1/member-sessions/:id",
    merchant("member_sessions:read", "member_sessions:write"),
    pathParameters(SessionId),
    async (c) => {
      const session = await c.var.services.sessions.find(c.var.organization.id, c.req.valid("param").id);
      if (session === null) throw resourceNotFound();
      return c.json(await presentSession(session));
    },
  )

  .delete("/v1/member-sessions/:id", merchant("member_sessions:write"), pathParameters(SessionId), async (c) => {
    const known = await c.var.services.sessions.revoke(c.var.organization.id, c.req.valid("param").id);
    if (!known) throw resourceNotFound();
    return c.body(null, 204);
  });

/** An organization without the member model has no member sessions; an unknown member is told before that is. */
async function requireMemberSessions({ members }: Services, organization: Organization, memberId: string) {
  const missing = [
    ...(organization.memberModelEnabled ? [] : ["member_model_enabled"]),
    ...(organization.seatBasedPricingEnabled ? [] : ["seat_based_pricing_enabled"]),
  ];
  if (missing.length === 0) return;
  if ((await members.find(organization.id, { id: memberId })) === null) {
    throw new LatchkeyError("member_not_found", { facts: { requested: memberId } });
  }
  throw notPermitted(
    `Member sessions require ${missing.join(", ")} to be enabled for the organization. Use customer sessions instead.`,
  );
}

/** Exactly one of the three: a slip here would end more sessions than was meant. */
function revocationTarget(body: z.infer<typeof MemberSessionRevoke>): RevocationTarget {
  const { member_id, customer_id, organization, except } = body;
  const broken = (loc: string[], msg: string) =>
    invalidRequest([{ type: "value_error", loc: ["body", ...loc], msg: `Value error, ${msg}`, input: body }]);
  const named = [member_id != null, customer_id != null, organization === true].filter(Boolean).length;
  if (named !== 1) throw broken([], "Exactly one of member_id, customer_id and organization: true must be given.");
  if (except != null && member_id == null) throw broken(["except"], "except goes with member_id only.");
  if (member_id != null) return { scope: "member", memberId: member_id, exceptSessionId: except ?? null };
  return customer_id != null ? { scope: "customer", customerId: customer_id } : { scope: "organization" };
}
