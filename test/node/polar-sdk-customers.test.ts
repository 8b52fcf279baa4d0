/** The customer methods of Polar's own SDKs, unmodified, over HTTP. Assertions are on what the SDK parsed. */

import { Polar as Polar045 } from "polar-sdk-0.45";
import { Polar as Polar049 } from "polar-sdk-0.49";
import { ResourceNotFound as ResourceNotFound049 } from "polar-sdk-0.49/models/errors/resourcenotfound.js";
import * as v2026_04 from "polar-sdk-1.0/2026-04";
import * as v2026_10 from "polar-sdk-1.0/2026-10";
import * as v2027_01 from "polar-sdk-1.0/2027-01";
import { describe, expect, test } from "vitest";
import { demo, unique } from "./support/demo.ts";

const options = { accessToken: demo.api_key, serverURL: demo.base_url };
const slashed = (externalId: string) => `${externalId} 1/2`;

/** Two of three customers, as a filter and an order pick them. */
interface Picked {
  plan: string;
  emails: string[];
}

async function makeThree(create: (body: { email: string; plan: string }) => Promise<unknown>): Promise<Picked> {
  const plan = unique("plan").externalId;
  const people = [unique("b"), unique("a"), unique("c")];
  for (const [index, { email }] of people.entries()) await create({ email, plan: index < 2 ? plan : "other" });
  return { plan, emails: [people[1]?.email as string, people[0]?.email as string] };
}

describe.each([
  ["0.45", new Polar045(options)],
  ["0.49", new Polar049(options) as unknown as Polar045],
])("SDK %s", (version, polar) => {
  const make = async () => {
    const { email, externalId } = unique("solo");
    return polar.customers.create({ email, externalId: slashed(externalId), metadata: { k: "v" } });
  };

  test("customers.list filters, sorts and walks the pages", async () => {
    const { plan, emails } = await makeThree(({ email, plan }) =>
      polar.customers.create({ email, metadata: { plan } }),
    );
    const organizationId = demo.organization.id;
    const request = { metadata: { plan }, sorting: ["email" as const], limit: 1, organizationId };
    const found: (string | null)[] = [];
    for await (const page of await polar.customers.list(request)) {
      expect(page.result.pagination).toEqual({ totalCount: 2, maxPage: 2 });
      found.push(...page.result.items.map(({ email }) => email));
    }
    expect(found).toEqual(emails);
    const [email] = emails as [string];
    const one = await polar.customers.list({ email: email.toUpperCase(), query: email.slice(0, 6) });
    expect(one.result.items).toMatchObject([{ email }]);
  });

  test("customers.update and updateExternal, getState and getStateExternal", async () => {
    const { id, externalId, email } = await make();
    const updated = await polar.customers.update({ id, customerUpdate: { name: "New", metadata: { n: 1 } } });
    expect(updated).toMatchObject({ id, name: "New", metadata: { n: 1 }, email });
    expect(updated.modifiedAt).toBeInstanceOf(Date);
    const external = { externalId: externalId as string };
    const customerUpdateExternalID = { name: null, billingAddress: { country: "FR" as const } };
    const again = await polar.customers.updateExternal({ ...external, customerUpdateExternalID });
    expect(again).toMatchObject({ id, name: null, billingAddress: { country: "FR" } });
    expect(await polar.customers.getExternal(external)).toEqual(again);
    const state = await polar.customers.getState({ id });
    expect(state).toEqual({ ...again, activeSubscriptions: [], grantedBenefits: [], activeMeters: [] });
    expect(await polar.customers.getStateExternal(external)).toEqual(state);
  });

  test("customers.delete and deleteExternal", async () => {
    const [one, two] = [await make(), await make()];
    await polar.customers.delete({ id: one.id, anonymize: true });
    await polar.customers.deleteExternal({ externalId: two.externalId as string });
    for (const { id } of [one, two]) {
      await expect(polar.customers.get({ id })).rejects.toMatchObject({ name: ResourceNotFound049.name });
      await expect(polar.customers.delete({ id })).rejects.toMatchObject({ detail: "Not found" });
    }
    await polar.customers.create({ email: two.email, externalId: two.externalId ?? null });
  });

  test("customers.export", async () => {
    const { id } = await make();
    const csv = await polar.customers.export({ organizationId: demo.organization.id });
    expect(csv, version).toContain(`\r\n${id},`);
  });

  test("customers.listPaymentMethods, which only the newer one has", async () => {
    if (version === "0.45") return;
    const { id } = await make();
    const newer = polar as unknown as Polar049;
    expect((await newer.customers.listPaymentMethods({ id })).result.items).toEqual([]);
  });
});

describe.each([
  ["2026-04", v2026_04],
  ["2026-10", v2026_10],
  ["2027-01", v2027_01],
])("SDK 1.0, version %s", (_, { createPolar }) => {
  const { customers } = createPolar({ accessToken: demo.api_key, baseUrl: demo.base_url });
  const make = () => {
    const { email, externalId } = unique("solo");
    return customers.create({ email, external_id: slashed(externalId) });
  };

  test("customers.list filters and sorts", async () => {
    const { plan, emails } = await makeThree(({ email, plan }) => customers.create({ email, metadata: { plan } }));
    const found = await customers.list({
      metadata: { plan: [plan, "none"] },
      sorting: ["email", "-created_at"],
      organization_id: demo.organization.id,
    });
    expect(found.items.map(({ email }) => email)).toEqual(emails);
    expect(found.pagination).toEqual({ total_count: 2, max_page: 1 });
    expect((await customers.list({ metadata: { plan }, active: true })).items).toEqual([]);
  });

  test("customers.update, updateExternal, getState, listPaymentMethods and their external twins", async () => {
    const { id, external_id } = await make();
    const externalId = external_id as string;
    const updated = await customers.update(id, { name: "New", type: "team" });
    expect(updated).toMatchObject({ id, name: "New", type: "team" });
    const again = await customers.updateExternal(externalId, { locale: "de" });
    expect(again).toEqual({ ...updated, locale: "de", modified_at: expect.any(String) });
    expect(await customers.getExternal(externalId)).toEqual(again);
    const state = { ...again, active_subscriptions: [], granted_benefits: [], active_meters: [] };
    expect(await customers.getState(id)).toEqual(state);
    expect(await customers.getStateExternal(externalId)).toEqual(state);
    expect((await customers.listPaymentMethods(id)).items).toEqual([]);
    expect((await customers.listPaymentMethodsExternal(externalId)).items).toEqual([]);
  });

  test("customers.delete, deleteExternal and export", async () => {
    const [one, two, three] = [await make(), await make(), await make()];
    await customers.delete(one.id);
    await customers.deleteExternal(two.external_id as string, { anonymize: true });
    const csv = await customers.export({ organization_id: [demo.organization.id] });
    expect(csv).toContain(`\r\n${three.id},${three.external_id},`);
    expect(csv).not.toContain(one.id);
    expect(csv).not.toContain(two.id);
  });
});
