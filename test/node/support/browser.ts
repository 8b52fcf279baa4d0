/**
 * A real Chromium for tests, and a page on somebody else's site.
 */

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Browser, chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** CHROMIUM, or the first of the usual names on the PATH; null when this machine has none. */
export function findChromium(): string | null {
  const named = process.env["CHROMIUM"];
  if (named !== undefined && named !== "") return existsSync(named) ? named : null;
  for (const name of NAMES) {
    try {
      return execFileSync("which", [name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    } catch {
      // Not under this name.
    }
  }
  return null;
}

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * @param withBackForwardCache as people have it. Playwright turns it off: it cannot tell when a page out of that cache
 * has arrived.
 * @param without features of Chromium to turn off.
 */
export async function launchChromium(
  executablePath: string,
  { withBackForwardCache = false, without = [] as string[] } = {},
): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [...ARGUMENTS, ...(without.length > 0 ? [`--disable-features=${without.join(",")}`] : [])],
    ...(withBackForwardCache && { ignoreDefaultArgs: ["--disable-back-forward-cache"] }),
  });
}

export interface OtherSite {
  /** Serves this HTML and says where. */
  publish(html: string): string;
  close(): Promise<void>;
}

/**
 * A site that is another one to browsers: `localhost` and `127.0.0.1` have nothing in common for them but the machine.
 * Browsers take both for trustworthy, so that the cookie rules are those of https.
 */
export async function openOtherSite(ours: string): Promise<OtherSite> {
  const pages = new Map<string, string>();
  const server = createServer((request, response) => {
    const html = pages.get(request.url ?? "");
    response.writeHead(html === undefined ? 404 : 200, { "Content-Type": "text/html; charset=utf-8" });
    response.end(html);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = new URL(ours).hostname === "localhost" ? "127.0.0.1" : "localhost";
  const origin = `http://${host}:${(server.address() as AddressInfo).port}`;
  return {
    publish(html) {
      const path = `/page-${pages.size + 1}`;
      pages.set(path, `<!doctype html><title>Another site</title>${html}`);
      return origin + path;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
