/**
 * The use cases of a session: make, recognise, prolong, redeem. Ending and listing are the store's, passed through.
 * Knows tokens and lifetimes; knows no HTTP, no KV, no D1 and no wire names.
 */

import type { Credential, CredentialKind } from "./credentials.ts";
import type { CustomClaims } from "./custom-claims.ts";
import type { Organization } from "./directory.ts";
import { LatchkeyError } from "./errors.ts";
import type { Factor } from "./factors.ts";
import { createIssuing, type IssuingDependencies, type Subject } from "./issuing.ts";
import { lifetimeAt } from "./lifetimes.ts";
import type { OrganizationRef, PortalCodeState, RevocationTarget } from "./ports.ts";
import { requireAllowedReturnUrl } from "./return-url.ts";
import type { CodeDoor, LiveSession, SealedSession, SessionChange, SessionFacts, SessionProof } from "./session.ts";

export interface SessionRequest extends Subject {
  /** As sent and as normalised; null for none. */
  returnUrl: { asTyped: string; href: string } | null;
  /** null for the organization's default. */
  ttlSeconds: number | null;
}

export interface IssuedSession {
  session: LiveSession;
  /** The session token: the only time that it is shown. */
  token: string;
  /** Single-use code for the portal link, or null where the organization's links carry the token itself. */
  code: string | null;
}

/** What a session without a portal link is made of. */
export interface SessionOrigin {
  /** What it uses up, or null. */
  proof: SessionProof | null;
  factors: Factor[];
  /** The address that was proved: its member need not prove it again. */
  provedEmail: string | null;
  /** Epoch ms: the session and every extension of it end then at the latest. */
  until?: number;
  claims?: CustomClaims;
  /** null or absent for the organization's default. */
  ttlSeconds?: number | null;
}

type Proved = Pick<SessionChange, "proved">;

export type Sessions = ReturnType<typeof createSessions>;

