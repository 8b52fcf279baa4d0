/**
 * What a portal's front end asks before anybody has signed in: whose portal it is, and what can be done there.
 */

import { Hono } from "hono/quick";
import type { Organization } from "../core/directory.ts";
import type { AppEnv } from "../http/env.ts";
import { anybody } from "./authenticate.ts";
import { resourceNotFound } from "./errors.ts";
import { timestamp, timestampOrNull } from "./timestamps.ts";

export const portalOrganization = new Hono<AppEnv>().get(
  "/v1/customer-portal/organizations/:slug",
  anybody,
  async (c) => {
    const organization = await c.var.services.organizations.findBySlug(c.req.param("slug"));
    if (organization === null) throw resourceNotFound();
    return c.json({ organization: presentOrganization(organization), products: [] });
  },
);

/** Front ends hide what is off: usage and subscriptions, which are not ours, and whose changes would end in a 404. */
function presentOrganization(organization: Organization) {
  return {
    created_at: timestamp(organization.createdAt),
    modified_at: timestampOrNull(organization.modifiedAt),
    id: organization.id,
    name: organization.name,
    slug: organization.slug,
    avatar_url: null,
    proration_behavior: "prorate",
    allow_customer_updates: false,
    customer_portal_settings: {
      usage: { show: false },
      subscription: { update_seats: false, update_plan: false, pause: false, update_units: false },
      customer: { allow_email_change: organization.allowEmailChange },
    },
    organization_features: {
      member_model_enabled: organization.memberModelEnabled,
      checkout_localization_enabled: false,
    },
  };
}
