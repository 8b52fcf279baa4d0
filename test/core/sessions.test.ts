/** The use cases of a session over the in-memory store: what they make, what they accept, and which error says what. */

import { describe, expect, test } from "vitest";
import { createCredentials } from "../../src/core/credentials.ts";
import type { Organization } from "../../src/core/directory.ts";
import { LatchkeyError } from "../../src/core/errors.ts";
import type { SessionStore } from "../../src/core/ports.ts";
import { createTokenSealer } from "../../src/core/sealed-token.ts";
import { createSessions, type SessionRequest } from "../../src/core/sessions.ts";
import { randomBytes } from "../../src/crypto/bytes.ts";
import { importTokenKeys } from "../../src/crypto/token-keys.ts";
import { fakeClock } from "../support/clock.ts";
import { createMemoryStore } from "../support/memory-store.ts";

const keys = importTokenKeys([{ name: "a", bytes: randomBytes(32) }]);
const credentials = createCredentials(keys, ["lk"]);
const sealer = createTokenSealer(keys);

function prepare(settings: Partial<Organization> = {}, replace: Partial<SessionStore> = {}) {
  const clock = fakeClock();
  const { store, directory } = createMemoryStore(clock);
  const tenant = directory.addTenant(settings);
  const organization = directory.organizations.get(tenant.id) as Organization;
  const sessions = createSessions({ store: { ...store, ...replace }, credentials, sealer, clock });
  const request: SessionRequest = {
    organization,
    customerId: tenant.team.id,
    memberId: tenant.team.member.id,
    returnUrl: null,
    ttlSeconds: null,
  };
  return { clock, directory, tenant, organization, sessions, request };
}

const refusal = (code: string) => ({ name: LatchkeyError.name, code });

describe("create", () => {
  test("makes a session of the organization's default life, with its token and its portal code", async () => {
    const { sessions, request, clock, tenant } = prepare();
    const { session, token, code } = await sessions.create(request);
    expect(session).toMatchObject({
      kind: "member",
      memberId: tenant.team.member.id,
      createdAt: clock.now(),
      expiresAt: clock.now() + 3_600_000,
      absoluteExpiresAt: clock.now() + 2_592_000_000,
    });
    expect(await credentials.verify(token)).toMatchObject({ kind: "mst" });
    expect(await credentials.verify(code ?? "")).toMatchObject({ kind: "code" });
    expect(await sessions.check(token)).toMatchObject({ id: session.id });
  });

  test("makes a customer session with a token of its own kind", async () => {
    const { sessions, request } = prepare();
    const { session, token } = await sessions.create({ ...request, memberId: null });
    expect(session).toMatchObject({ kind: "customer", memberId: null });
    expect(await credentials.verify(token)).toMatchObject({ kind: "cst" });
    expect(await sessions.checkStrictly(token)).toMatchObject({ id: session.id });
  });

  test("makes no code where the organization's links carry the token", async () => {
    const { sessions, request } = prepare({ portalLink: "token" });
    expect((await sessions.create(request)).code).toBeNull();
  });

  test("keeps the return URL as normalised, and looks at it as typed", async () => {
    const { sessions, request } = prepare({ allowedReturnOrigins: ["https://app.example.com"] });
    const returnUrl = { asTyped: "https://app.example.com", href: "https://app.example.com/" };
    expect((await sessions.create({ ...request, returnUrl })).session.returnUrl).toBe("https://app.example.com/");
    const hidden = { asTyped: "https:\\\\app.example.com", href: "https://app.example.com/" };
    await expect(sessions.create({ ...request, returnUrl: hidden })).rejects.toMatchObject(
      refusal("return_url_not_allowed"),
    );
  });

  test("refuses a life outside the organization's bounds and makes nothing", async () => {
    const { sessions, request, tenant } = prepare({ sessionMaxTtlSeconds: 7200 });
    for (const ttlSeconds of [59, 7201]) {
      await expect(sessions.create({ ...request, ttlSeconds })).rejects.toMatchObject(refusal("ttl_out_of_range"));
    }
    expect((await sessions.list(tenant.id, {}, { offset: 0, limit: 1 })).total).toBe(0);
    for (const ttlSeconds of [60, 7200])
      await expect(sessions.create({ ...request, ttlSeconds })).resolves.toBeDefined();
  });

  test("says whether it was the member or the customer that is gone", async () => {
    const { sessions, request, directory, tenant } = prepare();
    directory.deleteMember(tenant.team.member.id);
    await expect(sessions.create(request)).rejects.toMatchObject(refusal("member_not_found"));
    directory.deleteCustomer(tenant.team.id);
    await expect(sessions.create({ ...request, memberId: null })).rejects.toMatchObject(refusal("customer_not_found"));
  });

  test("gives the store nothing that can be presented", async () => {
    const drafts: string[] = [];
    const { sessions, request } = prepare(
      {},
      {
        insert: async (draft) => {
          drafts.push(JSON.stringify(draft));
          return null;
        },
      },
    );
    const minted: string[] = [];
    const { mint } = credentials;
    credentials.mint = async (kind) => {
      const credential = await mint(kind);
      minted.push(credential.token.slice(-56));
      return credential;
    };
    await sessions.create(request).catch(() => {});
    credentials.mint = mint;
    expect(minted).toHaveLength(2);
    for (const secret of minted) {
      expect(drafts[0]).not.toContain(secret);
      expect(drafts[0]).not.toContain(secret.slice(0, 16));
    }
  });
});

