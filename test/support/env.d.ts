import type { D1Migration } from "@cloudflare/vitest-pool-workers";

declare global {
  interface ImportMeta {
    /** Vite's: the files that are there, by path. */
    glob<Content>(path: string, options: { eager: true; import: "default" }): Record<string, Content>;
  }

  namespace Cloudflare {
    interface Env {
      TEST_MIGRATIONS: D1Migration[];
      NAUGHTY_STRINGS: string[];
      JSON_TEST_SUITE: { cases: { name: string; expect: "accept" | "reject" | "either"; base64: string }[] } | null;
    }
  }
}
