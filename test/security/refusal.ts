/** What a refusal looks like: in the form of its dialect, and nothing in it that tells too much. */

import { expect } from "vitest";
import { dialectOf } from "./dialects.ts";
import type { Route } from "./routes.ts";

/** @returns the body: parsed JSON at an API, the text of a page. */
export async function expectRefusal(response: Response, route: Route, statuses: number[]): Promise<unknown> {
  const text = await response.text();
  expect(statuses, `${response.status} ${text.slice(0, 500)}`).toContain(response.status);
  expect(response.headers.has("Set-Cookie")).toBe(false);
  expect(response.headers.get("Cache-Control")).toMatch(/no-store/);
  expect(text).not.toMatch(/SECRET-CANARY|D1_ERROR|SQLITE|TypeError|\.tsx?:\d+|\bat \w+ \(/);
  return dialectOf(route).expectRefusal(response, text);
}

/** Likewise, where it is not the caller that is refused: who is known is not told that it is nobody. */
export async function expectUnfit(response: Response, route: Route, statuses: number[]): Promise<unknown> {
  const refusal = await expectRefusal(response, route, statuses);
  expect(refusal).not.toMatchObject({ error_type: "unauthorized_credentials" });
  return refusal;
}
