/**
 * The Worker's entry. Wires the real clock and the real log into the application, and does nothing else.
 */

import { buildApp } from "./app.ts";
import { log } from "./http/log.ts";

const app = buildApp({ clock: { now: () => Date.now() }, log });

// biome-ignore lint/style/noDefaultExport: the Workers runtime looks for the entry there.
export default {
  fetch: (request, env, context) => app.fetch(request, env, context),
} satisfies ExportedHandler<Cloudflare.Env>;
