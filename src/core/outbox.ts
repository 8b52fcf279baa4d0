/**
 * Mail on its way out. It leaves after the answer, so that the answer's time does not tell whether there was anybody to
 * write to. Of what could not be sent, the log learns that, and the mail service's word for it.
 */

import { LatchkeyError } from "./errors.ts";
import type { Log, Mail, Mailer } from "./ports.ts";

export type Outbox = ReturnType<typeof createOutbox>;

interface Dependencies {
  mailer: Mailer;
  waitUntil(work: Promise<unknown>): void;
  log: Log;
}

export function createOutbox({ mailer, waitUntil, log }: Dependencies) {
  return {
    isSetUp: mailer.isSetUp,

    /** @throws {LatchkeyError} unavailable, where mail is not set up: then nobody may be promised a message. */
    requireSetUp(): void {
      if (!mailer.isSetUp) throw new LatchkeyError("unavailable", { reason: "mail is not set up: MAIL_FROM is empty" });
    },

    send(organizationId: string, mail: Mail): void {
      waitUntil(
        mailer.send(mail).catch((error: unknown) => {
          log.error("mail_failed", { organizationId, reason: reasonOf(error) });
        }),
      );
    },
  };
}

/** The mail service's own word for what went wrong. Its message may repeat the address, so it is not for the log. */
function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && /^\w{1,60}$/.test(code) ? code : "the mail service gave no code";
}

/** An organization's name in a message. Merchants choose it: it must not end a header, nor look like our text. */
export function oneLine(name: string): string {
  const characters = [...name.replace(/[\p{Cc}\s]+/gu, " ").trim()];
  return characters.slice(0, 100).join("");
}
