/**
 * The part of Cloudflare's API through which wrangler reaches a deployed D1 database, over SQLite with the real schema:
 * queries, and imports in the three steps that they take (a file announced, uploaded, ingested as one transaction).
 */

import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { unstable_splitSqlQuery } from "wrangler";

export interface D1Api {
  sqlite: DatabaseSync;
  /** What points wrangler here. */
  env: Record<string, string>;
  close(): Promise<void>;
}

const META = { duration: 1, rows_read: 1, rows_written: 1, size_after: 1 };

export async function openD1Api(): Promise<D1Api> {
  const sqlite = new DatabaseSync(":memory:");
  for (const file of readdirSync("migrations").sort()) sqlite.exec(readFileSync(join("migrations", file), "utf8"));
  const uploads = new Map<string, string>();

  function ingest(sql: string) {
    sqlite.exec("BEGIN");
    try {
      sqlite.exec(sql);
      sqlite.exec("COMMIT");
    } catch (error) {
      sqlite.exec("ROLLBACK");
      return { success: true, status: "error", errors: [(error as Error).message], messages: [] };
    }
    const result = { num_queries: 1, final_bookmark: "b", meta: META };
    return { success: true, status: "complete", messages: [], at_bookmark: "b", result };
  }

  function answer(path: string, body: { action?: string; etag?: string; sql?: string }, origin: string): unknown {
    if (path.endsWith("/query")) {
      return unstable_splitSqlQuery(body.sql ?? "").map((statement) => ({
        results: sqlite.prepare(statement).all(),
        success: true,
        meta: META,
      }));
    }
    if (!path.endsWith("/import")) return { uuid: "d1", name: "latchkey" };
    if (body.action === "ingest") return ingest(uploads.get(body.etag ?? "") ?? "");
    return { success: true, upload_url: `${origin}/upload`, filename: "statements.sql" };
  }

  const server = createServer(async (request: IncomingMessage, response) => {
    const content = await text(request);
    if (request.method === "PUT") {
      const etag = createHash("md5").update(content).digest("hex");
      uploads.set(etag, content);
      response.writeHead(200, { etag: `"${etag}"` }).end();
      return;
    }
    const path = new URL(request.url ?? "/", origin).pathname;
    const result = answer(path, content === "" ? {} : JSON.parse(content), origin);
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ success: true, errors: [], messages: [], result }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    sqlite,
    env: { CLOUDFLARE_API_BASE_URL: origin, CLOUDFLARE_API_TOKEN: "unused", CLOUDFLARE_ACCOUNT_ID: "unused" },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
