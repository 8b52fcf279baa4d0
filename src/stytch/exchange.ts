/**
 * Switching organization: who is signed in to one is signed in to another of which the same person, by a proven e-mail
 * address, is a member. The first session goes on.
 */

import { Hono } from "hono/quick";
import * as z from "zod/mini";
import type { Customer } from "../core/directory.ts";
import { type Factor, isImpersonated, prove } from "../core/factors.ts";
import type { AppEnv } from "../http/env.ts";
import { project } from "./authenticate.ts";
import { authenticated } from "./authenticated.ts";
import { namedOrganization } from "./directory.ts";
import { answer } from "./envelope.ts";
import { StytchError } from "./errors.ts";
import { lifeAndClaims, lifeAndClaimsOf, sessionArguments } from "./fields.ts";
import { isMemberSession } from "./present.ts";
import { presentedSession } from "./presented-session.ts";
import { ORGANIZATION_DEFAULTS } from "./sign-in-settings.ts";
import { jsonBody } from "./validate.ts";

const Exchange = z.object({ ...sessionArguments, ...lifeAndClaims, organization_id: z.string() });

export const exchange = new Hono<AppEnv>().post(
  "/v1/b2b/sessions/exchange",
  project("member_sessions:write"),
  jsonBody(Exchange),
  async (c) => {
    const body = c.req.valid("json");
    const { session: source } = await presentedSession(c, body);
    const { factors, member } = source;
    // Somebody else may have typed an address in: unless this session proved it, it says nothing about who this is. And
    // an operator who acts as a member here was let in here only.
    if (!prove(factors, member.email) || isImpersonated(factors))
      throw new StytchError("insufficient_factors_for_session_exchange");
    const customer = await namedOrganization(c, body.organization_id);
    const target = await c.var.services.members.findByEmail(c.var.project.id, customer.id, member.email);
    if (target === null) throw new StytchError("member_does_not_exist_in_organization");
    requireAdmitted(customer, factors);
    const { ttlSeconds, claims } = lifeAndClaimsOf(body);
    const made = await c.var.services.sessions.createOf(
      // What was proved once lets in for as long as it would have here, however often it is handed on.
      {
        proof: null,
        factors,
        provedEmail: member.email,
        ttlSeconds,
        claims: claims ?? {},
        until: source.absoluteExpiresAt,
      },
      { organization: c.var.project, customerId: customer.id, memberId: target.id },
    );
    if (made === null || !isMemberSession(made.session)) throw new StytchError("member_does_not_exist_in_organization");
    return answer(c, await authenticated(c, { session: made.session, token: made.token }));
  },
);

const AUTH_METHODS: Partial<Record<Factor["kind"], string>> = { mailed_link: "magic_link", typed_code: "email_otp" };

/**
 * Whether these factors are enough for the organization. A second one cannot be asked for here, so where one is needed
 * nobody is let in.
 */
function requireAdmitted(customer: Customer, factors: readonly Factor[]): void {
  const settings = { ...ORGANIZATION_DEFAULTS, ...customer.signInSettings };
  if (settings.mfa_policy === "REQUIRED_FOR_ALL") {
    throw new StytchError("operation_restricted_by_organization_mfa_methods");
  }
  const isAllowed = ({ kind }: Factor) => settings.allowed_auth_methods.includes(AUTH_METHODS[kind] ?? "");
  if (settings.auth_methods === "RESTRICTED" && !factors.some(isAllowed)) {
    throw new StytchError("operation_restricted_by_organization_auth_methods");
  }
}
