/**
 * Signing in by an access token of a trusted authorization server: one that may do all that its owner may, made a
 * moment ago, and used once.
 */

import { Hono } from "hono/quick";
import * as z from "zod/mini";
import { type ErrorCode, LatchkeyError } from "../core/errors.ts";
import type { AppEnv } from "../http/env.ts";
import { attestedOrganization, begin } from "./attest.ts";
import { project } from "./authenticate.ts";
import { authenticated } from "./authenticated.ts";
import { answer } from "./envelope.ts";
import { type ErrorType, StytchError } from "./errors.ts";
import { lifeAndClaims } from "./fields.ts";
import { jsonBody } from "./validate.ts";

const ExchangeAccessToken = z.object({ ...lifeAndClaims, access_token: z.string() });

export const exchangeAccessToken = new Hono<AppEnv>().post(
  "/v1/b2b/sessions/exchange_access_token",
  project("member_sessions:write"),
  jsonBody(ExchangeAccessToken),
  async (c) => {
    const body = c.req.valid("json");
    const { attestations } = c.var.services;
    return inOwnWords(async () => {
      const attestation = await attestations.readAccessToken(c.var.project.id, body.access_token);
      const customer = await attestedOrganization(c, attestation, null);
      const { member, proof } = await attestations.recognise(attestation, customer, false);
      const signedIn = await begin(c, member, { factor: attestation.factor, proof }, body);
      return answer(c, await authenticated(c, signedIn));
    });
  },
);

/** What is said of access tokens in other words than of ID tokens. */
const WORDS: Partial<Record<ErrorCode, ErrorType>> = {
  foreign_token_invalid: "oauth_access_token_exchange_token_invalid_grant",
  foreign_token_issuer_wrong: "oauth_access_token_exchange_token_invalid_grant",
  foreign_token_audience_wrong: "oauth_access_token_exchange_token_invalid_grant",
  foreign_token_claims_wrong: "oauth_access_token_exchange_token_invalid_grant",
  foreign_token_expired: "idp_access_token_expired",
  foreign_token_too_old: "oauth_access_token_exchange_token_too_old",
  foreign_token_spent: "idp_access_token_could_not_be_exchanged",
};

async function inOwnWords<T>(exchange: () => Promise<T>): Promise<T> {
  try {
    return await exchange();
  } catch (error) {
    const type = error instanceof LatchkeyError ? WORDS[error.code] : undefined;
    if (type === undefined) throw error;
    const { claim, problem } = (error as LatchkeyError).facts;
    throw new StytchError(type, claim === undefined ? undefined : `The claim ${claim} ${problem}.`, { cause: error });
  }
}
