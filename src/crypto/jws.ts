/**
 * Compact JWS (RFC 7515) and the JSON claims in it (RFC 7519), over Web Crypto. Strict: one text means one thing, or it
 * is refused. The key decides the algorithm, never the token; a key that comes along in a header is not looked at.
 * Nothing here knows an issuer, a claim or a time, and nothing throws for what a stranger sends.
 */

import { fromBase64Url, toBase64Url, utf8Bytes } from "./bytes.ts";

/** Longer texts are refused unread. */
const MAX_LENGTH = 8 * 1024;
/** Objects and arrays in each other. Far more than tokens hold, far less than any parser minds. */
const MAX_DEPTH = 100;
/** Members that change how the rest is to be read (RFC 7515 §4.1.11, RFC 7797 §3, RFC 7516 §4.1). */
const REFUSED_MEMBERS = ["crit", "b64", "zip", "enc"];

const rsaPkcs1 = (bits: number) => {
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: `SHA-${bits}` };
  return { kty: "RSA", key: algorithm, operation: algorithm };
};
const rsaPss = (bits: number) => ({
  kty: "RSA",
  key: { name: "RSA-PSS", hash: `SHA-${bits}` },
  operation: { name: "RSA-PSS", saltLength: bits / 8 },
});
const ecdsa = (bits: number) => ({
  kty: "EC",
  crv: `P-${bits}`,
  key: { name: "ECDSA", namedCurve: `P-${bits}` },
  operation: { name: "ECDSA", hash: `SHA-${bits}` },
});
const ed25519 = { kty: "OKP", crv: "Ed25519", key: { name: "Ed25519" }, operation: { name: "Ed25519" } };

/** All that is understood, and what Web Crypto calls it. Nothing symmetric: who can check could also sign. */
export const JWS_ALGORITHMS = {
  RS256: rsaPkcs1(256),
  RS384: rsaPkcs1(384),
  RS512: rsaPkcs1(512),
  PS256: rsaPss(256),
  PS384: rsaPss(384),
  PS512: rsaPss(512),
  ES256: ecdsa(256),
  ES384: ecdsa(384),
  EdDSA: ed25519,
} satisfies Record<string, { kty: string; crv?: string; key: object; operation: { name: string } }>;

export type JwsAlgorithm = keyof typeof JWS_ALGORITHMS;

export function isJwsAlgorithm(name: unknown): name is JwsAlgorithm {
  return typeof name === "string" && Object.hasOwn(JWS_ALGORITHMS, name);
}

/** A key that is good for one algorithm. */
export interface JwsKey {
  algorithm: JwsAlgorithm;
  key: CryptoKey;
}

export interface JwsHeader {
  alg: string;
  kid?: string;
  typ?: string;
  [member: string]: unknown;
}

export interface Jws {
  header: JwsHeader;
  payload: Uint8Array<ArrayBuffer>;
  /** The bytes that are signed. */
  signingInput: Uint8Array<ArrayBuffer>;
  signature: Uint8Array<ArrayBuffer>;
}

export interface Jwt extends Omit<Jws, "payload"> {
  claims: Record<string, unknown>;
}

/** The parts of a compact JWS, unverified. null: too long, not in its one canonical form, or not to be understood. */
export function parseJws(text: string, maxLength = MAX_LENGTH): Jws | null {
  if (text.length > maxLength) return null;
  const parts = text.split(".");
  const [header, payload, signature] = parts.map(fromBase64Url);
  if (parts.length !== 3 || !header || !payload || !signature) return null;
  const members = parseObject(header);
  if (members === null || !isHeader(members)) return null;
  return { header: members, payload, signingInput: utf8Bytes(text.slice(0, text.lastIndexOf("."))), signature };
}

/** The same with claims for its payload. */
export function parseJwt(text: string, maxLength = MAX_LENGTH): Jwt | null {
  const jws = parseJws(text, maxLength);
  const claims = jws && parseObject(jws.payload);
  return claims && { header: jws.header, claims, signingInput: jws.signingInput, signature: jws.signature };
}

/** Whether this key signed it, by the key's algorithm. ECDSA signatures are r ‖ s (RFC 7518 §3.4), DER is none. */
export async function verifyJws(jws: Omit<Jws, "payload">, { algorithm, key }: JwsKey): Promise<boolean> {
  if (jws.header.alg !== algorithm) return false;
  try {
    return await crypto.subtle.verify(JWS_ALGORITHMS[algorithm].operation, key, jws.signature, jws.signingInput);
  } catch {
    return false;
  }
}

/** @param claims JSON text. */
export async function signJwt(
  members: { kid: string; typ: string },
  claims: string,
  { algorithm, key }: JwsKey,
): Promise<string> {
  const header = JSON.stringify({ alg: algorithm, ...members });
  const signingInput = `${toBase64Url(utf8Bytes(header))}.${toBase64Url(utf8Bytes(claims))}`;
  const signature = await crypto.subtle.sign(JWS_ALGORITHMS[algorithm].operation, key, utf8Bytes(signingInput));
  return `${signingInput}.${toBase64Url(new Uint8Array(signature))}`;
}

function isHeader(members: Record<string, unknown>): members is JwsHeader {
  const isText = (value: unknown) => value === undefined || typeof value === "string";
  const isUnderstood = !REFUSED_MEMBERS.some((name) => Object.hasOwn(members, name));
  return isUnderstood && typeof members["alg"] === "string" && isText(members["kid"]) && isText(members["typ"]);
}

/** A JSON object in UTF-8, or null. A byte order mark counts as what it is: no JSON. */
function parseObject(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject && meansOneThing(text) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** Strings, with the colon that makes one a member's name; numbers; brackets. */
const TOKENS = /"(?:[^"\\]|\\.)*"(\s*:)?|-?\d[\d.eE+-]*|[{}[\]]/g;

/**
 * Whether every parser reads the same: no name twice in one object, no number that is infinite as a double, no nesting
 * that another parser dies of.
 * @param json text that parses.
 */
function meansOneThing(json: string): boolean {
  const open: Set<string>[] = [];
  for (const [token, colon] of json.matchAll(TOKENS)) {
    if (token === "{" || token === "[") {
      if (open.push(new Set()) > MAX_DEPTH) return false;
    } else if (token === "}" || token === "]") {
      open.pop();
    } else if (colon !== undefined) {
      const name = JSON.parse(token.slice(0, -colon.length)) as string;
      const names = open.at(-1);
      if (names?.has(name)) return false;
      names?.add(name);
    } else if (!token.startsWith('"') && !Number.isFinite(Number(token))) {
      return false;
    }
  }
  return true;
}
