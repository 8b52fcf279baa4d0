/** How long a session may live: the bounds, to the second, and expiry, to the millisecond. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LatchkeyError } from "../../src/core/errors.ts";
import { isExpired, lifetimeAt } from "../../src/core/lifetimes.ts";

const NOW = Date.parse("2026-11-20T12:00:00.000Z");
const settings = { sessionTtlSeconds: 3600, sessionMaxTtlSeconds: 86_400 };

describe("a session's lifetime", () => {
  test("is the organization's default unless another is asked for", () => {
    expect(lifetimeAt(NOW, settings, null)).toEqual({
      expiresAt: NOW + 3_600_000,
      absoluteExpiresAt: NOW + 86_400_000,
    });
    expect(lifetimeAt(NOW, settings, 60).expiresAt).toBe(NOW + 60_000);
  });

  test("may be 60 s at least and the organization's maximum at most", () => {
    for (const ttlSeconds of [60, 86_400]) expect(() => lifetimeAt(NOW, settings, ttlSeconds)).not.toThrow();
    for (const ttlSeconds of [59, 86_401, 0, -1, -3600, 90.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => lifetimeAt(NOW, settings, ttlSeconds)).toThrow(LatchkeyError);
      expect(() => lifetimeAt(NOW, settings, ttlSeconds)).toThrow("ttl_out_of_range");
    }
  });

  test("is either refused or as asked, and never passes the absolute expiry", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4e12 }),
        fc.integer({ min: 300, max: 31_622_400 }),
        fc.option(fc.integer({ min: -10, max: 40_000_000 })),
        (now, sessionMaxTtlSeconds, asked) => {
          const sessionTtlSeconds = Math.min(3600, sessionMaxTtlSeconds);
          const ttlSeconds = asked ?? sessionTtlSeconds;
          const legal = ttlSeconds >= 60 && ttlSeconds <= sessionMaxTtlSeconds;
          const compute = () => lifetimeAt(now, { sessionTtlSeconds, sessionMaxTtlSeconds }, asked);
          if (!legal) {
            expect(compute).toThrow("ttl_out_of_range");
            return;
          }
          const { expiresAt, absoluteExpiresAt } = compute();
          expect(expiresAt).toBe(now + ttlSeconds * 1000);
          expect(absoluteExpiresAt).toBe(now + sessionMaxTtlSeconds * 1000);
          expect(expiresAt).toBeLessThanOrEqual(absoluteExpiresAt);
        },
      ),
    );
  });
});

describe("expiry", () => {
  test("has no tolerance: the last live millisecond is the one before", () => {
    expect(isExpired(NOW, NOW - 1)).toBe(false);
    expect(isExpired(NOW, NOW)).toBe(true);
    expect(isExpired(NOW, NOW + 1)).toBe(true);
  });
});
