/**
 * The only place from which this Worker calls out: a GET whose answer is JSON, bounded in time and size. Redirects are
 * not followed, since they would lead past the rules for addresses. What is sent along and what comes back is never
 * logged.
 */

import { LatchkeyError } from "./core/errors.ts";
import type { Outside } from "./core/identity-ports.ts";
import { readOutsideUrl } from "./core/outside-url.ts";

export const OUTBOUND_DEADLINE_MS = 3000;
const MAX_BYTES = 64 * 1024;

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** @param allowsLoopback in development only. */
export function createOutbound(fetch: Fetch, allowsLoopback: boolean): Outside {
  return {
    async getJson(text, headers = {}) {
      const { href } = addressed(text, allowsLoopback);
      const signal = AbortSignal.timeout(OUTBOUND_DEADLINE_MS);
      // GitHub, for one, refuses a request without User-Agent.
      const init = { headers: { Accept: "application/json", "User-Agent": "latchkey", ...headers }, signal };
      const response = await answered(() => fetch(href, { ...init, redirect: "manual" }));
      if (response.status !== 200) {
        await answered(async () => response.body?.cancel());
        throw unusable(`the status was ${response.status}`);
      }
      const body = await answered(() => textWithin(MAX_BYTES, response));
      if (body === null) throw unusable(`there were more than ${MAX_BYTES} bytes`);
      try {
        return JSON.parse(body);
      } catch {
        throw unusable("it was not JSON");
      }
    },
  };
}

function addressed(text: string, allowsLoopback: boolean): URL {
  try {
    return readOutsideUrl(text, allowsLoopback);
  } catch (error) {
    throw new LatchkeyError("outside_url_refused", { reason: `the address ${(error as Error).message}` });
  }
}

const unusable = (reason: string) => new LatchkeyError("outside_answer_unusable", { reason });

async function answered<T>(part: () => Promise<T>): Promise<T> {
  try {
    return await part();
  } catch (cause) {
    throw new LatchkeyError("unavailable", { reason: "no answer from outside", cause });
  }
}

/** null: it is longer. What is left then is not waited for. */
async function textWithin(maxBytes: number, response: Response): Promise<string | null> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > maxBytes) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
