/**
 * Organizations of a project: teams among the core's customers, made here without an owner.
 */

import type { Context } from "hono";
import { Hono } from "hono/quick";
import type { CustomerChange, CustomerRefusal } from "../core/customers.ts";
import type { Customer, DomainRole, NewCustomer } from "../core/directory.ts";
import { LatchkeyError } from "../core/errors.ts";
import type { AppEnv } from "../http/env.ts";
import { permit } from "./acting-member.ts";
import { requireAssignable } from "./assignable-roles.ts";
import { type ProjectEnv, project } from "./authenticate.ts";
import { namedOrganization } from "./directory.ts";
import { answer } from "./envelope.ts";
import { StytchError } from "./errors.ts";
import { wireId } from "./ids.ts";
import { OrganizationCreate, OrganizationUpdate, toChange, toNewCustomer } from "./organization-fields.ts";
import { slugFrom } from "./organization-slugs.ts";
import { organizationChange } from "./permissions.ts";
import { presentOrganization } from "./present.ts";
import { jsonBody } from "./validate.ts";

const ORGANIZATIONS = "/v1/b2b/organizations";
const ORGANIZATION = `${ORGANIZATIONS}/:organization_id`;

const reads = project("customers:read", "customers:write");
const writes = project("customers:write");

export const organizations = new Hono<AppEnv>()
  .post(ORGANIZATIONS, writes, jsonBody(OrganizationCreate), async (c) => {
    const body = c.req.valid("json");
    const customer = toNewCustomer(body, c.var.project, c.var.services.clock.now());
    await requireAssignable(c, rolesOf(customer.domainRoles), [], "invalid_rbac_role_id");
    return answer(c, { organization: presentOrganization(await create(c, customer, body.organization_name)) });
  })

  .get(ORGANIZATION, reads, async (c) =>
    answer(c, { organization: presentOrganization(await namedOrganization(c, c.req.param("organization_id"))) }),
  )

  .put(ORGANIZATION, writes, jsonBody(OrganizationUpdate), async (c) => {
    const customer = await namedOrganization(c, c.req.param("organization_id"));
    const body = c.req.valid("json");
    await permit(c, customer.id, "stytch.organization", organizationChange(body));
    const change = toChange(body);
    await requireAssignable(c, rolesOf(change.domainRoles), customer.ownRoles, "invalid_rbac_role_id");
    return answer(c, { organization: presentOrganization(await changed(c, customer, change)) });
  })

  .delete(ORGANIZATION, writes, async (c) => {
    const { id } = await namedOrganization(c, c.req.param("organization_id"));
    await permit(c, id, "stytch.organization", ["delete"]);
    if (!(await c.var.services.customers.delete(c.var.project.id, id, false))) {
      throw new StytchError("organization_not_found");
    }
    return answer(c, { organization_id: wireId("organization", id) });
  })

  .get(`${ORGANIZATION}/metrics`, reads, async (c) => {
    const { id } = await namedOrganization(c, c.req.param("organization_id"));
    const filter = { of: [{ id }], role: null };
    const { total } = await c.var.services.members.list(c.var.project.id, filter, false, { offset: 0, limit: 1 });
    return answer(c, { member_count: total });
  })

  .delete(`${ORGANIZATION}/external_id`, writes, async (c) => {
    const customer = await namedOrganization(c, c.req.param("organization_id"));
    await permit(c, customer.id, "stytch.organization", organizationChange({ organization_external_id: "" }));
    return answer(c, { organization: presentOrganization(await changed(c, customer, { newExternalId: null })) });
  });

async function changed(c: Context<ProjectEnv>, customer: Customer, change: CustomerChange): Promise<Customer> {
  const changed = await c.var.services.customers.change(customer, change);
  if (changed === null) throw new StytchError("organization_not_found");
  return changed;
}

/** A slug that the caller has not chosen gets an ending where it is taken. */
async function create(c: Context<ProjectEnv>, customer: NewCustomer, name: string): Promise<Customer> {
  const { customers } = c.var.services;
  if (customer.slug != null) return customers.create(customer, null);
  const slug = slugFrom(name);
  const withEnding = { ...customer, slug: `${slug ?? "organization"}-${customer.id.slice(0, 8)}` };
  if (slug === null) return customers.create(withEnding, null);
  try {
    return await customers.create({ ...customer, slug }, null);
  } catch (error) {
    if (!isSlugTaken(error)) throw error;
    return customers.create(withEnding, null);
  }
}

const isSlugTaken = (error: unknown) =>
  error instanceof LatchkeyError && (error.facts as CustomerRefusal).taken?.slug !== undefined;

const rolesOf = (domainRoles: DomainRole[] = []) => domainRoles.map(({ role }) => role);
