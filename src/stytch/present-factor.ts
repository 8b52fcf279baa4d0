/**
 * How a session came to be, in the closed vocabulary of Stytch's SDKs: a word that they do not know would make one of
 * them refuse the whole answer.
 */

import type { Factor } from "../core/factors.ts";
import { wireId } from "./ids.ts";
import { rfc3339 } from "./timestamps.ts";

/** @param memberId an address has no id of its own here: its member's stands for it. */
export function presentFactor(factor: Factor, memberId: string) {
  const at = rfc3339(factor.at);
  return {
    ...kindOf(factor, memberId),
    last_authenticated_at: at,
    created_at: at,
    updated_at: at,
    sequence_order: "PRIMARY",
  };
}

function kindOf(factor: Factor, memberId: string) {
  const emailFactor = (email: string) => ({ email_id: wireId("email", memberId), email_address: email });
  switch (factor.kind) {
    case "mailed_link":
      return { type: "magic_link", delivery_method: "email", email_factor: emailFactor(factor.email) };
    case "typed_code":
      return { type: "email_otp", delivery_method: "email", email_factor: emailFactor(factor.email) };
    case "trusted_token":
      return {
        type: "trusted_auth_token",
        delivery_method: "trusted_token_exchange",
        trusted_auth_token_factor: { token_id: factor.tokenId },
      };
    case "imported":
      return { type: "imported", delivery_method: "imported_auth0" };
    case "access_token":
      return {
        type: "oauth",
        delivery_method: "oauth_access_token_exchange",
        oauth_access_token_exchange_factor: { client_id: factor.clientId },
      };
    case "impersonation":
      return {
        type: "impersonated",
        delivery_method: "impersonation",
        impersonated_factor: {
          impersonator_id: factor.impersonatorId,
          impersonator_email_address: factor.impersonatorEmail,
        },
      };
  }
}
