/**
 * Runs a Python SDK's tests, each release in a virtual environment of its own, kept in .tmp. Where there is no Python
 * or no package index, it says so instead.
 */

import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, inject } from "vitest";

const run = promisify(execFile);
const ENVIRONMENTS = resolve(".tmp/interop");

/** With the first installation of a package. */
export const PYTHON_TIMEOUT_MS = 240_000;

export interface PythonSdk {
  package: string;
  version: string;
  /** Its tests, in this folder. */
  file: string;
}

/** Why these cannot be run here; null if they can. */
export function whatPythonLacks(sdks: readonly PythonSdk[]): string | null {
  const newEnough = spawnSync("python3", ["-c", "import venv, sys; sys.exit(sys.version_info < (3, 11))"]);
  if (newEnough.status !== 0) return "there is no Python 3.11 or newer with venv";
  const [missing] = sdks.filter((sdk) => !existsSync(folderOf(sdk)));
  if (missing === undefined) return null;
  const index = spawnSync("python3", ["-m", "pip", "index", "versions", missing.package], { timeout: 60_000 });
  return index.status === 0 ? null : "the Python package index cannot be reached";
}

/** @param env what the tests find in their environment, beside the running server's demo file. */
export async function runPythonTests(sdk: PythonSdk, env: Record<string, string> = {}): Promise<void> {
  const python = await environment(sdk);
  const demo = { LATCHKEY_DEMO: join(inject("stateDirectory"), "demo.json"), PYTHONDONTWRITEBYTECODE: "1" };
  const { code, output } = await run(python, ["-W", "ignore", "-m", "unittest", "-v", sdk.file], {
    cwd: resolve("test/interop"),
    env: { ...process.env, ...demo, ...env },
  }).then(
    ({ stderr }) => ({ code: 0, output: stderr }),
    (error: { code: number; stderr: string }) => ({ code: error.code, output: error.stderr }),
  );
  expect(code, output).toBe(0);
  expect(output).toMatch(/Ran [1-9]\d* tests?/);
}

const folderOf = (sdk: PythonSdk) => join(ENVIRONMENTS, `${sdk.package}-${sdk.version}`);

/** @returns its interpreter. Moved into place when complete, so that an interrupted installation is not taken for one. */
async function environment(sdk: PythonSdk): Promise<string> {
  const folder = folderOf(sdk);
  if (!existsSync(folder)) {
    const unfinished = `${folder}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(ENVIRONMENTS, { recursive: true });
    await run("python3", ["-m", "venv", unfinished]);
    const wanted = `${sdk.package}==${sdk.version}`;
    await run(join(unfinished, "bin/python"), ["-m", "pip", "install", "--quiet", wanted]);
    renameSync(unfinished, folder);
  }
  return join(folder, "bin/python");
}
