/** Ten thousand forgeries cost no storage operation at all: the tag in the token refuses them. */

import { describe, expect, test } from "vitest";
import { createCredentials } from "../../src/core/credentials.ts";
import { fromBase64Url, randomBytes, toBase64Url } from "../../src/crypto/bytes.ts";
import { importTokenKeys } from "../../src/crypto/token-keys.ts";
import { createOrganizationCache, createOrganizationStore } from "../../src/storage/organization-store.ts";
import { makeTenant } from "../support/fixtures.ts";
import { makeWorld } from "../support/world.ts";

async function makeToken() {
  const tenant = await makeTenant();
  const isolate = makeWorld().isolate();
  const organization = await createOrganizationStore(isolate.database, createOrganizationCache(), {
    now: () => 0,
  }).findBySlug(tenant.slug);
  if (organization === null) throw new Error("no organization");
  const { token, code } = await isolate.sessions.create({
    organization,
    customerId: tenant.team.id,
    memberId: tenant.team.member.id,
    returnUrl: null,
    ttlSeconds: null,
  });
  await isolate.settle();
  return { isolate, token, code: code ?? "", tenant };
}

/** Every forgery that can be made of one real token, then as many invented ones as are missing. */
async function forge(token: string, code: string, count: number): Promise<string[]> {
  const [head, body] = [token.slice(0, -56), token.slice(-56)];
  const bytes = fromBase64Url(body) ?? new Uint8Array();
  const forgeries: string[] = [
    code,
    ...["cst", "oat", "code", "cev", "login"].map((kind) => token.replace("_mst_", `_${kind}_`)),
  ];
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Uint8Array.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    forgeries.push(head + toBase64Url(flipped));
  }
  const stranger = createCredentials(importTokenKeys([{ name: "t", bytes: randomBytes(32) }]), ["lk"]);
  while (forgeries.length < count) {
    forgeries.push(`lk_mst_t${toBase64Url(randomBytes(42))}`, (await stranger.mint("mst")).token);
  }
  return forgeries;
}

describe("forged tokens", () => {
  test("are refused by edge and strict checks without any KV or D1 operation", async () => {
    const { isolate, token, code, tenant } = await makeToken();
    const { sessions, kv, db } = isolate;
    const forgeries = await forge(token, code, 10_000);
    expect(new Set(forgeries).size).toBeGreaterThanOrEqual(10_000);
    const before = { kv: kv.count(), db: db.count() };
    let refused = 0;
    for (const forgery of forgeries) {
      await sessions.check(forgery).catch((error) => {
        if (error.code === "credential_not_live") refused++;
      });
    }
    for (const forgery of forgeries.slice(0, 400)) {
      await expect(sessions.checkStrictly(forgery)).rejects.toMatchObject({ code: "credential_not_live" });
    }
    for (const noCode of [...forgeries.filter((forgery) => forgery !== code).slice(0, 400), token]) {
      await expect(sessions.redeem(noCode, "browser", { id: tenant.id })).rejects.toMatchObject({
        code: "code_not_redeemable",
      });
      expect(await sessions.peek(noCode, { id: tenant.id })).toBeNull();
    }
    expect(refused).toBe(forgeries.length);
    expect({ kv: kv.count(), db: db.count() }).toEqual(before);
    expect(await sessions.check(token), "while the real one is accepted").toMatchObject({ kind: "member" });
    expect(kv.count()).toBe(before.kv + 1);
  });
});
