/**
 * The composition root: wires storage into the core, for each request, around that request's waitUntil. What outlives
 * it is in isolate.ts.
 */

import type { Config } from "./config.ts";
import type { Credentials } from "./core/credentials.ts";
import { createEmailChanges, type EmailChanges } from "./core/email-change.ts";
import { createLeakedCredentials, type LeakedCredentials } from "./core/leaked-credentials.ts";
import { createOutbox } from "./core/outbox.ts";
import type { Clock, Log } from "./core/ports.ts";
import { createSessionJwts, type SessionJwts } from "./core/session-jwts.ts";
import { createSessions, type Sessions } from "./core/sessions.ts";
import { createSignIns, type SignIns } from "./core/sign-in.ts";
import { createIdentityServices, type IdentityServices } from "./identity-services.ts";
import { isolateState } from "./isolate.ts";
import { createMailer } from "./mail.ts";
import { createOutbound, type Fetch } from "./outbound.ts";
import { createScanningKeys } from "./scanning-keys.ts";
import { type ApiKeyStore, createApiKeyStore } from "./storage/api-key-store.ts";
import { type Attempts, createAttempts } from "./storage/attempts.ts";
import { type CustomerStore, createCustomerStore } from "./storage/customer-store.ts";
import { createDatabase } from "./storage/database.ts";
import { createEmailChangeStore } from "./storage/email-changes.ts";
import { createMemberStore, type MemberStore } from "./storage/member-store.ts";
import { createOrganizationStore, type OrganizationStore } from "./storage/organization-store.ts";
import { createPolicyStore, type PolicyStore } from "./storage/policy-store.ts";
import { createRateLimits, type RateLimits } from "./storage/rate-limits.ts";
import { createSessionStore, type StoreContext } from "./storage/session-store.ts";
import { createSignInStore } from "./storage/sign-in-codes.ts";

export interface Services extends IdentityServices {
  config: Config;
  credentials: Credentials;
  sessions: Sessions;
  sessionJwts: SessionJwts;
  emailChanges: EmailChanges;
  signIns: SignIns;
  organizations: OrganizationStore;
  customers: CustomerStore;
  members: MemberStore;
  policies: PolicyStore;
  apiKeys: ApiKeyStore;
  /** null: reports are not taken. */
  leakedCredentials: LeakedCredentials | null;
  rateLimits: RateLimits;
  attempts: Attempts;
  clock: Clock;
  log: Log;
}

interface Surroundings {
  clock: Clock;
  log: Log;
  fetch: Fetch;
  waitUntil(work: Promise<unknown>): void;
}

const uncounted = async () => {};
const NO_LIMITS: Pick<Services, "rateLimits" | "attempts"> = {
  rateLimits: { apiKeys: uncounted, holders: uncounted, addresses: uncounted },
  attempts: { take: uncounted },
};

/** @throws {Misconfigured} */
export function createServices(env: Cloudflare.Env, { clock, log, fetch, waitUntil }: Surroundings): Services {
  const isolate = isolateState(env);
  const { config, credentials, sealer, jwtKeys, signedJwts, pseudonymize, typedCodes } = isolate;
  const { sessionCache, apiKeyCache, organizationCache, scanningKeyCache, issuerKeyCache } = isolate;
  const { secretScanningKeysUrl: url } = config;
  const outside = createOutbound(fetch, config.isLocal);
  const database = createDatabase(env.DB);
  const limiters = { apiKeys: env.API_KEY_LIMIT, holders: env.HOLDER_LIMIT, addresses: env.ADDRESS_LIMIT };
  const limits = config.limitsRates
    ? { rateLimits: createRateLimits(limiters, log), attempts: createAttempts(database, pseudonymize, clock) }
    : NO_LIMITS;
  const context: StoreContext = { database, kv: env.SESSIONS, cache: sessionCache, clock, waitUntil, log };
  const store = createSessionStore(context);
  const apiKeys = createApiKeyStore(database, apiKeyCache, clock);
  const sessions = createSessions({ store, credentials, sealer, clock });
  const outbox = createOutbox({ mailer: createMailer(env.EMAIL, config.mailFrom), waitUntil, log });
  const { portalOrigin } = config;
  const members = createMemberStore(context);
  const policies = createPolicyStore(database, clock);
  const asks = { outside, clock, waitUntil };
  return {
    config,
    credentials,
    sessions,
    sessionJwts: createSessionJwts({ keys: jwtKeys, cache: signedJwts, clock }),
    emailChanges: createEmailChanges({
      store: createEmailChangeStore(database, clock),
      sessions,
      credentials,
      outbox,
      portalOrigin,
      clock,
    }),
    signIns: createSignIns({
      store: createSignInStore(database, clock),
      sessions,
      credentials,
      typedCodes,
      outbox,
      portalOrigin,
      clock,
    }),
    organizations: createOrganizationStore(database, organizationCache, clock),
    customers: createCustomerStore(context),
    members,
    policies,
    ...createIdentityServices({ database, sessions, credentials, members, policies, issuerKeyCache, ...asks }),
    apiKeys,
    leakedCredentials:
      url === null
        ? null
        : createLeakedCredentials({
            credentials,
            reporterKeys: createScanningKeys(url, { cache: scanningKeyCache, ...asks }),
            revokeSessions: store.revokeLeaked,
            revokeApiKeys: apiKeys.revokeLeaked,
            log,
          }),
    ...limits,
    clock,
    log,
  };
}
