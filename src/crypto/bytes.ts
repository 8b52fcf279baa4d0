/**
 * Byte encodings and comparison over what every runtime has. Nothing here knows what the bytes mean.
 */

const utf8 = new TextEncoder();

export function utf8Bytes(text: string): Uint8Array<ArrayBuffer> {
  return utf8.encode(text) as Uint8Array<ArrayBuffer>;
}

export function concatBytes(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Unpadded base64url (RFC 4648 §5). */
export function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

/** Whole groups of four, then nothing or a last group whose spare bits are zero: any bytes have one spelling only. */
const CANONICAL_BASE64URL = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/;

/** The bytes of unpadded base64url text, or null for anything that is not exactly what `toBase64Url` makes of them. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | null {
  if (!CANONICAL_BASE64URL.test(text)) return null;
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/** The bytes of padded base64 (RFC 4648 §4), white space aside; null for anything else. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

/** What a PEM text (RFC 7468) with this one label frames, or null for anything else. */
export function fromPem(pem: string, label: string): Uint8Array<ArrayBuffer> | null {
  const [, opening, text, closing] = /^-----BEGIN ([A-Z ]+)-----\s([^-]+)-----END ([A-Z ]+)-----\s*$/.exec(pem) ?? [];
  return text === undefined || opening !== label || closing !== label ? null : fromBase64(text);
}

export function toHex(bytes: Uint8Array): string {
  let hex = "";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return hex;
}

/** Compares without stopping at the first difference, so that timing tells nothing about where it is. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let i = 0; i < left.length; i++) difference |= (left[i] as number) ^ (right[i] as number);
  return difference === 0;
}

export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}
