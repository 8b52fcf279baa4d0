/**
 * Sessions in memory: the second implementation of SessionStore, for tests of what stands above storage. Held to the
 * behaviour of the real one by test/storage/session-store.contract.ts. Each call is one atomic step.
 */

import { MAX_CLAIMS_BYTES } from "../../src/core/custom-claims.ts";
import { LatchkeyError } from "../../src/core/errors.ts";
import { isExpired } from "../../src/core/lifetimes.ts";
import type {
  Clock,
  OrganizationRef,
  RevocationTarget,
  SessionFilter,
  SessionStore,
  SignInStore,
} from "../../src/core/ports.ts";
import type { CodeDoor, LiveSession, SessionDraft } from "../../src/core/session.ts";
import { toFacts } from "../../src/storage/session-checks.ts";
import { createMemoryDirectory, type MemoryDirectory, presentMember } from "./memory-directory.ts";
import { createMemorySignIns } from "./memory-sign-ins.ts";
import { mergePatch } from "./merge-patch.ts";

interface Row extends SessionDraft {
  customerId: string;
  modifiedAt: number | null;
  lastAccessedAt: number | null;
  revokedAt: number | null;
  epochs: (number | null)[];
}

interface CodeRow {
  sessionId: string;
  door: CodeDoor;
  expiresAt: number;
  redeemed: boolean;
}

const TOUCH_INTERVAL_MS = 60_000;

export interface MemoryStore {
  store: SessionStore;
  signIns: SignInStore;
  directory: MemoryDirectory;
}

