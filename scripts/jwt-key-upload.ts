/**
 * Gives the keys of session JWTs to the deployed Worker: all of them in one request, so that no interruption leaves it
 * with a part.
 */

import type { JwtKeySecrets } from "../src/crypto/jwt-keys.ts";
import { Refusal } from "./command.ts";
import { jwtKeyVariables } from "./jwt-key-file.ts";
import { runWrangler } from "./wrangler.ts";

/** Through wrangler's input: an argument would show in the list of processes. */
export async function uploadJwtKeys(keys: JwtKeySecrets): Promise<void> {
  const variables = jwtKeyVariables(keys);
  // A secret may not be blank: null takes it away.
  const secrets = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, value || null]));
  const { ok, stdout, stderr } = await runWrangler(["secret", "bulk"], JSON.stringify(secrets));
  if (!ok)
    throw new Refusal(`The upload failed. "npm run keys -- --upload" with that file repeats it.\n${stdout}${stderr}`);
  console.log("Uploaded the JWT keys to the deployed Worker.");
}
