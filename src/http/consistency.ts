/**
 * `Session-Consistency: strict`: any API call may ask that sessions be recognised by D1 alone.
 */
export function asksForStrict(header: string | undefined): boolean {
  return header?.trim().toLowerCase() === "strict";
}
