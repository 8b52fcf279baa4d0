/**
 * Which servers run on a dev directory: each leaves a file with its process ids there. A file whose processes are gone
 * says nothing, so a crash blocks nobody.
 */

import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DevDirectory } from "./dev-directory.ts";
import { isAlive } from "./process-tree.ts";

const FILE_NAME = /^server-(\d+)\.pid$/;

/** Also counts wrangler's process, which may outlive a start script that was killed. */
export function noteServer({ path }: DevDirectory, port: number, pids: number[]): void {
  writeFileSync(fileOf(path, port), `${pids.join("\n")}\n`);
}

export function forgetServer({ path }: DevDirectory, port: number): void {
  rmSync(fileOf(path, port), { force: true });
}

export interface RunningServer {
  port: number;
  pid: number;
  file: string;
}

export function runningServers({ path }: DevDirectory): RunningServer[] {
  return (existsSync(path) ? readdirSync(path) : []).flatMap((name) => {
    const port = FILE_NAME.exec(name)?.[1];
    if (port === undefined) return [];
    const file = join(path, name);
    const pid = readFileSync(file, "utf8")
      .split("\n")
      .map(Number)
      .find((id) => id > 0 && isAlive(id));
    return pid === undefined ? [] : [{ port: Number(port), pid, file }];
  });
}

/** One line for each server that started before the keys were last written: it does not know the new ones. */
export function serversBehind(directory: DevDirectory): string[] {
  const written = statSync(directory.varsFile).mtimeMs;
  return runningServers(directory)
    .filter(({ file }) => statSync(file).mtimeMs < written)
    .map(({ port }) => `The server on port ${port} does not know these keys yet: restart npm start to take them up.`);
}

function fileOf(directory: string, port: number): string {
  return join(directory, `server-${port}.pid`);
}
