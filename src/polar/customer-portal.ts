/**
 * The holder's side of a session: what a portal's front end asks with the session token itself.
 */

import { Hono } from "hono/quick";
import type { AppEnv } from "../http/env.ts";
import { holder, holderAtEdge } from "./authenticate.ts";
import { brokenAt } from "./errors.ts";
import { presentIntrospection, presentUser } from "./present.ts";

export const customerPortal = new Hono<AppEnv>()
  .get("/v1/customer-portal/customer-session/introspect", holderAtEdge, (c) =>
    c.json(presentIntrospection(c.var.session)),
  )

  .get("/v1/customer-portal/customer-session/user", holder, (c) => {
    const user = presentUser(c.var.session);
    if (user.email === null) {
      const msg = "Team customers must use member sessions. Create a customer session via the API with a member_id.";
      throw brokenAt(["body"], msg);
    }
    return c.json(user);
  });
