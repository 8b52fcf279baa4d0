/**
 * Sessions that there are: listed, recognised, changed and ended.
 */

import type { Context } from "hono";
import { Hono } from "hono/quick";
import * as z from "zod/mini";
import type { Member } from "../core/directory.ts";
import { isImpersonated } from "../core/factors.ts";
import type { AppEnv } from "../http/env.ts";
import { permit } from "./acting-member.ts";
import { type ProjectEnv, project } from "./authenticate.ts";
import { authenticated } from "./authenticated.ts";
import { authorizationCheck, verdictOn } from "./authorization-check.ts";
import { namedMember, namedOrganization } from "./directory.ts";
import { answer } from "./envelope.ts";
import { StytchError } from "./errors.ts";
import { type LifeAndClaims, lifeAndClaims, lifeAndClaimsOf, sessionArguments } from "./fields.ts";
import { uuidOf } from "./ids.ts";
import { isMemberSession, type MemberSession, presentMemberSession } from "./present.ts";
import { presentedSession } from "./presented-session.ts";
import { jsonBody, query } from "./validate.ts";

const List = z.object({ organization_id: z.string(), member_id: z.string() });
const Authenticate = z.object({
  ...sessionArguments,
  ...lifeAndClaims,
  authorization_check: z.nullish(authorizationCheck),
});
const Revoke = z.object({
  ...sessionArguments,
  member_session_id: z.nullish(z.string()),
  member_id: z.nullish(z.string()),
});

/** No member has more sessions (migrations/0001_tenants_and_people.sql), and this list has no pages. */
const ALL = { offset: 0, limit: 10_000 };

export const sessions = new Hono<AppEnv>()
  .get("/v1/b2b/sessions", project("member_sessions:read", "member_sessions:write"), query(List), async (c) => {
    const { organization_id, member_id } = c.req.valid("query");
    const customer = await namedOrganization(c, organization_id);
    const member = await namedMember(c, customer, member_id);
    const { items } = await c.var.services.sessions.list(c.var.project.id, { memberId: member.id }, ALL);
    return answer(c, { member_sessions: items.filter(isMemberSession).map(presentMemberSession) });
  })

  .post("/v1/b2b/sessions/authenticate", project("member_sessions:write"), jsonBody(Authenticate), async (c) => {
    const body = c.req.valid("json");
    const { session, token } = await presentedSession(c, body);
    const check = body.authorization_check;
    const verdict = check == null ? null : await verdictOn(c, session, check);
    return answer(c, { ...(await authenticated(c, { session: await changed(c, session, body), token })), verdict });
  })

  .post("/v1/b2b/sessions/revoke", project("member_sessions:write"), jsonBody(Revoke), async (c) => {
    const body = c.req.valid("json");
    const { sessions } = c.var.services;
    const named = [body.member_session_id, body.session_token, body.session_jwt, body.member_id].filter(Boolean);
    if (named.length === 0) throw new StytchError("no_session_revoke_arguments");
    if (named.length > 1) throw new StytchError("too_many_session_revoke_arguments");
    if (body.member_id) {
      const member = await memberOf(c, body.member_id);
      await permit(c, member.customerId, "stytch.member", ["revoke-sessions"], member.id);
      await sessions.revokeAll(c.var.project.id, { scope: "member", memberId: member.id, exceptSessionId: null });
    } else {
      const session = body.member_session_id
        ? await namedSession(c, body.member_session_id)
        : (await presentedSession(c, body)).session;
      await permit(c, session.customerId, "stytch.member", ["revoke-sessions"], session.memberId);
      await sessions.revoke(c.var.project.id, session.id);
    }
    return answer(c, {});
  });

/** @throws {StytchError} session_not_mutable @throws {LatchkeyError} what `Sessions.change` throws */
async function changed(c: Context<ProjectEnv>, session: MemberSession, body: LifeAndClaims): Promise<MemberSession> {
  const { ttlSeconds, claims } = lifeAndClaimsOf(body);
  if (ttlSeconds === null && claims === null) return session;
  if (isImpersonated(session.factors)) throw new StytchError("session_not_mutable");
  const changed = await c.var.services.sessions.change(c.var.project, session.id, { ttlSeconds, claims });
  if (!isMemberSession(changed)) throw new StytchError("session_not_found");
  return changed;
}

/** No organization is named, so neither is a member by an id of the caller's own. */
async function memberOf(c: Context<ProjectEnv>, name: string): Promise<Member> {
  const id = uuidOf("member", name);
  const member = id === null ? null : await c.var.services.members.find(c.var.project.id, { id });
  if (member === null) throw new StytchError("member_not_found");
  return member;
}

async function namedSession(c: Context<ProjectEnv>, name: string): Promise<MemberSession> {
  const id = uuidOf("session", name);
  if (id === null) throw new StytchError("invalid_session_id");
  const session = await c.var.services.sessions.find(c.var.project.id, id);
  if (!isMemberSession(session)) throw new StytchError("session_not_found");
  return session;
}
