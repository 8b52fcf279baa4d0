/** Contract: sign-in codes are found, counted and ended as they must, and one of them makes one session, or none. */

import { describe, expect, test } from "vitest";
import { emailKey } from "../../../src/core/directory.ts";
import type { SignInCodeDraft } from "../../../src/core/ports.ts";
import { individualOf, memberOf, ownerOf, randomLookupKey, sessionDraft } from "../../support/drafts.ts";
import type { Harness } from "../session-store.contract.ts";

const proofOf = ({ lookupKey }: Pick<SignInCodeDraft, "lookupKey">) => ({ kind: "sign_in_code" as const, lookupKey });

export function signInContract(makeHarness: () => Harness): void {
  async function prepare(changes: Partial<SignInCodeDraft> = {}) {
    const harness = makeHarness();
    const [tenant, other] = [await harness.makeTenant(), await harness.makeTenant()];
    const now = harness.clock.now();
    const codeFor = (email: string, more: Partial<SignInCodeDraft> = {}): SignInCodeDraft => ({
      lookupKey: randomLookupKey(),
      tokenKey: "t",
      organizationId: tenant.id,
      emailKey: emailKey(email),
      customerId: null,
      mac: "a MAC",
      createdAt: now,
      expiresAt: now + 60_000,
      ...more,
    });
    const code = codeFor(tenant.team.member.email, changes);
    await harness.signIns.addCode(code, true);
    const draft = sessionDraft(memberOf(tenant), now, { proof: proofOf(code) });
    return { ...harness, tenant, other, code, codeFor, draft };
  }

  describe("a sign-in code", () => {
    test("is found with its organization, address and customer, up to its last millisecond", async () => {
      const customerId = crypto.randomUUID();
      const { signIns, tenant, code, clock } = await prepare({ customerId });
      clock.advance(59_999);
      expect(await signIns.findCode(code.lookupKey)).toMatchObject({
        lookupKey: code.lookupKey,
        organization: { id: tenant.id, slug: tenant.slug },
        emailKey: code.emailKey,
        customerId,
      });
      clock.advance(1);
      expect(await signIns.findCode(code.lookupKey)).toBeNull();
      expect(await signIns.countAttempt({ id: tenant.id }, code.emailKey)).toBeNull();
    });

    test("is ended by the next one of its address, and by no other's", async () => {
      const { signIns, tenant, other, code, codeFor } = await prepare();
      await signIns.addCode(codeFor(tenant.team.owner.email), true);
      await signIns.addCode(codeFor(tenant.team.member.email, { organizationId: other.id }), true);
      expect(await signIns.findCode(code.lookupKey)).not.toBeNull();
      const next = codeFor(tenant.team.member.email);
      await signIns.addCode(next, true);
      expect(await signIns.findCode(code.lookupKey)).toBeNull();
      expect(await signIns.findCode(next.lookupKey)).not.toBeNull();
    });

    test("of an address that cannot sign in is not kept, and ends none", async () => {
      const { signIns, tenant, code, codeFor } = await prepare();
      const useless = codeFor(tenant.team.member.email);
      await signIns.addCode(useless, false);
      expect(await signIns.findCode(useless.lookupKey)).toBeNull();
      expect(await signIns.findCode(code.lookupKey)).not.toBeNull();
      expect(await signIns.countAttempt({ id: tenant.id }, code.emailKey)).toMatchObject({ lookupKey: code.lookupKey });
    });

    test("is nothing any more once its organization is deleted", async () => {
      const { signIns, tenant, code, deleteOrganization } = await prepare();
      await deleteOrganization(tenant.id);
      expect(await signIns.findCode(code.lookupKey)).toBeNull();
      expect(await signIns.countAttempt({ slug: tenant.slug }, code.emailKey)).toBeNull();
    });
  });

  describe("attempts at a typed code", () => {
    test("are counted before the code is seen: five, by id or by slug, however many try at once", async () => {
      const { signIns, tenant, code } = await prepare();
      const attempts = await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          signIns.countAttempt(i % 2 === 0 ? { id: tenant.id } : { slug: tenant.slug }, code.emailKey),
        ),
      );
      const seen = attempts.filter((attempt) => attempt !== null);
      expect(seen).toHaveLength(5);
      const { lookupKey, tokenKey, organizationId, mac } = code;
      expect(seen[0]).toEqual({ lookupKey, tokenKey, organizationId, emailKey: code.emailKey, mac });
    });

    test("do not touch the link, and a right one is taken back", async () => {
      const { signIns, tenant, code } = await prepare();
      for (let i = 0; i < 5; i++) await signIns.countAttempt({ id: tenant.id }, code.emailKey);
      expect(await signIns.findCode(code.lookupKey)).not.toBeNull();
      expect(await signIns.forgiveAttempt(code.lookupKey)).toEqual(await signIns.findCode(code.lookupKey));
      expect(await signIns.countAttempt({ id: tenant.id }, code.emailKey)).not.toBeNull();
      expect(await signIns.countAttempt({ id: tenant.id }, code.emailKey)).toBeNull();
    });

    test("cannot be taken back beyond none, nor at other organizations and addresses be made at all", async () => {
      const { signIns, tenant, other, code } = await prepare();
      for (let i = 0; i < 3; i++) await signIns.forgiveAttempt(code.lookupKey);
      expect(await signIns.countAttempt({ id: other.id }, code.emailKey)).toBeNull();
      expect(await signIns.countAttempt({ slug: other.slug }, code.emailKey)).toBeNull();
      expect(await signIns.countAttempt({ id: tenant.id }, emailKey(tenant.team.owner.email))).toBeNull();
      for (let i = 0; i < 5; i++) await signIns.countAttempt({ id: tenant.id }, code.emailKey);
      expect(await signIns.countAttempt({ id: tenant.id }, code.emailKey)).toBeNull();
    });
  });

  describe("a session made of a sign-in code", () => {
    test("uses it up, and the code knows of which session", async () => {
      const { store, signIns, code, draft } = await prepare();
      expect(await store.insert(draft)).toMatchObject({ id: draft.id });
      expect(await store.checkStrictly(draft.lookupKey)).toMatchObject({ id: draft.id });
      expect(await signIns.findCode(code.lookupKey)).toBeNull();
      expect(await signIns.wasUsedBy(code.lookupKey, draft.id)).toBe(true);
      expect(await signIns.wasUsedBy(code.lookupKey, crypto.randomUUID())).toBe(false);
    });

    test("is one, whichever of 50 that try at once", async () => {
      const { store, tenant, clock, code } = await prepare();
      const drafts = Array.from({ length: 50 }, () =>
        sessionDraft(memberOf(tenant), clock.now(), { proof: proofOf(code) }),
      );
      const made = (await Promise.all(drafts.map((draft) => store.insert(draft)))).filter((one) => one !== null);
      expect(made).toHaveLength(1);
      const page = await store.list(tenant.id, {}, { offset: 0, limit: 100 });
      expect(page.items.map(({ id }) => id)).toEqual([made[0]?.id]);
    });

    test("is none, and the code good as before, for any other person than the code's", async () => {
      const { store, signIns, tenant, other, clock, code } = await prepare();
      for (const subject of [ownerOf(tenant), individualOf(tenant), memberOf(other)]) {
        expect(await store.insert(sessionDraft(subject, clock.now(), { proof: proofOf(code) }))).toBeNull();
      }
      expect(await signIns.findCode(code.lookupKey)).not.toBeNull();
    });

    test("is none for a member of another organization who has the same address", async () => {
      const { store, signIns, changeEmail, tenant, other, clock, code } = await prepare();
      await changeEmail(other.team.member.id, tenant.team.member.email);
      expect(await store.insert(sessionDraft(memberOf(other), clock.now(), { proof: proofOf(code) }))).toBeNull();
      expect(await signIns.findCode(code.lookupKey)).not.toBeNull();
    });

    test("is none for another customer than the code's, and one for that customer", async () => {
      const { store, tenant, clock, codeFor, signIns } = await prepare();
      const { email } = tenant.team.member;
      for (const [customerId, isGood] of [
        [tenant.individual.id, false],
        [tenant.team.id, true],
      ] as const) {
        const code = codeFor(email, { customerId });
        await signIns.addCode(code, true);
        const session = await store.insert(sessionDraft(memberOf(tenant), clock.now(), { proof: proofOf(code) }));
        expect(session !== null).toBe(isGood);
      }
    });

    test("is none once the code has expired, is unknown, or was ended by a newer one", async () => {
      const expired = await prepare();
      expired.clock.advance(60_000);
      expect(await expired.store.insert({ ...expired.draft, createdAt: expired.clock.now() })).toBeNull();
      const ended = await prepare();
      await ended.signIns.addCode(ended.codeFor(ended.tenant.team.member.email), true);
      expect(await ended.store.insert(ended.draft)).toBeNull();
      expect(await ended.store.insert({ ...ended.draft, proof: proofOf({ lookupKey: randomLookupKey() }) })).toBeNull();
    });

    test("is none, and the code unused, once the member or its customer is deleted, or its address is another", async () => {
      for (const change of [
        ({ deleteMember, tenant }) => deleteMember(tenant.team.member.id),
        ({ deleteCustomer, tenant }) => deleteCustomer(tenant.team.id),
        ({ changeEmail, tenant }) => changeEmail(tenant.team.member.id, "new@example.com"),
      ] as ((prepared: Awaited<ReturnType<typeof prepare>>) => Promise<void>)[]) {
        const prepared = await prepare();
        await change(prepared);
        expect(await prepared.store.insert(prepared.draft)).toBeNull();
        expect(await prepared.signIns.findCode(prepared.code.lookupKey)).not.toBeNull();
      }
    });

    test("verifies no address but the customer's own", async () => {
      const { store, draft } = await prepare();
      expect((await store.insert(draft))?.customer).toMatchObject({ emailVerified: false, modifiedAt: null });
    });
  });

  describe("the people of an address", () => {
    test("are live members, with their customers; of the one customer that was named", async () => {
      const { signIns, store, tenant, draft, code, deleteMember } = await prepare();
      const organization = (await store.insert(draft))?.organization;
      if (organization === undefined) throw new Error("no session");
      const find = (key: string, customerId: string | null) => signIns.findPeople(organization, key, customerId);
      const found = [{ customer: { id: tenant.team.id }, member: { id: tenant.team.member.id } }];
      expect(await find(code.emailKey, null)).toMatchObject(found);
      expect(await find(code.emailKey, tenant.team.id)).toMatchObject(found);
      expect(await find(code.emailKey, tenant.individual.id)).toEqual([]);
      expect(await find("nobody@example.com", null)).toEqual([]);
      await deleteMember(tenant.team.member.id);
      expect(await find(code.emailKey, null)).toEqual([]);
    });

    test("are the customer itself where there is no member model, and nobody once it or the organization is deleted", async () => {
      const { signIns, store, tenant, draft, deleteCustomer, deleteOrganization } = await prepare();
      const made = (await store.insert(draft))?.organization;
      if (made === undefined) throw new Error("no session");
      const organization = { ...made, memberModelEnabled: false };
      const key = emailKey(tenant.individual.email);
      const found = [{ customer: { id: tenant.individual.id }, member: null }];
      expect(await signIns.findPeople(organization, key, null)).toMatchObject(found);
      await deleteCustomer(tenant.individual.id);
      expect(await signIns.findPeople(organization, key, null)).toEqual([]);
      await deleteOrganization(tenant.id);
      expect(await signIns.findPeople(made, emailKey(tenant.team.owner.email), null)).toEqual([]);
    });
  });
}
