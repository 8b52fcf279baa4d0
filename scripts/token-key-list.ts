/**
 * The text of the secret TOKEN_KEYS, "name:base64url,…": making it, adding a key in front, taking one away. The first
 * key signs and all verify. Never prints or returns material except as the new text.
 */

import { createHash } from "node:crypto";
import { randomBytes, toBase64Url } from "../src/crypto/bytes.ts";
import { parseTokenKeys, type TokenKeySecret } from "../src/crypto/token-keys.ts";
import { Refusal } from "./command.ts";

const KEY_BYTES = 32;
const NAMES = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** @throws {Refusal} that says what is wrong with which key, without its material. */
export function readTokenKeys(text: string): TokenKeySecret[] {
  try {
    return parseTokenKeys(text);
  } catch (error) {
    throw new Refusal(`TOKEN_KEYS ${(error as Error).message}.`);
  }
}

export function firstTokenKey(): string {
  return newKey("a");
}

/** A new key in front. Its name follows the last one given, so that a retired name comes back as late as possible. */
export function rotateTokenKeys(text: string): string {
  const names = readTokenKeys(text).map((key) => key.name);
  const start = NAMES.indexOf(names[0] ?? "") + 1;
  const name = [...NAMES.slice(start), ...NAMES.slice(0, start)].find((candidate) => !names.includes(candidate));
  if (name === undefined) throw new Refusal("All names are in use. Retire a key first.");
  return `${newKey(name)},${text}`;
}

export function retireTokenKey(text: string, name: string): string {
  const names = readTokenKeys(text).map((key) => key.name);
  if (!names.includes(name)) throw new Refusal(`There is no key "${name}". There is: ${names.join(", ")}.`);
  if (names[0] === name) throw new Refusal(`Key "${name}" signs. Run "npm run keys -- rotate" first, retire it later.`);
  return text
    .split(",")
    .filter((entry) => !entry.trim().startsWith(`${name}:`))
    .join(",");
}

/** A short SHA-256, to tell keys apart by. */
export function fingerprint(key: TokenKeySecret): string {
  return createHash("sha256").update(key.bytes).digest("hex").slice(0, 12);
}

function newKey(name: string): string {
  return `${name}:${toBase64Url(randomBytes(KEY_BYTES))}`;
}
