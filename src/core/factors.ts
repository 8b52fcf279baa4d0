/**
 * What was proved to get a session. A session that a backend asked for has none: nobody proved anything to us, the
 * backend said whose it is.
 */

/** `at`: when, epoch milliseconds. */
export type Factor = { at: number } & (
  | { kind: "mailed_link" | "typed_code"; email: string }
  /** A token of a trusted issuer; `tokenId` is its own id. */
  | { kind: "trusted_token"; tokenId: string }
  /** The session of an earlier identity provider. */
  | { kind: "imported" }
  /** An access token of a trusted authorization server. */
  | { kind: "access_token"; clientId: string }
  /** Nothing: an operator acts as the member. */
  | { kind: "impersonation"; impersonatorId: string; impersonatorEmail: string }
);

/** An impersonator gets one hour and what the member may do, and changes nothing about the session itself. */
export function isImpersonated(factors: readonly Factor[]): boolean {
  return factors.some(({ kind }) => kind === "impersonation");
}
