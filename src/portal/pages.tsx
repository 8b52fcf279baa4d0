/**
 * The portal's pages: plain HTML, no script, readable on a phone. They show names and never a token; whatever came
 * from outside is escaped by JSX.
 */

import type { Child } from "hono/jsx";
import type { LiveSession } from "../core/session.ts";
import { STYLE } from "./style.ts";

function Page({ title, children }: { title: string; children?: Child }) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>{title}</title>
        <style dangerouslySetInnerHTML={{ __html: STYLE }} />
      </head>
      <body>
        <main>
          <h1>{title}</h1>
          {children}
        </main>
      </body>
    </html>
  );
}

export function PortalPage({ session }: { session: LiveSession }) {
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
      <form method="post" action={`/${organization.slug}/portal/sign-out`}>
        <button type="submit">Sign out</button>
      </form>
    </Page>
  );
}

export function SignedOutPage({ organization }: { organization: string }) {
  return (
    <Page title="You are not signed in">
      <p>Your session at {organization} has ended, or this browser has none. Nothing is lost.</p>
      <p>To sign in, open the portal again from {organization}: you will get a fresh link there.</p>
    </Page>
  );
}

interface DeadLinkProps {
  organization: string;
  slug: string;
  /** Who is signed in all the same, by an earlier link. */
  session: LiveSession | null;
}

export function DeadLinkPage({ organization, slug, session }: DeadLinkProps) {
  return (
    <Page title="This link no longer works">
      <p>
        Sign-in links from {organization} work once and for a short time only. This one has been used already, or its
        time is over.
      </p>
      {session === null ? (
        <p>To sign in, open the portal again from {organization}: you will get a fresh link there.</p>
      ) : (
        <p>
          You are still signed in as {personOf(session)}. <a href={`/${slug}/portal`}>Go to the portal</a>
        </p>
      )}
    </Page>
  );
}

/** What the Continue button sends: the code, or a token parameter under its own name. */
interface Continuation {
  slug: string;
  field: string;
  value: string;
}

function ContinueForm({ slug, field, value, label }: Continuation & { label: string }) {
  return (
    <form method="post" action={`/${slug}/portal`}>
      <input type="hidden" name={field} value={value} />
      <button type="submit">{label}</button>
    </form>
  );
}

export function ContinuePage({ continuation }: { continuation: Continuation }) {
  return (
    <Page title="Sign in">
      <p>Continue to the customer portal.</p>
      <ContinueForm {...continuation} label="Continue" />
    </Page>
  );
}

interface SwitchProps {
  current: LiveSession;
  next: LiveSession;
  continuation: Continuation;
}

export function SwitchPage({ current, next, continuation }: SwitchProps) {
  return (
    <Page title="Switch to another person?">
      <p>
        You are signed in as <strong id="current">{personOf(current)}</strong> for {customerOf(current)}. This link
        signs in <strong id="next">{personOf(next)}</strong> for {customerOf(next)}.
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

function personOf({ member, customer }: LiveSession): string {
  if (member === null) return customer.name ?? customer.email ?? customer.id;
  return member.name === null ? member.email : `${member.name} (${member.email})`;
}

function customerOf({ customer }: LiveSession): string {
  return customer.name ?? customer.billingName ?? customer.email ?? customer.id;
}
