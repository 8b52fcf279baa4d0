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
  const [customer] = await namedOrganizations(c, [name]);
  return customer as Customer;
}

/** In the order of their names, all of them. @throws what `namedOrganization` throws */
export async function namedOrganizations(c: Context<ProjectEnv>, names: readonly string[]): Promise<Customer[]> {
  const named = names.map((name) => {
    if (name === "") throw new StytchError("invalid_organization_id");
    return { id: uuidOf("organization", name), name };
  });
  const found = await c.var.services.customers.findAllNamed(c.var.project.id, named);
  return found.map((customer) => {
    if (customer === null) throw new StytchError("organization_not_found");
    return customer;
  });
}

/** @throws {StytchError} member_not_found @throws {LatchkeyError} unavailable */
export async function namedMember(c: Context<ProjectEnv>, customer: Customer, name: string): Promise<Member> {
  const named = { id: uuidOf("member", name), name };
  const member = await c.var.services.members.findNamed(c.var.project.id, customer.id, named);
  if (member === null) throw new StytchError("member_not_found");
  return member;
}
