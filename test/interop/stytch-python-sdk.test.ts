/**
 * Stytch's official Python SDK, unmodified, over HTTP: the strictest of them, whose models refuse an answer in which a
 * required field is missing, null or of another type. Skipped, with the reason in the test's name, where there is no
 * Python or no package index.
 */

import { afterAll, beforeAll, describe, test } from "vitest";
import { impersonationToken, makeProjectWithDoors, type ProjectWithDoors } from "../node/support/doors.ts";
import { demoProject } from "../node/support/stytch.ts";
import {
  agedByAnHour,
  makeTwoSignedIn,
  type SignedIn,
  signInAgain,
  signInByMail,
} from "../node/support/stytch-people.ts";
import { openFixtureServer } from "./fixture-server.ts";
import { PYTHON_TIMEOUT_MS, type PythonSdk, runPythonTests, whatPythonLacks } from "./python.ts";

const SDK = { package: "stytch", version: "15.3.0" };
const FILES = ["errors", "sessions", "policies", "rbac", "organizations", "doors"];
const TESTS: PythonSdk[] = FILES.map((name) => ({ ...SDK, file: `stytch_${name}.py` }));

const missing = whatPythonLacks(TESTS);

describe.skipIf(missing !== null)(`Stytch's Python SDK${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  let fixtures: Awaited<ReturnType<typeof openFixtureServer>>;
  let doors: ProjectWithDoors;

  beforeAll(async () => {
    doors = await makeProjectWithDoors();
    fixtures = await openFixtureServer({
      project: () => demoProject,
      makeTwoSignedIn,
      signInAgain,
      signInByMail,
      agedByAnHour,
      doors: () => ({ project: doors.project, profiles: doors.profiles }),
      outsideToken: doors.outside.sign,
      bearerTokenOf: doors.outside.bearerTokenOf,
      impersonationToken: (somebody: SignedIn) => impersonationToken(doors.slug, somebody),
    });
  });
  afterAll(async () => {
    await fixtures?.close();
    await doors?.outside.close();
  });

  test.each(TESTS)(
    "$package $version: $file",
    (sdk) => runPythonTests(sdk, { STYTCH_FIXTURES: fixtures.origin }),
    PYTHON_TIMEOUT_MS,
  );
});
