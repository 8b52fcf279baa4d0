/**
 * Which addresses outside this Worker may be asked for something. An organization's settings name them, so none may
 * lead to what only the platform's own machines can see. Where a name leads is decided by DNS, out of our sight.
 */

/** Names that mean something within one network only (RFC 6761, 6762, 8375, and ICANN's reserved "internal"). */
const WITHIN_A_NETWORK = /(^|\.)(localhost|local|internal|arpa)$/;
/** As URLs write addresses, whatever notation they were given in. */
const NUMERIC = /^(\[.*\]|\d+(\.\d+){3})$/;

/**
 * @param allowsLoopback true in development: http and https on loopback are allowed too.
 * @throws {Error} that says how such an address must look.
 */
export function readOutsideUrl(text: string, allowsLoopback: boolean): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isLocal = url !== null && allowsLoopback && isOnLoopback(url);
  if (url === null || !(url.protocol === "https:" || (isLocal && url.protocol === "http:"))) {
    throw new Error("must be an https URL (http only on loopback, while PORTAL_ORIGIN is there too)");
  }
  if (url.username !== "" || url.password !== "") throw new Error("must have no user name or password");
  const host = url.hostname.replace(/\.$/, "");
  const isPublic = host.includes(".") && !NUMERIC.test(host) && !WITHIN_A_NETWORK.test(host);
  if (!isPublic && !isLocal) throw new Error("must be on a host with a public name, not on a numeric or local address");
  return url;
}

export function isOnLoopback({ hostname }: URL): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname);
}
