/** Polar's API, the portal's pages and the check for proxies, as the sweeps have to know them. */

import { expect } from "vitest";
import { NAVIGATION } from "../support/client.ts";
import { cookieWith } from "../support/portal.ts";
import type { Dialect } from "./dialects.ts";
import type { Route } from "./routes.ts";
import type { Place } from "./text-fields.ts";

/** What is proxied for, so it has Polar's bodies and none of its headers. */
export const FORWARD_AUTH: Dialect = {
  headers: {},
  show: (credential) => ({ Authorization: `Bearer ${credential}` }),
  misshow: (credential) => [
    { Authorization: credential },
    { Authorization: `Token ${credential}` },
    { Authorization: `Basic ${btoa(`${credential}:`)}` },
    { Authorization: `Bearer\t${credential}` },
    { Authorization: `Bearer "${credential}"` },
    { Authorization: `Bearer=${credential}` },
    { Authorization: `Bearer: ${credential}` },
    { Authorization: `Bearer ${credential} x` },
    { "Proxy-Authorization": `Bearer ${credential}` },
    { "X-Api-Key": credential },
    { Cookie: `token=${credential}; Authorization=${credential}` },
  ],

  maxBodyBytes: 64 * 1024,
  isLenient: false,
  malformed: 422,
  // Where a code in the body is all that is shown, a wrong one is no credential.
  unfit: ({ guard }) => (guard === "anybody" ? [401, 404, 422] : [400, 403, 404, 422]),
  tolerates,

  expectServed(response, text, { ok, contentType = "application/json" }) {
    expect(response.headers.has("Set-Cookie")).toBe(false);
    expect(response.headers.get("Content-Type")).toBe(ok === 204 ? null : contentType);
    expect(text === "").toBe(ok === 204);
  },
  expectRefusal(response, text) {
    expect(response.headers.get("Content-Type")).toBe("application/json");
    const body = JSON.parse(text) as Record<string, unknown>;
    expect(["detail", "detail,error", "error,error_description"]).toContain(Object.keys(body).toSorted().join());
    return body;
  },
  expectTooMany: (_, text) => expect(text).toBe(""),
  nobody: { error: "Unauthorized", detail: "Unauthorized" },
  challenge: /^Bearer/,
  unforeseen: { error: "InternalServerError" },
  wantedScopes: (refused) =>
    /scope="([^"]+)"/.exec(refused.headers.get("WWW-Authenticate") ?? "")?.[1]?.split(" ") ?? [],
  blamed: (places, refusal, status) => (status === 422 ? told(places, (refusal as { detail: Detail }).detail) : places),
  comparable: (text) => text,
};

export const POLAR: Dialect = {
  ...FORWARD_AUTH,
  expectRefusal(response, text) {
    expect(response.headers.get("Polar-Version")).toBe("2026-10");
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe("*");
    expect(response.headers.has("Access-Control-Allow-Credentials")).toBe(false);
    return FORWARD_AUTH.expectRefusal(response, text);
  },
};

export const PORTAL: Dialect = {
  ...FORWARD_AUTH,
  headers: { ...NAVIGATION, "Sec-Fetch-Site": "same-origin" },
  show: (credential) => ({ Cookie: cookieWith(credential) }),

  maxBodyBytes: 8 * 1024,
  malformed: 400,
  unfit: () => [400, 404, 410, 422],

  // A page, or on to one; what is in it, and who gets a cookie, the tests of the portal tell.
  expectServed() {},
  expectRefusal(response, text) {
    expect(response.headers.get("Content-Type")).toBe("text/html; charset=UTF-8");
    expect(text).toMatch(/^<!DOCTYPE html><html lang="en">.*<\/html>$/s);
    return text;
  },
  expectTooMany: (_, text) => expect(text).toContain("Please wait a moment"),
  nobody: {},
  challenge: /^$/,
  unforeseen: {},
  wantedScopes: () => [],
  blamed: (places) => places,
};

/** Blank means none, or no change, and some fields take what others do not. */
function tolerates({ route }: Route, name: string, value: unknown): boolean {
  const mayBeBlank = ["name", "billing_name", "tax_id", "external_id", "external_member_id", "email"];
  const blank = value === "" && mayBeBlank.includes(name);
  const emptyObject = typeof value === "object" && !Array.isArray(value) && ["metadata", "owner"].includes(name);
  const anyText = typeof value === "string" && ["token", "url", "source"].includes(name);
  const long = typeof value === "string" && name === "name" && route === "POST /v1/customer-portal/members";
  return blank || emptyObject || anyText || long;
}

type Detail = { loc: (string | number)[] }[];

/**
 * The places that a 422 tells of. Where it tells only of something that holds places, the last of them: in an address
 * that is the state. Where it tells of the body as a whole, the first.
 */
function told(places: Place[], detail: Detail): Place[] {
  // After "body", and after a union's tag if there is one.
  const locations = detail.flatMap(({ loc }) => [loc.slice(1), loc.slice(2)]);
  const isTold = (place: Place) => locations.some((loc) => place.every((key, depth) => String(loc[depth]) === key));
  const exactly = places.filter(isTold);
  if (exactly.length > 0) return exactly;
  const within = places.filter((place) => isTold(place.slice(0, 1)));
  return within.length > 0 ? within.slice(-1) : places.slice(0, 1);
}
