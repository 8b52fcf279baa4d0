/** An operator's leave to sign in as a member: for that member, within its time, once; and the member notices nothing. */

import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { Credential } from "../../src/core/credentials.ts";
import type { Factor } from "../../src/core/factors.ts";
import { createImpersonationStore } from "../../src/storage/impersonations.ts";
import { memberOf, ownerOf, randomLookupKey, sessionDraft } from "../support/drafts.ts";
import { credentials, makeTenant } from "../support/fixtures.ts";
import { IMPERSONATOR, letImpersonate } from "../support/impersonation.ts";
import { makeWorld } from "../support/world.ts";

async function prepare() {
  const [tenant, other] = [await makeTenant(), await makeTenant()];
  const { clock, isolate } = makeWorld();
  const { store, database } = isolate();
  const now = clock.now();
  const token = await letImpersonate(tenant.id, tenant.team.member.id, now);
  const { lookupKey } = (await credentials.verify(token)) as Credential;
  const factors: Factor[] = [{ kind: "impersonation", ...IMPERSONATOR, at: now }];
  const draftFor = (subject = memberOf(tenant)) =>
    sessionDraft(subject, clock.now(), { proof: { kind: "impersonation", lookupKey }, factors });
  const impersonations = createImpersonationStore(database, clock);
  return { tenant, other, clock, store, lookupKey, impersonations, draftFor };
}

test("is found by its organization, up to its last millisecond", async () => {
  const { tenant, other, clock, lookupKey, impersonations, draftFor, store } = await prepare();
  clock.advance(299_999);
  expect(await impersonations.find(tenant.id, lookupKey)).toEqual({ memberId: tenant.team.member.id, ...IMPERSONATOR });
  expect(await impersonations.find(other.id, lookupKey)).toBeNull();
  expect(await impersonations.find(tenant.id, randomLookupKey())).toBeNull();
  clock.advance(1);
  expect(await impersonations.find(tenant.id, lookupKey)).toBeNull();
  expect(await store.insert(draftFor())).toBeNull();
});

test("makes one session, whichever of 20 that try at once", async () => {
  const { tenant, store, lookupKey, impersonations, draftFor } = await prepare();
  const made = (await Promise.all(Array.from({ length: 20 }, () => store.insert(draftFor())))).filter(
    (session) => session !== null,
  );
  expect(made).toHaveLength(1);
  expect(await impersonations.find(tenant.id, lookupKey)).toBeNull();
});

test("makes none of another member, of another organization or of a customer, and stays good", async () => {
  const { tenant, other, store, lookupKey, impersonations, draftFor } = await prepare();
  for (const subject of [ownerOf(tenant), memberOf(other), { ...memberOf(tenant), memberId: null }]) {
    expect(await store.insert(draftFor(subject))).toBeNull();
  }
  expect(await impersonations.find(tenant.id, lookupKey)).not.toBeNull();
});

test("accepts no invitation in the member's place", async () => {
  const { tenant, store, draftFor } = await prepare();
  const { id } = tenant.team.member;
  await env.DB.prepare("UPDATE members SET status = 'invited' WHERE id = ?1").bind(id).run();
  const member = { status: "invited", emailVerified: false, modifiedAt: null };
  expect(await store.insert(draftFor())).toMatchObject({ member });
});
