/** Contract: how sessions end, one by one or all at once, and what is spared. */

import { describe, expect, test } from "vitest";
import type { RevocationTarget } from "../../../src/core/ports.ts";
import type { SessionDraft } from "../../../src/core/session.ts";
import { customerOf, individualOf, memberOf, ownerOf, randomLookupKey, sessionDraft } from "../../support/drafts.ts";
import { type Harness, idsOf } from "../session-store.contract.ts";

export function endingContract(makeHarness: () => Harness): void {
  /** One session of each kind of subject of a tenant, and of its neighbour. */
  async function prepare() {
    const harness = makeHarness();
    const [tenant, other] = [await harness.makeTenant(), await harness.makeTenant()];
    const now = harness.clock.now();
    const sessions = {
      member: sessionDraft(memberOf(tenant), now),
      memberToo: sessionDraft(memberOf(tenant), now),
      owner: sessionDraft(ownerOf(tenant), now),
      customer: sessionDraft(customerOf(tenant), now),
      individual: sessionDraft(individualOf(tenant), now),
      neighbour: sessionDraft(memberOf(other), now),
    };
    for (const draft of Object.values(sessions)) await harness.store.insert(draft);
    await harness.settle();

    /** Names of the sessions that live. An edge check that follows a strict one knows what that one has learnt. */
    async function live(): Promise<string[]> {
      const names = Object.keys(sessions) as (keyof typeof sessions)[];
      const accepted: string[] = [];
      for (const name of names) {
        const { lookupKey } = sessions[name];
        const strictly = await harness.store.checkStrictly(lookupKey);
        const atEdge = await harness.store.checkAtEdge(lookupKey);
        expect(atEdge === null, `${name} at the edge`).toBe(strictly === null);
        if (strictly !== null) accepted.push(name);
      }
      return accepted;
    }
    return { ...harness, tenant, other, sessions, live };
  }

  const everyone = ["member", "memberToo", "owner", "customer", "individual", "neighbour"];

  describe("ending leaked sessions", () => {
    test("ends those and no others, whichever organization they are of, and names what it knows", async () => {
      const { store, tenant, other, sessions, live } = await prepare();
      const { member, customer, neighbour } = sessions;
      const leaked = [member, customer, neighbour].map(({ lookupKey }) => lookupKey);
      const ended = await store.revokeLeaked([...leaked, randomLookupKey(), member.lookupKey]);
      const named = [
        { lookupKey: member.lookupKey, id: member.id, organizationId: tenant.id },
        { lookupKey: customer.lookupKey, id: customer.id, organizationId: tenant.id },
        { lookupKey: neighbour.lookupKey, id: neighbour.id, organizationId: other.id },
      ];
      expect(ended).toHaveLength(3);
      expect(ended).toEqual(expect.arrayContaining(named));
      expect(await live()).toEqual(["memberToo", "owner", "individual"]);
    });

    test("may be repeated, and names the dead again", async () => {
      const { store, sessions, live } = await prepare();
      const { lookupKey, id } = sessions.member;
      for (let time = 0; time < 2; time++) expect(await store.revokeLeaked([lookupKey])).toMatchObject([{ id }]);
      expect(await live()).toEqual(everyone.filter((name) => name !== "member"));
    });

    test("of nothing that is known ends nothing", async () => {
      const { store, live } = await prepare();
      expect(await store.revokeLeaked([randomLookupKey(), "", "x' OR 1=1"])).toEqual([]);
      expect(await live()).toEqual(everyone);
    });
  });

  describe("ending one session", () => {
    test("ends that session and no other, at once", async () => {
      const { store, tenant, sessions, live } = await prepare();
      expect(await store.revoke(tenant.id, sessions.member.id)).toBe(true);
      expect(await live()).toEqual(everyone.filter((name) => name !== "member"));
      expect(await store.find(tenant.id, sessions.member.id)).toBeNull();
    });

    test("may be repeated", async () => {
      const { store, tenant, sessions, live } = await prepare();
      await store.revoke(tenant.id, sessions.member.id);
      expect(await store.revoke(tenant.id, sessions.member.id)).toBe(true);
      expect(await live()).toEqual(everyone.filter((name) => name !== "member"));
    });

    test("from another organization has no effect", async () => {
      const { store, other, sessions, live } = await prepare();
      expect(await store.revoke(other.id, sessions.member.id)).toBe(false);
      expect(await live()).toEqual(everyone);
    });

    test("says so when there is no such session", async () => {
      const { store, tenant } = await prepare();
      expect(await store.revoke(tenant.id, crypto.randomUUID())).toBe(false);
    });
  });

  describe("ending all sessions", () => {
    const none = { exceptSessionId: null };

    test("of a member spares the other members and the customer's own", async () => {
      const { store, tenant, live } = await prepare();
      const memberId = tenant.team.member.id;
      expect(await store.revokeAll(tenant.id, { scope: "member", memberId, ...none })).toBe(true);
      expect(await live()).toEqual(["owner", "customer", "individual", "neighbour"]);
    });

    test("of a customer ends its members' too, and no other customer's", async () => {
      const { store, tenant, live } = await prepare();
      expect(await store.revokeAll(tenant.id, { scope: "customer", customerId: tenant.team.id })).toBe(true);
      expect(await live()).toEqual(["individual", "neighbour"]);
    });

    test("of an organization spares the other organizations", async () => {
      const { store, tenant, live } = await prepare();
      expect(await store.revokeAll(tenant.id, { scope: "organization" })).toBe(true);
      expect(await live()).toEqual(["neighbour"]);
    });

    test("leaves later sessions alone", async () => {
      const { store, clock, tenant, live } = await prepare();
      await store.revokeAll(tenant.id, { scope: "organization" });
      const later = sessionDraft(memberOf(tenant), clock.now());
      await store.insert(later);
      expect(await store.checkStrictly(later.lookupKey)).toMatchObject({ id: later.id });
      expect(await live()).toEqual(["neighbour"]);
    });

    test("has no effect on subjects that are another tenant's, unknown or deleted", async () => {
      const { store, tenant, other, live, deleteMember } = await prepare();
      const member = (memberId: string): RevocationTarget => ({ scope: "member", memberId, ...none });
      expect(await store.revokeAll(other.id, member(tenant.team.member.id))).toBe(false);
      expect(await store.revokeAll(other.id, { scope: "customer", customerId: tenant.team.id })).toBe(false);
      expect(await store.revokeAll(tenant.id, member(crypto.randomUUID()))).toBe(false);
      expect(await store.revokeAll(tenant.id, { scope: "customer", customerId: crypto.randomUUID() })).toBe(false);
      expect(await store.revokeAll(crypto.randomUUID(), { scope: "organization" })).toBe(false);
      expect(await live()).toEqual(everyone);
      await deleteMember(tenant.team.billingManager.id);
      expect(await store.revokeAll(tenant.id, member(tenant.team.billingManager.id))).toBe(false);
    });

    test("of a member but one spares that one, again and again", async () => {
      const { store, tenant, sessions, live } = await prepare();
      const target = {
        scope: "member",
        memberId: tenant.team.member.id,
        exceptSessionId: sessions.member.id,
      } as const;
      for (let round = 0; round < 2; round++) {
        expect(await store.revokeAll(tenant.id, target)).toBe(true);
        expect(await live()).toEqual(everyone.filter((name) => name !== "memberToo"));
      }
      expect(await store.revokeAll(tenant.id, { ...target, exceptSessionId: null })).toBe(true);
      expect(await live()).toEqual(["owner", "customer", "individual", "neighbour"]);
    });

    test("ends nothing when the session to spare is dead, another's or unknown", async () => {
      const { store, tenant, other, sessions, live } = await prepare();
      const dead = sessions.memberToo;
      await store.revoke(tenant.id, dead.id);
      const alive = everyone.filter((name) => name !== "memberToo");
      const wrong = [dead, sessions.owner, sessions.customer, sessions.neighbour].map(({ id }: SessionDraft) => id);
      for (const exceptSessionId of [...wrong, crypto.randomUUID()]) {
        const target = { scope: "member", memberId: tenant.team.member.id, exceptSessionId } as const;
        expect(await store.revokeAll(tenant.id, target)).toBe(false);
        expect(await live()).toEqual(alive);
      }
      const target = { scope: "member", memberId: tenant.team.member.id, exceptSessionId: sessions.member.id } as const;
      expect(await store.revokeAll(other.id, target)).toBe(false);
      expect(await live()).toEqual(alive);
    });

    test("beside a create: the new session is ended with the others or outlives them as a whole", async () => {
      const { store, clock, tenant, settle } = await prepare();
      const target = { scope: "member", memberId: tenant.team.member.id, ...none } as const;
      for (let round = 0; round < 20; round++) {
        const [before, beside] = [0, 1].map(() => sessionDraft(memberOf(tenant), clock.now()));
        if (!before || !beside) throw new Error("unreachable");
        await store.insert(before);
        await Promise.all(
          round % 2 === 0
            ? [store.insert(beside), store.revokeAll(tenant.id, target)]
            : [store.revokeAll(tenant.id, target), store.insert(beside)],
        );
        await settle();
        expect(await store.checkStrictly(before.lookupKey)).toBeNull();
        const { items: sessions } = await store.list(
          tenant.id,
          { memberId: target.memberId },
          { offset: 0, limit: 10 },
        );
        const survivor = await store.checkStrictly(beside.lookupKey);
        expect(idsOf(sessions)).toEqual(survivor === null ? [] : [beside.id]);
      }
    });
  });

  describe("deleting people", () => {
    test("ends their sessions: the member's, then the customer's, then the organization's", async () => {
      const { tenant, sessions, store, deleteMember, deleteCustomer, deleteOrganization } = await prepare();
      const accepted = async () => {
        const checks = Object.entries(sessions).map(async ([name, { lookupKey }]) =>
          (await store.checkStrictly(lookupKey)) === null ? [] : [name],
        );
        return (await Promise.all(checks)).flat();
      };
      await deleteMember(tenant.team.member.id);
      expect(await accepted()).toEqual(["owner", "customer", "individual", "neighbour"]);
      await deleteCustomer(tenant.team.id);
      expect(await accepted()).toEqual(["individual", "neighbour"]);
      await deleteOrganization(tenant.id);
      expect(await accepted()).toEqual(["neighbour"]);
    });
  });
}
