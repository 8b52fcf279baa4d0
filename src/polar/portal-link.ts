/**
 * The URL that a member's browser follows. It starts at the organization's own application or at our portal, never at
 * a host that a request named, and carries a single-use code, or, in Polar's exact form, the token.
 */

import type { Organization } from "../core/directory.ts";
import { portalAddress } from "../core/portal-address.ts";
import type { IssuedSession } from "../core/sessions.ts";

/** Where an organization's members are at home: its own application, else the portal that this Worker serves. */
export function portalHome(organization: Organization, portalOrigin: string): string {
  return organization.portalUrl ?? portalAddress(portalOrigin, organization);
}

/**
 * Query order and form encoding are Polar's: clients compare these URLs as text.
 * @param organization as it was when the code's door was chosen: a setting changed meanwhile must not part the two.
 */
export function portalLink(
  { session, token, code }: IssuedSession,
  organization: Organization,
  portalOrigin: string,
  parameter: "member_session_token" | "customer_session_token",
) {
  const { member, customer } = session;
  const url = new URL(portalHome(organization, portalOrigin));
  if (code !== null) {
    url.searchParams.append("code", code);
    return url.href;
  }
  url.searchParams.append(parameter, token);
  const email = member?.email ?? customer.email;
  if (email !== null) url.searchParams.append("email", email);
  return url.href;
}
