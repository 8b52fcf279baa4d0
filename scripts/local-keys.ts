/**
 * The keys of a local server: made on the first run, and used to mint and recognise API keys as the Worker does.
 */

import { type Credentials, createCredentials } from "../src/core/credentials.ts";
import { importTokenKeys } from "../src/crypto/token-keys.ts";
import { readJwtKeys, setJwtKeys } from "./jwt-key-file.ts";
import { firstJwtKeys } from "./jwt-key-list.ts";
import { readIfThere, writePrivateFile } from "./private-file.ts";
import { firstTokenKey, readTokenKeys } from "./token-key-list.ts";
import { tokenPrefix } from "./token-prefix.ts";
import { readVariable, setVariable } from "./vars-file.ts";

/** Makes the first keys of each kind where there are none. Never replaces one: all that it signed would be void. */
export function ensureKeys(varsFile: string): { made: boolean } {
  const text = readIfThere(varsFile) ?? "";
  const whole = withFirstKeys(text);
  if (whole === text) return { made: false };
  writePrivateFile(varsFile, whole);
  return { made: true };
}

/** The vars file with a first key of each kind where there is none. @throws {Refusal} a key that is there is no good. */
export function withFirstKeys(text: string): string {
  const tokenKeys = readVariable(text, "TOKEN_KEYS");
  if (tokenKeys !== null) readTokenKeys(tokenKeys);
  const withTokenKey = tokenKeys === null ? setVariable(text, "TOKEN_KEYS", firstTokenKey()) : text;
  return readJwtKeys(text) === null ? setJwtKeys(withTokenKey, firstJwtKeys(Date.now())) : withTokenKey;
}

export function credentialsOf(varsFile: string): Credentials {
  const text = readIfThere(varsFile) ?? "";
  const keys = readTokenKeys(readVariable(text, "TOKEN_KEYS") ?? "");
  return createCredentials(importTokenKeys(keys), [tokenPrefix(text)]);
}
