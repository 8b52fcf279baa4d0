/**
 * The keys of session JWTs as a vars file holds them, and as the Worker gets them: three variables of JSON, the last two
 * of which may be blank.
 */

import {
  type JwtKeySecrets,
  parseNextKey,
  parseRetiredKeys,
  parseSigningKey,
  requireDistinct,
} from "../src/crypto/jwt-keys.ts";
import { Refusal } from "./command.ts";
import { readVariable, setVariable } from "./vars-file.ts";

/** Cloudflare takes 5 KB for one variable. */
const MAX_BYTES = 5000;

/** null: there are none. @throws {Refusal} that says what is wrong with them, without their material. */
export function readJwtKeys(text: string): JwtKeySecrets | null {
  const read = <T>(name: string, parse: (secret: string) => T): T => {
    try {
      return parse(readVariable(text, name) ?? "");
    } catch (error) {
      throw new Refusal(`${name} ${(error as Error).message}.`);
    }
  };
  const next = read("JWT_NEXT_KEY", parseNextKey);
  const retired = read("JWT_RETIRED_KEYS", parseRetiredKeys);
  if (readVariable(text, "JWT_KEY") === null) return null;
  return read("JWT_KEY", (secret) => requireDistinct({ active: parseSigningKey(secret), next, retired }));
}

/** The vars file with these keys in the place of those that it holds. */
export function setJwtKeys(text: string, keys: JwtKeySecrets): string {
  return Object.entries(jwtKeyVariables(keys)).reduce(
    (edited, [name, value]) => setVariable(edited, name, value),
    text,
  );
}

/** @throws {Refusal} more retired keys than a variable holds. */
export function jwtKeyVariables({ active, next, retired }: JwtKeySecrets): Record<string, string> {
  const retiredKeys = retired.length === 0 ? "" : JSON.stringify(retired);
  if (retiredKeys.length > MAX_BYTES) {
    throw new Refusal(
      `${retired.length} retired keys do not fit into a secret. They verify what they signed for a year; ` +
        'rotate later, or give one up with "npm run keys -- drop-jwt".',
    );
  }
  const nextKey = next === null ? "" : JSON.stringify(next);
  return { JWT_KEY: JSON.stringify(active), JWT_NEXT_KEY: nextKey, JWT_RETIRED_KEYS: retiredKeys };
}
