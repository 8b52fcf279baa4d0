/**
 * Organizations and members as requests name them: by our id, with or without its prefix, by the caller's own id, or by
 * slug. Never of another project.
 */

import type { Context } from "hono";
import type { Customer, Member } from "../core/directory.ts";
import type { ProjectEnv } from "./authenticate.ts";
import { StytchError } from "./errors.ts";
import { uuidOf } from "./ids.ts";

/** @throws {StytchError} invalid_organization_id, organization_not_found @throws {LatchkeyError} unavailable */
export async function namedOrganization(c: Context<ProjectEnv>, name: string): Promise<Customer> {
  if (name === "") throw new StytchError("invalid_organization_id");
  const named = { id: uuidOf("organization", name), name };
  const customer = await c.var.services.customers.findNamed(c.var.project.id, named);
  if (customer === null) throw new StytchError("organization_not_found");
  return customer;
}

/** @throws {StytchError} member_not_found @throws {LatchkeyError} unavailable */
export async function namedMember(c: Context<ProjectEnv>, customer: Customer, name: string): Promise<Member> {
  const named = { id: uuidOf("member", name), name };
  const member = await c.var.services.members.findNamed(c.var.project.id, customer.id, named);
  if (member === null) throw new StytchError("member_not_found");
  return member;
}
