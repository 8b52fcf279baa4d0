/**
 * The customer portal that this Worker serves itself: landing, the page behind it, signing out. Every page is proved
 * by D1, because every page shows names.
 */

import { bodyLimit } from "hono/body-limit";
import { Hono } from "hono/quick";
import { countVisitor } from "../http/callers.ts";
import type { AppEnv } from "../http/env.ts";
import { changeEmail } from "./change-email.tsx";
import { clearSessionCookie, sessionCookie, sessionCookies } from "./cookie.ts";
import { portalErrorPage, UnknownPage } from "./errors.tsx";
import { textFields } from "./form.ts";
import { portalHeaders } from "./headers.ts";
import { landByGet, landByPost, linkIn } from "./landing.tsx";
import { PortalPage, SignedOutPage } from "./pages.tsx";
import { sameOriginOnly } from "./same-origin.ts";
import { show, toPortal } from "./show.tsx";
import { showSignIn, signInByGet, signInByPost } from "./sign-in.tsx";
import { signInOffer } from "./sign-in-offer.ts";
import { cookieSession, organizationAt, signedIn } from "./signed-in.ts";
import { verifyEmail } from "./verify-email.tsx";

const MAX_FORM_BYTES = 8 * 1024;

export const portal = new Hono<AppEnv>();

portal.onError(portalErrorPage);
portal.use("/:slug/portal/*", portalHeaders, bodyLimit({ maxSize: MAX_FORM_BYTES }), async (c, next) => {
  await countVisitor(c, sessionCookie(c.req.header("Cookie")));
  await next();
});

/** Polar's own sign-in leads to the address with a slash at its end. */
portal.on("GET", ["/:slug/portal", "/:slug/portal/"], async (c) => {
  const slug = c.req.param("slug");
  const link = linkIn(c.req.query());
  if (link !== null) {
    const isMailed = c.var.services.credentials.claimedKind(link.value) === "login";
    return isMailed ? signInByGet(c, slug, link.value) : landByGet(c, slug, link);
  }
  const session = await signedIn(c, slug);
  if (session !== null) {
    return show(c, <PortalPage session={session} mayChangeEmail={c.var.services.emailChanges.isOpenTo(session)} />);
  }
  const { name } = await organizationAt(c, slug);
  return show(c, <SignedOutPage organization={name} offer={signInOffer(c, slug)} />, 401);
});

portal.post("/:slug/portal", sameOriginOnly, async (c) => {
  const slug = c.req.param("slug");
  const link = linkIn(await textFields(c));
  return link === null ? toPortal(c, slug) : landByPost(c, slug, link);
});

portal.get("/:slug/portal/sign-in", (c) => showSignIn(c, c.req.param("slug")));

portal.post("/:slug/portal/sign-in", sameOriginOnly, (c) => signInByPost(c, c.req.param("slug")));

/** The session ends in D1 before the cookie goes: if D1 is away, the member is told so and stays signed in. */
portal.post("/:slug/portal/sign-out", sameOriginOnly, async (c) => {
  const slug = c.req.param("slug");
  const session = await cookieSession(c);
  const isOurs = session?.organizationSlug === slug;
  if (session !== null && isOurs) await c.var.services.sessions.signOut(session.organizationId, session.id);
  // Dead and doubled cookies go too; another organization's live session keeps its own.
  const isDead = session === null && sessionCookies(c.req.header("Cookie")).length > 0;
  if (isOurs || isDead) clearSessionCookie(c);
  return toPortal(c, slug);
});

portal.route("/", changeEmail);
portal.route("/", verifyEmail);

portal.all("/:slug/portal/*", () => {
  throw new UnknownPage();
});
