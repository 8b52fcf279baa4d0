/**
 * `--portal-url`: the organization's own application, to which its links carry the code.
 */

import { isPrivateOnTheWay } from "../src/config.ts";
import { Refusal } from "./command.ts";
import type { DevDirectory } from "./dev-directory.ts";
import { HOST } from "./port.ts";
import { runningServers } from "./running-servers.ts";
import type { SqlValue } from "./sql.ts";
import { configuredVariable } from "./wrangler-toml.ts";

export function readPortalUrl(text: string): SqlValue {
  if (text === "none") return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !isPrivateOnTheWay(url)) {
    throw new Refusal("--portal-url is an https address (http on localhost only), or none.");
  }
  if (url.username !== "" || url.password !== "" || text.includes("#") || /[\s\\]/.test(text)) {
    throw new Refusal("--portal-url has no user name, password, fragment, blank or backslash.");
  }
  return url.href;
}

/** Where Latchkey itself answers, as far as can be told from here; null: unknown. */
export function latchkeyOrigins(place: "local" | "remote", directory: DevDirectory): string[] | null {
  if (place === "remote") {
    const origin = configuredVariable("PORTAL_ORIGIN");
    return origin === null ? null : [origin];
  }
  const origins = runningServers(directory).flatMap(({ port }) =>
    [HOST, "localhost"].map((host) => `http://${host}:${port}`),
  );
  return origins.length === 0 ? null : origins;
}

/**
 * Latchkey's own portal redeems no codes that are meant for an application, so every link to it would be dead.
 * @param origins Latchkey's; where they are unknown, the path alone decides.
 */
export function requireOtherPortal(portalUrl: SqlValue | undefined, slug: string, origins: string[] | null): void {
  if (typeof portalUrl !== "string") return;
  const { origin, pathname } = new URL(portalUrl);
  if (pathname.replace(/\/$/, "") !== `/${slug}/portal` || origins?.includes(origin) === false) return;
  const why =
    "Latchkey's own portal, where a link for your application is dead. To use that portal: --portal-url none.";
  throw new Refusal(
    origins === null
      ? `--portal-url ${portalUrl} looks like ${why} To tell for sure, start the local server, or set PORTAL_ORIGIN in wrangler.toml for --remote.`
      : `--portal-url ${portalUrl} is ${why}`,
  );
}
