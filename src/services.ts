/**
 * The composition root: wires storage into the core. What lives as long as the isolate (keys, caches, settings) is
 * made once per `env` object; the rest is made per request, around that request's waitUntil.
 */

import { type Config, readConfig } from "./config.ts";
import { type Credentials, createCredentials } from "./core/credentials.ts";
import { createEmailChanges, type EmailChanges } from "./core/email-change.ts";
import { createLeakedCredentials, type LeakedCredentials } from "./core/leaked-credentials.ts";
import { createOutbox } from "./core/outbox.ts";
import type { Clock, Log } from "./core/ports.ts";
import { createPseudonyms, type Pseudonymize } from "./core/pseudonyms.ts";
import { createTokenSealer, type TokenSealer } from "./core/sealed-token.ts";
import {
  createSessionJwts,
  type SessionJwts,
  SIGNED_JWT_REUSE_MS,
  type SignedJwt,
  type SignedJwtCache,
} from "./core/session-jwts.ts";
import { createSessions, type Sessions } from "./core/sessions.ts";
import { createSignIns, type SignIns } from "./core/sign-in.ts";
import { createTypedCodes, type TypedCodes } from "./core/typed-codes.ts";
import { createJwtKeyRing, type JwtKeyRing } from "./crypto/jwt-keys.ts";
import { importTokenKeys } from "./crypto/token-keys.ts";
import { createMailer } from "./mail.ts";
import { createOutbound, type Fetch } from "./outbound.ts";
import type { PublishedKeyCache } from "./published-keys.ts";
import { createScanningKeys, type ScanningKeys } from "./scanning-keys.ts";
import { type ApiKeyCache, type ApiKeyStore, createApiKeyCache, createApiKeyStore } from "./storage/api-key-store.ts";
import { type Attempts, createAttempts } from "./storage/attempts.ts";
import { type CustomerStore, createCustomerStore } from "./storage/customer-store.ts";
import { createDatabase } from "./storage/database.ts";
import { createEmailChangeStore } from "./storage/email-changes.ts";
import { createExpiringCache } from "./storage/expiring-cache.ts";
import { createMemberStore, type MemberStore } from "./storage/member-store.ts";
import {
  createOrganizationCache,
  createOrganizationStore,
  type OrganizationCache,
  type OrganizationStore,
} from "./storage/organization-store.ts";
import { createPolicyStore, type PolicyStore } from "./storage/policy-store.ts";
import { createRateLimits, type RateLimits } from "./storage/rate-limits.ts";
import { createSessionCache, type SessionCache } from "./storage/session-cache.ts";
import { createSessionStore, type StoreContext } from "./storage/session-store.ts";
import { createSignInStore } from "./storage/sign-in-codes.ts";

export interface Services {
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

interface IsolateState {
  config: Config;
  credentials: Credentials;
  sealer: TokenSealer;
  jwtKeys: JwtKeyRing;
  signedJwts: SignedJwtCache;
  typedCodes: TypedCodes;
  pseudonymize: Pseudonymize;
  sessionCache: SessionCache;
  apiKeyCache: ApiKeyCache;
  organizationCache: OrganizationCache;
  scanningKeyCache: PublishedKeyCache<ScanningKeys>;
}

/** Thrown for every request while settings are missing or weak; `problems` go to the log. */
export class Misconfigured extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super("settings are missing or unusable");
    this.name = "Misconfigured";
    this.problems = problems;
  }
}

/** A few megabytes at most. */
const MAX_SIGNED_JWTS = 1000;

const isolates = new WeakMap<Cloudflare.Env, IsolateState>();

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
  const { sessionCache, apiKeyCache, organizationCache, scanningKeyCache } = isolate;
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
    members: createMemberStore(context),
    policies: createPolicyStore(database, clock),
    apiKeys,
    leakedCredentials:
      url === null
        ? null
        : createLeakedCredentials({
            credentials,
            reporterKeys: createScanningKeys(url, { cache: scanningKeyCache, outside, clock, waitUntil }),
            revokeSessions: store.revokeLeaked,
            revokeApiKeys: apiKeys.revokeLeaked,
            log,
          }),
    ...limits,
    clock,
    log,
  };
}

function isolateState(env: Cloudflare.Env): IsolateState {
  const known = isolates.get(env);
  if (known !== undefined) return known;
  const read = readConfig(env);
  if ("problems" in read) throw new Misconfigured(read.problems);
  const keys = importTokenKeys(read.config.tokenKeys);
  const state: IsolateState = {
    config: read.config,
    credentials: createCredentials(keys, read.config.tokenPrefixes),
    sealer: createTokenSealer(keys),
    jwtKeys: createJwtKeyRing(read.config.jwtKeys),
    signedJwts: createExpiringCache<SignedJwt>(SIGNED_JWT_REUSE_MS, MAX_SIGNED_JWTS),
    typedCodes: createTypedCodes(keys),
    pseudonymize: createPseudonyms(keys),
    sessionCache: createSessionCache(),
    apiKeyCache: createApiKeyCache(),
    organizationCache: createOrganizationCache(),
    scanningKeyCache: new Map(),
  };
  isolates.set(env, state);
  return state;
}
