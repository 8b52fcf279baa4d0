/**
 * The Polar dialect, put together: the order of the layers is the contract's (token before body before scope before
 * schema).
 */

import { methodNotAllowed as methodNotAllowedMiddleware } from "hono/method-not-allowed";
import { Hono } from "hono/quick";
import { routePath } from "hono/route";
import type { AppEnv } from "../http/env.ts";
import { customerCreation } from "./customer-creation.ts";
import { customerExport } from "./customer-export.ts";
import { customerList } from "./customer-list.ts";
import { customerPortal } from "./customer-portal.ts";
import { customerSessions } from "./customer-sessions.ts";
import { customers } from "./customers.ts";
import { emailUpdate } from "./email-update.ts";
import { envelope, limitBody, unknownRoute } from "./envelope.ts";
import { methodNotAllowed, respondTo, toPolarError } from "./errors.ts";
import { flatMembers } from "./flat-members.ts";
import { memberSessions } from "./member-sessions.ts";
import { members } from "./members.ts";
import { oauth2 } from "./oauth2.ts";
import { portalCustomer } from "./portal-customer.ts";
import { portalMembers } from "./portal-members.ts";
import { portalOrganization } from "./portal-organization.ts";
import { portalSignIn } from "./portal-sign-in.ts";
import { secretScanning } from "./secret-scanning.ts";

const routes = new Hono<AppEnv>()
  .route("/", memberSessions)
  .route("/", customerSessions)
  .route("/", customerPortal)
  .route("/", emailUpdate)
  .route("/", portalOrganization)
  .route("/", portalCustomer)
  .route("/", portalSignIn)
  .route("/", portalMembers)
  .route("/", members)
  .route("/", flatMembers)
  .route("/", customerCreation)
  .route("/", customerList)
  .route("/", customerExport)
  .route("/", customers)
  .route("/", oauth2)
  .route("/", secretScanning);

export const polar = new Hono<AppEnv>();

polar.onError((error, c) => {
  const answer = toPolarError(error);
  if (answer.status >= 500)
    c.var.services.log.error("request_failed", { method: c.req.method, route: routePath(c), error });
  return respondTo(answer, c);
});

polar.use(
  "/v1/*",
  envelope,
  methodNotAllowedMiddleware({
    app: routes,
    onMethodNotAllowed: (c, methods) => respondTo(methodNotAllowed(methods.join(", ")), c),
  }),
  limitBody,
);
polar.route("/", routes);
polar.all("/v1/*", unknownRoute(routes.routes.map(({ path }) => path)));
