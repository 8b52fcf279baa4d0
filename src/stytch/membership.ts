/**
 * What the calls about one member of an organization have in common: who may make them, which member the path names,
 * and the answer.
 */

import type { Context } from "hono";
import type { Customer, Member } from "../core/directory.ts";
import type { MemberChange } from "../core/member-roles.ts";
import { permit } from "./acting-member.ts";
import { type ProjectEnv, project } from "./authenticate.ts";
import { namedMember, namedOrganization } from "./directory.ts";
import { StytchError } from "./errors.ts";
import { wireId } from "./ids.ts";
import { presentMember, presentOrganization } from "./present.ts";

export const MEMBERS = "/v1/b2b/organizations/:organization_id/members";
export const MEMBER = `${MEMBERS}/:member_id` as const;

export const readsMembers = project("members:read", "members:write");
export const writesMembers = project("members:write");

/** In a handler whose path has both. */
type MemberContext = Context<ProjectEnv, `${string}/:organization_id/${string}/:member_id`>;

/**
 * The member that the path names.
 * @param actions what it takes to do this to it, where a member asks.
 * @throws {StytchError} what `namedOrganization`, `namedMember` and `permit` throw
 */
export async function membership(c: MemberContext, actions: readonly string[]) {
  const customer = await namedOrganization(c, c.req.param("organization_id"));
  const member = await namedMember(c, customer, c.req.param("member_id"));
  await permit(c, customer.id, "stytch.member", actions, member.id);
  return { member, customer };
}

/** @throws {StytchError} member_not_found: it has gone @throws {LatchkeyError} what `MemberStore.update` throws */
export async function changed(c: Context<ProjectEnv>, { id }: Member, change: MemberChange): Promise<Member> {
  const member = await c.var.services.members.update(c.var.project.id, { id }, change);
  if (member === null) throw new StytchError("member_not_found");
  return member;
}

/** What most of these calls answer with. */
export const withOrganization = (member: Member, customer: Customer) => ({
  member_id: wireId("member", member.id),
  member: presentMember(member, customer),
  organization: presentOrganization(customer),
});
