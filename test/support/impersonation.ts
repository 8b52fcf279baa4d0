/** An operator's leave to sign in as a member, as `npm run admin -- impersonate` gives it. */

import { env } from "cloudflare:workers";
import { fakeClock } from "./clock.ts";
import { credentials } from "./fixtures.ts";

export const IMPERSONATOR = { impersonatorId: "operator-1", impersonatorEmail: "operator@example.com" };

/** @returns the token, good for five minutes from `now`. */
export async function letImpersonate(
  organizationId: string,
  memberId: string,
  now: number = fakeClock().now(),
): Promise<string> {
  const { token, lookupKey, tokenKey } = await credentials.mint("imp");
  await env.DB.prepare(
    `INSERT INTO impersonations (lookup_key, token_key, organization_id, member_id, impersonator_id, impersonator_email,
       created_at, expires_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`,
  )
    .bind(lookupKey, tokenKey, organizationId, memberId, ...Object.values(IMPERSONATOR), now, now + 300_000)
    .run();
  return token;
}
