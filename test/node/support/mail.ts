/**
 * Mail, where the local Worker leaves it: each message in a file, whose path it prints.
 */

import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { inject } from "vitest";

const LOG = inject("serverLog");
const TIMEOUT_MS = 15_000;

/** The text of the last message to an address, as soon as there is one. */
export async function mailTo(address: string): Promise<string> {
  const announcement = new RegExp(`^To: ${RegExp.escape(address)}$[^]*?^Text: (.+)$`, "gm");
  const deadline = Date.now() + TIMEOUT_MS;
  while (Date.now() < deadline) {
    const path = [...(await readFile(LOG, "utf8")).matchAll(announcement)].at(-1)?.[1];
    if (path !== undefined) return readFile(path.trim(), "utf8");
    await sleep(100);
  }
  throw new Error(`no message to ${address} was printed in ${LOG}`);
}