describe.each(["check", "checkStrictly"] as const)("%s", (check) => {
  test("refuses forged, foreign and malformed tokens, and credentials of other kinds, alike", async () => {
    const { sessions, request } = prepare();
    const { token, code } = await sessions.create(request);
    const strangers = createCredentials(importTokenKeys([{ name: "a", bytes: randomBytes(32) }]), ["lk"]);
    const others = await Promise.all((["oat", "code", "cev", "login"] as const).map((kind) => credentials.mint(kind)));
    for (const wrong of [
      "",
      "lk_mst_",
      `${token}x`,
      code ?? "",
      (await strangers.mint("mst")).token,
      (await credentials.mint("mst")).token,
      ...others.map((other) => other.token),
    ]) {
      await expect(sessions[check](wrong), wrong).rejects.toMatchObject(refusal("credential_not_live"));
    }
  });

  test("refuses a session that has expired, was revoked, or whose member is gone", async () => {
    const { sessions, request, clock, tenant, directory } = prepare();
    const expired = await sessions.create({ ...request, ttlSeconds: 60 });
    const revoked = await sessions.create(request);
    const orphan = await sessions.create({ ...request, memberId: tenant.team.owner.id });
    await sessions.revoke(tenant.id, revoked.session.id);
    directory.deleteMember(tenant.team.owner.id);
    clock.advance(60_000);
    for (const { token } of [expired, revoked, orphan]) {
      await expect(sessions[check](token)).rejects.toMatchObject(refusal("credential_not_live"));
    }
  });

  test("passes an outage on as one", async () => {
    const away = async () => {
      throw new LatchkeyError("unavailable");
    };
    const { sessions } = prepare({}, { checkAtEdge: away, checkStrictly: away });
    const { token } = await credentials.mint("mst");
    await expect(sessions[check](token)).rejects.toMatchObject(refusal("unavailable"));
  });
});

describe("extend", () => {
  test("gives a new life from now, up to the absolute expiry", async () => {
    const { sessions, request, organization, clock } = prepare({ sessionMaxTtlSeconds: 7200 });
    const { session } = await sessions.create(request);
    clock.advance(1_800_000);
    expect(await sessions.change(organization, session.id, { ttlSeconds: 600, claims: null })).toMatchObject({
      expiresAt: clock.now() + 600_000,
    });
    expect(await sessions.change(organization, session.id, { ttlSeconds: 7200, claims: null })).toMatchObject({
      expiresAt: session.absoluteExpiresAt,
    });
  });

  test("refuses a life outside the bounds, and a session that is not there or not live", async () => {
    const { sessions, request, organization, tenant } = prepare();
    const { session } = await sessions.create(request);
    for (const ttlSeconds of [59, 2_592_001]) {
      await expect(sessions.change(organization, session.id, { ttlSeconds, claims: null })).rejects.toMatchObject(
        refusal("ttl_out_of_range"),
      );
    }
    await expect(
      sessions.change(organization, crypto.randomUUID(), { ttlSeconds: 600, claims: null }),
    ).rejects.toMatchObject(refusal("session_not_found"));
    await sessions.revoke(tenant.id, session.id);
    await expect(sessions.change(organization, session.id, { ttlSeconds: 600, claims: null })).rejects.toMatchObject(
      refusal("session_not_found"),
    );
  });
});

