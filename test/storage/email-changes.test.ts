/** A confirmed e-mail change makes a customer session of its own customer, and nothing else; whoever stores it. */

import { expect, test } from "vitest";
import { createEmailChangeStore } from "../../src/storage/email-changes.ts";
import { customerOf, individualOf, randomLookupKey, sessionDraft } from "../support/drafts.ts";
import { makeTenant } from "../support/fixtures.ts";
import { makeWorld } from "../support/world.ts";

test("an e-mail change is no proof for another customer, nor for a member, and stays good", async () => {
  const [tenant, other] = [await makeTenant({ allow_email_change: 1 }), await makeTenant({ allow_email_change: 1 })];
  const { clock, isolate } = makeWorld();
  const { store, database } = isolate();
  const now = clock.now();
  const changes = createEmailChangeStore(database, clock);
  const asking = await store.insert(sessionDraft(individualOf(tenant), now));
  if (asking === null) throw new Error("the session was not made");
  const proof = { kind: "email_change" as const, lookupKey: randomLookupKey() };
  const change = { tokenKey: "t", email: "new@example.com", createdAt: now, expiresAt: now + 60_000 };
  await changes.ask(asking, { ...change, lookupKey: proof.lookupKey });
  const ownCustomer = { ...individualOf(tenant), memberId: null };
  for (const subject of [individualOf(tenant), customerOf(tenant), { ...individualOf(other), memberId: null }]) {
    expect(await store.insert(sessionDraft(subject, now, { proof }))).toBeNull();
  }
  expect(await changes.find(proof.lookupKey)).toMatchObject({ email: "new@example.com" });
  expect(await store.insert(sessionDraft(ownCustomer, now, { proof }))).toMatchObject({ memberId: null });
  expect(await changes.find(proof.lookupKey)).toBeNull();
});
