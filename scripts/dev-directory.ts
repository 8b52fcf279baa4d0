/**
 * Where a local server keeps what it makes: LATCHKEY_DEV_DIR, `.dev` unless set. Keys of the default directory
 * live in `.dev.vars`, where wrangler looks; any other directory has its own, so that tests and second servers are
 * isolated from the developer's.
 */

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

export const PROJECT_ROOT = resolve(import.meta.dirname, "..");

export interface DevDirectory {
  path: string;
  /** What wrangler persists: D1 and KV. */
  state: string;
  demoFile: string;
  varsFile: string;
}

const STANDARD = join(PROJECT_ROOT, ".dev");

export function devDirectory(path = process.env["LATCHKEY_DEV_DIR"] || STANDARD): DevDirectory {
  const absolute = resolve(PROJECT_ROOT, path);
  return {
    path: absolute,
    state: join(absolute, "state"),
    demoFile: join(absolute, "demo.json"),
    varsFile: join(absolute === STANDARD ? PROJECT_ROOT : absolute, ".dev.vars"),
  };
}

/** A path as a person wants to read it. */
export function shownPath(path: string): string {
  const fromRoot = relative(PROJECT_ROOT, path);
  return fromRoot.startsWith("..") ? path : fromRoot;
}

/** The directory ignores itself: it holds keys, and may lie anywhere in a repository. */
export function makeDevDirectory({ path }: DevDirectory): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const ignoreFile = join(path, ".gitignore");
  if (!existsSync(ignoreFile)) writeFileSync(ignoreFile, "*\n");
}
