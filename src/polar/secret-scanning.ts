/**
 * Where GitHub reports tokens that it has found in public places. Whatever of a signed report is ours is ended at once,
 * under whichever of the known types it was reported.
 */

import { createMiddleware } from "hono/factory";
import { Hono } from "hono/quick";
import * as z from "zod/mini";
import type { LeakedCredentials } from "../core/leaked-credentials.ts";
import type { AppEnv } from "../http/env.ts";
import { identifyCaller } from "./authenticate.ts";
import { invalidRequest, PolarError, routeNotFound } from "./errors.ts";
import { string } from "./fields.ts";
import { jsonBody, readJson } from "./validate.ts";

/** Without their prefix. The last one is ours: Polar has no type for member sessions. */
const TYPES = [
  "client_secret",
  "client_registration_token",
  "authorization_code",
  "access_token",
  "refresh_token",
  "personal_access_token",
  "organization_access_token",
  "customer_session_token",
  "user_session_token",
  "member_session_token",
];

const Finding = z.object(
  { token: string, type: string, url: z.nullish(string), source: string },
  { error: "model_attributes_type" },
);
const Report = z.array(Finding, { error: "list_type" });

const KEY_IDENTIFIER = "github-public-key-identifier";
const SIGNATURE = "github-public-key-signature";

/** No bearer token is asked for: what counts is GitHub's signature over the bytes of the body. */
const signedReport = createMiddleware<AppEnv & { Variables: { leaked: LeakedCredentials } }>(async (c, next) => {
  const { leakedCredentials } = c.var.services;
  await identifyCaller(c);
  if (leakedCredentials === null) throw routeNotFound();
  const [keyIdentifier, signature] = [c.req.header(KEY_IDENTIFIER), c.req.header(SIGNATURE)];
  if (keyIdentifier === undefined || signature === undefined) {
    const missing = [KEY_IDENTIFIER, SIGNATURE].filter((name) => c.req.header(name) === undefined);
    throw invalidRequest(
      missing.map((name) => ({ type: "missing", loc: ["header", name], msg: "Field required", input: null })),
    );
  }
  const verdict = await leakedCredentials.verifyReport(await c.req.arrayBuffer(), keyIdentifier, signature);
  if (verdict === "unknown_key") {
    const detail = `Public key with key_identifier ${keyIdentifier} not found.`;
    throw new PolarError(400, { error: "PublicKeyNotFound", detail });
  }
  if (verdict === "not_signed") throw new PolarError(403, { error: "InvalidSignature", detail: "Invalid signature." });
  await readJson(c);
  c.set("leaked", leakedCredentials);
  await next();
});

export const secretScanning = new Hono<AppEnv>().post(
  "/v1/integrations/github/secret-scanning",
  signedReport,
  jsonBody(Report),
  async (c) => {
    const findings = c.req.valid("json").map(({ token, type }) => ({ token, type: type.toLowerCase() }));
    requireKnownTypes(findings, c.var.services.config.tokenPrefixes);
    const known = await c.var.leaked.end(findings.map(({ token }) => token));
    return c.json(
      findings.map(({ token, type }, index) => ({
        token_raw: token,
        token_type: type,
        label: known[index] ? "true_positive" : "false_positive",
      })),
    );
  },
);

/** Polar's type names, and the same with each prefix that our own tokens may have. */
function requireKnownTypes(findings: { type: string }[], prefixes: readonly string[]): void {
  const known = new Set(["polar", ...prefixes].flatMap((prefix) => TYPES.map((type) => `${prefix}_${type}`)));
  const expected = [...known].map((type) => `'${type}'`).join(", ");
  const faults = findings.flatMap(({ type }, index) =>
    known.has(type)
      ? []
      : [
          {
            type: "enum",
            loc: ["body", index, "type"],
            msg: `Input should be one of ${expected}`,
            input: type,
            ctx: { expected },
          },
        ],
  );
  if (faults.length > 0) throw invalidRequest(faults);
}
