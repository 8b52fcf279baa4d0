/**
 * Gives the token keys to the deployed Worker, as its secret TOKEN_KEYS, so that no location signs with a key that
 * another one cannot verify yet.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "./command.ts";
import { runWrangler } from "./wrangler.ts";

/** Cloudflare deploys a changed secret within seconds; this is well beyond. */
const ROLL_OUT_MS = 60_000;

/**
 * In two steps whenever there are several keys: which of them the Worker has already cannot be read back, so none but
 * the oldest may sign until all have arrived everywhere.
 */
export async function uploadTokenKeys(keys: string): Promise<void> {
  const entries = keys.split(",");
  const oldest = entries.pop() as string;
  if (entries.length > 0) {
    await upload([oldest, ...entries].join(","));
    console.log(
      `Uploaded to verify only. The first key signs in ${ROLL_OUT_MS / 1000} s, when every location has it …`,
    );
    await sleep(ROLL_OUT_MS);
  }
  await upload(keys);
  console.log("Uploaded to the deployed Worker.");
}

/** Through wrangler's input: an argument would show in the list of processes. */
async function upload(keys: string): Promise<void> {
  const { ok, stdout, stderr } = await runWrangler(["secret", "put", "TOKEN_KEYS"], keys);
  if (!ok)
    throw new Refusal(`The upload failed. "npm run keys -- --upload" with that file repeats it.\n${stdout}${stderr}`);
}
