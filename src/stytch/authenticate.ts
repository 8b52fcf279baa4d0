/**
 * Who is calling: the project's backend, by Basic credentials. The secret is an API key and alone decides the tenant;
 * a project id that is not its own is refused like a wrong secret.
 */

import { createMiddleware } from "hono/factory";
import { auth } from "hono/utils/basic-auth";
import type { LiveApiKey, Scope } from "../core/api-keys.ts";
import type { Organization } from "../core/directory.ts";
import { type Asked, countAnonymous, identifyApiKey } from "../http/callers.ts";
import type { AppEnv } from "../http/env.ts";
import { StytchError } from "./errors.ts";
import { wireId } from "./ids.ts";

/** What a handler behind `project` finds in its context. */
export type ProjectEnv = AppEnv & { Variables: { project: Organization } };

/** For the project's backend: an API key that has one of these scopes. */
export function project(...anyOf: Scope[]) {
  return createMiddleware<ProjectEnv>(async (c, next) => {
    const { scopes, organization } = await identifyProject(c);
    if (!anyOf.some((scope) => scopes.has(scope))) throw new StytchError("unauthorized_action");
    c.set("project", organization);
    await next();
  });
}

async function identifyProject(c: Asked): Promise<LiveApiKey> {
  const credentials = auth(c.req.raw);
  if (credentials === undefined) {
    await countAnonymous(c);
    const isThere = c.req.header("Authorization") !== undefined;
    throw new StytchError(isThere ? "invalid_authorization_header" : "unauthorized_credentials");
  }
  const apiKey = await identifyApiKey(c, credentials.password);
  if (credentials.username !== wireId("project", apiKey.organization.id)) {
    throw new StytchError("unauthorized_credentials");
  }
  return apiKey;
}
