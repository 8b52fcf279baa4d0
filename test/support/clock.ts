/** A clock that stands still until it is told to move. */

export interface FakeClock {
  now(): number;
  advance(milliseconds: number): void;
}

export function fakeClock(start = Date.parse("2026-11-20T12:00:00.000Z")): FakeClock {
  let now = start;
  return {
    now: () => now,
    advance: (milliseconds) => {
      now += milliseconds;
    },
  };
}
