/**
 * The pages of signing in by e-mail. None of them tells whether an address is known.
 */

import { HiddenFields, Page } from "./page.tsx";

export interface SignInOffer {
  slug: string;
  /** What stands in the field already. */
  email: string;
}

export const signInAction = (slug: string) => `/${slug}/portal/sign-in`;

/** No `type="email"`: browsers make ASCII of its domain, and so another address than the one that is stored. */
function AddressForm({ slug, email }: SignInOffer) {
  return (
    <form method="post" action={signInAction(slug)}>
      <label for="email">Your e-mail address</label>
      <input id="email" name="email" value={email} required inputmode="email" autocomplete="email" spellcheck={false} />
      <button type="submit">Send me a code</button>
    </form>
  );
}

/** At the end of a page that has said what else can be done. */
export function SignInByMail(offer: SignInOffer) {
  return (
    <>
      <p>Or sign in by e-mail:</p>
      <AddressForm {...offer} />
    </>
  );
}

interface SignInProps {
  organization: string;
  offer: SignInOffer;
  /** What is wrong with the address that was sent. */
  problem?: string;
}

export function SignInPage({ organization, offer, problem }: SignInProps) {
  return (
    <Page title={`Sign in to ${organization}`}>
      <p>We will send you a message with a link and a code to sign in with.</p>
      {problem !== undefined && <p role="alert">{problem}</p>}
      <AddressForm {...offer} />
    </Page>
  );
}

interface CodeProps {
  slug: string;
  email: string;
  /** A code was tried already, in vain. */
  isWrong: boolean;
}

export function CodePage({ slug, email, isWrong }: CodeProps) {
  return (
    <Page title={isWrong ? "That code is not right, or no longer works" : "Check your e-mail"}>
      {isWrong ? (
        <p>Only the newest message counts, and its code takes five tries. The link in it works all the same.</p>
      ) : (
        <p>
          If <strong id="address">{email}</strong> can sign in here, we have sent a message to it. Open the link in it,
          or type its code:
        </p>
      )}
      <form method="post" action={signInAction(slug)}>
        <HiddenFields fields={{ email }} />
        <label for="code">Code</label>
        <input
          id="code"
          name="code"
          required
          autocomplete="one-time-code"
          autocapitalize="characters"
          spellcheck={false}
        />
        <button type="submit">Sign in</button>
      </form>
      <p>
        <a href={`${signInAction(slug)}?${new URLSearchParams({ email })}`}>Send another message</a>
      </p>
    </Page>
  );
}

interface PickerProps {
  slug: string;
  customers: { id: string; name: string | null }[];
  /** What goes along with the choice. */
  fields: Record<string, string>;
}

export function PickerPage({ slug, customers, fields }: PickerProps) {
  return (
    <Page title="For whom do you want to sign in?">
      <p>Your address belongs to several customers.</p>
      <form method="post" action={signInAction(slug)}>
        <HiddenFields fields={fields} />
        {customers.map(({ id, name }) => (
          <button type="submit" name="customer_id" value={id}>
            {name ?? id}
          </button>
        ))}
      </form>
    </Page>
  );
}
