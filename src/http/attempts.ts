/**
 * Which attempts are counted exactly, and for whom (numbers: src/storage/attempts.ts). Asking for a code and entering
 * one share a count, at the API and on pages; and so do the steps of changing an address.
 */

import { emailKey } from "../core/directory.ts";
import type { LiveSession } from "../core/session.ts";
import type { Asked } from "./callers.ts";
import { clientNetwork } from "./client-address.ts";

/**
 * For whoever asks that a code be mailed, before it is known whether the address is: by network, so that nobody tries
 * one address after another; by mailbox, so that no number of networks can flood it. Together with the customer that is
 * named: requests for a customer that the address has nothing to do with mail nothing, and used up the attempts of the
 * member, who then had no message to sign in with.
 * @throws {LatchkeyError} rate_limited, unavailable
 */
export function countCodeRequest(
  { req, var: { services } }: Asked,
  organizationId: string,
  email: string,
  customerId: string | null,
) {
  const mailbox = ["mailbox", organizationId, emailKey(email), customerId ?? ""] as const;
  return services.attempts.take("sign_in", ["network", clientNetwork(req)], mailbox);
}

/**
 * For whoever enters a code, before it is looked at: by network only. Counted by mailbox as well, a stranger who asks
 * for codes to a member's address would keep the member from entering one that has come; a code has its own limit. Nor
 * is a link counted: nobody guesses one, and it lets in a member whose network has had its attempts.
 * @throws {LatchkeyError} rate_limited, unavailable
 */
export async function countCodeEntry({ req, var: { services } }: Asked, code: string): Promise<void> {
  const isLink = (await services.credentials.verify(code)) !== null;
  if (!isLink) await services.attempts.take("sign_in", ["network", clientNetwork(req)]);
}

/**
 * For a holder who asks for another address, before it is known whether that is free. Counted for the holder as well,
 * since each request mails a stranger.
 * @throws {LatchkeyError} rate_limited, unavailable
 */
export function countAddressChange({ req, var: { services } }: Asked, session: LiveSession, email: string) {
  const { memberId, customerId, organizationId } = session;
  return services.attempts.take(
    "email_change",
    ["network", clientNetwork(req)],
    ["holder", memberId ?? customerId],
    ["mailbox", organizationId, emailKey(email)],
  );
}

/**
 * For whoever brings a link that confirms an address. What is forged, or something else, is not counted: refusing it
 * costs nothing, and counting it would.
 * @throws {LatchkeyError} rate_limited, unavailable
 */
export async function countConfirmation({ req, var: { services } }: Asked, token: string): Promise<void> {
  const credential = await services.credentials.verify(token);
  if (credential?.kind === "cev") await services.attempts.take("email_change", ["network", clientNetwork(req)]);
}
