/**
 * What requests say about a member, and what that is to the core. A field that is absent or null says nothing.
 */

import * as z from "zod/mini";
import type { NewMember } from "../core/directory.ts";
import { parseEmail } from "../core/email-address.ts";
import { firstKept } from "../core/kept.ts";
import type { MemberChange } from "../core/member-roles.ts";
import type { ErrorType } from "./errors.ts";
import { metadata } from "./fields.ts";

const MAX_NAME_LENGTH = 256;

const type = (error: ErrorType) => ({ error });

export const email = z.pipe(
  z.string(type("invalid_email")).check(z.refine((text) => "address" in parseEmail(text), type("invalid_email"))),
  z.transform((text) => (parseEmail(text) as { address: string }).address),
);

/** E.164. */
const phoneNumber = z.string().check(z.regex(/^\+[1-9]\d{6,14}$/, type("invalid_phone_number")));

const externalId = z
  .string()
  .check(z.regex(/^[A-Za-z0-9._|-]{1,128}$/, { error: "must be 1 to 128 characters of A-Z a-z 0-9 . _ - |" }));

const fields = {
  name: z.nullish(z.string().check(z.maxLength(MAX_NAME_LENGTH, { error: "is longer than 256 characters" }))),
  external_id: z.nullish(externalId),
  trusted_metadata: z.nullish(metadata),
  untrusted_metadata: z.nullish(metadata),
  is_breakglass: z.nullish(z.boolean()),
  mfa_phone_number: z.nullish(phoneNumber),
  mfa_enrolled: z.nullish(z.boolean()),
  roles: z.nullish(z.array(z.string())),
};

export const MemberCreate = z.object({
  ...fields,
  email_address: email,
  create_member_as_pending: z.nullish(z.boolean()),
});

export const MemberUpdate = z.object({
  ...fields,
  email_address: z.nullish(email),
  unlink_email: z.nullish(z.boolean()),
  default_mfa_method: z.nullish(z.enum(["sms_otp", "totp"], type("invalid_mfa_default_method"))),
  /** Of sessions by single sign-on, which are not made here: none ends, whatever is said. */
  preserve_existing_sessions: z.nullish(z.boolean()),
});

type Update = z.infer<typeof MemberUpdate>;

const unique = (roles: string[]) => [...new Set(roles)];

/** What is kept about signing in as it was said. */
const settingsOf = (body: Partial<Update>) =>
  Object.fromEntries(
    (["is_breakglass", "mfa_phone_number", "mfa_enrolled", "default_mfa_method"] as const)
      .filter((name) => body[name] != null)
      .map((name) => [name, body[name]]),
  );

/**
 * The blank name of some SDKs is none.
 * @throws {LatchkeyError} metadata_too_large, metadata_too_many_keys
 */
export function newMemberOf(customerId: string, body: z.infer<typeof MemberCreate>, createdAt: number): NewMember {
  return {
    id: crypto.randomUUID(),
    customerId,
    email: body.email_address,
    name: body.name || null,
    externalId: body.external_id ?? null,
    role: "member",
    createdAt,
    status: body.create_member_as_pending ? "pending" : "active",
    assignedRoles: unique(body.roles ?? []),
    trustedMetadata: firstKept(body.trusted_metadata ?? {}),
    untrustedMetadata: firstKept(body.untrusted_metadata ?? {}),
    signInSettings: settingsOf(body),
  };
}

export function memberChangeOf(body: Update): MemberChange {
  const { name, email_address, external_id, roles, trusted_metadata, untrusted_metadata } = body;
  const signInSettings = settingsOf(body);
  return {
    ...(name != null && { name: name || null }),
    ...(email_address != null && { email: email_address, retiresEmail: body.unlink_email !== true }),
    ...(external_id != null && { externalId: external_id }),
    ...(roles != null && { assignedRoles: unique(roles) }),
    ...(trusted_metadata != null && { trustedMetadata: trusted_metadata }),
    ...(untrusted_metadata != null && { untrustedMetadata: untrusted_metadata }),
    ...(Object.keys(signInSettings).length > 0 && { signInSettings }),
  };
}
