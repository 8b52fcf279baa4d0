/**
 * Sessions of an earlier identity provider: whoever brings one of its bearer tokens is whom its UserInfo endpoint
 * (OpenID Connect Core §5.3) says. A member by that address must be there already.
 */

import type { Organization } from "./directory.ts";
import { parseEmail } from "./email-address.ts";
import { LatchkeyError } from "./errors.ts";
import type { Outside } from "./identity-ports.ts";

/**
 * @param token printable ASCII.
 * @returns the address of whoever the token is of; the provider has not said that it is unverified.
 * @throws {LatchkeyError} userinfo_not_set_up, outside_url_refused, outside_answer_unusable, unavailable
 */
export async function addressByUserinfo(outside: Outside, organization: Organization, token: string): Promise<string> {
  if (organization.userinfoUrl === null) throw new LatchkeyError("userinfo_not_set_up");
  const answer = await outside.getJson(organization.userinfoUrl, { Authorization: `Bearer ${token}` });
  const { email, email_verified: isVerified = true } = (answer ?? {}) as Record<string, unknown>;
  const parsed = typeof email === "string" ? parseEmail(email) : null;
  if (parsed === null || !("address" in parsed)) throw unusable("it names no e-mail address");
  if (isVerified !== true && isVerified !== "true") throw unusable("it says that the address is not verified");
  return parsed.address;
}

const unusable = (reason: string) => new LatchkeyError("outside_answer_unusable", { reason });
