/** Tax ids, and the customer in the portal, through Polar's own SDKs, unmodified, over HTTP. */

import { Polar as Polar045 } from "polar-sdk-0.45";
import { Polar as Polar049 } from "polar-sdk-0.49";
import * as v2026_04 from "polar-sdk-1.0/2026-04";
import * as v2026_10 from "polar-sdk-1.0/2026-10";
import * as v2027_01 from "polar-sdk-1.0/2027-01";
import { describe, expect, test } from "vitest";
import { demo, unique } from "./support/demo.ts";

const options = { accessToken: demo.api_key, serverURL: demo.base_url };
const FRENCH = ["FR61954506077", "eu_vat"];

/** Polar's own recorded request: 0.45 sends the pair to merchants' routes and the number alone to the portal's. */
test("SDK 0.45: customers.create with a tax id, customerPortal.customers.get and update", async () => {
  const polar = new Polar045(options);
  const { email } = unique("solo");
  const customer = await polar.customers.create({
    email,
    billingAddress: { country: "FR" },
    taxId: ["FR61954506077", "eu_vat"],
  });
  expect(customer.taxId).toEqual(FRENCH);
  const { token } = await polar.customerSessions.create({ customerId: customer.id });
  const security = { memberSession: token };
  const seen = await polar.customerPortal.customers.get(security);
  expect(seen).toMatchObject({ id: customer.id, email, emailVerified: false, taxId: FRENCH, oauthAccounts: {} });
  const update = { billingName: "ACME", billingAddress: { postalCode: "75001", country: "FR" as const }, taxId: null };
  const changed = await polar.customerPortal.customers.update(security, update);
  expect(changed).toMatchObject({ id: customer.id, taxId: null, billingAddress: { postalCode: "75001", city: null } });
  const again = await polar.customerPortal.customers.update(security, { taxId: "FR 61 954 506 077" });
  expect(again.taxId).toEqual(FRENCH);
});

test("SDK 0.49: the same, and the portal shows a billing name, a type and a locale", async () => {
  const polar = new Polar049(options);
  const { email } = unique("solo");
  const billingAddress = { country: "FR" as const };
  const customer = await polar.customers.create({ email, billingAddress, taxId: "FR61954506077", locale: "fr" });
  expect(customer.taxId).toEqual(FRENCH);
  const { token } = await polar.customerSessions.create({ customerId: customer.id });
  const changed = await polar.customerPortal.customers.update({ memberSession: token }, { billingName: "ACME" });
  expect(changed).toMatchObject({
    billingName: "ACME",
    type: "individual",
    locale: "fr",
    defaultPaymentMethodId: null,
  });
  expect(await polar.customerPortal.customers.get({ memberSession: token })).toEqual(changed);
  const cleared = await polar.customers.update({ id: customer.id, customerUpdate: { taxId: null } });
  expect(cleared).toMatchObject({ taxId: null, billingName: "ACME" });
});

describe.each([
  ["2026-04", v2026_04],
  ["2026-10", v2026_10],
  ["2027-01", v2027_01],
])("SDK 1.0, version %s", (_, { createPolar }) => {
  test("customerPortal.customers.get and update", async () => {
    const polar = createPolar({ accessToken: demo.api_key, baseUrl: demo.base_url });
    const { email } = unique("solo");
    const customer = await polar.customers.create({ email, billing_address: { country: "FR" } });
    const { token } = await polar.customerSessions.create({ customer_id: customer.id });
    const body = { billing_name: "ACME", tax_id: "FR61954506077" };
    const changed = await polar.customerPortal.customers.update(body, { accessToken: token });
    expect(changed).toMatchObject({ id: customer.id, billing_name: "ACME", tax_id: FRENCH, oauth_accounts: {} });
    expect(await polar.customerPortal.customers.get({ accessToken: token })).toEqual(changed);
  });
});
