/** Contract: listing the live sessions of an organization. */

import { describe, expect, test } from "vitest";
import type { SessionDraft } from "../../../src/core/session.ts";
import {
  customerOf,
  HOUR_MS,
  individualOf,
  memberOf,
  ownerOf,
  type Subject,
  sessionDraft,
} from "../../support/drafts.ts";
import { type Harness, idsOf } from "../session-store.contract.ts";

const ALL = { offset: 0, limit: 100 };

export function listContract(makeHarness: () => Harness): void {
  async function prepare() {
    const harness = makeHarness();
    const [tenant, other] = [await harness.makeTenant(), await harness.makeTenant()];
    async function make(subject: Subject, changes: Partial<SessionDraft> = {}): Promise<string> {
      harness.clock.advance(1000);
      const draft = sessionDraft(subject, harness.clock.now(), changes);
      await harness.store.insert(draft);
      return draft.id;
    }
    return { ...harness, tenant, other, make };
  }

  describe("listing sessions", () => {
    test("shows the organization's live sessions, newest first, with their number", async () => {
      const { store, tenant, other, make } = await prepare();
      const ids = [await make(memberOf(tenant)), await make(customerOf(tenant)), await make(individualOf(tenant))];
      const foreign = await make(memberOf(other));
      const { items: sessions, total } = await store.list(tenant.id, {}, ALL);
      expect(idsOf(sessions)).toEqual(ids.reverse());
      expect(total).toBe(3);
      expect(idsOf((await store.list(other.id, {}, ALL)).items)).toEqual([foreign]);
      expect(await store.list(crypto.randomUUID(), {}, ALL)).toEqual({ items: [], total: 0 });
    });

    test("orders sessions of the same millisecond by id, so that pages neither repeat nor skip", async () => {
      const { store, clock, tenant } = await prepare();
      const drafts = Array.from({ length: 5 }, () => sessionDraft(memberOf(tenant), clock.now()));
      for (const draft of drafts) await store.insert(draft);
      expect(idsOf((await store.list(tenant.id, {}, ALL)).items)).toEqual(idsOf(drafts).sort());
    });

    test("cuts pages, and counts what is on the others too", async () => {
      const { store, tenant, make } = await prepare();
      const ids: string[] = [];
      for (let i = 0; i < 5; i++) ids.unshift(await make(memberOf(tenant)));
      const page = async (offset: number, limit: number) => {
        const { items: sessions, total } = await store.list(tenant.id, {}, { offset, limit });
        expect(total).toBe(5);
        return idsOf(sessions);
      };
      expect(await page(0, 2)).toEqual(ids.slice(0, 2));
      expect(await page(2, 2)).toEqual(ids.slice(2, 4));
      expect(await page(4, 2)).toEqual(ids.slice(4));
      expect(await page(5, 2)).toEqual([]);
      expect(await page(0, 0)).toEqual([]);
    });

    test("narrows down to a member or a customer, by our id or by the organization's own", async () => {
      const { store, tenant, make } = await prepare();
      const member = await make(memberOf(tenant));
      const owner = await make(ownerOf(tenant));
      const customer = await make(customerOf(tenant));
      const individual = await make(individualOf(tenant));
      const { team } = tenant;
      const list = async (filter: Parameters<typeof store.list>[1]) => {
        const { items: sessions, total } = await store.list(tenant.id, filter, ALL);
        expect(total).toBe(sessions.length);
        return idsOf(sessions);
      };
      expect(await list({ memberId: team.member.id })).toEqual([member]);
      expect(await list({ externalMemberId: team.owner.externalId })).toEqual([owner]);
      expect(await list({ customerId: team.id })).toEqual([customer, owner, member]);
      expect(await list({ externalCustomerId: team.externalId })).toEqual([customer, owner, member]);
      expect(await list({ customerId: tenant.individual.id })).toEqual([individual]);
      expect(await list({ customerId: team.id, externalMemberId: team.member.externalId })).toEqual([member]);
      expect(await list({ memberId: team.member.id, customerId: tenant.individual.id })).toEqual([]);
      expect(await list({ memberId: team.billingManager.id })).toEqual([]);
      expect(await list({ externalCustomerId: crypto.randomUUID() })).toEqual([]);
    });

    test("never shows another tenant's, whatever the filter names", async () => {
      const { store, tenant, other, make } = await prepare();
      await make(memberOf(other));
      for (const filter of [
        { memberId: other.team.member.id },
        { customerId: other.team.id },
        { externalCustomerId: other.team.externalId },
        { externalMemberId: other.team.member.externalId },
      ]) {
        expect(await store.list(tenant.id, filter, ALL), JSON.stringify(filter)).toEqual({ items: [], total: 0 });
      }
    });

    test("leaves out what has expired, was revoked, or whose people are gone", async () => {
      const { store, clock, tenant, make, deleteMember } = await prepare();
      const live = await make(ownerOf(tenant));
      const short = clock.now() + 2000;
      await make(individualOf(tenant), { expiresAt: short });
      const revoked = await make(customerOf(tenant));
      await make(memberOf(tenant));
      await store.revoke(tenant.id, revoked);
      await deleteMember(tenant.team.member.id);
      clock.advance(Math.max(0, short - clock.now()));
      const { items: sessions, total } = await store.list(tenant.id, {}, ALL);
      expect(idsOf(sessions)).toEqual([live]);
      expect(total).toBe(1);
      await store.revokeAll(tenant.id, { scope: "organization" });
      expect(await store.list(tenant.id, {}, ALL)).toEqual({ items: [], total: 0 });
    });

    test("shows a session's new expiry", async () => {
      const { store, clock, tenant, make } = await prepare();
      const id = await make(memberOf(tenant));
      await store.change(tenant.id, id, { expiresAt: clock.now() + 5 * HOUR_MS });
      const { items: sessions } = await store.list(tenant.id, {}, ALL);
      expect(sessions[0]).toMatchObject({ id, expiresAt: clock.now() + 5 * HOUR_MS });
    });
  });
}
