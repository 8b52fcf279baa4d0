/**
 * Polar's official Python SDKs, unmodified, over HTTP. Skipped, with the reason in the test's name, where there is no
 * Python or no package index. `npm run interop` runs this.
 */

import { describe, test } from "vitest";
import { PYTHON_TIMEOUT_MS, type PythonSdk, runPythonTests, whatPythonLacks } from "./python.ts";

/** The last with member sessions, the last of the first generation, and a pre-release of the second. */
const SDKS: PythonSdk[] = [
  { package: "polar-sdk", version: "0.29.0", file: "polar_sdk_0_29.py" },
  { package: "polar-sdk", version: "0.32.0", file: "polar_sdk_0_32.py" },
  { package: "polar-sdk", version: "1.0.3a4", file: "polar_sdk_1_0.py" },
];

const missing = whatPythonLacks(SDKS);

describe.skipIf(missing !== null)(`Python SDKs${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  test.each(SDKS)("polar-sdk $version", (sdk) => runPythonTests(sdk), PYTHON_TIMEOUT_MS);
});
