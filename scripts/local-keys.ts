/**
 * The token keys of a local server: made on the first run, and used to mint and recognise API keys as the Worker does.
 */

import { type Credentials, createCredentials } from "../src/core/credentials.ts";
import { importTokenKeys } from "../src/crypto/token-keys.ts";
import { readIfThere, writePrivateFile } from "./private-file.ts";
import { firstTokenKey, readTokenKeys } from "./token-key-list.ts";
import { tokenPrefix } from "./token-prefix.ts";
import { readVariable, setVariable } from "./vars-file.ts";

/** Makes the first key if there is none. Never replaces one: everything signed with it would be void. */
export function ensureTokenKeys(varsFile: string): { made: boolean } {
  const text = readIfThere(varsFile) ?? "";
  const keys = readVariable(text, "TOKEN_KEYS");
  if (keys !== null) {
    readTokenKeys(keys);
    return { made: false };
  }
  writePrivateFile(varsFile, setVariable(text, "TOKEN_KEYS", firstTokenKey()));
  return { made: true };
}

export function credentialsOf(varsFile: string): Credentials {
  const text = readIfThere(varsFile) ?? "";
  const keys = readTokenKeys(readVariable(text, "TOKEN_KEYS") ?? "");
  return createCredentials(importTokenKeys(keys), [tokenPrefix(text)]);
}