describe("redeem", () => {
  test("trades the code for the session's own token, once", async () => {
    const { sessions, request, tenant } = prepare();
    const { session, token, code } = await sessions.create(request);
    const redeem = () => sessions.redeem(code ?? "", "browser", { slug: tenant.slug });
    expect(await sessions.peek(code ?? "", { slug: tenant.slug })).toMatchObject({ door: "browser", redeemed: false });
    expect(await redeem()).toMatchObject({ token, session: { id: session.id } });
    await expect(redeem()).rejects.toMatchObject(refusal("code_not_redeemable"));
    expect(await sessions.peek(code ?? "", { slug: tenant.slug })).toMatchObject({ redeemed: true });
  });

  test("is the backend's where the organization has its own application, else the browser's", async () => {
    for (const [portalUrl, right, wrong] of [
      [null, "browser", "backend"],
      ["https://app.example.com/portal", "backend", "browser"],
    ] as const) {
      const { sessions, request, tenant } = prepare({ portalUrl });
      const { code, token } = await sessions.create(request);
      await expect(sessions.redeem(code ?? "", wrong, { id: tenant.id })).rejects.toMatchObject(
        refusal("code_not_redeemable"),
      );
      expect(await sessions.redeem(code ?? "", right, { id: tenant.id })).toMatchObject({ token });
    }
  });

  test("refuses everything else alike", async () => {
    const { sessions, request, directory, tenant, clock } = prepare();
    const other = directory.addTenant();
    const { code, token } = await sessions.create(request);
    for (const [text, organization] of [
      ["", { id: tenant.id }],
      [token, { id: tenant.id }],
      [`${code}x`, { id: tenant.id }],
      [(await credentials.mint("code")).token, { id: tenant.id }],
      [code ?? "", { id: other.id }],
      [code ?? "", { slug: other.slug }],
    ] as const) {
      await expect(sessions.redeem(text, "browser", organization), text).rejects.toMatchObject(
        refusal("code_not_redeemable"),
      );
      expect(await sessions.peek(text, organization)).toBeNull();
    }
    clock.advance(300_000);
    await expect(sessions.redeem(code ?? "", "browser", { id: tenant.id })).rejects.toMatchObject(
      refusal("code_not_redeemable"),
    );
  });

  test("code lives as long as the organization says, but not past the life that its session began with", async () => {
    for (const [portalCodeTtlSeconds, ttlSeconds, lives] of [
      [30, 3600, 30],
      [3600, 90, 90],
      [600, 600, 600],
    ] as const) {
      const { sessions, request, organization, clock } = prepare({ portalCodeTtlSeconds });
      const { code, session } = await sessions.create({ ...request, ttlSeconds });
      await sessions.change(organization, session.id, { ttlSeconds: 86_400, claims: null });
      clock.advance(lives * 1000 - 1);
      expect(await sessions.peek(code ?? "", { id: organization.id })).not.toBeNull();
      clock.advance(1);
      expect(await sessions.peek(code ?? "", { id: organization.id })).toBeNull();
    }
  });
});

describe("revokeAll", () => {
  test("ends what it names, and says who was not found", async () => {
    const { sessions, request, directory, tenant } = prepare();
    const { session, token } = await sessions.create(request);
    const nobody = crypto.randomUUID();
    const other = directory.addTenant();
    const none = { exceptSessionId: null };
    const member = { scope: "member", memberId: tenant.team.member.id } as const;
    for (const [organizationId, target, code] of [
      [tenant.id, { scope: "member", memberId: nobody, ...none }, "member_not_found"],
      [other.id, { ...member, ...none }, "member_not_found"],
      [tenant.id, { scope: "customer", customerId: nobody }, "customer_not_found"],
      [other.id, { scope: "customer", customerId: tenant.team.id }, "customer_not_found"],
      [tenant.id, { ...member, exceptSessionId: nobody }, "spared_session_not_found"],
    ] as const) {
      await expect(sessions.revokeAll(organizationId, target)).rejects.toMatchObject(refusal(code));
      expect(await sessions.check(token)).toMatchObject({ id: session.id });
    }
    await sessions.revokeAll(tenant.id, { ...member, exceptSessionId: session.id });
    expect(await sessions.check(token)).toMatchObject({ id: session.id });
    await sessions.revokeAll(tenant.id, { ...member, ...none });
    await expect(sessions.check(token)).rejects.toMatchObject(refusal("credential_not_live"));
  });
});
