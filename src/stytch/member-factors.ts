/**
 * What a member is recognised by beside its id and its address: second factors, a password, addresses that it had, the
 * caller's own id. Each can be taken away, as often as asked, and none of that ends a session.
 */

import { Hono } from "hono/quick";
import * as z from "zod/mini";
import { emailKey, type Kept, type Member } from "../core/directory.ts";
import type { AppEnv } from "../http/env.ts";
import { permit } from "./acting-member.ts";
import { namedOrganization } from "./directory.ts";
import { answer } from "./envelope.ts";
import { StytchError } from "./errors.ts";
import { uuidOf, wireId } from "./ids.ts";
import { changed, MEMBER, MEMBERS, membership, withOrganization, writesMembers } from "./membership.ts";
import { memberChange } from "./permissions.ts";
import { jsonBody } from "./validate.ts";

const Unlink = z.object({ email_id: z.nullish(z.string()), email_address: z.nullish(z.string()) });

export const memberFactors = new Hono<AppEnv>()
  .delete(`${MEMBERS}/mfa_phone_numbers/:member_id`, writesMembers, async (c) => {
    const { member, customer } = await membership(c, ["update.info.delete.mfa-phone"]);
    const without = await changed(c, member, { signInSettings: settingsOf(member, "sms_otp") });
    return answer(c, withOrganization(without, customer));
  })

  .delete(`${MEMBER}/totp`, writesMembers, async (c) => {
    const { member, customer } = await membership(c, ["update.info.delete.mfa-totp"]);
    const without = await changed(c, member, { signInSettings: settingsOf(member, "totp") });
    return answer(c, withOrganization(without, customer));
  })

  .delete(`${MEMBERS}/passwords/:member_password_id`, writesMembers, async (c) => {
    const { id } = await namedOrganization(c, c.req.param("organization_id"));
    await permit(c, id, "stytch.member", ["update.info.delete.password"]);
    // Nobody has a password here.
    throw new StytchError("member_password_not_found");
  })

  .post(`${MEMBER}/unlink_retired_email`, writesMembers, jsonBody(Unlink), async (c) => {
    const { member, customer } = await membership(c, ["update.info.unlink.retired-email"]);
    const releasedEmail = retiredEmail(member, c.req.valid("json"));
    return answer(c, {
      ...withOrganization(await changed(c, member, { releasedEmail }), customer),
      organization_id: wireId("organization", customer.id),
    });
  })

  .delete(`${MEMBER}/external_id`, writesMembers, async (c) => {
    const { member, customer } = await membership(c, memberChange({ external_id: "" }));
    return answer(c, withOrganization(await changed(c, member, { externalId: null }), customer));
  });

/** The settings that go with a second factor, each to be taken away. */
function settingsOf({ signInSettings }: Member, method: "sms_otp" | "totp"): Kept {
  const isOf = ([name, value]: [string, unknown]) =>
    name === "default_mfa_method" ? value === method : name === "mfa_phone_number" && method === "sms_otp";
  return Object.fromEntries(
    Object.entries(signInSettings)
      .filter(isOf)
      .map(([name]) => [name, null]),
  );
}

/**
 * The id of the retired address that is named by its id, by itself or by both.
 * @throws {StytchError} retired_email_missing_email_identifiers, email_not_found
 */
function retiredEmail({ retiredEmails }: Member, { email_id, email_address }: z.infer<typeof Unlink>): string {
  if (!email_id && !email_address) throw new StytchError("retired_email_missing_email_identifiers");
  const id = email_id ? uuidOf("email", email_id) : null;
  const found = retiredEmails.find(
    (retired) =>
      (!email_id || retired.id === id) && (!email_address || emailKey(retired.email) === emailKey(email_address)),
  );
  if (found === undefined) throw new StytchError("email_not_found");
  return found.id;
}
