/**
 * The public keys of trusted issuers, where they publish them as a JSON Web Key Set (RFC 7517 §5).
 */

import * as z from "zod/mini";
import type { IssuerKeys } from "./core/identity-ports.ts";
import { findJwk } from "./crypto/jwk.ts";
import { createPublishedKeys, type Surroundings } from "./published-keys.ts";

const BELIEVED_MS = 600_000;

/** Members that we cannot use are passed over, not held against the others. */
const KeySet = z.object({ keys: z.array(z.looseObject({ kid: z.optional(z.unknown()) })) });

export type IssuerKeySet = z.infer<typeof KeySet>["keys"];

export function createIssuerKeys(surroundings: Surroundings<IssuerKeySet>): IssuerKeys {
  const kind = { parse: (json: unknown) => KeySet.parse(json).keys, believedMs: BELIEVED_MS };
  const published = createPublishedKeys<IssuerKeySet>(kind, surroundings);
  return {
    async find(url, header) {
      const isNamed = (keys: IssuerKeySet) => header.kid === undefined || keys.some(({ kid }) => kid === header.kid);
      return findJwk(await published.read(url, isNamed), header);
    },
  };
}
