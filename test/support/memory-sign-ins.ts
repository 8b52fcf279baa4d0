/** Sign-in codes in memory: the second implementation of SignInStore. Each call is one atomic step. */

import { emailKey } from "../../src/core/directory.ts";
import { isExpired } from "../../src/core/lifetimes.ts";
import type { Clock, SignInCode, SignInCodeDraft, SignInStore } from "../../src/core/ports.ts";
import { MAX_TYPED_ATTEMPTS } from "../../src/core/typed-codes.ts";
import { type MemoryCustomer, type MemoryDirectory, type MemoryMember, presentMember } from "./memory-directory.ts";

interface Row extends SignInCodeDraft {
  attempts: number;
  usedBy: string | null;
}

export function createMemorySignIns(directory: MemoryDirectory, clock: Clock) {
  const { organizations, customers, members } = directory;
  const rows = new Map<string, Row>();

  const isAlive = (row: Row) => row.usedBy === null && !isExpired(row.expiresAt, clock.now());

  function find(lookupKey: string): SignInCode | null {
    const row = rows.get(lookupKey);
    const organization = row && organizations.get(row.organizationId);
    if (row === undefined || !isAlive(row) || organization?.deletedAt !== null) return null;
    const { epoch: _e, deletedAt: _d, ...shown } = organization;
    return { lookupKey, organization: shown, emailKey: row.emailKey, customerId: row.customerId };
  }

  const isKeyOf = (key: string, email: string | null) => email !== null && emailKey(email) === key;

  const signIns: SignInStore = {
    async findPeople(organization, key, customerId) {
      if (organizations.get(organization.id)?.deletedAt !== null) return [];
      const candidates = [...customers.values()]
        .filter(
          ({ id, organizationId, deletedAt }) =>
            organizationId === organization.id && deletedAt === null && (customerId ?? id) === id,
        )
        .map(({ epoch: _e, ...customer }) => ({ ...customer, ownerEmail: directory.ownerEmail(customer.id) }));
      if (!organization.memberModelEnabled) {
        return candidates.filter(({ email }) => isKeyOf(key, email)).map((customer) => ({ customer, member: null }));
      }
      return candidates.flatMap((customer) =>
        [...members.values()]
          .filter(
            (member) => member.customerId === customer.id && member.deletedAt === null && isKeyOf(key, member.email),
          )
          .map((member) => ({ customer, member: presentMember(member) })),
      );
    },

    async addCode(code, isKnown) {
      if (!isKnown) return;
      for (const [lookupKey, row] of rows) {
        if (row.organizationId === code.organizationId && row.emailKey === code.emailKey) rows.delete(lookupKey);
      }
      rows.set(code.lookupKey, { ...code, attempts: 0, usedBy: null });
    },

    findCode: async (lookupKey) => find(lookupKey),

    async countAttempt(organization, key) {
      const row = [...rows.values()].find(({ organizationId, emailKey }) => {
        const owner = organizations.get(organizationId);
        const isNamed = "id" in organization ? owner?.id === organization.id : owner?.slug === organization.slug;
        return isNamed && owner?.deletedAt === null && emailKey === key;
      });
      if (row === undefined || !isAlive(row) || row.attempts >= MAX_TYPED_ATTEMPTS) return null;
      row.attempts++;
      const { lookupKey, tokenKey, organizationId, mac } = row;
      return { lookupKey, tokenKey, organizationId, emailKey: key, mac };
    },

    async forgiveAttempt(lookupKey) {
      const row = rows.get(lookupKey);
      if (row !== undefined && row.attempts > 0) row.attempts--;
      return find(lookupKey);
    },

    wasUsedBy: async (lookupKey, sessionId) => rows.get(lookupKey)?.usedBy === sessionId,
  };

  /** Part of making a session. false: the code is not good for it, and nothing happened. */
  function use(lookupKey: string, sessionId: string, customer: MemoryCustomer, member: MemoryMember | null): boolean {
    const row = rows.get(lookupKey);
    const isGood =
      row !== undefined &&
      isAlive(row) &&
      row.organizationId === customer.organizationId &&
      (row.customerId ?? customer.id) === customer.id &&
      isKeyOf(row.emailKey, (member ?? customer).email);
    if (!isGood) return false;
    row.usedBy = sessionId;
    if (isKeyOf(row.emailKey, customer.email) && !customer.emailVerified) {
      customer.emailVerified = true;
      customer.modifiedAt = clock.now();
    }
    return true;
  }

  return { signIns, use };
}
