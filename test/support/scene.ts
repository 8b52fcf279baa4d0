/**
 * Where most storage tests begin: a tenant, a world, and one session of its member, made in the isolate `home` with
 * everything in place (D1, and KV in every location that is still to come).
 */

import type { SessionDraft } from "../../src/core/session.ts";
import { leaseMilliseconds } from "../../src/storage/session-records.ts";
import { memberOf, sessionDraft } from "./drafts.ts";
import { makeTenant } from "./fixtures.ts";
import { kvKey, makeWorld } from "./world.ts";

export async function makeScene(changes: Partial<SessionDraft> = {}, settings: Record<string, number> = {}) {
  const tenant = await makeTenant(settings);
  const world = makeWorld();
  const { clock } = world;
  const home = world.isolate();
  const draft = sessionDraft(memberOf(tenant), clock.now(), changes);
  const session = await home.store.insert(draft);
  if (session === null) throw new Error("the session was not made");
  await home.settle();
  const { lookupKey } = draft;
  const createdAt = clock.now();
  return {
    tenant,
    world,
    clock,
    home,
    draft,
    session,
    lookupKey,
    key: kvKey(lookupKey),
    createdAt,
    lease: leaseMilliseconds(lookupKey),
    /** Moves the clock to this many milliseconds after the session was made. */
    at: (milliseconds: number) => clock.advance(createdAt + milliseconds - clock.now()),
  };
}

/** What is stored under a KV key now, as text. */
export type StoredRecord = { v: number; tombstone?: boolean; provedAt?: number; facts?: Record<string, unknown> };

export const parseRecord = (text: string | undefined): StoredRecord => JSON.parse(text ?? "null") as StoredRecord;
