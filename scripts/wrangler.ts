/**
 * Runs the project's own wrangler on the Node that runs this script, since the machine's may be too old for it.
 * Nothing phones home: no metrics, no look for updates, no fetch of a sample `request.cf`.
 */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { PROJECT_ROOT } from "./dev-directory.ts";

const WRANGLER = resolve(dirname(fileURLToPath(import.meta.resolve("wrangler"))), "../bin/wrangler.js");

export type WranglerProcess = ChildProcessByStdio<Writable, Readable, Readable>;

export interface WranglerOutput {
  ok: boolean;
  stdout: string;
  stderr: string;
}

/** In this process group, so that ending the group ends wrangler and workerd, whatever becomes of this script. */
export function spawnWrangler(args: string[]): WranglerProcess {
  return spawn(process.execPath, [WRANGLER, ...args], {
    cwd: PROJECT_ROOT,
    stdio: ["pipe", "pipe", "pipe"],
    env: {
      ...process.env,
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_HIDE_BANNER: "true",
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
    },
  });
}

/** To its end, quietly. Its input is closed or given, so it never asks a question. */
export async function runWrangler(args: string[], input = ""): Promise<WranglerOutput> {
  const child = spawnWrangler(args);
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { ok: code === 0, stdout, stderr };
}
