/** Contract: how a session comes to live, is recognised, prolonged, and runs out. */

import { describe, expect, test } from "vitest";
import {
  customerOf,
  DAY_MS,
  HOUR_MS,
  individualOf,
  memberOf,
  randomLookupKey,
  sessionDraft,
} from "../../support/drafts.ts";
import type { Harness } from "../session-store.contract.ts";

export function lifeContract(makeHarness: () => Harness): void {
  describe("making a session", () => {
    test("answers with the session, its people, and what the caller chose", async () => {
      const { store, clock, makeTenant } = makeHarness();
      const tenant = await makeTenant();
      const draft = sessionDraft(memberOf(tenant), clock.now(), { returnUrl: "https://example.com/" });
      expect(await store.insert(draft)).toMatchObject({
        id: draft.id,
        kind: "member",
        organizationId: tenant.id,
        organizationSlug: tenant.slug,
        customerId: tenant.team.id,
        memberId: tenant.team.member.id,
        role: "member",
        returnUrl: "https://example.com/",
        createdAt: draft.createdAt,
        modifiedAt: null,
        expiresAt: draft.expiresAt,
        absoluteExpiresAt: draft.absoluteExpiresAt,
        lastAccessedAt: null,
        organization: { id: tenant.id, slug: tenant.slug },
        customer: { id: tenant.team.id, type: "team", ownerEmail: tenant.team.owner.email },
        member: { id: tenant.team.member.id, email: tenant.team.member.email, role: "member" },
      });
    });

    test("makes a customer session without a member", async () => {
      const { store, clock, makeTenant } = makeHarness();
      const tenant = await makeTenant();
      const draft = sessionDraft(customerOf(tenant), clock.now());
      const expected = { kind: "customer", customerId: tenant.team.id, memberId: null, role: null, member: null };
      expect(await store.insert(draft)).toMatchObject(expected);
      expect(await store.checkStrictly(draft.lookupKey)).toMatchObject(expected);
    });

    test("finds the member's own customer where none is named, and counts its sessions under the cap", async () => {
      const { store, clock, makeTenant } = makeHarness();
      const tenant = await makeTenant({ maxSessionsPerMember: 2 });
      const subject = { ...memberOf(tenant), customerId: null };
      const drafts = [0, 1, 2].map((i) => sessionDraft(subject, clock.now() + i));
      for (const draft of drafts) {
        expect(await store.insert(draft)).toMatchObject({ id: draft.id, customerId: tenant.team.id });
      }
      const alive = await Promise.all(
        drafts.map(async ({ lookupKey }) => (await store.checkStrictly(lookupKey)) !== null),
      );
      expect(alive).toEqual([false, true, true]);
    });

    test("refuses a subject that does not exist, belongs to another tenant, or is not one family", async () => {
      const { store, clock, makeTenant } = makeHarness();
      const [tenant, other] = [await makeTenant(), await makeTenant()];
      const subject = memberOf(tenant);
      const nobody = crypto.randomUUID();
      for (const wrong of [
        { ...subject, organizationId: nobody },
        { ...subject, customerId: nobody },
        { ...subject, memberId: nobody },
        { ...subject, organizationId: other.id },
        { ...subject, customerId: other.team.id },
        { ...subject, memberId: other.team.member.id },
        { ...subject, memberId: tenant.individual.owner.id },
        { ...memberOf(other), organizationId: tenant.id },
        { ...memberOf(other), organizationId: tenant.id, customerId: null },
        { ...subject, memberId: nobody, customerId: null },
        { ...customerOf(other), organizationId: tenant.id },
      ]) {
        const draft = sessionDraft(wrong, clock.now());
        expect(await store.insert(draft), JSON.stringify(wrong)).toBeNull();
        expect(await store.checkStrictly(draft.lookupKey)).toBeNull();
      }
      expect((await store.list(tenant.id, {}, { offset: 0, limit: 10 })).total).toBe(0);
    });

    test("refuses a subject with a deleted member, customer or organization", async () => {
      const { store, clock, makeTenant, deleteMember, deleteCustomer, deleteOrganization } = makeHarness();
      const tenant = await makeTenant();
      await deleteMember(tenant.team.member.id);
      expect(await store.insert(sessionDraft(memberOf(tenant), clock.now()))).toBeNull();
      expect(await store.insert(sessionDraft(customerOf(tenant), clock.now()))).not.toBeNull();
      await deleteCustomer(tenant.team.id);
      expect(await store.insert(sessionDraft(customerOf(tenant), clock.now()))).toBeNull();
      expect(await store.insert(sessionDraft(individualOf(tenant), clock.now()))).not.toBeNull();
      await deleteOrganization(tenant.id);
      expect(await store.insert(sessionDraft(individualOf(tenant), clock.now()))).toBeNull();
    });
  });

  describe("recognising a session", () => {
    test("both checks know a new session at once, the edge check by its facts alone", async () => {
      const { store, clock, makeTenant } = makeHarness();
      const tenant = await makeTenant();
      const draft = sessionDraft(memberOf(tenant), clock.now(), { returnUrl: "https://example.com/" });
      await store.insert(draft);
      expect(await store.checkStrictly(draft.lookupKey)).toMatchObject({ id: draft.id, member: { role: "member" } });
      expect(await store.checkAtEdge(draft.lookupKey)).toEqual({
        id: draft.id,
        kind: "member",
        organizationId: tenant.id,
        organizationSlug: tenant.slug,
        customerId: tenant.team.id,
        memberId: tenant.team.member.id,
        role: "member",
        returnUrl: "https://example.com/",
        expiresAt: draft.expiresAt,
      });
    });

    test("neither check knows a session that was never made", async () => {
      const { store } = makeHarness();
      const lookupKey = randomLookupKey();
      expect(await store.checkStrictly(lookupKey)).toBeNull();
      expect(await store.checkAtEdge(lookupKey)).toBeNull();
    });

    test("a session lives to the last millisecond before its expiry and not into it", async () => {
      const { store, clock, makeTenant, settle } = makeHarness();
      const tenant = await makeTenant();
      const draft = sessionDraft(memberOf(tenant), clock.now());
      await store.insert(draft);
      await settle();
      clock.advance(HOUR_MS - 1);
      expect(await store.checkAtEdge(draft.lookupKey)).not.toBeNull();
      expect(await store.checkStrictly(draft.lookupKey)).not.toBeNull();
      expect(await store.find(tenant.id, draft.id)).not.toBeNull();
      clock.advance(1);
      expect(await store.checkAtEdge(draft.lookupKey)).toBeNull();
      expect(await store.checkStrictly(draft.lookupKey)).toBeNull();
      expect(await store.find(tenant.id, draft.id)).toBeNull();
    });

    test("a role changed in between shows in the next strict check", async () => {
      const { store, clock, makeTenant, changeRole } = makeHarness();
      const tenant = await makeTenant();
      const draft = sessionDraft(memberOf(tenant), clock.now());
      await store.insert(draft);
      await changeRole(tenant.team.member.id, "billing_manager");
      expect(await store.checkStrictly(draft.lookupKey)).toMatchObject({ role: "billing_manager" });
    });

    test("the last access is noted once a minute", async () => {
      const { store, clock, makeTenant, settle } = makeHarness();
      const tenant = await makeTenant();
      const draft = sessionDraft(memberOf(tenant), clock.now());
      await store.insert(draft);
      const check = async () => {
        await store.checkStrictly(draft.lookupKey);
        await settle();
        return (await store.find(tenant.id, draft.id))?.lastAccessedAt;
      };
      const first = clock.now();
      expect(await check()).toBe(first);
      clock.advance(59_999);
      expect(await check()).toBe(first);
      clock.advance(1);
      expect(await check()).toBe(first + 60_000);
    });

    test("shown by another organization it is not known, and neither ends nor counts as accessed by it", async () => {
      const { store, clock, makeTenant, settle } = makeHarness();
      const [tenant, other] = [await makeTenant(), await makeTenant()];
      const draft = sessionDraft(memberOf(tenant), clock.now());
      await store.insert(draft);
      expect(await store.checkStrictly(draft.lookupKey, other.id)).toBeNull();
      await settle();
      expect((await store.find(tenant.id, draft.id))?.lastAccessedAt).toBeNull();
      expect(await store.checkAtEdge(draft.lookupKey)).toMatchObject({ id: draft.id });
      expect(await store.checkStrictly(draft.lookupKey, tenant.id)).toMatchObject({ lastAccessedAt: clock.now() });
    });

    test("find knows the organization's own sessions only", async () => {
      const { store, clock, makeTenant } = makeHarness();
      const [tenant, other] = [await makeTenant(), await makeTenant()];
      const draft = sessionDraft(memberOf(tenant), clock.now());
      await store.insert(draft);
      expect(await store.find(tenant.id, draft.id)).toMatchObject({ id: draft.id });
      expect(await store.find(other.id, draft.id)).toBeNull();
      expect(await store.find(tenant.id, crypto.randomUUID())).toBeNull();
    });
  });

  describe("a session that is named", () => {
    test("comes with its token at rest, to its own organization, and counts as accessed", async () => {
      const { store, clock, makeTenant, settle } = makeHarness();
      const [tenant, other] = [await makeTenant(), await makeTenant()];
      const draft = sessionDraft(memberOf(tenant), clock.now());
      await store.insert(draft);
      expect(await store.checkById(tenant.id, draft.id)).toMatchObject({
        session: { id: draft.id, lastAccessedAt: clock.now() },
        tokenSealed: draft.tokenSealed,
        tokenKey: draft.tokenKey,
      });
      await settle();
      expect(await store.find(tenant.id, draft.id)).toMatchObject({ lastAccessedAt: clock.now() });
      expect(await store.checkById(other.id, draft.id)).toBeNull();
      await store.revoke(tenant.id, draft.id);
      expect(await store.checkById(tenant.id, draft.id)).toBeNull();
    });
  });

  describe("prolonging a session", () => {
    test("sets the new expiry and notes the change", async () => {
      const { store, clock, makeTenant } = makeHarness();
      const tenant = await makeTenant();
      const draft = sessionDraft(memberOf(tenant), clock.now());
      await store.insert(draft);
      clock.advance(60_000);
      const expiresAt = clock.now() + 2 * HOUR_MS;
      expect(await store.change(tenant.id, draft.id, { expiresAt })).toMatchObject({
        expiresAt,
        modifiedAt: clock.now(),
      });
      clock.advance(2 * HOUR_MS - 1);
      expect(await store.checkStrictly(draft.lookupKey)).toMatchObject({ expiresAt });
      clock.advance(1);
      expect(await store.checkStrictly(draft.lookupKey)).toBeNull();
    });

    test("never passes the absolute expiry", async () => {
      const { store, clock, makeTenant } = makeHarness();
      const tenant = await makeTenant();
      const absoluteExpiresAt = clock.now() + 2 * HOUR_MS;
      const draft = sessionDraft(memberOf(tenant), clock.now(), { absoluteExpiresAt });
      await store.insert(draft);
      expect(await store.change(tenant.id, draft.id, { expiresAt: clock.now() + 30 * DAY_MS })).toMatchObject({
        expiresAt: absoluteExpiresAt,
        absoluteExpiresAt,
      });
    });

    test("shortens as well", async () => {
      const { store, clock, makeTenant } = makeHarness();
      const tenant = await makeTenant();
      const draft = sessionDraft(memberOf(tenant), clock.now());
      await store.insert(draft);
      expect(await store.change(tenant.id, draft.id, { expiresAt: clock.now() + 60_000 })).toMatchObject({
        expiresAt: clock.now() + 60_000,
      });
      clock.advance(60_000);
      expect(await store.checkStrictly(draft.lookupKey)).toBeNull();
    });

    test("never revives: an expired, revoked or foreign session stays as it is", async () => {
      const { store, clock, makeTenant } = makeHarness();
      const [tenant, other] = [await makeTenant(), await makeTenant()];
      const [expired, revoked, ended, foreign] = [1, 2, 3, 4].map(() => sessionDraft(memberOf(tenant), clock.now()));
      if (!expired || !revoked || !ended || !foreign) throw new Error("unreachable");
      const owners = { ...ended, memberId: tenant.team.owner.id };
      for (const draft of [{ ...expired, expiresAt: clock.now() + 60_000 }, revoked, owners, foreign]) {
        await store.insert(draft);
      }
      await store.revoke(tenant.id, revoked.id);
      await store.revokeAll(tenant.id, { scope: "member", memberId: tenant.team.owner.id, exceptSessionId: null });
      clock.advance(60_000);
      const later = clock.now() + HOUR_MS;
      expect(await store.change(tenant.id, expired.id, { expiresAt: later })).toBeNull();
      expect(await store.change(tenant.id, revoked.id, { expiresAt: later })).toBeNull();
      expect(await store.change(tenant.id, owners.id, { expiresAt: later })).toBeNull();
      expect(await store.change(other.id, foreign.id, { expiresAt: later })).toBeNull();
      for (const { lookupKey } of [expired, revoked, owners]) expect(await store.checkStrictly(lookupKey)).toBeNull();
      expect(await store.checkStrictly(foreign.lookupKey)).toMatchObject({ expiresAt: foreign.expiresAt });
    });
  });
}
