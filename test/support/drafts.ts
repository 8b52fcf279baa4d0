/** Sessions on their way into a store, as the use case would make them, with random lookup keys instead of tokens. */

import type { SessionDraft } from "../../src/core/session.ts";
import { randomBytes, toHex } from "../../src/crypto/bytes.ts";
import type { Tenant } from "./fixtures.ts";

export type People = Omit<Tenant, "apiKey">;

export interface Subject {
  organizationId: string;
  customerId: string | null;
  memberId: string | null;
}

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

export const randomLookupKey = () => toHex(randomBytes(23));

/** One hour to live, thirty days at most, no portal code. */
export function sessionDraft(subject: Subject, now: number, changes: Partial<SessionDraft> = {}): SessionDraft {
  return {
    id: crypto.randomUUID(),
    lookupKey: randomLookupKey(),
    tokenKey: "t",
    tokenSealed: "sealed",
    kind: subject.memberId === null ? "customer" : "member",
    ...subject,
    returnUrl: null,
    createdAt: now,
    expiresAt: now + HOUR_MS,
    absoluteExpiresAt: now + 30 * DAY_MS,
    code: null,
    proof: null,
    factors: [],
    provedEmail: null,
    claims: {},
    ...changes,
  };
}

/** For the browser, five minutes. */
export function codeDraft(now: number, changes: Partial<NonNullable<SessionDraft["code"]>> = {}) {
  return {
    lookupKey: randomLookupKey(),
    tokenKey: "t",
    door: "browser" as const,
    expiresAt: now + 300_000,
    ...changes,
  };
}

export const memberOf = (tenant: People): Subject => ({
  organizationId: tenant.id,
  customerId: tenant.team.id,
  memberId: tenant.team.member.id,
});

export const ownerOf = (tenant: People): Subject => ({ ...memberOf(tenant), memberId: tenant.team.owner.id });

export const individualOf = (tenant: People): Subject => ({
  organizationId: tenant.id,
  customerId: tenant.individual.id,
  memberId: tenant.individual.owner.id,
});

export const customerOf = (tenant: People): Subject => ({ ...memberOf(tenant), memberId: null });
