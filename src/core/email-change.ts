/**
 * A customer's own change of its e-mail address: asked for by whoever is signed in, done by whoever reads mail at the
 * new address. Whether the address is somebody else's is told only to the latter.
 */

import type { Credentials } from "./credentials.ts";
import { emailKey } from "./directory.ts";
import { confirmationMail, noticeMail } from "./email-change-mail.ts";
import { LatchkeyError } from "./errors.ts";
import { isImpersonated } from "./factors.ts";
import { isManager } from "./member-roles.ts";
import type { Outbox } from "./outbox.ts";
import { portalAddress } from "./portal-address.ts";
import type { Clock, EmailChange, EmailChangeStore } from "./ports.ts";
import type { LiveSession } from "./session.ts";
import type { IssuedSession, Sessions } from "./sessions.ts";

const LIFE_MINUTES = 30;

interface Dependencies {
  store: EmailChangeStore;
  sessions: Sessions;
  credentials: Credentials;
  outbox: Outbox;
  /** Where the portal's pages are: scheme, host and port. */
  portalOrigin: string;
  clock: Clock;
}

export type EmailChanges = ReturnType<typeof createEmailChanges>;

export function createEmailChanges({ store, sessions, credentials, outbox, portalOrigin, clock }: Dependencies) {
  async function lookupKeyOf(token: string): Promise<string> {
    const credential = await credentials.verify(token);
    if (credential?.kind !== "cev") throw new LatchkeyError("email_change_not_live");
    return credential.lookupKey;
  }

  async function find(lookupKey: string, slug: string | undefined): Promise<EmailChange> {
    const change = await store.find(lookupKey);
    const isOurs = change !== null && (slug === undefined || slug === change.organization.slug);
    if (!isOurs) throw new LatchkeyError("email_change_not_live");
    return change;
  }

  return {
    /** Whether this session's holder may ask for a change. */
    isOpenTo: ({ customer, organization, role, factors }: LiveSession): boolean =>
      outbox.isSetUp &&
      !isImpersonated(factors) &&
      organization.allowEmailChange &&
      customer.type === "individual" &&
      (role === null || isManager(role)),

    /**
     * Writes to the new address a link that confirms it, and to the old one that this has been asked for. An earlier
     * request of the same customer ends.
     * @param session whose role may act for the customer; that is its caller's to see to.
     * @throws {LatchkeyError} email_change_not_allowed, email_of_team, email_unchanged, credential_not_live when the
     * session has ended meanwhile, unavailable
     */
    async ask(session: LiveSession, email: string): Promise<void> {
      const { customer, organization } = session;
      requireChangeable(session, email);
      outbox.requireSetUp();
      const { token, lookupKey, tokenKey } = await credentials.mint("cev");
      const createdAt = clock.now();
      const expiresAt = createdAt + LIFE_MINUTES * 60_000;
      const asked = await store.ask(session, { lookupKey, tokenKey, email, createdAt, expiresAt });
      if (!asked) throw new LatchkeyError("credential_not_live");
      const link = `${portalAddress(portalOrigin, organization)}/verify-email?token=${token}`;
      const change = { name: organization.name, from: customer.email, to: email };
      outbox.send(organization.id, confirmationMail(change, link, LIFE_MINUTES));
      const notice = noticeMail(change);
      if (notice !== null) outbox.send(organization.id, notice);
    },

    /**
     * What a link would change, consuming nothing.
     * @param slug of the organization whose portal the link leads to; left out where it leads to none.
     * @throws {LatchkeyError} email_change_not_live, unavailable
     */
    peek: async (token: string, slug?: string): Promise<EmailChange> => find(await lookupKeyOf(token), slug),

    /**
     * Gives the customer its new address, proven now, and a customer session. Other sessions live on.
     * @param slug as in `peek`.
     * @throws {LatchkeyError} email_change_not_live, email_taken (the link stays good), unavailable
     */
    async confirm(token: string, slug?: string): Promise<Omit<IssuedSession, "code">> {
      const lookupKey = await lookupKeyOf(token);
      const { organization, customerId, email } = await find(lookupKey, slug);
      const origin = {
        proof: { kind: "email_change", lookupKey } as const,
        factors: [{ kind: "mailed_link", email, at: clock.now() } as const],
        provedEmail: email,
      };
      const made = await sessions.createOf(origin, { organization, customerId, memberId: null });
      if (made === null) throw new LatchkeyError("email_change_not_live");
      return made;
    },
  };
}

/** Whoever confirms a change is signed in: an impersonator would be, and no longer as one, for as long as it likes. */
function requireChangeable({ customer, organization, factors }: LiveSession, email: string): void {
  const facts = { requested: email };
  if (!organization.allowEmailChange || isImpersonated(factors)) throw new LatchkeyError("email_change_not_allowed");
  if (customer.type === "team") throw new LatchkeyError("email_of_team", { facts });
  if (customer.email !== null && emailKey(customer.email) === emailKey(email)) {
    throw new LatchkeyError("email_unchanged", { facts });
  }
}
