/**
 * An operator who signs in as a member, with a token that an operator's command made: for an hour, and the session says
 * who it is.
 */

import type { Credentials } from "./credentials.ts";
import type { Organization } from "./directory.ts";
import { LatchkeyError } from "./errors.ts";
import type { ImpersonationStore } from "./identity-ports.ts";
import type { Clock } from "./ports.ts";
import type { IssuedSession, Sessions } from "./sessions.ts";

const MAX_TTL_SECONDS = 3600;

interface Dependencies {
  store: ImpersonationStore;
  sessions: Sessions;
  credentials: Credentials;
  clock: Clock;
}

export type Impersonations = ReturnType<typeof createImpersonations>;

export function createImpersonations({ store, sessions, credentials, clock }: Dependencies) {
  return {
    /**
     * Uses the token up and makes the session, or neither.
     * @throws {LatchkeyError} impersonation_not_live: unknown, used, expired, another organization's, or its member is
     * gone; unavailable
     */
    async begin(organization: Organization, token: string): Promise<Omit<IssuedSession, "code">> {
      const credential = await credentials.verify(token);
      const lookupKey = credential?.kind === "imp" ? credential.lookupKey : null;
      const found = lookupKey === null ? null : await store.find(organization.id, lookupKey);
      if (lookupKey === null || found === null) throw new LatchkeyError("impersonation_not_live");
      const { memberId, ...impersonator } = found;
      const origin = {
        proof: { kind: "impersonation", lookupKey } as const,
        factors: [{ kind: "impersonation", ...impersonator, at: clock.now() } as const],
        provedEmail: null,
        ttlSeconds: Math.min(MAX_TTL_SECONDS, organization.sessionMaxTtlSeconds),
      };
      const made = await sessions.createOf(origin, { organization, customerId: null, memberId });
      if (made === null) throw new LatchkeyError("impersonation_not_live");
      return made;
    },
  };
}
