/**
 * Signing in by the word of a trusted issuer: an ID token or its like, which the caller brings for a profile that it
 * names, or an access token, which says by itself whose it is. Nothing is used up here: that is the session's to do.
 */

import { toBase64Url } from "../crypto/bytes.ts";
import type { Jwt } from "../crypto/jws.ts";
import type { Customer } from "./directory.ts";
import { LatchkeyError } from "./errors.ts";
import type { Factor } from "./factors.ts";
import { type ForeignMembersDependencies, type MemberId, recogniseMember } from "./foreign-members.ts";
import { isMeantFor, readForeignToken, spentKey, verifyForeignToken } from "./foreign-tokens.ts";
import type { IssuerKeys, TrustedIssuerStore } from "./identity-ports.ts";
import type { SessionProof } from "./session.ts";
import { type Claims, type ForeignIdentity, identityIn, type TrustedIssuer, textIn, wrong } from "./trusted-issuers.ts";

/** Without it an access token is for less than everything that its owner may do. */
const FULL_ACCESS = "full_access";

/** A token that its issuer signed for us, at a good time. */
export interface Attestation {
  issuer: TrustedIssuer;
  identity: ForeignIdentity;
  factor: Factor;
}

interface Dependencies extends ForeignMembersDependencies {
  issuers: TrustedIssuerStore;
  issuerKeys: IssuerKeys;
}

export type Attestations = ReturnType<typeof createAttestations>;

export function createAttestations(dependencies: Dependencies) {
  const { issuers, issuerKeys, clock } = dependencies;

  return {
    /**
     * @param issuerId of the profile.
     * @throws {LatchkeyError} issuer_not_found, what verifyForeignToken and identityIn throw, unavailable
     */
    async readToken(organizationId: string, issuerId: string, token: string): Promise<Attestation> {
      const issuer = await issuers.findForAttestation(organizationId, issuerId);
      if (issuer === null) throw new LatchkeyError("issuer_not_found");
      const jwt = readForeignToken(token);
      await verifyForeignToken(jwt, issuer, issuerKeys, clock.now());
      const identity = identityIn(jwt.claims, issuer.claims);
      const { tokenId, email } = identity;
      return { issuer, identity, factor: { kind: "trusted_token", tokenId, email, at: clock.now() } };
    },

    /**
     * @throws {LatchkeyError} access_token_issuer_unknown, access_token_scope_missing, what verifyForeignToken and
     * identityIn throw, unavailable
     */
    async readAccessToken(organizationId: string, token: string): Promise<Attestation> {
      const jwt = readForeignToken(token);
      const { claims } = jwt;
      const issuer = await issuerOf(organizationId, claims);
      await verifyForeignToken(jwt, issuer, issuerKeys, clock.now());
      if (!scopesIn(claims).includes(FULL_ACCESS)) throw new LatchkeyError("access_token_scope_missing");
      const clientId = textIn(claims, "client_id") ?? textIn(claims, "azp");
      if (clientId === null) throw wrong("client_id", "is missing");
      const identity = identityIn(claims, issuer.claims, await digestOf(jwt));
      return { issuer, identity, factor: { kind: "access_token", clientId, email: identity.email, at: clock.now() } };
    },

    /**
     * The member of this customer that is meant, or is to be made with the session, and the proof that it is.
     * @param isNewcomerWelcome whether somebody unknown becomes a member, if the issuer may make members.
     * @throws {LatchkeyError} what recogniseMember throws
     */
    async recognise(
      { issuer, identity }: Attestation,
      customer: Customer,
      isNewcomerWelcome: boolean,
    ): Promise<Recognised> {
      const canMakeMembers = isNewcomerWelcome && issuer.canMakeMembers;
      const found = await recogniseMember(dependencies, customer, identity, canMakeMembers);
      const lookupKey = await spentKey(issuer, identity.tokenId);
      return { member: found.member, proof: { kind: "foreign_token", lookupKey, testimony: found.testimony } };
    },
  };

  /** Of several that an organization trusts under one name, the one whose audience is meant. */
  async function issuerOf(organizationId: string, claims: Claims): Promise<TrustedIssuer> {
    const named = typeof claims["iss"] === "string" ? claims["iss"] : "";
    const candidates = await issuers.listForAccessTokens(organizationId, named);
    const issuer = candidates.find(({ audience }) => isMeantFor(claims, audience)) ?? candidates[0];
    if (issuer === undefined) {
      throw new LatchkeyError("access_token_issuer_unknown", { reason: "no profile for access tokens has its iss" });
    }
    return issuer;
  }
}

interface Recognised {
  member: MemberId;
  proof: SessionProof;
}

/** RFC 9068 §2.2.3, or the list that some servers send. */
function scopesIn({ scope, scp = scope }: Claims): unknown[] {
  return typeof scp === "string" ? scp.split(" ") : Array.isArray(scp) ? scp : [];
}

/**
 * What stands for the id of an access token that has none. Of what was signed, not of the signature: whoever has an
 * ECDSA signature can make another of it.
 */
async function digestOf({ signingInput }: Jwt): Promise<string> {
  return toBase64Url(new Uint8Array(await crypto.subtle.digest("SHA-256", signingInput)));
}
