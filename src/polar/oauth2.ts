/**
 * Session tokens through the two calls that OAuth resource servers know: introspection (RFC 7662) and revocation
 * (RFC 7009). Polar has both for its own OAuth tokens. What is not the calling organization's live session is answered
 * alike, whatever it is.
 */

import { Hono } from "hono/quick";
import type { LiveSession } from "../core/session.ts";
import type { AppEnv } from "../http/env.ts";
import { oauthClient } from "./oauth2-client.ts";

export const oauth2 = new Hono<AppEnv>()
  .post("/v1/oauth2/introspect", oauthClient("member_sessions:read", "member_sessions:write"), async (c) => {
    const { sessions, config } = c.var.services;
    const session = await sessions.findByToken(c.var.organization.id, c.var.token);
    return c.json(session === null ? { active: false } : presentActive(session, config.portalOrigin));
  })

  .post("/v1/oauth2/revoke", oauthClient("member_sessions:write"), async (c) => {
    const { sessions } = c.var.services;
    const { id } = c.var.organization;
    const session = await sessions.findByToken(id, c.var.token);
    if (session !== null) await sessions.revoke(id, session.id);
    // RFC 7009 §2.2: the client ignores the body. Polar's SDKs parse it.
    return c.json({});
  });

const seconds = (epochMilliseconds: number) => Math.floor(epochMilliseconds / 1000);

/** Names of RFC 7662 §2.2, then Polar's, then ours. Polar's Python SDK refuses other words for the two types. */
function presentActive(session: LiveSession, issuer: string) {
  return {
    active: true,
    token_type: "access_token",
    scope: "customer_portal:write",
    client_id: session.organizationId,
    sub: session.memberId ?? session.customerId,
    aud: session.organizationId,
    iss: issuer,
    exp: seconds(session.expiresAt),
    iat: seconds(session.createdAt),
    sub_type: "user",
    organizations: [session.organizationId],
    sid: session.id,
    customer_id: session.customerId,
    member_id: session.memberId,
    role: session.role,
  };
}
