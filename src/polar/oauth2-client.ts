/**
 * The caller of an OAuth endpoint and what it sends: a form (RFC 6749 §3.2), and its API key as client secret, in the
 * form or as HTTP Basic (§2.3.1), or as bearer token like everywhere else. The client's id is its organization's id or
 * slug.
 */

import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { LiveApiKey, Scope } from "../core/api-keys.ts";
import type { Organization } from "../core/directory.ts";
import { LatchkeyError } from "../core/errors.ts";
import { bearerToken } from "../http/bearer.ts";
import { type Asked, countAnonymous, identifyApiKey } from "../http/callers.ts";
import type { AppEnv } from "../http/env.ts";
import { identifyCaller } from "./authenticate.ts";
import { insufficientScope, PolarError, unauthorized } from "./errors.ts";

const badRequest = (error_description: string) => new PolarError(400, { error: "invalid_request", error_description });

/** RFC 6749 §5.2 wants the scheme that was used to be named: either may have been. */
const invalidClient = () =>
  new PolarError(
    401,
    { error: "invalid_client", error_description: "Client authentication failed." },
    { "WWW-Authenticate": 'Bearer realm="polar", Basic realm="polar"' },
  );

/** For an organization's backend whose API key has one of these scopes. `token` is the one that the form is about. */
export function oauthClient(...anyOf: Scope[]) {
  return createMiddleware<AppEnv & { Variables: { organization: Organization; token: string } }>(async (c, next) => {
    const authorization = c.req.header("Authorization");
    const bearer = bearerToken(authorization) === null ? null : await identifyCaller(c);
    const form = await readForm(c);
    const credentials = [basicCredentials(authorization), formCredentials(form)].filter((given) => given !== null);
    if (credentials.length + (bearer === null ? 0 : 1) > 1) {
      throw badRequest("Only one way of client authentication may be used at a time.");
    }
    if (bearer !== null && !("apiKey" in bearer)) throw unauthorized();
    const apiKey = bearer?.apiKey ?? (await identifyClient(c, credentials[0]));
    if (!anyOf.some((scope) => apiKey.scopes.has(scope))) throw insufficientScope(anyOf);
    const token = form.get("token");
    if (token === undefined) throw badRequest("The parameter token is missing.");
    c.set("organization", apiKey.organization);
    c.set("token", token);
    await next();
  });
}

/** A parameter without a value counts as absent, and none may be given twice. */
async function readForm(c: Context): Promise<Map<string, string>> {
  if (!/^application\/x-www-form-urlencoded *(;|$)/i.test(c.req.header("Content-Type") ?? "")) {
    throw badRequest("The body must be application/x-www-form-urlencoded.");
  }
  // Not c.req.text(): the runtime then warns, for each request, that a form is no text.
  const parameters = [...new URLSearchParams(new TextDecoder().decode(await c.req.arrayBuffer()))];
  if (new Set(parameters.map(([name]) => name)).size < parameters.length) {
    throw badRequest("A parameter is given more than once.");
  }
  return new Map(parameters.filter(([, value]) => value !== ""));
}

interface ClientCredentials {
  id: string;
  secret: string;
}

function formCredentials(form: Map<string, string>): ClientCredentials | null {
  const secret = form.get("client_secret");
  return secret === undefined ? null : { id: form.get("client_id") ?? "", secret };
}

/** Some clients do encode both parts for a form before they join them, as the RFC says. */
function basicCredentials(authorization: string | undefined): ClientCredentials | null {
  const encoded = /^basic +(\S+) *$/i.exec(authorization ?? "")?.[1];
  if (encoded === undefined) return null;
  try {
    const [, id = "", secret = ""] = /^([^:]*):(.*)$/s.exec(atob(encoded))?.map(decodeURIComponent) ?? [];
    return { id, secret };
  } catch {
    throw invalidClient();
  }
}

async function identifyClient(c: Asked, credentials: ClientCredentials | undefined): Promise<LiveApiKey> {
  if (credentials === undefined) {
    await countAnonymous(c);
    throw invalidClient();
  }
  const { id, secret } = credentials;
  const apiKey = await identifyApiKey(c, secret).catch((error: unknown) => {
    throw error instanceof LatchkeyError && error.code === "credential_not_live" ? invalidClient() : error;
  });
  const { organization } = apiKey;
  if (id.toLowerCase() !== organization.id && id !== organization.slug) throw invalidClient();
  return apiKey;
}
