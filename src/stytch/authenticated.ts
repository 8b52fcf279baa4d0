/**
 * What every call answers that signs a member in or recognises one: the session with its token and a JWT of it, the
 * member, the organization.
 */

import type { Context } from "hono";
import type { ProjectEnv } from "./authenticate.ts";
import { presentMember, presentMemberSession, presentOrganization } from "./present.ts";
import type { PresentedSession } from "./presented-session.ts";
import { signSessionJwt } from "./session-jwt.ts";

export async function authenticated(c: Context<ProjectEnv>, { session, token }: PresentedSession) {
  const { member, customer } = session;
  const member_session = presentMemberSession(session);
  return {
    member_id: member_session.member_id,
    organization_id: member_session.organization_id,
    member_session,
    session_token: token,
    session_jwt: await signSessionJwt(c, session, member_session),
    member: presentMember(member, customer),
    organization: presentOrganization(customer),
    member_authenticated: true,
    intermediate_session_token: "",
    mfa_required: null,
    primary_required: null,
    member_device: null,
  };
}
