/**
 * Signing in by e-mail, page by page: the address, the code, where needed the customer, where somebody else is signed
 * in the question whether to switch. Scanners open the links of messages in real browsers, so that no GET uses one up,
 * however much it looks like a person's.
 */

import type { Context } from "hono";
import type { Organization } from "../core/directory.ts";
import { parseEmail } from "../core/email-address.ts";
import { LatchkeyError } from "../core/errors.ts";
import type { LiveSession } from "../core/session.ts";
import { countCodeEntry, countCodeRequest } from "../http/attempts.ts";
import type { AppEnv } from "../http/env.ts";
import { UnknownPage } from "./errors.tsx";
import { textFields } from "./form.ts";
import { deadLink, isSamePerson, signedInAs, toCleanPage } from "./landing.tsx";
import { ContinuePage, SwitchPage } from "./pages.tsx";
import { show } from "./show.tsx";
import { addressInUrl } from "./sign-in-offer.ts";
import { CodePage, PickerPage, SignInPage, signInAction } from "./sign-in-pages.tsx";
import { organizationAt, signedIn } from "./signed-in.ts";

/** `replace`: whoever is signed in has been asked, and is to be signed out of this browser. */
const FIELDS = ["code", "email", "customer_id", "replace"] as const;
type Fields = Partial<Record<(typeof FIELDS)[number], string>>;

export async function showSignIn(c: Context<AppEnv>, slug: string) {
  // Not an outage, which would pass: without mail there is no such page.
  if (!c.var.services.signIns.isPossible) throw new UnknownPage();
  const { name } = await organizationAt(c, slug);
  return show(c, <SignInPage organization={name} offer={{ slug, email: addressInUrl(c) }} />);
}

export function signInByGet(c: Context<AppEnv>, slug: string, code: string) {
  return signIn(c, slug, { code }, false);
}

export async function signInByPost(c: Context<AppEnv>, slug: string) {
  const organization = await organizationAt(c, slug);
  const fields = fieldsIn(await textFields(c));
  return fields.code === undefined ? ask(c, organization, fields) : signIn(c, slug, fields, true);
}

/** An empty one counts as none. */
function fieldsIn(form: Record<string, string>): Fields {
  return Object.fromEntries(FIELDS.map((name) => [name, form[name]] as const).filter(([, value]) => value));
}

async function ask(c: Context<AppEnv>, organization: Organization, { email = "", customer_id }: Fields) {
  const { signIns } = c.var.services;
  const { slug, name } = organization;
  signIns.requireMail();
  const parsed = parseEmail(email);
  if ("reason" in parsed) {
    return show(c, <SignInPage organization={name} offer={{ slug, email }} problem={parsed.reason} />, 422);
  }
  const { address } = parsed;
  const customerId = customer_id ?? null;
  await countCodeRequest(c, organization.id, address, customerId);
  try {
    await signIns.ask(organization, address, customerId);
  } catch (error) {
    return pickerFor(c, slug, error, { email: address });
  }
  return show(c, <CodePage slug={slug} email={address} isWrong={false} />);
}

async function signIn(c: Context<AppEnv>, slug: string, fields: Fields, mayUse: boolean) {
  const { signIns } = c.var.services;
  const { code = "", email, customer_id, replace } = fields;
  const current = await signedIn(c, slug);
  // A GET brings a link, forged or not, and nothing typed. Any site can have it sent, in the name of a whole network.
  if (mayUse) await countCodeEntry(c, code);
  try {
    const presented = { code, email: email ?? null, organization: { slug } };
    const proof = await signIns.prove(presented, customer_id ?? null);
    const continuation = { slug, action: signInAction(slug), fields };
    if (current !== null && replace === undefined && !isSamePerson(current, proof.person)) {
      const confirmed = { ...continuation, fields: { ...fields, replace: "yes" } };
      return show(c, <SwitchPage current={current} next={proof.person} continuation={confirmed} />);
    }
    if (!mayUse) return show(c, <ContinuePage next={proof.person} continuation={continuation} />);
    return signedInAs(c, slug, await signIns.complete(proof));
  } catch (error) {
    if (error instanceof LatchkeyError && error.code === "sign_in_code_invalid") {
      return refuse(c, slug, fields, current);
    }
    return pickerFor(c, slug, error, fields);
  }
}

/** A link that has signed this very browser in leads on to the portal; a typed code may have been mistyped. */
async function refuse(c: Context<AppEnv>, slug: string, { code = "", email }: Fields, current: LiveSession | null) {
  if (email !== undefined) return show(c, <CodePage slug={slug} email={email} isWrong />, 401);
  const isOwn = current !== null && (await c.var.services.signIns.hasMade(code, current.id));
  return isOwn ? toCleanPage(c, slug) : deadLink(c, slug, current);
}

/** @throws the error, unless it says that there is a choice. */
function pickerFor(c: Context<AppEnv>, slug: string, error: unknown, fields: Fields) {
  if (!(error instanceof LatchkeyError && error.code === "customer_selection_required")) throw error;
  const { customer_id: _, ...others } = fields;
  const customers = error.facts["customers"] as { id: string; name: string | null }[];
  return show(c, <PickerPage slug={slug} customers={customers} fields={others} />);
}
