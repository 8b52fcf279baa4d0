/**
 * KV writes that follow a D1 commit: after the answer, retried once, and never able to make the answer fail. What KV
 * misses, the lease bounds.
 */

import type { StoreContext } from "./session-store.ts";

/** KV takes one write per key and second; a retry sooner than that would meet the same refusal. */
const RETRY_AFTER_MS = 1100;

/** @param put is called again for the retry, so that it can look at the clock and at what has changed since. */
export function followUpInKv({ waitUntil, log }: StoreContext, what: string, put: () => Promise<void>): void {
  waitUntil(
    put()
      .catch(async (error: unknown) => {
        log.warn("kv_write_failed", { what, willRetry: true, error });
        await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
        await put();
      })
      .catch((error: unknown) => log.warn("kv_write_failed", { what, willRetry: false, error })),
  );
}
