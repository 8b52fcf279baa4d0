/**
 * The one way in which this Worker writes to people: plain text through the `send_email` binding. Messages hold
 * credentials, so nothing of a message but the fact of its failure may reach the log.
 */

import type { Mailer } from "./core/ports.ts";

/** @param sender the address that the binding may send from; null where mail has not been set up. */
export function createMailer(binding: SendEmail, sender: string | null): Mailer {
  return {
    isSetUp: sender !== null,
    async send({ to, subject, text }) {
      if (sender === null) throw new Error("mail is not set up: MAIL_FROM is empty");
      await binding.send({ from: sender, to, subject, text });
    },
  };
}
