/** An individual customer's change of address, as far as the message that it leads to. */

import { expect } from "vitest";
import type { Client } from "./client.ts";
import type { Tenant } from "./fixtures.ts";
import { type Link, makeLink } from "./portal.ts";

export const REQUEST = "/v1/customer-portal/customers/me/email-update/request";
export const CHECK = "/v1/customer-portal/customers/me/email-update/check";
export const VERIFY = "/v1/customer-portal/customers/me/email-update/verify";

export const newAddress = () => `new-${crypto.randomUUID().slice(0, 8)}@example.com`;

export interface AskedChange extends Link {
  /** The address that was asked for. */
  email: string;
  /** Path and query of the link that was mailed there. */
  path: string;
  /** What the link carries. */
  change: string;
}

/** The individual's owner asks for another address. The tenant must allow it: `makeTenant({ allow_email_change: 1 })`. */
export async function askForChange(client: Client, tenant: Tenant, email = newAddress()): Promise<AskedChange> {
  const link = await makeLink(client, tenant, tenant.individual.owner);
  const answer = await client.call("POST", REQUEST, link.token, { email });
  expect(answer.status, await answer.text()).toBe(202);
  await client.settle();
  const path = linkMailedTo(client, email);
  return { ...link, email, path, change: new URLSearchParams(path.split("?")[1]).get("token") ?? "" };
}

/** Path and query of the newest link mailed to an address. */
export function linkMailedTo(client: Client, email: string): string {
  const { text } = client.mailed.findLast(({ to, text }) => to === email && text.includes("https://")) ?? { text: "" };
  const url = /^https:\/\/\S+$/m.exec(text)?.[0] ?? "";
  expect(url, text).toMatch(/^https:\/\/portal\.test\//);
  return url.replace("https://portal.test", "");
}
