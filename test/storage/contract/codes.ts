/** Contract: portal codes are redeemed once, at the right door, by the right organization, or not at all. */

import { describe, expect, test } from "vitest";
import type { CodeDoor, SessionDraft } from "../../../src/core/session.ts";
import { codeDraft, memberOf, randomLookupKey, sessionDraft } from "../../support/drafts.ts";
import type { Harness } from "../session-store.contract.ts";

export function codesContract(makeHarness: () => Harness): void {
  async function prepare(door: CodeDoor = "browser", changes: Partial<SessionDraft> = {}) {
    const harness = makeHarness();
    const [tenant, other] = [await harness.makeTenant(), await harness.makeTenant()];
    const code = codeDraft(harness.clock.now(), { door });
    const draft = sessionDraft(memberOf(tenant), harness.clock.now(), { code, ...changes });
    await harness.store.insert(draft);
    return { ...harness, tenant, other, code: code.lookupKey, draft };
  }

  describe("redeeming a portal code", () => {
    test("yields the session and its sealed token, for the organization by id or by slug", async () => {
      for (const by of ["id", "slug"] as const) {
        const { store, tenant, code, draft } = await prepare("browser", { tokenSealed: "a sealed token" });
        const organization = by === "id" ? { id: tenant.id } : { slug: tenant.slug };
        expect(await store.redeemCode(code, "browser", organization)).toMatchObject({
          session: { id: draft.id, member: { id: tenant.team.member.id }, customer: { id: tenant.team.id } },
          tokenSealed: "a sealed token",
          tokenKey: "t",
        });
      }
    });

    test("works once", async () => {
      const { store, tenant, code } = await prepare();
      expect(await store.redeemCode(code, "browser", { id: tenant.id })).not.toBeNull();
      expect(await store.redeemCode(code, "browser", { id: tenant.id })).toBeNull();
    });

    test("works for one of 50 who try at the same time", async () => {
      const { store, tenant, code } = await prepare();
      const attempts = Array.from({ length: 50 }, () => store.redeemCode(code, "browser", { slug: tenant.slug }));
      expect((await Promise.all(attempts)).filter((redeemed) => redeemed !== null)).toHaveLength(1);
    });

    test("at the wrong door fails and leaves the code for the right one", async () => {
      for (const [door, wrong] of [
        ["browser", "backend"],
        ["backend", "browser"],
      ] as const) {
        const { store, tenant, code } = await prepare(door);
        expect(await store.redeemCode(code, wrong, { id: tenant.id })).toBeNull();
        expect(await store.redeemCode(code, door, { id: tenant.id })).not.toBeNull();
      }
    });

    test("by another organization fails and leaves the code for its own", async () => {
      const { store, tenant, other, code } = await prepare();
      expect(await store.redeemCode(code, "browser", { id: other.id })).toBeNull();
      expect(await store.redeemCode(code, "browser", { slug: other.slug })).toBeNull();
      expect(await store.redeemCode(code, "browser", { slug: "no-such-slug" })).toBeNull();
      expect(await store.redeemCode(code, "browser", { slug: tenant.slug })).not.toBeNull();
    });

    test("fails from the very millisecond of its expiry", async () => {
      const [early, late] = [await prepare(), await prepare()];
      early.clock.advance(299_999);
      expect(await early.store.redeemCode(early.code, "browser", { id: early.tenant.id })).not.toBeNull();
      late.clock.advance(300_000);
      expect(await late.store.redeemCode(late.code, "browser", { id: late.tenant.id })).toBeNull();
    });

    test("fails for an unknown code", async () => {
      const { store, tenant } = await prepare();
      expect(await store.redeemCode(randomLookupKey(), "browser", { id: tenant.id })).toBeNull();
    });

    test("fails for a session that was revoked, has expired, or was ended with all others", async () => {
      const revoked = await prepare();
      await revoked.store.revoke(revoked.tenant.id, revoked.draft.id);
      const ended = await prepare();
      await ended.store.revokeAll(ended.tenant.id, { scope: "customer", customerId: ended.tenant.team.id });
      const gone = await prepare();
      await gone.deleteMember(gone.tenant.team.member.id);
      const expired = await prepare();
      await expired.store.change(expired.tenant.id, expired.draft.id, { expiresAt: expired.clock.now() + 60_000 });
      expired.clock.advance(60_000);
      for (const { store, tenant, code } of [revoked, ended, gone, expired]) {
        expect(await store.findCode(code, { id: tenant.id })).toBeNull();
        expect(await store.redeemCode(code, "browser", { id: tenant.id })).toBeNull();
      }
    });

    test("does not make the session's token any less valid", async () => {
      const { store, tenant, code, draft } = await prepare();
      await store.redeemCode(code, "browser", { id: tenant.id });
      await store.redeemCode(code, "browser", { id: tenant.id });
      expect(await store.checkStrictly(draft.lookupKey)).toMatchObject({ id: draft.id });
    });
  });

  describe("looking at a portal code", () => {
    test("tells whose session it leads to and where it may be redeemed, and consumes nothing", async () => {
      const { store, tenant, code, draft } = await prepare("backend");
      for (let i = 0; i < 3; i++) {
        expect(await store.findCode(code, { slug: tenant.slug })).toMatchObject({
          session: { id: draft.id, member: { id: tenant.team.member.id } },
          door: "backend",
          redeemed: false,
        });
      }
      expect(await store.redeemCode(code, "backend", { id: tenant.id })).not.toBeNull();
    });

    test("knows a spent code as spent for as long as its session lives", async () => {
      const { store, clock, tenant, code, draft } = await prepare();
      await store.redeemCode(code, "browser", { id: tenant.id });
      clock.advance(600_000);
      expect(await store.findCode(code, { id: tenant.id })).toMatchObject({
        session: { id: draft.id },
        redeemed: true,
      });
      clock.advance(draft.expiresAt - clock.now());
      expect(await store.findCode(code, { id: tenant.id })).toBeNull();
    });

    test("finds nothing for another organization, an unknown code, or an expired one", async () => {
      const { store, clock, tenant, other, code } = await prepare();
      expect(await store.findCode(code, { id: other.id })).toBeNull();
      expect(await store.findCode(code, { slug: other.slug })).toBeNull();
      expect(await store.findCode(randomLookupKey(), { id: tenant.id })).toBeNull();
      clock.advance(299_999);
      expect(await store.findCode(code, { id: tenant.id })).not.toBeNull();
      clock.advance(1);
      expect(await store.findCode(code, { id: tenant.id })).toBeNull();
    });
  });
}
