/**
 * The last line of a CI run: how many tests passed and failed, from vitest's JSON report; the skipped ones are named
 * before it. A file that could not be loaded, or a run without a report, counts as a failure.
 */

import { join } from "node:path";
import { PROJECT_ROOT } from "./dev-directory.ts";
import { readIfThere } from "./private-file.ts";

interface Report {
  testResults: { status: string; assertionResults: { status: string; fullName: string }[] }[];
}

const text = readIfThere(process.argv[2] ?? join(PROJECT_ROOT, ".tmp/test-results.json"));
console.log(text === null ? "0 passed, 1 failed" : summary(JSON.parse(text) as Report));

function summary({ testResults }: Report): string {
  const statuses = testResults.flatMap(({ status, assertionResults }) => {
    const own = assertionResults.map((test) => test.status);
    return status === "failed" && !own.includes("failed") ? [...own, "failed"] : own;
  });
  const count = (wanted: string) => statuses.filter((status) => status === wanted).length;
  const skipped = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status !== "passed" && status !== "failed")
    .map(({ fullName }) => `Skipped: ${fullName}`);
  return [...skipped, `${count("passed")} passed, ${count("failed")} failed`].join("\n");
}
