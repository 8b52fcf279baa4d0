/**
 * The network that a request comes from, as the one name under which it is counted. Cloudflare sets CF-Connecting-IP
 * and lets nobody else set it (`wrangler dev` fills it in with the local client's); no other header is looked at.
 */

import type { HonoRequest } from "hono";

/** Whoever has no address that we understand shares one name, and so one allowance, with all the others like that. */
const UNKNOWN = "unknown";
const IPV4_MAPPED = /^0:0:0:0:0:ffff:/;

/** An IPv4 address, or the /64 of an IPv6 address: its holder can choose among 2^64 of them for each request. */
export function clientNetwork(request: HonoRequest): string {
  return networkOf(request.header("CF-Connecting-IP") ?? "");
}

/** The same for every spelling of an address (RFC 5952 §1 lists how many one has). */
export function networkOf(address: string): string {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(address)) return address;
  const url = `http://[${address}]/`;
  if (!/^[\da-f:.]+$/i.test(address) || !URL.canParse(url)) return UNKNOWN;
  const groups = eightGroups(new URL(url).hostname.slice(1, -1));
  if (IPV4_MAPPED.test(groups.join(":"))) return dotted(groups.slice(6));
  return `${groups.slice(0, 4).join(":")}::/64`;
}

/** @param compressed lower-case, without leading zeros and without a dotted end, as URLs write it. */
function eightGroups(compressed: string): string[] {
  const [head = [], tail = []] = compressed.split("::").map((half) => half.split(":").filter(Boolean));
  return [...head, ...Array<string>(8 - head.length - tail.length).fill("0"), ...tail];
}

function dotted(groups: string[]): string {
  return groups
    .map((group) => Number.parseInt(group, 16))
    .map((n) => `${n >> 8}.${n & 255}`)
    .join(".");
}
