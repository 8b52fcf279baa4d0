/**
 * The members of organizations: made, read, changed, deleted and brought back, by a project's backend or by a member in
 * whose name it calls.
 */

import type { Context } from "hono";
import { Hono } from "hono/quick";
import * as z from "zod/mini";
import { type Customer, hasMembers, type Member } from "../core/directory.ts";
import { LatchkeyError } from "../core/errors.ts";
import type { AppEnv } from "../http/env.ts";
import { permit } from "./acting-member.ts";
import { requireAssignable } from "./assignable-roles.ts";
import type { ProjectEnv } from "./authenticate.ts";
import { namedMember, namedOrganization } from "./directory.ts";
import { answer } from "./envelope.ts";
import { StytchError } from "./errors.ts";
import { uuidOf, wireId } from "./ids.ts";
import { email, MemberCreate, MemberUpdate, memberChangeOf, newMemberOf } from "./member-fields.ts";
import { changed, MEMBER, MEMBERS, membership, readsMembers, withOrganization, writesMembers } from "./membership.ts";
import { memberChange, memberCreation } from "./permissions.ts";
import { jsonBody, query } from "./validate.ts";

const blankIsNone = z.nullish(
  z.pipe(
    z.transform((value: unknown) => (value === "" ? null : value)),
    z.nullable(z.string()),
  ),
);
const Get = z.object({ member_id: blankIsNone, email_address: blankIsNone });
/** Python writes its booleans with a capital letter. */
const GetAnywhere = z.object({ include_deleted: z.nullish(z.string().check(z.regex(/^(true|false)$/i))) });

export const members = new Hono<AppEnv>()
  .get("/v1/b2b/organizations/members/dangerously_get/:member_id", readsMembers, query(GetAnywhere), async (c) => {
    const { members, customers } = c.var.services;
    const id = uuidOf("member", c.req.param("member_id"));
    const includesDeleted = c.req.valid("query").include_deleted?.toLowerCase() === "true";
    const member = id === null ? null : await members.findEver(c.var.project.id, id);
    if (member === null || (member.deletedAt !== null && !includesDeleted)) throw new StytchError("member_not_found");
    const customer = await customers.find(c.var.project.id, { id: member.customerId });
    if (customer === null) throw new StytchError("member_not_found");
    return answer(c, withOrganization(member, customer));
  })

  .post(MEMBERS, writesMembers, jsonBody(MemberCreate), async (c) => {
    const body = c.req.valid("json");
    const { project, services } = c.var;
    const customer = await namedOrganization(c, c.req.param("organization_id"));
    await permit(c, customer.id, "stytch.member", memberCreation(body));
    if (!hasMembers(project))
      throw new StytchError("unauthorized_action", "The project's organizations have no members.");
    await requireAssignable(c, body.roles ?? [], customer.ownRoles, "invalid_role");
    const member = await services.members.create(project.id, newMemberOf(customer.id, body, services.clock.now()));
    return answer(c, withOrganization(member, customer));
  })

  .get("/v1/b2b/organizations/:organization_id/member", readsMembers, query(Get), async (c) => {
    const { member_id, email_address } = c.req.valid("query");
    if ((member_id == null) === (email_address == null)) throw new StytchError("invalid_member_get_fields");
    const customer = await namedOrganization(c, c.req.param("organization_id"));
    const member =
      member_id != null
        ? await namedMember(c, customer, member_id)
        : await memberWithEmail(c, customer, email_address as string);
    return answer(c, withOrganization(member, customer));
  })

  .put(MEMBER, writesMembers, jsonBody(MemberUpdate), async (c) => {
    const body = c.req.valid("json");
    const { member, customer } = await membership(c, memberChange(body));
    if (body.mfa_phone_number != null) requireNoOtherPhone(member, body.mfa_phone_number);
    await requireAssignable(c, body.roles ?? [], customer.ownRoles, "invalid_role");
    return answer(c, withOrganization(await changed(c, member, memberChangeOf(body)), customer));
  })

  .delete(MEMBER, writesMembers, async (c) => {
    const { member } = await membership(c, ["delete"]);
    const removed = await c.var.services.members.remove(c.var.project.id, { id: member.id });
    if (removed === null) throw new StytchError("member_not_found");
    return answer(c, { member_id: wireId("member", member.id) });
  })

  .put(`${MEMBER}/reactivate`, writesMembers, async (c) => {
    const customer = await namedOrganization(c, c.req.param("organization_id"));
    const id = uuidOf("member", c.req.param("member_id"));
    const deleted = id === null ? null : await c.var.services.members.findEver(c.var.project.id, id);
    await permit(c, customer.id, "stytch.member", memberCreation(privilegesOf(deleted)));
    if (deleted?.customerId !== customer.id) throw new StytchError("no_deleted_member_found_for_reactivation");
    return answer(c, withOrganization(await reactivated(c, deleted.id), customer));
  });

async function memberWithEmail(c: Context<ProjectEnv>, customer: Customer, address: string): Promise<Member> {
  const parsed = z.safeParse(email, address);
  if (!parsed.success) throw new StytchError("invalid_email");
  const member = await c.var.services.members.findByEmail(c.var.project.id, customer.id, parsed.data);
  if (member === null) throw new StytchError("member_not_found");
  return member;
}

function requireNoOtherPhone({ signInSettings }: Member, wanted: string): void {
  const present = signInSettings["mfa_phone_number"] ?? wanted;
  if (present !== wanted) throw new StytchError("duplicate_member_phone_number_for_member");
}

/** Who brings a member back gives it all that it had, what its role implies included. */
const privilegesOf = (member: Member | null) => ({
  roles: member === null || (member.role === "member" && member.assignedRoles.length === 0) ? null : [],
  is_breakglass: member?.signInSettings["is_breakglass"] === true ? true : null,
});

async function reactivated(c: Context<ProjectEnv>, id: string): Promise<Member> {
  const { members } = c.var.services;
  const member = await members.reactivate(c.var.project.id, id).catch((error: unknown) => {
    const isTaken = error instanceof LatchkeyError && /^member_email_/.test(error.code);
    throw isTaken ? new StytchError("reactivation_email_belongs_to_another_member") : error;
  });
  if (member === null) throw new StytchError("no_deleted_member_found_for_reactivation");
  return member;
}
