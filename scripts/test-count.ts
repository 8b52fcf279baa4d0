/**
 * The last line of a CI run: how many tests passed, failed and were skipped, from vitest's JSON report. A file that
 * could not be loaded, or a run without a report, counts as a failure.
 */

import { join } from "node:path";
import { PROJECT_ROOT } from "./dev-directory.ts";
import { readIfThere } from "./private-file.ts";

interface Report {
  testResults: { status: string; assertionResults: { status: string }[] }[];
}

const text = readIfThere(join(PROJECT_ROOT, ".tmp/test-results.json"));
console.log(text === null ? "0 passed, 1 failed" : countTests(JSON.parse(text) as Report));

function countTests({ testResults }: Report): string {
  const statuses = testResults.flatMap(({ status, assertionResults }) => {
    const own = assertionResults.map((test) => test.status);
    return status === "failed" && !own.includes("failed") ? [...own, "failed"] : own;
  });
  const passed = statuses.filter((status) => status === "passed").length;
  const failed = statuses.filter((status) => status === "failed").length;
  const skipped = statuses.length - passed - failed;
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
