/**
 * Where the link of an e-mail change leads. Opening it only shows the address, since mail scanners open links too; the
 * button confirms it. The link speaks for itself, whoever is signed in here, and signs nobody in.
 */

import type { Context } from "hono";
import { Hono } from "hono/quick";
import { LatchkeyError } from "../core/errors.ts";
import type { EmailChange } from "../core/ports.ts";
import { countConfirmation } from "../http/attempts.ts";
import type { AppEnv } from "../http/env.ts";
import { UnknownPage } from "./errors.tsx";
import { textFields } from "./form.ts";
import { HiddenFields, Page } from "./page.tsx";
import { MessagePage } from "./pages.tsx";
import { sameOriginOnly } from "./same-origin.ts";
import { show } from "./show.tsx";

const PATH = "/:slug/portal/verify-email";

export const verifyEmail = new Hono<AppEnv>();

/** The token is in this page's URL, and in no other's: the form sends it in its body. */
verifyEmail.get(PATH, async (c) => {
  c.header("Referrer-Policy", "no-referrer");
  const slug = c.req.param("slug");
  const token = c.req.query("token") ?? "";
  await countConfirmation(c, token);
  try {
    const change = await c.var.services.emailChanges.peek(token, slug);
    return await show(c, <ConfirmPage change={change} token={token} />);
  } catch (error) {
    return refuse(c, slug, error);
  }
});

verifyEmail.post(PATH, sameOriginOnly, async (c) => {
  const slug = c.req.param("slug");
  const { token = "" } = await textFields(c);
  await countConfirmation(c, token);
  try {
    const { emailChanges, sessions } = c.var.services;
    const { session } = await emailChanges.confirm(token, slug);
    // Nobody gets its token here, and a session that nobody holds is none that a list should show.
    await sessions.signOut(session.organizationId, session.id);
    return await show(c, <ConfirmedPage slug={slug} address={session.customer.email ?? ""} />);
  } catch (error) {
    return refuse(c, slug, error);
  }
});

async function refuse(c: Context<AppEnv>, slug: string, error: unknown): Promise<Response> {
  const code = error instanceof LatchkeyError ? error.code : null;
  if (code !== "email_change_not_live" && code !== "email_taken") throw error;
  const organization = await c.var.services.organizations.findBySlug(slug);
  if (organization === null) throw new UnknownPage();
  if (code === "email_change_not_live") return show(c, <DeadPage slug={slug} organization={organization.name} />, 410);
  const message = `Another customer of ${organization.name} has this address already. Yours stays as it was.`;
  return show(c, <MessagePage title="This address is in use" message={message} />, 409);
}

function ConfirmPage({ change, token }: { change: EmailChange; token: string }) {
  const { name, slug } = change.organization;
  return (
    <Page title="Confirm your new e-mail address">
      <p>
        Your address at {name} will be <strong id="address">{change.email}</strong>.
      </p>
      <form method="post" action={`/${slug}/portal/verify-email`}>
        <HiddenFields fields={{ token }} />
        <button type="submit">Confirm</button>
      </form>
    </Page>
  );
}

function ConfirmedPage({ slug, address }: { slug: string; address: string }) {
  return (
    <Page title="Your e-mail address has changed">
      <p>
        It is now <strong id="address">{address}</strong>.
      </p>
      <p>
        <a href={`/${slug}/portal`}>Go to the portal</a>
      </p>
    </Page>
  );
}

function DeadPage({ slug, organization }: { slug: string; organization: string }) {
  return (
    <Page title="This link no longer works">
      <p>
        A link that confirms an e-mail address works once and for 30 minutes, and a newer one replaces it. If this one
        was confirmed before, your address at {organization} has changed; otherwise it is as it was.
      </p>
      <p>
        <a href={`/${slug}/portal`}>Go to the portal</a> to see it, or to ask for a new link there.
      </p>
    </Page>
  );
}
