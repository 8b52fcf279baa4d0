/**
 * In which order the token keys reach the deployed Worker. Wrangler and the wait between the steps are replaced.
 */

import { beforeEach, expect, test, vi } from "vitest";
import { uploadTokenKeys } from "../../scripts/token-key-upload.ts";

const { steps, answers } = vi.hoisted(() => ({ steps: [] as string[], answers: [] as boolean[] }));

vi.mock("../../scripts/wrangler.ts", () => ({
  runWrangler: async (args: string[], input: string) => {
    steps.push(`${args.join(" ")} < ${input}`);
    return { ok: answers.shift() ?? true, stdout: "", stderr: "" };
  },
}));
vi.mock("node:timers/promises", () => ({ setTimeout: async (ms: number) => void steps.push(`wait ${ms}`) }));

beforeEach(() => {
  steps.length = 0;
  answers.length = 0;
  vi.spyOn(console, "log").mockImplementation(() => {});
});

test("a lone key is uploaded at once", async () => {
  await uploadTokenKeys("a:1");
  expect(steps).toEqual(["secret put TOKEN_KEYS < a:1"]);
});

test("no key but the oldest signs until all have arrived everywhere", async () => {
  await uploadTokenKeys("c:3,b:2,a:1");
  expect(steps).toEqual(["secret put TOKEN_KEYS < a:1,c:3,b:2", "wait 60000", "secret put TOKEN_KEYS < c:3,b:2,a:1"]);
});

test("a repeat after a failed step takes both again", async () => {
  answers.push(false);
  await expect(uploadTokenKeys("b:2,a:1")).rejects.toThrow("The upload failed");
  expect(steps).toEqual(["secret put TOKEN_KEYS < a:1,b:2"]);
  await uploadTokenKeys("b:2,a:1");
  expect(steps.slice(1)).toEqual(["secret put TOKEN_KEYS < a:1,b:2", "wait 60000", "secret put TOKEN_KEYS < b:2,a:1"]);
});
