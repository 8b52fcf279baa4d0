/**
 * Trusted issuers in D1, where operators write them (`npm run admin`). Read anew for each token: one that was removed a
 * moment ago vouches for nobody.
 */

import type { TrustedIssuerStore } from "../core/identity-ports.ts";
import type { TrustedIssuer } from "../core/trusted-issuers.ts";
import type { Database } from "./database.ts";

interface Row {
  id: string;
  organization_id: string;
  purpose: TrustedIssuer["purpose"];
  issuer: string;
  audience: string;
  jwks_url: string | null;
  public_keys: string | null;
  algorithms: string;
  claims: string;
  can_make_members: number;
}

const SELECT = `SELECT id, organization_id, purpose, issuer, audience, jwks_url, public_keys, algorithms, claims,
    can_make_members
  FROM trusted_issuers WHERE organization_id = ?1 AND purpose = ?2 AND revoked_at IS NULL`;
const SELECT_BY_ID = `${SELECT} AND id = ?3`;
const SELECT_BY_ISSUER = `${SELECT} AND issuer = ?3 ORDER BY created_at, id`;

export function createTrustedIssuerStore(database: Database): TrustedIssuerStore {
  return {
    async findForAttestation(organizationId, id) {
      const [row] = await database.read<Row>(SELECT_BY_ID, organizationId, "attest", id);
      return row === undefined ? null : toTrustedIssuer(row);
    },

    async listForAccessTokens(organizationId, issuer) {
      return (await database.read<Row>(SELECT_BY_ISSUER, organizationId, "access_token", issuer)).map(toTrustedIssuer);
    },
  };
}

function toTrustedIssuer(row: Row): TrustedIssuer {
  return {
    id: row.id,
    organizationId: row.organization_id,
    purpose: row.purpose,
    issuer: row.issuer,
    audience: row.audience,
    keys: row.jwks_url === null ? { pems: JSON.parse(row.public_keys ?? "[]") as string[] } : { url: row.jwks_url },
    algorithms: JSON.parse(row.algorithms) as TrustedIssuer["algorithms"],
    claims: JSON.parse(row.claims) as TrustedIssuer["claims"],
    canMakeMembers: row.can_make_members === 1,
  };
}
