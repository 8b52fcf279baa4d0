/**
 * A session on its way into storage, whoever asks for it: its token, its lifetime, and what it is made of.
 */

import type { Credential, Credentials } from "./credentials.ts";
import { type CustomClaims, firstClaims } from "./custom-claims.ts";
import type { Organization } from "./directory.ts";
import { type Factor, isImpersonated } from "./factors.ts";
import { lifetimeAt } from "./lifetimes.ts";
import type { Clock, SessionStore } from "./ports.ts";
import type { TokenSealer } from "./sealed-token.ts";
import type { LiveSession, SessionDraft, SessionProof } from "./session.ts";

export interface IssuingDependencies {
  store: SessionStore;
  credentials: Credentials;
  sealer: TokenSealer;
  clock: Clock;
}

/** Whose session it is to be. */
export interface Subject {
  organization: Organization;
  /** null: the member's own. */
  customerId: string | null;
  /** null makes a customer session. */
  memberId: string | null;
}

interface Issue extends Subject {
  /** Normalised; null for none. */
  returnUrl: string | null;
  /** null for the organization's default. */
  ttlSeconds: number | null;
  /** For the portal link, if it is to carry one. */
  code: Credential | null;
  proof: SessionProof | null;
  factors: Factor[];
  /** The address that was proved, or null. */
  provedEmail: string | null;
  claims: CustomClaims;
  /** Epoch ms, or Infinity: the end of whatever it is made of. */
  until: number;
}

export function createIssuing({ store, credentials, sealer, clock }: IssuingDependencies) {
  /**
   * @returns null: the store would not have it.
   * @throws {LatchkeyError} ttl_out_of_range, custom_claims_too_large, unavailable
   */
  return async function issue(asked: Issue): Promise<{ session: LiveSession; token: string } | null> {
    const { organization, customerId, memberId, returnUrl, code, proof, factors, provedEmail } = asked;
    const createdAt = clock.now();
    const lifetime = lifetimeAt(createdAt, organization, asked.ttlSeconds);
    const expiresAt = Math.min(lifetime.expiresAt, asked.until);
    const id = crypto.randomUUID();
    const { token, lookupKey, tokenKey } = await credentials.mint(memberId === null ? "cst" : "mst");
    const draft: SessionDraft = {
      id,
      lookupKey,
      tokenKey,
      tokenSealed: await sealer.seal(token, id, tokenKey),
      kind: memberId === null ? "customer" : "member",
      organizationId: organization.id,
      customerId,
      memberId,
      returnUrl,
      createdAt,
      expiresAt,
      absoluteExpiresAt: isImpersonated(factors) ? expiresAt : Math.min(lifetime.absoluteExpiresAt, asked.until),
      code: code && {
        lookupKey: code.lookupKey,
        tokenKey: code.tokenKey,
        door: organization.portalUrl === null ? "browser" : "backend",
        expiresAt: Math.min(createdAt + organization.portalCodeTtlSeconds * 1000, expiresAt),
      },
      proof,
      factors,
      provedEmail,
      claims: firstClaims(asked.claims),
    };
    const session = await store.insert(draft);
    return session && { session, token };
  };
}
