/** What a refusal looks like: JSON of the dialect at the API, a page in the portal, and nothing that tells too much. */

import { expect } from "vitest";
import { isPage, type Route } from "./routes.ts";

/** @returns the body: parsed JSON at the API, the text of a page. */
export async function expectRefusal(response: Response, route: Route, statuses: number[]): Promise<unknown> {
  const text = await response.text();
  expect(statuses, `${response.status} ${text.slice(0, 500)}`).toContain(response.status);
  expect(response.headers.has("Set-Cookie")).toBe(false);
  expect(response.headers.get("Cache-Control")).toMatch(/no-store/);
  expect(text).not.toMatch(/SECRET-CANARY|D1_ERROR|SQLITE|TypeError|\.tsx?:\d+|\bat \w+ \(/);
  if (isPage(route)) {
    expect(response.headers.get("Content-Type")).toBe("text/html; charset=UTF-8");
    expect(text).toMatch(/^<!DOCTYPE html><html lang="en">.*<\/html>$/s);
    return text;
  }
  expect(response.headers.get("Content-Type")).toBe("application/json");
  const body = JSON.parse(text) as Record<string, unknown>;
  expect(["detail", "detail,error", "error,error_description"]).toContain(Object.keys(body).toSorted().join());
  if (!route.route.includes("forward-auth")) {
    expect(response.headers.get("Polar-Version")).toBe("2026-10");
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe("*");
    expect(response.headers.has("Access-Control-Allow-Credentials")).toBe(false);
  }
  return body;
}
