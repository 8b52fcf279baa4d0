/**
 * Signing in by e-mail: asking for a code, proving the address with it, and the session that comes of it. Whether an
 * address is known to an organization shows in the mailbox, and nowhere else.
 */

import type { Credentials } from "./credentials.ts";
import { type Customer, emailKey, type Member, type Organization } from "./directory.ts";
import { LatchkeyError } from "./errors.ts";
import type { Outbox } from "./outbox.ts";
import { portalAddress } from "./portal-address.ts";
import type { Clock, OrganizationRef, SignInCode, SignInStore } from "./ports.ts";
import type { IssuedSession, Sessions } from "./sessions.ts";
import { signInMail } from "./sign-in-mail.ts";
import { displayed, parseTypedCode, type TypedCodes } from "./typed-codes.ts";

const CODE_TTL_MINUTES = 30;

/** Whom an address signs in: a member, or, where the organization has no member model, the customer itself. */
export interface SignInPerson {
  customer: Customer;
  member: Member | null;
}

/** What somebody brings to sign in with. */
export interface PresentedCode {
  /** The link's credential, or what was typed. */
  code: string;
  /** A typed code is worth nothing without it. */
  email: string | null;
  /** Where they want to sign in. A typed code is worth nothing without it; a link of another one is refused. */
  organization: OrganizationRef | null;
}

/** An address that was proved, and the one person that it is to sign in. Nothing has been used up. */
export interface SignInProof {
  code: SignInCode;
  person: SignInPerson;
  by: "mailed_link" | "typed_code";
}

interface Dependencies {
  store: SignInStore;
  sessions: Sessions;
  credentials: Credentials;
  typedCodes: TypedCodes;
  outbox: Outbox;
  portalOrigin: string;
  clock: Clock;
}

export type SignIns = ReturnType<typeof createSignIns>;

export function createSignIns(dependencies: Dependencies) {
  const { store, sessions, credentials, typedCodes, outbox, portalOrigin, clock } = dependencies;

  /** Whose code it is; null if nobody's. A link is just looked at; a typed code is counted first. */
  async function recognise({ code, email, organization }: PresentedCode): Promise<SignInCode | null> {
    const credential = await credentials.verify(code);
    if (credential !== null) {
      const found = credential.kind === "login" ? await store.findCode(credential.lookupKey) : null;
      return found !== null && isOf(found.organization, organization) ? found : null;
    }
    const typed = parseTypedCode(code);
    if (typed === null || email === null || organization === null) return null;
    const attempt = await store.countAttempt(organization, emailKey(email));
    if (attempt === null || !(await typedCodes.matches(typed, attempt))) return null;
    return store.forgiveAttempt(attempt.lookupKey);
  }

  return {
    isPossible: outbox.isSetUp,
    requireMail: outbox.requireSetUp,

    /**
     * Sends a link and a code to the address, after the answer, if it can sign in at all; does the same work if it
     * cannot. The message goes to the address as it is compared, not as it was typed or stored: two spellings that
     * compare equal may be two mailboxes, and the code is good for whatever compares equal.
     * @param customerId whom to sign in for; null leaves the choice to whoever proves the address.
     * @throws {LatchkeyError} unavailable; customer_selection_required where the organization has that told at once
     */
    async ask(organization: Organization, email: string, customerId: string | null): Promise<void> {
      const address = emailKey(email);
      const [people, link] = await Promise.all([
        store.findPeople(organization, address, customerId),
        credentials.mint("login"),
      ]);
      if (people.length > 1 && organization.loginPicker === "polar") throw selectionRequired(people);
      const scope = { organizationId: organization.id, emailKey: address };
      const typed = await typedCodes.mint(scope);
      const createdAt = clock.now();
      const isKnown = people.length > 0;
      await store.addCode(
        {
          ...scope,
          lookupKey: link.lookupKey,
          tokenKey: typed.tokenKey,
          mac: typed.mac,
          customerId,
          createdAt,
          expiresAt: createdAt + CODE_TTL_MINUTES * 60_000,
        },
        isKnown,
      );
      if (!isKnown) return;
      const mail = signInMail({
        to: address,
        organization,
        code: displayed(typed.code),
        link: `${portalAddress(portalOrigin, organization)}?code=${link.token}`,
        minutes: CODE_TTL_MINUTES,
      });
      outbox.send(organization.id, mail);
    },

    /**
     * Finds out whom a code signs in, using nothing up.
     * @param customerId the choice, where the address belongs to several customers.
     * @throws {LatchkeyError} sign_in_code_invalid, customer_selection_required, unavailable
     */
    async prove(presented: PresentedCode, customerId: string | null): Promise<SignInProof> {
      const code = await recognise(presented);
      const isContrary = customerId !== null && (code?.customerId ?? customerId) !== customerId;
      if (code === null || isContrary) throw new LatchkeyError("sign_in_code_invalid");
      const people = await store.findPeople(code.organization, code.emailKey, code.customerId ?? customerId);
      const [person, ...others] = people;
      if (person === undefined) throw new LatchkeyError("sign_in_code_invalid");
      if (others.length > 0) throw selectionRequired(people);
      const by = credentials.claimedKind(presented.code) === "login" ? "mailed_link" : "typed_code";
      return { code, person, by };
    },

    /**
     * Uses the code up and makes the session, or neither.
     * @throws {LatchkeyError} sign_in_code_invalid, unavailable
     */
    async complete({ code, person, by }: SignInProof): Promise<Omit<IssuedSession, "code">> {
      const { organization, lookupKey, emailKey: email } = code;
      const subject = { organization, customerId: person.customer.id, memberId: person.member?.id ?? null };
      const proof = { kind: "sign_in_code", lookupKey } as const;
      const origin = { proof, factors: [{ kind: by, email, at: clock.now() }], provedEmail: email };
      const made = await sessions.createOf(origin, subject);
      if (made === null) throw new LatchkeyError("sign_in_code_invalid");
      return made;
    },

    /** Whether this very session was made of the link: then following it again is no mistake. */
    async hasMade(link: string, sessionId: string): Promise<boolean> {
      const credential = await credentials.verify(link);
      return credential?.kind === "login" && (await store.wasUsedBy(credential.lookupKey, sessionId));
    },
  };
}

function isOf(organization: Organization, wanted: OrganizationRef | null): boolean {
  if (wanted === null) return true;
  return "id" in wanted ? organization.id === wanted.id : organization.slug === wanted.slug;
}

function selectionRequired(people: SignInPerson[]): LatchkeyError {
  const customers = people.map(({ customer: { id, name } }) => ({ id, name }));
  return new LatchkeyError("customer_selection_required", { facts: { customers } });
}
