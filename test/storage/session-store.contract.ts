/**
 * What every SessionStore and its SignInStore do, whatever it keeps its sessions in: run over D1 and KV by d1-kv-store.test.ts, over the
 * in-memory store by memory-store.test.ts. How stale an edge check may be is no part of it (promises.test.ts).
 */

import type { MemberRole } from "../../src/core/directory.ts";
import type { SessionStore, SignInStore } from "../../src/core/ports.ts";
import type { LiveSession } from "../../src/core/session.ts";
import type { FakeClock } from "../support/clock.ts";
import type { People } from "../support/drafts.ts";
import { capContract } from "./contract/cap.ts";
import { claimsContract } from "./contract/claims.ts";
import { codesContract } from "./contract/codes.ts";
import { endingContract } from "./contract/ending.ts";
import { lifeContract } from "./contract/life.ts";
import { listContract } from "./contract/list.ts";
import { signInContract } from "./contract/sign-in.ts";

export interface Harness {
  store: SessionStore;
  signIns: SignInStore;
  clock: FakeClock;
  /** Waits for what goes on after an answer. */
  settle(): Promise<void>;
  makeTenant(settings?: { maxSessionsPerMember?: number }): Promise<People>;
  deleteOrganization(id: string): Promise<void>;
  deleteCustomer(id: string): Promise<void>;
  deleteMember(id: string): Promise<void>;
  changeRole(memberId: string, role: MemberRole): Promise<void>;
  changeEmail(memberId: string, email: string): Promise<void>;
}

export function sessionStoreContract(makeHarness: () => Harness): void {
  lifeContract(makeHarness);
  claimsContract(makeHarness);
  endingContract(makeHarness);
  listContract(makeHarness);
  capContract(makeHarness);
  codesContract(makeHarness);
  signInContract(makeHarness);
}

export const idsOf = (sessions: readonly Pick<LiveSession, "id">[]) => sessions.map(({ id }) => id);