export function createMemoryStore(clock: Clock): MemoryStore {
  const directory = createMemoryDirectory(clock);
  const { organizations, customers, members } = directory;
  const rows = new Map<string, Row>();
  const codes = new Map<string, CodeRow>();
  const { signIns, use } = createMemorySignIns(directory, clock);

  const parentsOf = ({
    organizationId,
    customerId,
    memberId,
  }: Pick<Row, "organizationId" | "customerId" | "memberId">) =>
    [
      organizations.get(organizationId),
      customers.get(customerId),
      memberId === null ? null : members.get(memberId),
    ] as const;

  function isLive(row: Row): boolean {
    const [organization, customer, member] = parentsOf(row);
    return (
      row.revokedAt === null &&
      !isExpired(row.expiresAt, clock.now()) &&
      [organization, customer, member].every(
        (parent, index) => parent === null || (parent?.deletedAt === null && parent.epoch === row.epochs[index]),
      )
    );
  }

  const liveRow = (organizationId: string, sessionId: string | null): Row | undefined => {
    const row = sessionId === null ? undefined : rows.get(sessionId);
    return row !== undefined && row.organizationId === organizationId && isLive(row) ? row : undefined;
  };

  function present(row: Row): LiveSession {
    const [organization, customer, member] = parentsOf(row);
    if (organization === undefined || customer === undefined || member === undefined) throw new Error("lost a parent");
    const { epoch: _o, deletedAt: _deleted, ...shownOrganization } = organization;
    const { epoch: _c, ...shownCustomer } = customer;
    return {
      id: row.id,
      kind: row.kind,
      organizationId: organization.id,
      organizationSlug: organization.slug,
      customerId: customer.id,
      memberId: row.memberId,
      role: member?.role ?? null,
      returnUrl: row.returnUrl,
      expiresAt: row.expiresAt,
      createdAt: row.createdAt,
      modifiedAt: row.modifiedAt,
      absoluteExpiresAt: row.absoluteExpiresAt,
      lastAccessedAt: row.lastAccessedAt,
      factors: row.factors,
      claims: row.claims,
      organization: shownOrganization,
      customer: { ...shownCustomer, ownerEmail: directory.ownerEmail(customer.id) },
      member: member === null ? null : presentMember(member),
    };
  }

  const newestFirst = (left: Row, right: Row) => right.createdAt - left.createdAt || (left.id < right.id ? -1 : 1);

  function endOldestBeyondCap(added: Row): void {
    const cap = organizations.get(added.organizationId)?.maxSessionsPerMember ?? 0;
    [...rows.values()]
      .filter((row) => row.customerId === added.customerId && row.memberId === added.memberId && isLive(row))
      .sort((left, right) => Number(right === added) - Number(left === added) || newestFirst(left, right))
      .slice(cap)
      .forEach((row) => {
        row.revokedAt = added.createdAt;
      });
  }

  async function insert(given: SessionDraft): Promise<LiveSession | null> {
    const ownCustomer = given.memberId === null ? undefined : members.get(given.memberId)?.customerId;
    const draft = { ...given, customerId: given.customerId ?? ownCustomer ?? "none" };
    const [organization, customer, member] = parentsOf(draft);
    const isOwnFamily =
      organization?.deletedAt === null &&
      customer?.deletedAt === null &&
      customer.organizationId === organization.id &&
      (member === null || (member?.deletedAt === null && member.customerId === customer.id));
    if (!isOwnFamily) return null;
    if (draft.proof !== null && !use(draft.proof.lookupKey, draft.id, customer, member)) return null;
    const epochs = [organization.epoch, customer.epoch, member?.epoch ?? null];
    const row: Row = { ...draft, modifiedAt: null, lastAccessedAt: null, revokedAt: null, epochs };
    rows.set(row.id, row);
    if (draft.code !== null) {
      const { lookupKey, door, expiresAt } = draft.code;
      codes.set(lookupKey, { sessionId: row.id, door, expiresAt, redeemed: false });
    }
    endOldestBeyondCap(row);
    return present(row);
  }

  async function checkStrictly(lookupKey: string, organizationId?: string): Promise<LiveSession | null> {
    const row = [...rows.values()].find((candidate) => candidate.lookupKey === lookupKey);
    if (row === undefined || !isLive(row)) return null;
    if (organizationId !== undefined && row.organizationId !== organizationId) return null;
    touch(row);
    return present(row);
  }

  function touch(row: Row): void {
    if (row.lastAccessedAt === null || row.lastAccessedAt <= clock.now() - TOUCH_INTERVAL_MS) {
      row.lastAccessedAt = clock.now();
    }
  }

  async function revokeAll(organizationId: string, target: RevocationTarget): Promise<boolean> {
    const subject =
      target.scope === "member"
        ? members.get(target.memberId)
        : target.scope === "customer"
          ? customers.get(target.customerId)
          : organizations.get(organizationId);
    const owner = subject !== undefined && "organizationId" in subject ? subject.organizationId : subject?.id;
    if (subject === undefined || subject.deletedAt !== null || owner !== organizationId) return false;
    if (target.scope === "member" && target.exceptSessionId !== null) {
      const spared = liveRow(organizationId, target.exceptSessionId);
      if (spared === undefined || spared.memberId !== target.memberId) return false;
      spared.epochs[2] = subject.epoch + 1;
    }
    subject.epoch++;
    return true;
  }

  const isNamed = (organizationId: string, ref: OrganizationRef) =>
    "id" in ref ? ref.id === organizationId : ref.slug === organizations.get(organizationId)?.slug;

  /** The code and its live session, if it leads to one of that organization's. */
  function lookUp(lookupKey: string, organization: OrganizationRef) {
    const code = codes.get(lookupKey);
    const row = code && rows.get(code.sessionId);
    if (code === undefined || row === undefined || !isLive(row)) return null;
    return isNamed(row.organizationId, organization) ? { code, row } : null;
  }

  const matches = (row: Row, filter: SessionFilter): boolean => {
    const [, customer, member] = parentsOf(row);
    return (
      (filter.memberId === undefined || row.memberId === filter.memberId) &&
      (filter.customerId === undefined || row.customerId === filter.customerId) &&
      (filter.externalCustomerId === undefined || customer?.externalId === filter.externalCustomerId) &&
      (filter.externalMemberId === undefined || member?.externalId === filter.externalMemberId)
    );
  };

  const store: SessionStore = {
    insert,
    checkStrictly,
    revokeAll,

    async checkAtEdge(lookupKey) {
      const session = await checkStrictly(lookupKey);
      return session === null ? null : toFacts(session);
    },

    async find(organizationId, sessionId) {
      const row = liveRow(organizationId, sessionId);
      return row === undefined ? null : present(row);
    },

    async list(organizationId, filter, { offset, limit }) {
      const found = [...rows.values()]
        .filter((row) => row.organizationId === organizationId && isLive(row) && matches(row, filter))
        .sort(newestFirst);
      return { items: found.slice(offset, offset + limit).map(present), total: found.length };
    },

    async checkById(organizationId, sessionId) {
      const row = liveRow(organizationId, sessionId);
      if (row === undefined) return null;
      touch(row);
      return { session: present(row), tokenSealed: row.tokenSealed, tokenKey: row.tokenKey };
    },

    async change(organizationId, sessionId, { expiresAt = Number.POSITIVE_INFINITY, claims = {} }) {
      const row = liveRow(organizationId, sessionId);
      if (row === undefined) return null;
      const merged = mergePatch(row.claims, claims) as Row["claims"];
      if (JSON.stringify(merged).length > MAX_CLAIMS_BYTES) throw new LatchkeyError("custom_claims_too_large");
      row.claims = merged;
      if (expiresAt !== Number.POSITIVE_INFINITY) row.expiresAt = Math.min(expiresAt, row.absoluteExpiresAt);
      row.modifiedAt = clock.now();
      row.lastAccessedAt = clock.now();
      return present(row);
    },

    async revoke(organizationId, sessionId) {
      const row = rows.get(sessionId);
      if (row === undefined || row.organizationId !== organizationId) return false;
      row.revokedAt ??= clock.now();
      return true;
    },

    async signOut(organizationId, sessionId) {
      const row = rows.get(sessionId);
      if (row?.organizationId === organizationId) row.revokedAt ??= clock.now();
    },

    async revokeLeaked(lookupKeys) {
      const leaked = [...rows.values()].filter(({ lookupKey }) => lookupKeys.includes(lookupKey));
      for (const row of leaked) row.revokedAt ??= clock.now();
      return leaked.map(({ lookupKey, id, organizationId }) => ({ lookupKey, id, organizationId }));
    },

    async redeemCode(lookupKey, door, organization) {
      const found = lookUp(lookupKey, organization);
      if (found === null) return null;
      const { code, row } = found;
      if (code.redeemed || code.door !== door || isExpired(code.expiresAt, clock.now())) return null;
      code.redeemed = true;
      return { session: present(row), tokenSealed: row.tokenSealed, tokenKey: row.tokenKey };
    },

    async findCode(lookupKey, organization) {
      const found = lookUp(lookupKey, organization);
      if (found === null) return null;
      const { code, row } = found;
      if (!code.redeemed && isExpired(code.expiresAt, clock.now())) return null;
      return { session: present(row), door: code.door, redeemed: code.redeemed };
    },
  };

  return { store, signIns, directory };
}