export function createSessions(dependencies: IssuingDependencies) {
  const { store, credentials, sealer, clock } = dependencies;
  const issue = createIssuing(dependencies);

  async function verify(token: string, ...kinds: CredentialKind[]): Promise<Credential> {
    const credential = await credentials.verify(token);
    if (credential === null || !kinds.includes(credential.kind)) throw new LatchkeyError("credential_not_live");
    return credential;
  }

  const unsealed = async ({ session, tokenSealed, tokenKey }: SealedSession) => ({
    session,
    token: await sealer.unseal(tokenSealed, session.id, tokenKey),
  });

  return {
    /**
     * Makes a session for a member, or for the customer itself.
     * @throws {LatchkeyError} ttl_out_of_range, return_url_not_allowed, member_not_found or customer_not_found when
     * the subject is unknown, gone or not the organization's, unavailable
     */
    async create(request: SessionRequest): Promise<IssuedSession> {
      const { organization, customerId, memberId, returnUrl } = request;
      if (returnUrl !== null) requireAllowedReturnUrl(returnUrl.asTyped, organization.allowedReturnOrigins);
      const code = organization.portalLink === "code" ? await credentials.mint("code") : null;
      const none = { proof: null, factors: [], provedEmail: null, claims: {}, until: Infinity };
      const made = await issue({ ...request, ...none, returnUrl: returnUrl?.href ?? null, code });
      if (made === null) {
        const facts = { requested: memberId ?? customerId };
        throw new LatchkeyError(memberId === null ? "customer_not_found" : "member_not_found", { facts });
      }
      return { ...made, code: code?.token ?? null };
    },

    /**
     * Makes a session of what was proved; what works once is used up by it.
     * @returns null, and nothing happened: the subject is gone, the proof is not good for it, or somebody was quicker.
     * @throws {LatchkeyError} ttl_out_of_range, custom_claims_too_large, unavailable
     */
    createOf: ({ claims = {}, ttlSeconds = null, until = Infinity, ...origin }: SessionOrigin, subject: Subject) =>
      issue({ ...subject, ...origin, returnUrl: null, ttlSeconds, code: null, claims, until }),

    /**
     * Recognises a session token at the edge: a forged one without any I/O, a live one mostly from cache.
     * @throws {LatchkeyError} credential_not_live, unavailable
     */
    async check(token: string): Promise<SessionFacts> {
      const facts = await store.checkAtEdge((await verify(token, "mst", "cst")).lookupKey);
      if (facts === null) throw new LatchkeyError("credential_not_live");
      return facts;
    },

    /**
     * Recognises a session token against D1: what was ended before this call began is refused.
     * @param admit is asked before D1 is, about a token that is ours; it refuses by throwing.
     * @throws {LatchkeyError} credential_not_live, unavailable
     */
    async checkStrictly(token: string, admit?: (lookupKey: string) => Promise<void>): Promise<LiveSession> {
      const { lookupKey } = await verify(token, "mst", "cst");
      await admit?.(lookupKey);
      const session = await store.checkStrictly(lookupKey);
      if (session === null) throw new LatchkeyError("credential_not_live");
      return session;
    },

    /**
     * The session of this token as D1 knows it; null if it is not live or not this organization's, which is not told
     * apart.
     * @throws {LatchkeyError} unavailable
     */
    async findByToken(organizationId: string, token: string): Promise<LiveSession | null> {
      const credential = await credentials.verify(token);
      const isSession = credential?.kind === "mst" || credential?.kind === "cst";
      return isSession ? store.checkStrictly(credential.lookupKey, organizationId) : null;
    },

    /**
     * A session of the organization, by its id, with its token.
     * @returns null: not live, or not the organization's.
     * @throws {LatchkeyError} unavailable
     */
    async findWithToken(organizationId: string, sessionId: string): Promise<Omit<IssuedSession, "code"> | null> {
      const found = await store.checkById(organizationId, sessionId);
      return found === null ? null : unsealed(found);
    },

    /**
     * Gives the session a new life of `ttlSeconds` from now, clamped to its absolute expiry, and merges claims into
     * those that it has. What is null stays. Polar has no such call: it is here for the dialects that do.
     * @param change.proved something more that was proved, by what works once.
     * @throws {LatchkeyError} ttl_out_of_range, custom_claims_too_large, session_not_found, foreign_token_spent,
     * member_external_id_taken, unavailable
     */
    async change(
      organization: Organization,
      sessionId: string,
      { ttlSeconds, claims, proved }: { ttlSeconds: number | null; claims: CustomClaims | null } & Proved,
    ): Promise<LiveSession> {
      const session = await store.change(organization.id, sessionId, {
        ...(ttlSeconds !== null && { expiresAt: lifetimeAt(clock.now(), organization, ttlSeconds).expiresAt }),
        ...(claims !== null && { claims }),
        ...(proved && { proved }),
      });
      if (session === null) throw new LatchkeyError("session_not_found");
      return session;
    },

    /**
     * Trades a portal code for its session's token, once. Unknown, spent, expired, foreign and wrong-door codes are
     * refused alike, and none of them is consumed by the refusal.
     * @throws {LatchkeyError} code_not_redeemable, unavailable
     */
    async redeem(code: string, door: CodeDoor, organization: OrganizationRef): Promise<Omit<IssuedSession, "code">> {
      const credential = await credentials.verify(code);
      const redeemed =
        credential?.kind === "code" ? await store.redeemCode(credential.lookupKey, door, organization) : null;
      if (redeemed === null) throw new LatchkeyError("code_not_redeemable");
      return unsealed(redeemed);
    },

    /** Whose session a portal code leads to, consuming nothing; null when it leads nowhere any more. */
    async peek(code: string, organization: OrganizationRef): Promise<PortalCodeState | null> {
      const credential = await credentials.verify(code);
      return credential?.kind === "code" ? store.findCode(credential.lookupKey, organization) : null;
    },

    /**
     * Ends all sessions of a member (but one, if asked), of a customer or of the organization.
     * @throws {LatchkeyError} member_not_found, customer_not_found, spared_session_not_found, unavailable
     */
    async revokeAll(organizationId: string, target: RevocationTarget): Promise<void> {
      if (await store.revokeAll(organizationId, target)) return;
      if (target.scope === "member" && target.exceptSessionId !== null) {
        throw new LatchkeyError("spared_session_not_found");
      }
      throw target.scope === "member"
        ? new LatchkeyError("member_not_found", { facts: { requested: target.memberId } })
        : new LatchkeyError("customer_not_found", {
            facts: { requested: target.scope === "customer" ? target.customerId : null },
          });
    },

    find: store.find,
    list: store.list,
    revoke: store.revoke,
    signOut: store.signOut,
  };
}
