/**
 * The public lists of open-redirect payloads against pinned return URLs. The lists lie outside the project
 * (../shared/vectors/open-redirect); where they are missing this file is skipped and says so.
 */

import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { LatchkeyError } from "../../src/core/errors.ts";
import { requireAllowedReturnUrl } from "../../src/core/return-url.ts";

const FOLDER = new URL("../../../shared/vectors/open-redirect/", import.meta.url);
const LISTS = ["Open-Redirect-payloads.txt", "openredirects.txt", "open_redirect_wordlist.txt"];
const HOST = "app.example.com";
const PINNED = `https://${HOST}`;

const isMissing = !existsSync(FOLDER);
if (isMissing) console.warn("Skipped: the open-redirect payloads are not here (../shared/vectors/open-redirect).");

/** Each payload by itself, with its stand-in for the trusted host filled in, and behind the trusted origin. */
function candidates(): string[] {
  const payloads = LISTS.flatMap((name) => readFileSync(new URL(name, FOLDER), "utf8").split(/\r?\n/)).filter(Boolean);
  const named = payloads.map((payload) =>
    payload.replaceAll(/www\.whitelisteddomain\.tld|localdomain\.pw|target\.com/g, HOST),
  );
  return [
    ...new Set([...payloads, ...named].flatMap((payload) => [payload, PINNED + payload, `${PINNED}/${payload}`])),
  ];
}

describe.skipIf(isMissing)("open-redirect payloads", () => {
  test("are refused, or lead to the pinned origin and nowhere else", () => {
    const tried = { refused: 0, allowed: 0, unparsable: 0 };
    for (const candidate of candidates()) {
      if (!URL.canParse(candidate)) {
        tried.unparsable++;
        continue;
      }
      try {
        requireAllowedReturnUrl(candidate, [PINNED]);
      } catch (error) {
        expect(error, candidate).toBeInstanceOf(LatchkeyError);
        tried.refused++;
        continue;
      }
      const url = new URL(candidate);
      expect(url.origin, candidate).toBe(PINNED);
      expect(url.username + url.password, candidate).toBe("");
      expect(candidate, candidate).not.toMatch(/[\\\s\u0080-\uffff]/);
      expect(new URL(url.href, "https://evil.example/").origin, candidate).toBe(PINNED);
      tried.allowed++;
    }
    expect(tried.refused).toBeGreaterThan(200);
    expect(tried.allowed).toBeGreaterThan(200);
  });

  test("never resolve to the pinned origin without being it, as typed by themselves", () => {
    const payloads = LISTS.flatMap((name) => readFileSync(new URL(name, FOLDER), "utf8").split(/\r?\n/)).filter(
      Boolean,
    );
    expect(payloads.length).toBeGreaterThan(300);
    for (const payload of payloads.filter((text) => URL.canParse(text))) {
      expect(() => requireAllowedReturnUrl(payload, [PINNED]), payload).toThrow("return_url_not_allowed");
    }
  });
});
