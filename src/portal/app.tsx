/**
 * The customer portal that this Worker serves itself: landing, the page behind it, signing out. Every page is proved
 * by D1, because every page shows names.
 */

import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import { NONCE, secureHeaders } from "hono/secure-headers";
import { clearSessionCookie, sessionCookie } from "./cookie.ts";
import type { PortalEnv } from "./env.ts";
import { portalErrorPage, UnknownPortal } from "./errors.tsx";
import { landByGet, landByPost, linkIn } from "./landing.tsx";
import { PortalPage, SignedOutPage } from "./pages.tsx";
import { sameOriginOnly } from "./same-origin.ts";
import { show } from "./show.tsx";
import { cookieSession, signedIn } from "./signed-in.ts";

const MAX_FORM_BYTES = 8 * 1024;

const headers = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    styleSrc: [NONCE],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
  // For this host only: it may be the application's own, and its subdomains are not ours to decide about.
  strictTransportSecurity: "max-age=31536000",
  xFrameOptions: "DENY",
  // Set below, since the redirect away from a link needs a stricter one.
  referrerPolicy: false,
});

/** Clean pages say same-origin: with no-referrer, Chromium sends `Origin: null` on their forms. */
const privatePage = createMiddleware<PortalEnv>(async (c, next) => {
  await next();
  c.header("Cache-Control", "private, no-store");
  if (!c.res.headers.has("Referrer-Policy")) c.header("Referrer-Policy", "same-origin");
});

export const portal = new Hono<PortalEnv>();

portal.onError(portalErrorPage);
portal.use("/:slug/portal/*", headers, privatePage, bodyLimit({ maxSize: MAX_FORM_BYTES }));

portal.get("/:slug/portal", async (c) => {
  const slug = c.req.param("slug");
  const link = linkIn(c.req.query());
  if (link !== null) return landByGet(c, slug, link);
  const session = await signedIn(c, slug);
  if (session !== null) return show(c, (nonce) => <PortalPage nonce={nonce} session={session} />);
  const organization = await c.var.services.directory.findOrganization(slug);
  if (organization === null) throw new UnknownPortal();
  return show(c, (nonce) => <SignedOutPage nonce={nonce} organization={organization.name} />, 401);
});

portal.post("/:slug/portal", sameOriginOnly, async (c) => {
  const slug = c.req.param("slug");
  const link = linkIn(await c.req.parseBody());
  return link === null ? c.redirect(`/${slug}/portal`, 303) : landByPost(c, slug, link);
});

/** The session ends in D1 before the cookie goes: if D1 is away, the member is told so and stays signed in. */
portal.post("/:slug/portal/sign-out", sameOriginOnly, async (c) => {
  const slug = c.req.param("slug");
  const session = await cookieSession(c);
  const isOurs = session?.organizationSlug === slug;
  if (session !== null && isOurs) await c.var.services.sessions.revoke(session.organizationId, session.id);
  const isDead = session === null && sessionCookie(c.req.header("Cookie")) !== null;
  if (isOurs || isDead) clearSessionCookie(c);
  return c.redirect(`/${slug}/portal`, 303);
});
