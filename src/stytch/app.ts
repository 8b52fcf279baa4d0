/**
 * The Stytch dialect, put together: everything under /v1/b2b/ answers in its words, what no route takes included.
 */

import { methodNotAllowed } from "hono/method-not-allowed";
import { Hono } from "hono/quick";
import { routePath } from "hono/route";
import type { AppEnv } from "../http/env.ts";
import { attest } from "./attest.ts";
import { limitBody, neverCached } from "./envelope.ts";
import { respondTo, StytchError, toStytchError } from "./errors.ts";
import { exchange } from "./exchange.ts";
import { exchangeAccessToken } from "./exchange-access-token.ts";
import { isAboutIdentity } from "./identity-errors.ts";
import { impersonation } from "./impersonation.ts";
import { jwks } from "./jwks.ts";
import { memberFactors } from "./member-factors.ts";
import { memberSearch } from "./member-search.ts";
import { members } from "./members.ts";
import { migrate } from "./migrate.ts";
import { organizationSearch } from "./organization-search.ts";
import { organizations } from "./organizations.ts";
import { rbac } from "./rbac.ts";
import { sessions } from "./sessions.ts";

const routes = new Hono<AppEnv>()
  .route("/", sessions)
  .route("/", exchange)
  .route("/", exchangeAccessToken)
  .route("/", attest)
  .route("/", migrate)
  .route("/", impersonation)
  .route("/", jwks)
  .route("/", rbac)
  // Before the organizations: these have words of their own where those take any name.
  .route("/", memberSearch)
  .route("/", members)
  .route("/", memberFactors)
  .route("/", organizationSearch)
  .route("/", organizations);

export const stytch = new Hono<AppEnv>();

stytch.onError((error, c) => {
  const answer = toStytchError(error);
  const { log } = c.var.services;
  const call = { method: c.req.method, route: routePath(c) };
  const refusal = error instanceof StytchError ? error.cause : error;
  if (answer.status >= 500) log.error("request_failed", { ...call, error });
  else if (isAboutIdentity(refusal)) log.warn("identity_refused", { ...call, reason: refusal.message });
  return respondTo(answer, c);
});

stytch.use(
  "/v1/b2b/*",
  neverCached,
  methodNotAllowed({
    app: routes,
    onMethodNotAllowed: (c, methods) =>
      respondTo(new StytchError("method_not_allowed", undefined, { headers: { Allow: methods.join(", ") } }), c),
  }),
  limitBody,
);
stytch.route("/", routes);
stytch.all("/v1/b2b/*", (c) => respondTo(new StytchError("route_not_found"), c));
