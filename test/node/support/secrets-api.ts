/**
 * The part of Cloudflare's API through which wrangler gives a deployed Worker its secrets: one at a time, or many in one
 * request that takes effect as a whole.
 */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface SecretsApi {
  /** What the Worker has. */
  secrets: Map<string, string>;
  /** The names that each request changed. */
  requests: string[][];
  /** "refused": nothing is taken. "unanswered": everything is, and nobody is told. */
  mood: "fine" | "refused" | "unanswered";
  /** Resolves when the next request has been dealt with. */
  asked(): Promise<unknown>;
  /** What points wrangler here. */
  env: Record<string, string>;
  close(): Promise<void>;
}

type Change = { name: string; text: string } | null;

export async function openSecretsApi(): Promise<SecretsApi> {
  const server = createServer(async (request, response) => {
    const content = await text(request);
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const json = (status: number, body: unknown) => {
      response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    };
    const changes: Record<string, Change> = path.endsWith("/secrets-bulk")
      ? JSON.parse(content).secrets
      : path.endsWith("/secrets")
        ? { [JSON.parse(content).name]: JSON.parse(content) }
        : {};
    if (Object.keys(changes).length === 0) return json(200, { success: true, errors: [], messages: [], result: {} });
    api.requests.push(Object.keys(changes));
    if (api.mood === "refused") {
      json(400, { success: false, errors: [{ code: 10001, message: "no" }], messages: [], result: null });
    } else {
      for (const [name, change] of Object.entries(changes)) {
        if (change === null) api.secrets.delete(name);
        else api.secrets.set(name, change.text);
      }
      if (api.mood === "fine") json(200, { success: true, errors: [], messages: [], result: {} });
    }
    server.emit("asked");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const api: SecretsApi = {
    secrets: new Map(),
    requests: [],
    mood: "fine",
    asked: () => once(server, "asked"),
    env: { CLOUDFLARE_API_BASE_URL: origin, CLOUDFLARE_API_TOKEN: "unused", CLOUDFLARE_ACCOUNT_ID: "unused" },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return api;
}
