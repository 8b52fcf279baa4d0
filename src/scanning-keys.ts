/**
 * The public keys of GitHub's secret scanning, fetched where it publishes them and remembered by the isolate. The only
 * place from which this Worker calls out. What cannot be fetched or read is an outage, never a bad signature.
 */

import * as z from "zod/mini";
import { LatchkeyError } from "./core/errors.ts";
import type { Clock, ReporterKeys } from "./core/ports.ts";
import { importEcdsaKey } from "./crypto/ecdsa.ts";

const BELIEVED_MS = 3_600_000;
/** GitHub may have a new key: a name that is not in the list is looked for again, but not for every stranger's call. */
const SEARCH_INTERVAL_MS = 60_000;
const RETRY_INTERVAL_MS = 5000;
const DEADLINE_MS = 3000;
const MAX_BYTES = 64 * 1024;

const KeyList = z.object({ public_keys: z.array(z.object({ key_identifier: z.string(), key: z.string() })) });

/** One per isolate. */
export interface ScanningKeyCache {
  /** PEM by key identifier. */
  keys: ReadonlyMap<string, string>;
  fetchedAt: number;
  failedAt: number;
}
export const createScanningKeyCache = (): ScanningKeyCache => ({
  keys: new Map(),
  fetchedAt: Number.NEGATIVE_INFINITY,
  failedAt: Number.NEGATIVE_INFINITY,
});

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

interface Source {
  url: string;
  fetch: Fetch;
  cache: ScanningKeyCache;
  clock: Clock;
}

export function createScanningKeys({ url, fetch, cache, clock }: Source): ReporterKeys {
  /** A clock that has gone back proves nothing about how long ago something was. */
  const isWithin = (milliseconds: number, since: number) => {
    const age = clock.now() - since;
    return age >= 0 && age < milliseconds;
  };

  async function refresh(): Promise<void> {
    if (isWithin(RETRY_INTERVAL_MS, cache.failedAt)) throw new Error("the last attempt failed a moment ago");
    try {
      cache.keys = await download(url, fetch);
      cache.fetchedAt = clock.now();
    } catch (error) {
      cache.failedAt = clock.now();
      throw error;
    }
  }

  return {
    async find(name) {
      const isRecent = isWithin(cache.keys.has(name) ? BELIEVED_MS : SEARCH_INTERVAL_MS, cache.fetchedAt);
      try {
        if (!isRecent) await refresh();
        const pem = cache.keys.get(name);
        return pem === undefined ? null : await importEcdsaKey(pem);
      } catch (cause) {
        throw new LatchkeyError("unavailable", { reason: "the public keys of secret scanning", cause });
      }
    },
  };
}

/** @throws {Error} whatever is wrong: no answer in time, another status than 200, too long, not a list of keys. */
async function download(url: string, fetch: Fetch): Promise<ReadonlyMap<string, string>> {
  const response = await fetch(url, {
    // GitHub refuses a request without User-Agent.
    headers: { Accept: "application/json", "User-Agent": "latchkey" },
    redirect: "manual",
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  if (response.status !== 200) throw new Error(`the key source answered ${response.status}`);
  const list = KeyList.parse(JSON.parse(await textWithin(MAX_BYTES, response)));
  return new Map(list.public_keys.map(({ key_identifier, key }) => [key_identifier, key]));
}

async function textWithin(maxBytes: number, response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > maxBytes) throw new Error(`the key source answered more than ${maxBytes} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}
