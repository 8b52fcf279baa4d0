/**
 * Signing in by a token of a trusted issuer, which makes a session or is added to one that the member has.
 */

import type { Context } from "hono";
import { Hono } from "hono/quick";
import * as z from "zod/mini";
import type { Attestation } from "../core/attestations.ts";
import { type Customer, hasMembers } from "../core/directory.ts";
import { LatchkeyError } from "../core/errors.ts";
import { isImpersonated } from "../core/factors.ts";
import type { MemberId } from "../core/foreign-members.ts";
import type { SessionProof } from "../core/session.ts";
import type { AppEnv } from "../http/env.ts";
import { type ProjectEnv, project } from "./authenticate.ts";
import { authenticated } from "./authenticated.ts";
import { namedOrganization } from "./directory.ts";
import { answer } from "./envelope.ts";
import { StytchError } from "./errors.ts";
import { type LifeAndClaims, lifeAndClaims, lifeAndClaimsOf, sessionArguments } from "./fields.ts";
import { uuidOf } from "./ids.ts";
import { isMemberSession } from "./present.ts";
import { type PresentedSession, presentedSession } from "./presented-session.ts";
import { jsonBody } from "./validate.ts";

const Attest = z.object({
  ...sessionArguments,
  ...lifeAndClaims,
  profile_id: z.string(),
  token: z.string(),
  organization_id: z.nullish(z.string()),
});

export const attest = new Hono<AppEnv>().post(
  "/v1/b2b/sessions/attest",
  project("member_sessions:write"),
  jsonBody(Attest),
  async (c) => {
    const body = c.req.valid("json");
    const { attestations } = c.var.services;
    const profileId = uuidOf("ttp", body.profile_id);
    if (profileId === null) throw new StytchError("trusted_token_profile_not_found");
    const presented = body.session_token || body.session_jwt ? await presentedSession(c, body) : null;
    const attestation = await attestations.readToken(c.var.project.id, profileId, body.token);
    const customer = await attestedOrganization(c, attestation, body.organization_id ?? null);
    const signIn = async () => {
      // Whoever has a session is a member already, and nobody else may use it.
      const isNewcomerWelcome = presented === null && hasMembers(c.var.project);
      const { member, proof } = await attestations.recognise(attestation, customer, isNewcomerWelcome);
      const proved = { factor: attestation.factor, proof };
      return presented === null
        ? begin(c, member, proved, body)
        : { session: await addTo(c, presented, member, proved, body), token: presented.token };
    };
    return answer(c, await authenticated(c, await signIn().catch(onceMoreIfMade(signIn))));
  },
);

/** Who was to become a member has become one by another token meanwhile, and is known now. */
const onceMoreIfMade =
  <T>(signIn: () => Promise<T>) =>
  (error: unknown): Promise<T> => {
    if (error instanceof LatchkeyError && /^member_\w+_taken$/.test(error.code)) return signIn();
    throw error;
  };

/**
 * Named by the token, by the request, or by both alike.
 * @throws {StytchError} token_missing_organization_id_claim, invalid_token_organization_id_claim,
 * organization_not_found
 */
export async function attestedOrganization(
  c: Context<ProjectEnv>,
  { identity }: Attestation,
  requested: string | null,
): Promise<Customer> {
  if (identity.customer === null) {
    if (requested === null) throw new StytchError("token_missing_organization_id_claim");
    return namedOrganization(c, requested);
  }
  const [own, other] = await Promise.all([
    claimedOrganization(c, identity.customer),
    requested === null ? null : namedOrganization(c, requested),
  ]);
  if (other !== null && other.id !== own.id) throw new StytchError("invalid_token_organization_id_claim");
  return own;
}

/**
 * As an issuer names it: by our id, or by the backend's own. Not by slug, which an organization's own people may choose:
 * whoever took another's name first would get the people of that one.
 */
async function claimedOrganization(c: Context<ProjectEnv>, name: string): Promise<Customer> {
  const { customers } = c.var.services;
  const id = uuidOf("organization", name);
  const byId = id === null ? null : await customers.find(c.var.project.id, { id });
  const customer = byId ?? (await customers.find(c.var.project.id, { externalId: name }));
  if (customer === null) throw new StytchError("organization_not_found");
  return customer;
}

interface Proved {
  factor: Attestation["factor"];
  proof: SessionProof;
}

/** A session of what was attested, which uses the token up. @throws {StytchError} member_not_found */
export async function begin(
  c: Context<ProjectEnv>,
  member: MemberId,
  { factor, proof }: Proved,
  body: LifeAndClaims,
): Promise<PresentedSession> {
  const { ttlSeconds, claims } = lifeAndClaimsOf(body);
  // The proof itself says which address was proved.
  const origin = { proof, factors: [factor], provedEmail: null, ttlSeconds, claims: claims ?? {} };
  const subject = { organization: c.var.project, customerId: member.customerId, memberId: member.id };
  const made = await c.var.services.sessions.createOf(origin, subject);
  if (made === null || !isMemberSession(made.session)) throw new StytchError("member_not_found");
  return { session: made.session, token: made.token };
}

async function addTo(
  c: Context<ProjectEnv>,
  { session }: PresentedSession,
  member: MemberId,
  proved: Proved,
  body: LifeAndClaims,
): Promise<PresentedSession["session"]> {
  if (session.memberId !== member.id) throw new StytchError("member_session_member_id_mismatch");
  if (isImpersonated(session.factors)) throw new StytchError("session_not_mutable");
  const { sessions } = c.var.services;
  const changed = await sessions.change(c.var.project, session.id, { ...lifeAndClaimsOf(body), proved });
  if (!isMemberSession(changed)) throw new StytchError("session_not_found");
  return changed;
}
