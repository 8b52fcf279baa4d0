/**
 * The whole application in the test's own isolate, with a clock and a log that the test can see, over bindings that it
 * can replace. `settle()` waits for the work that goes on after an answer.
 */

import { env } from "cloudflare:workers";
import { buildApp } from "../../src/app.ts";
import type { Clock, Log, Mail } from "../../src/core/ports.ts";
import type { Fetch } from "../../src/outbound.ts";
import { type FakeClock, fakeClock } from "./clock.ts";
import { someAddress, unlimited } from "./limiters.ts";
import { theWorld } from "./outside.ts";

export interface Client {
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** JSON with a bearer token. */
  call(
    method: string,
    path: string,
    token: string | null,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Response>;
  settle(): Promise<void>;
  clock: FakeClock;
  /** What was mailed, oldest first. */
  mailed: Mail[];
  logged: { level: string; event: string; fields: Record<string, unknown> }[];
}

/**
 * Every client is an isolate of its own: it shares D1 and KV with the others, and no memory. Nobody's calls are too many,
 * unless the test brings other limiters.
 * @param outside answers what the Worker asks of the world.
 */
export function makeClient(
  bindings: Partial<Cloudflare.Env> = {},
  clock: FakeClock = fakeClock(),
  outside: Fetch = theWorld,
): Client {
  const logged: Client["logged"] = [];
  const record = (level: string) => (event: string, fields: Record<string, unknown>) => {
    logged.push({ level, event, fields });
  };
  const log: Log = { info: record("info"), warn: record("warn"), error: record("error") };
  const app = buildApp({ clock: clock satisfies Clock, log, fetch: outside });
  const mailed: Mail[] = [];
  const EMAIL = {
    async send(mail: Mail) {
      mailed.push(mail);
      return { messageId: crypto.randomUUID() };
    },
  } as unknown as SendEmail;
  const isolateEnv = { ...env, ...unlimited(), EMAIL, ...bindings };
  const pending: Promise<unknown>[] = [];
  const context = {
    waitUntil: (work: Promise<unknown>) => {
      pending.push(work);
    },
    passThroughOnException: () => {},
    props: {},
  } as unknown as ExecutionContext;

  const fetch = async (path: string, init?: RequestInit) => {
    const request = new Request(new URL(path, "https://portal.test"), { redirect: "manual", ...init });
    // Each call comes from a network of its own, unless the test says from where.
    if (!request.headers.has("CF-Connecting-IP")) request.headers.set("CF-Connecting-IP", someAddress());
    return app.fetch(request, isolateEnv, context);
  };

  return {
    fetch,
    call: (method, path, token, body, headers = {}) =>
      fetch(path, {
        method,
        headers: {
          ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      }),
    async settle() {
      while (pending.length > 0) await Promise.allSettled(pending.splice(0));
    },
    clock,
    mailed,
    logged,
  };
}

/** A request as a browser sends it when somebody follows a link. */
export const NAVIGATION = {
  "Sec-Fetch-Mode": "navigate",
  "Sec-Fetch-Dest": "document",
  "Sec-Fetch-Site": "cross-site",
};
