/**
 * Every setting of the Worker: its name, its bounds, and what is wrong with it. Read once per isolate. A Worker whose
 * settings are missing or weak serves nothing: a guess here would be a security hole there.
 */

import { isOnLoopback, readOutsideUrl } from "./core/outside-url.ts";
import {
  type JwtKeySecrets,
  parseNextKey,
  parseRetiredKeys,
  parseSigningKey,
  requireDistinct,
} from "./crypto/jwt-keys.ts";
import { parseTokenKeys, type TokenKeySecret } from "./crypto/token-keys.ts";

export interface Config {
  tokenKeys: TokenKeySecret[];
  jwtKeys: JwtKeySecrets;
  tokenPrefixes: [string, ...string[]];
  /** Scheme, host and port without a trailing slash; the only source of the URLs that we hand out. */
  portalOrigin: string;
  /** The address that mail comes from, or null: then nobody can sign in by e-mail. */
  mailFrom: string | null;
  /** Where the public keys of secret scanning are published, or null: then nobody can report a leaked credential. */
  secretScanningKeysUrl: string | null;
  /** Development: what we ask of the world may be on this machine. */
  isLocal: boolean;
  /** false: nobody's calls are counted. In development only. */
  limitsRates: boolean;
}

type Settings = Record<
  | "TOKEN_KEYS"
  | "JWT_KEY"
  | "JWT_NEXT_KEY"
  | "JWT_RETIRED_KEYS"
  | "TOKEN_PREFIXES"
  | "PORTAL_ORIGIN"
  | "MAIL_FROM"
  | "SECRET_SCANNING_KEYS_URL"
  | "RATE_LIMITS",
  string
>;

/** The settings, or what is wrong with them: one sentence each, for the log, without secret material. */
export function readConfig(env: Partial<Settings>): { config: Config } | { problems: string[] } {
  const problems: string[] = [];
  const attempt = <T>(name: string, read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      problems.push(`${name} ${(error as Error).message}`);
      return undefined;
    }
  };
  const tokenKeys = attempt("TOKEN_KEYS", () => parseTokenKeys(env.TOKEN_KEYS ?? ""));
  const active = attempt("JWT_KEY", () => parseSigningKey(env.JWT_KEY ?? ""));
  const next = attempt("JWT_NEXT_KEY", () => parseNextKey(env.JWT_NEXT_KEY ?? ""));
  const retired = attempt("JWT_RETIRED_KEYS", () => parseRetiredKeys(env.JWT_RETIRED_KEYS ?? ""));
  const jwtKeys =
    active && next !== undefined && retired && attempt("JWT_KEY", () => requireDistinct({ active, next, retired }));
  const tokenPrefixes = attempt("TOKEN_PREFIXES", () => parsePrefixes(env.TOKEN_PREFIXES ?? ""));
  const portalOrigin = attempt("PORTAL_ORIGIN", () => parsePortalOrigin(env.PORTAL_ORIGIN ?? ""));
  const mailFrom = attempt("MAIL_FROM", () => parseMailFrom(env.MAIL_FROM ?? ""));
  const secretScanningKeysUrl = attempt("SECRET_SCANNING_KEYS_URL", () =>
    parseKeysUrl(env.SECRET_SCANNING_KEYS_URL ?? "", portalOrigin),
  );
  const limitsRates = attempt("RATE_LIMITS", () => parseRateLimits(env.RATE_LIMITS ?? "on", portalOrigin));
  const isWhole =
    tokenKeys &&
    jwtKeys &&
    tokenPrefixes &&
    portalOrigin &&
    mailFrom !== undefined &&
    secretScanningKeysUrl !== undefined &&
    limitsRates !== undefined;
  if (!isWhole) return { problems };
  const isLocal = isLocalOrigin(portalOrigin);
  return {
    config: { tokenKeys, jwtKeys, tokenPrefixes, portalOrigin, mailFrom, secretScanningKeysUrl, isLocal, limitsRates },
  };
}

/** @throws {Error} that says how they must look. */
export function parsePrefixes(text: string): [string, ...string[]] {
  const [first, ...others] = text.split(",").map((prefix) => prefix.trim());
  const prefixes: [string, ...string[]] = [first ?? "", ...others];
  if (!prefixes.every((prefix) => /^[a-z][a-z0-9]{0,15}$/.test(prefix))) {
    throw new Error('must be lower-case words separated by commas, for example "lk" or "polar,lk"');
  }
  return prefixes;
}

function parsePortalOrigin(text: string): string {
  if (text === "")
    throw new Error('is missing: set it to the https origin of this Worker, "https://portal.example.com"');
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.origin !== text)
    throw new Error("must be an origin: scheme and host, no path, no final slash");
  if (!isPrivateOnTheWay(url)) throw new Error("must be https (http only on loopback)");
  return url.origin;
}

function parseMailFrom(text: string): string | null {
  if (text !== "" && !/^[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+$/.test(text)) {
    throw new Error('must be a bare address, for example "portal@example.com", or empty');
  }
  return text || null;
}

/** Over http anybody on the way could put in a key of their own. */
function parseKeysUrl(text: string, portalOrigin: string | undefined): string | null {
  return text === "" ? null : readOutsideUrl(text, isLocalOrigin(portalOrigin)).href;
}

/** @param portalOrigin undefined when it is itself unusable. */
function parseRateLimits(text: string, portalOrigin: string | undefined): boolean {
  if (text !== "on" && text !== "off") throw new Error('must be "on" or "off"');
  if (text === "off" && portalOrigin !== undefined && !isLocalOrigin(portalOrigin)) {
    throw new Error('may be "off" only while PORTAL_ORIGIN is on loopback');
  }
  return text === "on";
}

/** Credentials may travel to it: https, or http that never leaves the developer's own machine. */
export function isPrivateOnTheWay(url: URL): boolean {
  return url.protocol === "https:" || (url.protocol === "http:" && isOnLoopback(url));
}

/** @param portalOrigin undefined when it is itself unusable. */
function isLocalOrigin(portalOrigin: string | undefined): boolean {
  return portalOrigin !== undefined && isOnLoopback(new URL(portalOrigin));
}
