/** Pinned origins for return URLs. The long lists of payloads are tried in test/node/open-redirect.test.ts. */

import { describe, expect, test } from "vitest";
import { LatchkeyError } from "../../src/core/errors.ts";
import { requireAllowedReturnUrl } from "../../src/core/return-url.ts";

const PINNED = ["https://app.example.com", "http://localhost:3000"];

describe("a return URL, with origins pinned", () => {
  test.each([
    "https://app.example.com",
    "https://app.example.com/",
    "https://app.example.com/billing?from=portal#top",
    "HTTPS://APP.EXAMPLE.COM/billing",
    "https://app.example.com:443/",
    "http://localhost:3000/callback",
    " https://app.example.com/ ",
  ])("is allowed on a pinned origin: %s", (url) => {
    expect(() => requireAllowedReturnUrl(url, PINNED)).not.toThrow();
  });

  test.each([
    ["another host", "https://evil.example/"],
    ["a host that begins alike", "https://app.example.com.evil.example/"],
    ["a host that ends alike", "https://evilapp.example.com/"],
    ["a subdomain", "https://x.app.example.com/"],
    ["the parent domain", "https://example.com/"],
    ["a trailing dot", "https://app.example.com./"],
    ["another scheme", "http://app.example.com/"],
    ["another port", "https://app.example.com:8443/"],
    ["no port where one is pinned", "http://localhost/"],
    ["the pinned host as userinfo", "https://app.example.com@evil.example/"],
    ["userinfo on the pinned host", "https://evil.example@app.example.com/"],
    ["an empty password", "https://user:@app.example.com/"],
    ["a backslash", "https://app.example.com\\@evil.example/"],
    ["a backslash in the path", "https://app.example.com/\\evil.example"],
    ["backslashes for slashes", "https:\\\\app.example.com/"],
    ["a tab within", "https://app.example.com/\t/evil.example"],
    ["a line break within", "https://app.exam\nple.com/"],
    ["a script", "javascript:alert(1)//https://app.example.com"],
    ["data", "data:text/html,https://app.example.com"],
    ["a look-alike letter", "https://аpp.example.com/"],
    ["full-width characters", "https://app。example。com/"],
    ["an invisible character", "https://app.example.com/\u200b"],
  ])("is refused with %s", (_, url) => {
    const check = () => requireAllowedReturnUrl(url, PINNED);
    expect(check).toThrow(LatchkeyError);
    expect(check).toThrow("return_url_not_allowed");
  });
});

describe("a return URL, with no origin pinned", () => {
  test("is left to the dialect", () => {
    for (const url of ["https://anywhere.example/", "http://user:pass@anywhere.example/"]) {
      expect(() => requireAllowedReturnUrl(url, [])).not.toThrow();
    }
  });
});
