/**
 * The two messages of an e-mail change, in plain text: the link to the new address, and word of it to the old one.
 */

import { oneLine } from "./outbox.ts";
import type { Mail } from "./ports.ts";

interface EmailChangeMail {
  /** The organization's name. */
  name: string;
  from: string | null;
  to: string;
}

export function confirmationMail({ name, to }: EmailChangeMail, link: string, minutes: number): Mail {
  const organization = oneLine(name);
  return {
    to,
    subject: `Confirm your new e-mail address for ${organization}`,
    text: `${organization} was asked to use this address for a customer's account from now on. To confirm it, open this link within ${minutes} minutes:

${link}

If it was not you, ignore this message, and nothing changes.
`,
  };
}

/** Carries no credential: the old mailbox may be why the address is being changed. null where there is none. */
export function noticeMail({ name, from, to }: EmailChangeMail): Mail | null {
  if (from === null) return null;
  const organization = oneLine(name);
  return {
    to: from,
    subject: `Your e-mail address at ${organization} is about to change`,
    text: `Somebody who is signed in to your account at ${organization} has asked to change its e-mail address from ${from} to ${to}. It changes as soon as the link that was sent there is confirmed.

If it was not you, tell ${organization} at once: ending your sessions there stops the change.
`,
  };
}
