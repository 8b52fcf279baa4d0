/**
 * What all pages share: the frame around them, and how people and customers are named in them.
 */

import type { Child } from "hono/jsx";
import type { SignInPerson } from "../core/sign-in.ts";
import { STYLE } from "./style.ts";

export function Page({ title, children }: { title: string; children?: Child }) {
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

/** Whoever is signed in, or is about to be. */
export function personOf({ member, customer }: SignInPerson): string {
  if (member === null) return customer.name ?? customer.email ?? customer.id;
  return member.name === null ? member.email : `${member.name} (${member.email})`;
}

export function customerOf({ customer }: Pick<SignInPerson, "customer">): string {
  return customer.name ?? customer.billingName ?? customer.email ?? customer.id;
}

/** What a form sends that its reader need not see. */
export function HiddenFields({ fields }: { fields: Record<string, string> }) {
  return (
    <>
      {Object.entries(fields).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
    </>
  );
}
