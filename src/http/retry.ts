/** Seconds that a client is asked to wait after a 503. Short: D1 and KV come back in seconds or in hours. */
export const RETRY_AFTER_SECONDS = 5;
