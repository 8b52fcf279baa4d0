/**
 * What a backend may ask about members, and the answers, however the path names customer and member: the nested routes
 * and the flat ones differ in their paths only.
 */

import * as z from "zod/mini";
import { type CustomerRef, hasMembers, type MemberRef } from "../core/directory.ts";
import { LatchkeyError } from "../core/errors.ts";
import type { MemberChange } from "../core/member-roles.ts";
import { merchant } from "./authenticate.ts";
import { type MerchantContext, requireCustomer } from "./customer-paths.ts";
import { email } from "./email-field.ts";
import { notPermitted, resourceNotFound } from "./errors.ts";
import { enumOf, oneOf, trimmedString } from "./fields.ts";
import { presentPage } from "./pages.ts";
import { presentMember } from "./present.ts";
import { pagination, sorting } from "./query-fields.ts";

export const readsMembers = merchant("members:read", "members:write");
export const writesMembers = merchant("members:write");

export const anyRole = enumOf("owner", "billing_manager", "member");

export const memberCreate = {
  email,
  name: z.nullish(trimmedString(256)),
  external_id: z.nullish(trimmedString(1024)),
  role: z._default(oneOf("member", "billing_manager"), "member"),
};
export const MemberCreate = z.object(memberCreate);

/** null or blank leaves a thing as it is. */
export const MemberUpdate = z.object({
  name: z.nullish(trimmedString(256)),
  email: z.nullish(
    z.pipe(
      z.transform((value: unknown) => (typeof value === "string" && value.trim() === "" ? null : value)),
      z.nullable(email),
    ),
  ),
  role: z.nullish(anyRole),
});

export const memberList = {
  ...pagination,
  role: z.optional(anyRole),
  sorting: sorting({ created_at: "createdAt" }, { by: "createdAt", descending: true }),
};

type MemberListQuery = z.infer<z.ZodMiniObject<typeof memberList>>;

const NO_CUSTOMER = "Customer not found";

/** A customer without members is rare enough to be asked after only then. */
export async function listOfCustomer(c: MerchantContext, ref: CustomerRef, query: MemberListQuery) {
  const list = await listMembers(c, [ref], query);
  if (list.pagination.total_count === 0) await requireCustomer(c, ref, NO_CUSTOMER);
  return c.json(list);
}

export function listMembers(c: MerchantContext, of: CustomerRef[], query: MemberListQuery) {
  const { role = null } = query;
  const newestFirst = query.sorting.every(({ descending }) => descending);
  return presentPage(query, presentMember, (page) =>
    c.var.services.members.list(c.var.organization.id, { of, role }, newestFirst, page),
  );
}

export async function addMember(c: MerchantContext, ref: CustomerRef, body: z.infer<typeof MemberCreate>) {
  const { organization, services } = c.var;
  const customer = await requireCustomer(c, ref, NO_CUSTOMER);
  if (!hasMembers(organization)) throw notPermitted("Member management is not enabled for this organization");
  const id = crypto.randomUUID();
  const member = await services.members.add(organization.id, {
    id,
    customerId: customer.id,
    email: body.email,
    name: body.name ?? null,
    externalId: body.external_id ?? null,
    role: body.role,
    createdAt: services.clock.now(),
  });
  // Polar answers with the member who has this address already, but to a team only.
  if (member.id !== id && customer.type === "individual") throw new LatchkeyError("single_member_only");
  return c.json(presentMember(member), 201);
}

export async function readMember(c: MerchantContext, ref: MemberRef) {
  const member = await c.var.services.members.find(c.var.organization.id, ref);
  return c.json(presentMember(member ?? (await refuseUnknown(c, ref))));
}

export async function updateMember(c: MerchantContext, ref: MemberRef, body: z.infer<typeof MemberUpdate>) {
  const change = memberChange(body);
  const member = await c.var.services.members.update(c.var.organization.id, ref, change);
  return c.json(presentMember(member ?? (await refuseUnknown(c, ref))));
}

/** null leaves a thing as it is, in Polar's words. */
export const memberChange = ({ name, email, role }: z.infer<typeof MemberUpdate>): MemberChange => ({
  ...(name != null && { name }),
  ...(email != null && { email }),
  ...(role != null && { role }),
});

export async function removeMember(c: MerchantContext, ref: MemberRef) {
  const removed = await c.var.services.members.remove(c.var.organization.id, ref);
  if (removed === null) await refuseUnknown(c, ref);
  return c.body(null, 204);
}

/** Says which of the two is unknown. */
async function refuseUnknown(c: MerchantContext, { of }: MemberRef): Promise<never> {
  if (of !== undefined) await requireCustomer(c, of, NO_CUSTOMER);
  throw resourceNotFound("Member not found");
}
