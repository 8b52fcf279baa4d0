/**
 * The portal's pages: plain HTML, no script, readable on a phone. They show names and never a token; whatever came
 * from outside is escaped by JSX.
 */

import type { LiveSession } from "../core/session.ts";
import type { SignInPerson } from "../core/sign-in.ts";
import { customerOf, HiddenFields, Page, personOf } from "./page.tsx";
import { SignInByMail, type SignInOffer } from "./sign-in-pages.tsx";

interface PortalProps {
  session: LiveSession;
  /** Whether it may ask for another e-mail address. */
  mayChangeEmail: boolean;
}

export function PortalPage({ session, mayChangeEmail }: PortalProps) {
  const { organization, member, returnUrl } = session;
  return (
    <Page title={`${organization.name} customer portal`}>
      <dl>
        <dt>Signed in as</dt>
        <dd id="identity">{personOf(session)}</dd>
        <dt>For</dt>
        <dd id="customer">{customerOf(session)}</dd>
        {member && <dt>Role</dt>}
        {member && <dd id="role">{member.role.replace("_", " ")}</dd>}
      </dl>
      {returnUrl !== null && (
        <p>
          <a id="back" href={returnUrl} rel="noreferrer">
            Back to {new URL(returnUrl).host}
          </a>
        </p>
      )}
      {mayChangeEmail && (
        <p>
          <a href={`/${organization.slug}/portal/change-email`}>Change e-mail address</a>
        </p>
      )}
      <form method="post" action={`/${organization.slug}/portal/sign-out`}>
        <button type="submit">Sign out</button>
      </form>
    </Page>
  );
}

interface SignedOutProps {
  organization: string;
  /** null where this Worker sends no mail. */
  offer: SignInOffer | null;
}

export function SignedOutPage({ organization, offer }: SignedOutProps) {
  return (
    <Page title="You are not signed in">
      <p>Your session at {organization} has ended, or this browser has none. Nothing is lost.</p>
      <p>To sign in, open the portal again from {organization}: you will get a fresh link there.</p>
      {offer && <SignInByMail {...offer} />}
    </Page>
  );
}

interface DeadLinkProps extends SignedOutProps {
  slug: string;
  /** Who is signed in all the same, by an earlier link. */
  session: LiveSession | null;
}

export function DeadLinkPage({ organization, slug, session, offer }: DeadLinkProps) {
  return (
    <Page title="This link no longer works">
      <p>
        Sign-in links from {organization} work once and for a short time only. This one has been used already, or its
        time is over.
      </p>
      {session === null ? (
        <>
          <p>To sign in, open the portal again from {organization}: you will get a fresh link there.</p>
          {offer && <SignInByMail {...offer} />}
        </>
      ) : (
        <p>
          You are still signed in as {personOf(session)}. <a href={`/${slug}/portal`}>Go to the portal</a>
        </p>
      )}
    </Page>
  );
}

/** What the Continue button sends, and where: the code, or a token parameter under its own name. */
export interface Continuation {
  slug: string;
  action: string;
  fields: Record<string, string>;
}

function ContinueForm({ action, fields, label }: Continuation & { label: string }) {
  return (
    <form method="post" action={action}>
      <HiddenFields fields={fields} />
      <button type="submit">{label}</button>
    </form>
  );
}

interface ContinueProps {
  /** Who will be signed in; null where the page does not say. */
  next: SignInPerson | null;
  continuation: Continuation;
}

export function ContinuePage({ next, continuation }: ContinueProps) {
  return (
    <Page title="Sign in">
      {next === null ? (
        <p>Continue to the customer portal.</p>
      ) : (
        <p>
          Continue to the customer portal as <strong id="next">{personOf(next)}</strong> for {customerOf(next)}.
        </p>
      )}
      <ContinueForm {...continuation} label="Continue" />
    </Page>
  );
}

interface SwitchProps {
  current: SignInPerson;
  next: SignInPerson;
  continuation: Continuation;
}

export function SwitchPage({ current, next, continuation }: SwitchProps) {
  return (
    <Page title="Switch to another person?">
      <p>
        You are signed in as <strong id="current">{personOf(current)}</strong> for {customerOf(current)}. To continue is
        to sign in as <strong id="next">{personOf(next)}</strong> for {customerOf(next)}.
      </p>
      <ContinueForm {...continuation} label={`Continue as ${personOf(next)}`} />
      <p>
        <a href={`/${continuation.slug}/portal`}>Stay signed in as {personOf(current)}</a>
      </p>
    </Page>
  );
}

export function MessagePage({ title, message }: { title: string; message: string }) {
  return (
    <Page title={title}>
      <p>{message}</p>
    </Page>
  );
}
