/**
 * What a CI run says at its end: the count, or the step that stopped it. And that the README's size is the bundle's.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readmeSizeProblem } from "../../scripts/readme-size.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-ci-"));
afterAll(() => rmSync(folder, { recursive: true }));

const count = (report: string) =>
  spawnSync(process.execPath, ["scripts/test-count.ts", report], { encoding: "utf8" }).stdout;

test("a CI run ends with the count alone, and names the skipped tests before it", () => {
  const report = join(folder, "report.json");
  const results = (...statuses: string[]) => statuses.map((status) => ({ status, fullName: `a ${status} test` }));
  const testResults = [
    { status: "passed", assertionResults: results("passed", "passed", "pending") },
    { status: "failed", assertionResults: results("passed", "failed", "todo") },
    // It could not be loaded.
    { status: "failed", assertionResults: [] },
  ];
  writeFileSync(report, JSON.stringify({ testResults }));
  expect(count(report)).toBe("Skipped: a pending test\nSkipped: a todo test\n3 passed, 2 failed\n");
  expect(count(join(folder, "none.json"))).toBe("0 passed, 1 failed\n");
});

test.each(["ci", "run lint", "run types", "run size"])("a CI run stops when npm %s fails, and says so", (step) => {
  const bin = mkdtempSync(join(folder, "bin-"));
  writeFileSync(join(bin, "npm"), `#!/bin/sh\n[ "$*" != "${step}" ]\n`, { mode: 0o755 });
  writeFileSync(join(bin, "chromium"), "", { mode: 0o755 });
  const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}` };
  const { status, stdout } = spawnSync("bash", [".ci/run"], { env, encoding: "utf8" });
  expect({ status, stdout }).toEqual({
    status: 1,
    stdout: `CI stopped: "npm ${step}" failed, and no test has run.\n`,
  });
});

test("npm run size holds the README to the measured bundle size, give or take 0.3 KiB", () => {
  const readme = "| size | |\n|---|---|\n| bundle, minified and gzipped (`npm run size`) | 43.3 KiB |\n";
  expect([43.0, 43.3, 43.6].map((kib) => readmeSizeProblem(readme, kib))).toEqual([null, null, null]);
  expect(readmeSizeProblem(readme, 43.61)).toBe("README.md says 43.3 KiB for the bundle: write 43.6 KiB.");
  expect(readmeSizeProblem(readme, 42.9)).toContain("write 42.9 KiB");
  expect(readmeSizeProblem("", 43.3)).toContain("no row");
  expect(readmeSizeProblem(readFileSync("README.md", "utf8"), 0)).toContain("README.md says");
});
