/**
 * The whole application: services for each request, then the dialects and the portal in the order in which they get
 * to answer. Everything that no one takes is a 404, everything unforeseen a 500 that shows nothing.
 */

import { Hono } from "hono/quick";
import { routePath } from "hono/route";
import type { Clock, Log } from "./core/ports.ts";
import type { AppEnv } from "./http/env.ts";
import { RETRY_AFTER_SECONDS } from "./http/retry.ts";
import { Misconfigured } from "./isolate.ts";
import type { Fetch } from "./outbound.ts";
import { polar } from "./polar/app.ts";
import { legacyPath } from "./polar/legacy-path.ts";
import { portal } from "./portal/app.tsx";
import { forwardAuth } from "./portal/forward-auth.ts";
import { createServices } from "./services.ts";
import { stytch } from "./stytch/app.ts";
import { stytchUnavailable } from "./stytch/errors.ts";

export function buildApp({ clock, log, fetch }: { clock: Clock; log: Log; fetch: Fetch }) {
  const app = new Hono<AppEnv>();

  app.onError((error, c) => {
    c.header("Cache-Control", "private, no-store");
    if (!(error instanceof Misconfigured)) {
      log.error("request_failed", { method: c.req.method, route: routePath(c), error });
      return c.json({ error: "InternalServerError", detail: "Internal Server Error" }, 500);
    }
    log.error("misconfigured", { problems: error.problems });
    const detail = "The service is not set up. Its log says what is missing.";
    if (c.req.path.startsWith("/v1/b2b/")) return stytchUnavailable(c, detail);
    c.header("Retry-After", String(RETRY_AFTER_SECONDS));
    return c.json({ error: "ServiceUnavailable", detail }, 503);
  });

  app.notFound((c) => c.json({ detail: "Not Found" }, 404, { "Cache-Control": "private, no-store" }));

  app.use(async (c, next) => {
    const waitUntil = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
    c.set("services", createServices(c.env, { clock, log, fetch, waitUntil }));
    await next();
  });

  app.all(
    "/api/v1/*",
    legacyPath((request, env, context) => app.fetch(request, env, context)),
  );
  app.route("/", stytch);
  app.route("/", forwardAuth);
  app.route("/", polar);
  app.route("/", portal);
  return app;
}
