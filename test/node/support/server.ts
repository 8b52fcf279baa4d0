/**
 * Starts the product as its user does, once for all tests of this project: `node scripts/start.ts` on a free port with
 * a directory of its own. Ends it afterwards with everything that it started, and says so if something stays behind.
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { TestProject } from "vitest/node";
import type { Demo } from "./demo.ts";

const START_TIMEOUT_MS = 90_000;
const GRACE_MS = 10_000;

/** Called by vitest before the first test of this project; what it returns is called after the last. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), "latchkey-"));
  // What the server says; kept after the run. Two projects may run at once, each with a server of its own.
  const log = `.tmp/${project.name}-server.log`;
  const server = start(directory, await freePort(), log);
  const stop = async () => {
    await end(server);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    project.provide("demo", await announced(server, join(directory, "demo.json"), log));
    project.provide("serverLog", log);
    project.provide("stateDirectory", directory);
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}

/** In a process group of its own: whoever is left in it at the end was left behind by the script. */
function start(directory: string, port: number, logFile: string): ChildProcess {
  mkdirSync(".tmp", { recursive: true });
  const log = openSync(logFile, "w");
  const server = spawn(process.execPath, ["scripts/start.ts"], {
    env: { ...process.env, PORT: String(port), LATCHKEY_DEV_DIR: directory },
    stdio: ["ignore", log, log],
    detached: true,
  });
  closeSync(log);
  process.once("exit", () => signalGroup(server, "SIGKILL"));
  return server;
}

async function announced(server: ChildProcess, file: string, log: string): Promise<Demo> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline && server.exitCode === null && server.signalCode === null) {
    try {
      return JSON.parse(await readFile(file, "utf8")) as Demo;
    } catch {
      await sleep(100);
    }
  }
  const said = (await readFile(log, "utf8")).split("\n").slice(-30).join("\n");
  throw new Error(`scripts/start.ts did not write ${file} (exit code ${server.exitCode}). It said:\n${said}`);
}

/** Asks the script only: that its children end with it is its promise, and is checked here. */
async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode === null && server.signalCode === null) {
    const exited = once(server, "exit");
    server.kill("SIGTERM");
    await Promise.race([exited, sleep(GRACE_MS, undefined, { ref: false })]);
  }
  const deadline = Date.now() + GRACE_MS;
  while (survivors(server).length > 0 && Date.now() < deadline) await sleep(50);
  const leftOver = survivors(server);
  signalGroup(server, "SIGKILL");
  if (leftOver.length > 0) throw new Error(`scripts/start.ts left these running:\n${leftOver.join("\n")}`);
}

/** The group's processes, without those that are dead and only wait for a parent that never asks (in containers). */
function survivors(server: ChildProcess): string[] {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pgid=,stat=,args="], { encoding: "utf8" });
  const ofGroup = new RegExp(`^ *${server.pid} +[^Z ]`);
  return (stdout ?? "").split("\n").filter((line) => ofGroup.test(line));
}

function signalGroup(server: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (server.pid !== undefined) process.kill(-server.pid, signal);
  } catch {
    // Nobody is left.
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
