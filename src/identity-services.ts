/**
 * What identities from outside take, put together: trusted issuers and their keys, UserInfo, impersonations.
 */

import { type Attestations, createAttestations } from "./core/attestations.ts";
import type { Credentials } from "./core/credentials.ts";
import type { MemberDirectory, Outside, RolePolicies } from "./core/identity-ports.ts";
import { createImpersonations, type Impersonations } from "./core/impersonations.ts";
import type { Clock } from "./core/ports.ts";
import type { Sessions } from "./core/sessions.ts";
import { createIssuerKeys, type IssuerKeySet } from "./issuer-keys.ts";
import type { PublishedKeyCache } from "./published-keys.ts";
import type { Database } from "./storage/database.ts";
import { createImpersonationStore } from "./storage/impersonations.ts";
import { createTrustedIssuerStore } from "./storage/trusted-issuers.ts";

export interface IdentityServices {
  attestations: Attestations;
  impersonations: Impersonations;
  outside: Outside;
}

interface Dependencies {
  database: Database;
  sessions: Sessions;
  credentials: Credentials;
  members: MemberDirectory;
  policies: RolePolicies;
  outside: Outside;
  /** The isolate's. */
  issuerKeyCache: PublishedKeyCache<IssuerKeySet>;
  clock: Clock;
  waitUntil(work: Promise<unknown>): void;
}

export function createIdentityServices(dependencies: Dependencies): IdentityServices {
  const { database, outside, issuerKeyCache: cache, clock, waitUntil } = dependencies;
  return {
    attestations: createAttestations({
      ...dependencies,
      issuers: createTrustedIssuerStore(database),
      issuerKeys: createIssuerKeys({ cache, outside, clock, waitUntil }),
    }),
    impersonations: createImpersonations({ ...dependencies, store: createImpersonationStore(database, clock) }),
    outside,
  };
}
