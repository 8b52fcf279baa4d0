/**
 * What was proved to get a session. A session that a backend asked for has none: nobody proved anything to us, the
 * backend said whose it is.
 */

import { emailKey } from "./directory.ts";

/** `at`: when, epoch milliseconds; `email`: the address that it proved. */
export type Factor = { at: number } & (
  | { kind: "mailed_link" | "typed_code"; email: string }
  /** A token of a trusted issuer; `tokenId` is its own id. */
  | { kind: "trusted_token"; tokenId: string; email: string }
  /** The session of an earlier identity provider. */
  | { kind: "imported"; email: string }
  /** An access token of a trusted authorization server. */
  | { kind: "access_token"; clientId: string; email: string }
  /** Nothing: an operator acts as the member. */
  | { kind: "impersonation"; impersonatorId: string; impersonatorEmail: string }
);

/**
 * Whether somebody proved to read this address to get this very session. That the member has proved it at some time says
 * nothing here: a session may be older than that, from when the address was another.
 */
export function prove(factors: readonly Factor[], email: string): boolean {
  return factors.some((factor) => "email" in factor && emailKey(factor.email) === emailKey(email));
}

/** An impersonator gets one hour and what the member may do, and changes nothing about the session itself. */
export function isImpersonated(factors: readonly Factor[]): boolean {
  return factors.some(({ kind }) => kind === "impersonation");
}
