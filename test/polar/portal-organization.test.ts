/** The public organization (contracts §1.7 and §2.9 row 15): what a portal's front end asks before anybody signs in. */

import { expect, test } from "vitest";
import { makeClient } from "../support/client.ts";
import { makeTenant } from "../support/fixtures.ts";
import { makeLink, update } from "../support/portal.ts";
import { INVALID_TOKEN, json } from "./support.ts";

const path = (slug: string) => `/v1/customer-portal/organizations/${slug}`;

test("anybody may read an organization: its name, its portal's settings, and no products", async () => {
  const tenant = await makeTenant({ name: "Acme", allow_email_change: 1, modified_at: 1_772_555_031_123 });
  expect(await json(await makeClient().call("GET", path(tenant.slug), null), 200)).toEqual({
    organization: {
      created_at: "2026-03-03T16:23:51.123000Z",
      modified_at: "2026-03-03T16:23:51.123000Z",
      id: tenant.id,
      name: "Acme",
      slug: tenant.slug,
      avatar_url: null,
      proration_behavior: "prorate",
      allow_customer_updates: false,
      customer_portal_settings: {
        usage: { show: false },
        subscription: { update_seats: false, update_plan: false, pause: false, update_units: false },
        customer: { allow_email_change: true },
      },
      organization_features: { member_model_enabled: true, checkout_localization_enabled: false },
    },
    products: [],
  });
});

test("what an organization has switched off is shown as off", async () => {
  const tenant = await makeTenant({ member_model_enabled: 0 });
  expect(await json(await makeClient().call("GET", path(tenant.slug), null), 200)).toMatchObject({
    organization: {
      modified_at: null,
      customer_portal_settings: { customer: { allow_email_change: false } },
      organization_features: { member_model_enabled: false },
    },
  });
});

test("an unknown or deleted organization is a resource that is not found", async () => {
  const tenant = await makeTenant({ deleted_at: 1 });
  for (const slug of ["nobody", tenant.slug, tenant.id]) {
    expect(await json(await makeClient().call("GET", path(slug), null), 404)).toEqual({
      error: "ResourceNotFound",
      detail: "Not found",
    });
  }
});

test("a dead bearer token is told so even here, and one that lives says nothing", async () => {
  const client = makeClient();
  const tenant = await makeTenant();
  const other = await makeTenant();
  const { token, sessionId } = await makeLink(client, tenant);
  const anonymous = await json(await client.call("GET", path(tenant.slug), null), 200);
  for (const credential of [token, tenant.apiKey, other.apiKey]) {
    expect(await json(await client.call("GET", path(tenant.slug), credential), 200)).toEqual(anonymous);
  }
  await client.settle();
  await client.call("DELETE", `/v1/member-sessions/${sessionId}`, tenant.apiKey);
  await update("organizations", other.id, { deleted_at: 1 });
  const dead = makeClient({}, client.clock);
  await client.settle();
  for (const credential of [token, other.apiKey, "x", `lk_mst_t${"A".repeat(56)}`]) {
    const refused = await dead.call("GET", path(tenant.slug), credential);
    expect(await refused.text(), credential).toBe(INVALID_TOKEN);
    expect(refused.status).toBe(401);
  }
});
