/**
 * API keys: what an organization's backend presents. A key belongs to one organization and carries scopes; tenant
 * isolation rests on nothing else.
 */

import type { Organization } from "./directory.ts";

export const SCOPES = [
  "member_sessions:read",
  "member_sessions:write",
  "member_sessions:redeem",
  "customer_sessions:write",
  "customers:read",
  "customers:write",
  "members:read",
  "members:write",
] as const;

export type Scope = (typeof SCOPES)[number];

/** An API key that lives, with the organization it speaks for. */
export interface LiveApiKey {
  id: string;
  scopes: ReadonlySet<string>;
  /** null: until revoked. */
  expiresAt: number | null;
  organization: Organization;
}
