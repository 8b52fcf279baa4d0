/** Contract: how many live sessions a member may have, and which one goes. */

import { describe, expect, test } from "vitest";
import { customerOf, memberOf, ownerOf, type People, type Subject, sessionDraft } from "../../support/drafts.ts";
import { type Harness, idsOf } from "../session-store.contract.ts";

export function capContract(makeHarness: () => Harness): void {
  async function liveOf({ store }: Harness, tenant: People, memberId: string): Promise<string[]> {
    return idsOf((await store.list(tenant.id, { memberId }, { offset: 0, limit: 1000 })).items);
  }

  async function make({ store, clock, settle }: Harness, subject: Subject): Promise<string> {
    clock.advance(1);
    const draft = sessionDraft(subject, clock.now());
    expect(await store.insert(draft)).toMatchObject({ id: draft.id });
    await settle();
    return draft.id;
  }

  describe("the cap on a member's sessions", () => {
    test("with 100 by default, the 101st ends the oldest", async () => {
      const harness = makeHarness();
      const tenant = await harness.makeTenant();
      const ids: string[] = [];
      for (let i = 0; i < 100; i++) ids.unshift(await make(harness, memberOf(tenant)));
      expect(await liveOf(harness, tenant, tenant.team.member.id)).toEqual(ids);
      ids.unshift(await make(harness, memberOf(tenant)));
      expect(await liveOf(harness, tenant, tenant.team.member.id)).toEqual(ids.slice(0, 100));
    });

    test("the session that goes is refused by both checks", async () => {
      const harness = makeHarness();
      const { store, clock } = harness;
      const tenant = await harness.makeTenant({ maxSessionsPerMember: 1 });
      const oldest = sessionDraft(memberOf(tenant), clock.now());
      await store.insert(oldest);
      expect(await store.checkAtEdge(oldest.lookupKey)).not.toBeNull();
      await make(harness, memberOf(tenant));
      expect(await store.checkAtEdge(oldest.lookupKey)).toBeNull();
      expect(await store.checkStrictly(oldest.lookupKey)).toBeNull();
    });

    test("counts each member, and the customer itself, apart", async () => {
      const harness = makeHarness();
      const tenant = await harness.makeTenant({ maxSessionsPerMember: 2 });
      for (const subject of [memberOf(tenant), ownerOf(tenant), customerOf(tenant)]) {
        for (let i = 0; i < 2; i++) await make(harness, subject);
      }
      expect((await harness.store.list(tenant.id, {}, { offset: 0, limit: 100 })).total).toBe(6);
      await make(harness, customerOf(tenant));
      expect((await harness.store.list(tenant.id, {}, { offset: 0, limit: 100 })).total).toBe(6);
      expect(await liveOf(harness, tenant, tenant.team.member.id)).toHaveLength(2);
      expect(await liveOf(harness, tenant, tenant.team.owner.id)).toHaveLength(2);
    });

    test("counts the living only", async () => {
      const harness = makeHarness();
      const { store } = harness;
      const tenant = await harness.makeTenant({ maxSessionsPerMember: 2 });
      const first = await make(harness, memberOf(tenant));
      const second = await make(harness, memberOf(tenant));
      await store.revoke(tenant.id, second);
      const third = await make(harness, memberOf(tenant));
      expect(await liveOf(harness, tenant, tenant.team.member.id)).toEqual([third, first]);
    });

    test("of one tenant never reaches another's sessions", async () => {
      const harness = makeHarness();
      const { store, clock } = harness;
      const tenant = await harness.makeTenant();
      const stranger = await harness.makeTenant({ maxSessionsPerMember: 1 });
      const ids: string[] = [];
      for (let i = 0; i < 3; i++) ids.unshift(await make(harness, memberOf(tenant)));
      const foreign = { ...memberOf(tenant), organizationId: stranger.id };
      expect(await store.insert(sessionDraft(foreign, clock.now()))).toBeNull();
      expect(await liveOf(harness, tenant, tenant.team.member.id)).toEqual(ids);
    });

    test("holds for 50 creates at once: 10 live, every create succeeds, and the newest always lives", async () => {
      const harness = makeHarness();
      const { store, clock, settle } = harness;
      const tenant = await harness.makeTenant({ maxSessionsPerMember: 10 });
      for (let round = 0; round < 3; round++) {
        const start = clock.now();
        const drafts = Array.from({ length: 50 }, (_, i) => sessionDraft(memberOf(tenant), start + i));
        clock.advance(50);
        const newest = drafts.at(-1);
        const shuffled = [...drafts].sort((left, right) => (left.id < right.id ? -1 : 1));
        const made = await Promise.all(shuffled.map((draft) => store.insert(draft)));
        await settle();
        expect(made.filter((session) => session === null)).toEqual([]);
        const live = await liveOf(harness, tenant, tenant.team.member.id);
        expect(live).toHaveLength(10);
        expect(live[0]).toBe(newest?.id);
      }
    });
  });
}
