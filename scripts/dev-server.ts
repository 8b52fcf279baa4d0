/**
 * The local server: `wrangler dev` over a dev directory. Its output is held back until somebody asks for it, and it
 * ends with all that it started.
 */

import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "./command.ts";
import type { DevDirectory } from "./dev-directory.ts";
import { HOST } from "./port.ts";
import { killAll, processTree } from "./process-tree.ts";
import { spawnWrangler } from "./wrangler.ts";

const START_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 5_000;

export interface DevServer {
  pid: number;
  baseUrl: string;
  /** Resolves when wrangler has ended, for whatever reason. */
  ended: Promise<unknown>;
  /** Resolves at the first answer. @throws {Refusal} if there is none. */
  ready(): Promise<void>;
  isRunning(): boolean;
  /** What wrangler has said and nobody has seen. */
  heldBackOutput(): string;
  /** From now on wrangler speaks for itself. */
  passOutputOn(): void;
  stop(): Promise<void>;
}

export function startDevServer(directory: DevDirectory, port: number): DevServer {
  const baseUrl = `http://${HOST}:${port}`;
  const child = spawnWrangler([
    "dev",
    ...["--ip", HOST, "--port", String(port)],
    // Any free one: two servers can run side by side.
    ...["--inspector-ip", HOST, "--inspector-port", "0"],
    ...["--persist-to", directory.state],
    ...["--env-file", directory.varsFile],
    ...[
      "--var",
      `PORTAL_ORIGIN:${baseUrl}`,
      "MAIL_FROM:portal@latchkey.example.com",
      `RATE_LIMITS:${process.env["RATE_LIMITS"] ?? "off"}`,
    ],
    "--show-interactive-dev-session=false",
  ]);
  const pid = child.pid as number;
  const ended = once(child, "exit");
  const out = holdBack(child.stdout, process.stdout);
  const err = holdBack(child.stderr, process.stderr);

  const isRunning = () => child.exitCode === null && child.signalCode === null;

  async function ready(): Promise<void> {
    const firstAnswer = AbortSignal.timeout(START_TIMEOUT_MS);
    while (isRunning() && !firstAnswer.aborted) {
      try {
        await fetch(baseUrl, { method: "HEAD", redirect: "manual", signal: firstAnswer });
        return;
      } catch {
        await sleep(100);
      }
    }
    const what = isRunning() ? `gave no answer within ${START_TIMEOUT_MS / 1000} s` : "ended";
    throw new Refusal(`wrangler dev ${what}.`);
  }

  async function stop(): Promise<void> {
    if (!isRunning()) return;
    const tree = processTree(pid);
    child.kill("SIGTERM");
    await Promise.race([ended, sleep(STOP_GRACE_MS, null, { ref: false })]);
    killAll(tree);
  }

  return {
    pid,
    baseUrl,
    ended,
    ready,
    isRunning,
    heldBackOutput: () => `${out.held()}${err.held()}`,
    passOutputOn() {
      out.passOn();
      err.passOn();
    },
    stop,
  };
}

function holdBack(from: Readable, to: Writable) {
  const held: Buffer[] = [];
  const hold = (chunk: Buffer) => held.push(chunk);
  from.on("data", hold);
  return {
    held: () => Buffer.concat(held).toString(),
    passOn() {
      from.off("data", hold);
      held.length = 0;
      from.pipe(to, { end: false });
    },
  };
}
