/**
 * Reading `Authorization: Bearer …` (RFC 6750 §2.1). Tokens in a query or a form are not looked at.
 */

/** The credential, or null when there is none or it is of another scheme. The scheme's case does not matter. */
export function bearerToken(authorization: string | undefined): string | null {
  return /^bearer +([\x21-\x7e]+) *$/i.exec(authorization ?? "")?.[1] ?? null;
}
