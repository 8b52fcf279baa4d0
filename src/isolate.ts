/**
 * What lives as long as the isolate: settings, keys and caches, made once per `env` object. Nothing here holds a
 * connection, which a request could not share with another.
 */

import { type Config, readConfig } from "./config.ts";
import { type Credentials, createCredentials } from "./core/credentials.ts";
import { createPseudonyms, type Pseudonymize } from "./core/pseudonyms.ts";
import { createTokenSealer, type TokenSealer } from "./core/sealed-token.ts";
import { SIGNED_JWT_REUSE_MS, type SignedJwt, type SignedJwtCache } from "./core/session-jwts.ts";
import { createTypedCodes, type TypedCodes } from "./core/typed-codes.ts";
import { createJwtKeyRing, type JwtKeyRing } from "./crypto/jwt-keys.ts";
import { importTokenKeys } from "./crypto/token-keys.ts";
import type { IssuerKeySet } from "./issuer-keys.ts";
import type { PublishedKeyCache } from "./published-keys.ts";
import type { ScanningKeys } from "./scanning-keys.ts";
import { type ApiKeyCache, createApiKeyCache } from "./storage/api-key-store.ts";
import { createExpiringCache } from "./storage/expiring-cache.ts";
import { createOrganizationCache, type OrganizationCache } from "./storage/organization-store.ts";
import { createSessionCache, type SessionCache } from "./storage/session-cache.ts";

export interface IsolateState {
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
  issuerKeyCache: PublishedKeyCache<IssuerKeySet>;
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

/** @throws {Misconfigured} */
export function isolateState(env: Cloudflare.Env): IsolateState {
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
    issuerKeyCache: new Map(),
  };
  isolates.set(env, state);
  return state;
}
