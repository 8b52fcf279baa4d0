/**
 * Polar's official Python SDKs, unmodified, over HTTP: each in a virtual environment of its own, kept in .tmp. Skipped,
 * with the reason in the test's name, where there is no Python or no package index. `npm run interop` runs this.
 */

import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, inject, test } from "vitest";

const run = promisify(execFile);
const ENVIRONMENTS = resolve(".tmp/interop");
const INSTALL_TIMEOUT_MS = 240_000;

/** The last with member sessions, the last of the first generation, and a pre-release of the second. */
const SDKS = [
  { version: "0.29.0", file: "polar_sdk_0_29.py" },
  { version: "0.32.0", file: "polar_sdk_0_32.py" },
  { version: "1.0.3a4", file: "polar_sdk_1_0.py" },
];

const missing = whatIsMissing();

describe.skipIf(missing !== null)(`Python SDKs${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  test.each(SDKS)(
    "polar-sdk $version",
    async ({ version, file }) => {
      const python = await environment(version);
      const env = { ...process.env, LATCHKEY_DEMO: join(inject("stateDirectory"), "demo.json") };
      const { code, output } = await run(python, ["-W", "ignore", "-m", "unittest", "-v", file], {
        cwd: resolve("test/interop"),
        env: { ...env, PYTHONDONTWRITEBYTECODE: "1" },
      }).then(
        ({ stderr }) => ({ code: 0, output: stderr }),
        (error: { code: number; stderr: string }) => ({ code: error.code, output: error.stderr }),
      );
      expect(code, output).toBe(0);
      expect(output).toMatch(/Ran [1-9]\d* tests/);
    },
    INSTALL_TIMEOUT_MS,
  );
});

function whatIsMissing(): string | null {
  const newEnough = spawnSync("python3", ["-c", "import venv, sys; sys.exit(sys.version_info < (3, 11))"]);
  if (newEnough.status !== 0) return "there is no Python 3.11 or newer with venv";
  if (SDKS.every(({ version }) => existsSync(join(ENVIRONMENTS, version)))) return null;
  const index = spawnSync("python3", ["-m", "pip", "index", "versions", "polar-sdk"], { timeout: 60_000 });
  return index.status === 0 ? null : "the Python package index cannot be reached";
}

/** @returns its interpreter. Moved into place when complete, so that an interrupted installation is not taken for one. */
async function environment(version: string): Promise<string> {
  const folder = join(ENVIRONMENTS, version);
  if (!existsSync(folder)) {
    const unfinished = `${folder}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(ENVIRONMENTS, { recursive: true });
    await run("python3", ["-m", "venv", unfinished]);
    await run(join(unfinished, "bin/python"), ["-m", "pip", "install", "--quiet", `polar-sdk==${version}`]);
    renameSync(unfinished, folder);
  }
  return join(folder, "bin/python");
}
