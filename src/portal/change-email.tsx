/**
 * Asking for another e-mail address: one field, and a message to the address that was typed there. Nothing changes
 * before the link in it is confirmed (verify-email.tsx).
 */

import type { Context } from "hono";
import { Hono } from "hono/quick";
import { parseEmail } from "../core/email-address.ts";
import { LatchkeyError } from "../core/errors.ts";
import type { LiveSession } from "../core/session.ts";
import { countAddressChange } from "../http/attempts.ts";
import type { AppEnv } from "../http/env.ts";
import { UnknownPage } from "./errors.tsx";
import { textFields } from "./form.ts";
import { Page } from "./page.tsx";
import { sameOriginOnly } from "./same-origin.ts";
import { show, toPortal } from "./show.tsx";
import { signedIn } from "./signed-in.ts";

const PATH = "/:slug/portal/change-email";

export const changeEmail = new Hono<AppEnv>();

changeEmail.get(PATH, async (c) => {
  const session = await entitled(c, c.req.param("slug"));
  return session === null ? toPortal(c, c.req.param("slug")) : show(c, <ChangeEmailPage session={session} />);
});

changeEmail.post(PATH, sameOriginOnly, async (c) => {
  const session = await entitled(c, c.req.param("slug"));
  if (session === null) return toPortal(c, c.req.param("slug"));
  const { email = "" } = await textFields(c);
  const parsed = parseEmail(email);
  if ("reason" in parsed) return show(c, <ChangeEmailPage session={session} problem={parsed.reason} />, 422);
  const { address } = parsed;
  await countAddressChange(c, session, address);
  try {
    await c.var.services.emailChanges.ask(session, address);
  } catch (error) {
    const code = error instanceof LatchkeyError ? error.code : null;
    if (code === "credential_not_live") return toPortal(c, session.organizationSlug);
    if (code !== "email_unchanged") throw error;
    return show(c, <ChangeEmailPage session={session} problem="That is your address already." />, 422);
  }
  return show(c, <SentPage organization={session.organization.name} address={address} />);
});

/** null: nobody is signed in. @throws {UnknownPage} to whom this page does not concern. */
async function entitled(c: Context<AppEnv>, slug: string): Promise<LiveSession | null> {
  const session = await signedIn(c, slug);
  if (session !== null && !c.var.services.emailChanges.isOpenTo(session)) throw new UnknownPage();
  return session;
}

function ChangeEmailPage({ session, problem }: { session: LiveSession; problem?: string }) {
  const { customer, organization } = session;
  return (
    <Page title="Change e-mail address">
      {customer.email !== null && (
        <p>
          Your address at {organization.name} is {customer.email}.
        </p>
      )}
      {problem !== undefined && <p role="alert">{problem}</p>}
      <form method="post" action={`/${organization.slug}/portal/change-email`}>
        <label for="email">New address</label>
        <input id="email" name="email" required inputmode="email" autocomplete="email" spellcheck={false} />
        <button type="submit">Send a link to it</button>
      </form>
      <p>
        <a href={`/${organization.slug}/portal`}>Back to the portal</a>
      </p>
    </Page>
  );
}

function SentPage({ organization, address }: { organization: string; address: string }) {
  return (
    <Page title="Check your e-mail">
      <p>
        We have sent a message to <strong>{address}</strong>. Open the link in it within 30 minutes: until then your
        address at {organization} stays as it is.
      </p>
    </Page>
  );
}
