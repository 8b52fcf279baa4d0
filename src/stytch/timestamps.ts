/** Times in this dialect: RFC 3339 in UTC, in whole seconds, as in JWTs, so that both tell the same of a session. */

export function rfc3339(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
