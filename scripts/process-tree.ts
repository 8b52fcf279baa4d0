/**
 * A process and everything that it started, to end without leftovers: wrangler starts a second Node, esbuild and two
 * workerds.
 */

import { spawnSync } from "node:child_process";

/** The process ids, root first. Only the root where the system has no `ps`. */
export function processTree(root: number): number[] {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  const pairs = [...(stdout ?? "").matchAll(/^\s*(\d+)\s+(\d+)/gm)].map((match) => [
    Number(match[1]),
    Number(match[2]),
  ]);
  const tree = [root];
  for (const parent of tree) {
    for (const [pid, parentOfPid] of pairs) if (parentOfPid === parent && pid !== undefined) tree.push(pid);
  }
  return tree;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Without asking. Those that are gone already are passed over. */
export function killAll(pids: number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}
