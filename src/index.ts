/**
 * The Worker's entry. Wires the real clock, log and network into the application, clock and log into the hourly
 * clean-up, and does nothing else.
 */

import { buildApp } from "./app.ts";
import { log } from "./http/log.ts";
import { deleteExpiredRows } from "./storage/clean-up.ts";
import { createDatabase } from "./storage/database.ts";

const clock = { now: () => Date.now() };
const app = buildApp({ clock, log, fetch: (url, init) => fetch(url, init) });

// biome-ignore lint/style/noDefaultExport: the Workers runtime looks for the entry there.
export default {
  fetch: (request, env, context) => app.fetch(request, env, context),
  scheduled: (_, env) => deleteExpiredRows(createDatabase(env.DB), clock, log),
} satisfies ExportedHandler<Cloudflare.Env>;
