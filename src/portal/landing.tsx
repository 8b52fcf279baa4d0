/**
 * Following a portal link: the code (or token) in the URL becomes a cookie, and the URL becomes clean. A GET uses up a
 * code only when a person opens it and nobody else is signed in; everything else gets a page with a button.
 */

import type { Context } from "hono";
import { LatchkeyError } from "../core/errors.ts";
import type { LiveSession } from "../core/session.ts";
import type { SignInPerson } from "../core/sign-in.ts";
import type { AppEnv } from "../http/env.ts";
import { setSessionCookie } from "./cookie.ts";
import { isNavigation } from "./navigation.ts";
import { ContinuePage, DeadLinkPage, SwitchPage } from "./pages.tsx";
import { show, toPortal } from "./show.tsx";
import { signInOffer } from "./sign-in-offer.ts";
import { liveSession, organizationAt, signedIn } from "./signed-in.ts";

/** In Polar's links either parameter may hold either kind of token; the customer's wins. */
const FIELDS = ["code", "customer_session_token", "member_session_token"] as const;

export interface Link {
  field: (typeof FIELDS)[number];
  value: string;
}

/** What a query or a form carries to sign in with, or null. */
export function linkIn(parameters: Record<string, string>): Link | null {
  for (const field of FIELDS) {
    const value = parameters[field];
    if (value) return { field, value };
  }
  return null;
}

export async function landByGet(c: Context<AppEnv>, slug: string, link: Link) {
  const current = await signedIn(c, slug);
  // The common case, and the fast one: a person, a fresh browser, one transaction.
  if (isNavigation(c.req) && current === null) return enter(c, slug, link, current);
  const target = await lookUp(c, slug, link);
  if (target === null || target.spent) return withoutEntering(c, slug, target, current);
  const continuation = { slug, action: `/${slug}/portal`, fields: { [link.field]: link.value } };
  if (current !== null && !isSamePerson(current, target.session)) {
    return show(c, <SwitchPage current={current} next={target.session} continuation={continuation} />);
  }
  if (!isNavigation(c.req)) return show(c, <ContinuePage next={null} continuation={continuation} />);
  return enter(c, slug, link, current);
}

/** The button of the Continue and Switch pages: the person has been asked. */
export async function landByPost(c: Context<AppEnv>, slug: string, link: Link) {
  return enter(c, slug, link, await signedIn(c, slug));
}

/** The session that was in the cookie before is replaced there, and not ended: it may be in use elsewhere. */
async function enter(c: Context<AppEnv>, slug: string, link: Link, current: LiveSession | null) {
  const entered = await signInBy(c, slug, link);
  if (entered === null) {
    // Whose it was matters only to a browser that may be holding that very session.
    const target = current === null ? null : await lookUp(c, slug, link);
    return withoutEntering(c, slug, target, current);
  }
  return signedInAs(c, slug, entered);
}

/** The cookie is set, and the URL becomes clean. */
export function signedInAs(
  c: Context<AppEnv>,
  slug: string,
  { session, token }: { session: LiveSession; token: string },
) {
  setSessionCookie(c, token, session.expiresAt, c.var.services.clock.now());
  return toCleanPage(c, slug);
}

async function signInBy(c: Context<AppEnv>, slug: string, link: Link) {
  if (link.field !== "code") {
    const session = await liveSession(c, slug, link.value);
    return session && { session, token: link.value };
  }
  try {
    return await c.var.services.sessions.redeem(link.value, "browser", { slug });
  } catch (error) {
    if (error instanceof LatchkeyError && error.code === "code_not_redeemable") return null;
    throw error;
  }
}

interface Target {
  session: LiveSession;
  spent: boolean;
}

/** Where the link leads, using nothing up. null: nowhere, or not through this door. */
async function lookUp(c: Context<AppEnv>, slug: string, link: Link): Promise<Target | null> {
  if (link.field !== "code") {
    const session = await liveSession(c, slug, link.value);
    return session && { session, spent: false };
  }
  const state = await c.var.services.sessions.peek(link.value, { slug });
  return state?.door === "browser" ? { session: state.session, spent: state.redeemed } : null;
}

/**
 * A link that signs nobody in. In the browser that it signed in before, that is a double click, a reload or a bookmark:
 * on to the portal. Anywhere else it is dead.
 */
async function withoutEntering(c: Context<AppEnv>, slug: string, target: Target | null, current: LiveSession | null) {
  if (current !== null && target?.session.id === current.id) return toCleanPage(c, slug);
  return deadLink(c, slug, current);
}

export async function deadLink(c: Context<AppEnv>, slug: string, current: LiveSession | null) {
  const { name } = current?.organization ?? (await organizationAt(c, slug));
  return show(c, <DeadLinkPage organization={name} slug={slug} session={current} offer={signInOffer(c, slug)} />, 410);
}

/** 303, so that a reload asks for the portal and never for the link again. The link itself must not leak onwards. */
export function toCleanPage(c: Context<AppEnv>, slug: string): Response {
  c.header("Referrer-Policy", "no-referrer");
  return toPortal(c, slug);
}

export function isSamePerson(one: SignInPerson, other: SignInPerson): boolean {
  return one.member?.id === other.member?.id && one.customer.id === other.customer.id;
}
