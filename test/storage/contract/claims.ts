/** Contract: what a session says of how it came to be, and the claims that its organization adds. */

import { describe, expect, test } from "vitest";
import { memberOf, sessionDraft } from "../../support/drafts.ts";
import { mergePatch } from "../../support/merge-patch.ts";
import type { Harness } from "../session-store.contract.ts";

export function claimsContract(makeHarness: () => Harness): void {
  describe("how a session came to be, and what it claims", () => {
    test("is told by every read", async () => {
      const { store, clock, makeTenant } = makeHarness();
      const tenant = await makeTenant();
      const factors = [{ kind: "trusted_token" as const, tokenId: "jti-1", email: "ann@example.com", at: clock.now() }];
      const claims = { plan: "gold", nested: { list: [1, { a: null }] } };
      const draft = sessionDraft(memberOf(tenant), clock.now(), { factors, claims });
      expect(await store.insert(draft)).toMatchObject({ factors, claims });
      expect(await store.checkStrictly(draft.lookupKey)).toMatchObject({ factors, claims });
      expect(await store.find(tenant.id, draft.id)).toMatchObject({ factors, claims });
      const { items } = await store.list(tenant.id, {}, { offset: 0, limit: 10 });
      expect(items).toMatchObject([{ factors, claims }]);
    });

    test.each([
      [{ a: 1 }, { b: 2 }],
      [{ a: 1 }, { a: null }],
      [{ a: { b: 1, c: 2 } }, { a: { b: null, d: { e: null, f: 3 } } }],
      [{ a: [1, 2] }, { a: [null, { b: null }] }],
      [{ a: { b: 1 } }, { a: "text" }],
      [{ a: "text" }, { a: { b: null, c: 1 } }],
      [{}, { "key 'with' \"quotes\"": "värde 🔑", __proto__x: true }],
    ])("%j becomes, by %j, what RFC 7396 says", async (before, patch) => {
      const { store, clock, makeTenant } = makeHarness();
      const tenant = await makeTenant();
      const draft = sessionDraft(memberOf(tenant), clock.now(), { claims: before });
      await store.insert(draft);
      const claims = mergePatch(before, patch);
      expect((await store.change(tenant.id, draft.id, { claims: patch }))?.claims).toEqual(claims);
      expect((await store.checkStrictly(draft.lookupKey))?.claims).toEqual(claims);
    });

    test("merges of many at once are all there in the end, and the life stays as it was", async () => {
      const { store, clock, makeTenant } = makeHarness();
      const tenant = await makeTenant();
      const draft = sessionDraft(memberOf(tenant), clock.now());
      await store.insert(draft);
      const names = Array.from({ length: 20 }, (_, index) => `claim_${index}`);
      await Promise.all(names.map((name) => store.change(tenant.id, draft.id, { claims: { [name]: name } })));
      const found = await store.find(tenant.id, draft.id);
      expect(Object.keys(found?.claims ?? {}).sort()).toEqual(names.sort());
      expect(found?.expiresAt).toBe(draft.expiresAt);
    });

    test("takes 4096 bytes, counted after the merge, and one more changes nothing at all", async () => {
      const { store, clock, makeTenant } = makeHarness();
      const tenant = await makeTenant();
      const draft = sessionDraft(memberOf(tenant), clock.now(), { claims: { gone: "x".repeat(2000) } });
      await store.insert(draft);
      const full = { gone: null, text: "x".repeat(4096 - '{"text":""}'.length) };
      expect(await store.change(tenant.id, draft.id, { claims: full })).not.toBeNull();
      const more = store.change(tenant.id, draft.id, {
        claims: { text: `${full.text}x` },
        expiresAt: clock.now() + 60_000,
      });
      await expect(more).rejects.toMatchObject({ code: "custom_claims_too_large" });
      expect(await store.find(tenant.id, draft.id)).toMatchObject({
        claims: { text: full.text },
        expiresAt: draft.expiresAt,
      });
    });
  });
}
