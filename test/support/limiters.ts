/**
 * Rate Limiting bindings for tests: one that lets all pass, and one that counts without a window and remembers whom it
 * was asked about. The real one, simulated by the runtime, is met in test/polar/rate-limits.test.ts and in the entry's.
 */

const LIMITERS = ["API_KEY_LIMIT", "HOLDER_LIMIT", "ADDRESS_LIMIT"] as const;

export type Limiters = Record<(typeof LIMITERS)[number], RateLimit>;

const all = (make: () => RateLimit) => Object.fromEntries(LIMITERS.map((name) => [name, make()])) as Limiters;

export const unlimited = (): Limiters => all(() => ({ limit: async () => ({ success: true }) }));

export interface CountingLimiter extends RateLimit {
  /** Every key that was counted, in order, refused or not. */
  keys: string[];
}

/** Lets each key pass this many times. */
export function countingLimiter(limit: number): CountingLimiter {
  const keys: string[] = [];
  return {
    keys,
    async limit({ key }) {
      keys.push(key);
      return { success: keys.filter((other) => other === key).length <= limit };
    },
  };
}

export const counting = (limit: number) => all(() => countingLimiter(limit)) as Record<keyof Limiters, CountingLimiter>;

export const failing = (limit: RateLimit["limit"]): Limiters => all(() => ({ limit }));

/** An address in a /64 of its own. */
export function someAddress(): string {
  const [high, low] = crypto.getRandomValues(new Uint16Array(2));
  return `2001:db8:${high?.toString(16)}:${low?.toString(16)}::1`;
}

/** Statuses of this many calls, one after the other. */
export async function statuses(count: number, call: () => Promise<Response>): Promise<number[]> {
  const seen: number[] = [];
  for (let i = 0; i < count; i++) seen.push((await call()).status);
  return seen;
}
