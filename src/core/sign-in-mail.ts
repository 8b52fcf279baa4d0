/**
 * The message that a member gets who asked to sign in: a link and a code, each good for the same, in plain text.
 */

import type { Organization } from "./directory.ts";
import { oneLine } from "./outbox.ts";
import type { Mail } from "./ports.ts";

interface SignInMail {
  to: string;
  organization: Organization;
  /** As it is to be read. */
  code: string;
  link: string;
  minutes: number;
}

export function signInMail({ to, organization, code, link, minutes }: SignInMail): Mail {
  const name = oneLine(organization.name);
  return {
    to,
    subject: `Sign in to ${name}`,
    text: `Somebody, probably you, wants to sign in to the customer portal of ${name} with this address.

Open this link to sign in:

${link}

Or type this code where you were asked for it:

${code}

You can use one of them, once, within ${minutes} minutes. A newer message replaces this one.

If it was not you, ignore this message: without it nobody can sign in. Do not pass the code on.
`,
  };
}
