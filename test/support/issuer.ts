/** An identity provider as the Worker meets it: keys of its own, the address that publishes them, and signed tokens. */

import { env } from "cloudflare:workers";
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from "jose";
import type { IssuerPurpose, TrustedIssuer } from "../../src/core/trusted-issuers.ts";

export interface IssuerKey {
  alg: string;
  /** As published: with kid, alg and use. */
  jwk: JWK;
  pem: string;
  privateKey: CryptoKey;
}

export const AUDIENCE = "https://portal.test/";

export async function makeIssuerKey(alg = "ES256", kid: string = crypto.randomUUID()): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: "sig" };
  return { alg, jwk, pem: await exportSPKI(publicKey), privateKey };
}

/** Signed by jose, which knows nothing of ours. A member of `header` that is undefined is left out. */
export function signToken(
  key: IssuerKey,
  claims: Record<string, unknown>,
  header: Record<string, unknown> = {},
): Promise<string> {
  const members = { alg: key.alg, kid: key.jwk.kid, typ: "JWT", ...header };
  return new SignJWT(claims).setProtectedHeader(members as { alg: string }).sign(key.privateKey);
}

export const CLAIM_NAMES = {
  email: "email",
  tokenId: "jti",
  customer: "org",
  externalMemberId: "sub",
  roles: "roles",
};

/** A row of `trusted_issuers`. */
export async function trustIssuer(
  organizationId: string,
  settings: {
    purpose?: IssuerPurpose;
    issuer: string;
    keys: TrustedIssuer["keys"];
    algorithms?: string[];
    claims?: Partial<TrustedIssuer["claims"]>;
    canMakeMembers?: boolean;
    audience?: string;
  },
): Promise<string> {
  const id = crypto.randomUUID();
  const { purpose = "attest", issuer, keys, algorithms = ["ES256"], canMakeMembers = false } = settings;
  await env.DB.prepare(
    `INSERT INTO trusted_issuers (id, organization_id, purpose, name, issuer, audience, jwks_url, public_keys, algorithms,
       claims, can_make_members, created_at)
     VALUES (?1, ?2, ?3, 'test', ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1)`,
  )
    .bind(
      id,
      organizationId,
      purpose,
      issuer,
      settings.audience ?? AUDIENCE,
      "url" in keys ? keys.url : null,
      "url" in keys ? null : JSON.stringify(keys.pems),
      JSON.stringify(algorithms),
      JSON.stringify({ ...CLAIM_NAMES, ...settings.claims }),
      canMakeMembers ? 1 : 0,
    )
    .run();
  return id;
}
