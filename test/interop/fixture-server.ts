/**
 * Fixtures of test/node/support for tests in other languages: POST /<name> with an array of arguments
 * answers with what the function of that name returns. On loopback, and only while tests run.
 */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

export type Fixtures = Record<string, (...args: never[]) => unknown>;

export async function openFixtureServer(fixtures: Fixtures): Promise<{ origin: string; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const name = (request.url ?? "").slice(1);
    try {
      const result = await fixtures[name]?.(...((await json(request)) as never[]));
      response.end(JSON.stringify(result));
    } catch (error) {
      response.writeHead(500).end(`${name}: ${error}`);
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
