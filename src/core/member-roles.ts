/**
 * Who may do what to a customer's members, whoever asks: the organization's backend or a member in the portal. Pure
 * rules over the facts of the moment; storage sees to it that these still hold when it writes.
 */

import type { CustomerType, Kept, Member, MemberRole } from "./directory.ts";
import { type ErrorCode, LatchkeyError } from "./errors.ts";

/** The roles that see and change what concerns the customer as a whole: its billing and its members. */
export const MANAGERS: readonly MemberRole[] = ["owner", "billing_manager"];
export const isManager = (role: MemberRole) => MANAGERS.includes(role);

/** What the owner becomes when ownership goes to another. */
export const FORMER_OWNER: MemberRole = "billing_manager";

export interface MemberFacts {
  member: Member;
  customerType: CustomerType;
  actor: Actor | null;
}

/**
 * The member who asks, with its role of this moment: null once it has gone. Where there is no actor, the organization's
 * own backend asks.
 */
export interface Actor {
  id: string;
  role: MemberRole | null;
}

/** What is absent stays as it is. */
export interface MemberChange {
  name?: string | null;
  email?: string;
  /** Whether the address before it stays the member's own: nobody else of the customer may have it. */
  retiresEmail?: boolean;
  /** Id of a retired address that others may have again. Not together with a new address. */
  releasedEmail?: string;
  role?: MemberRole;
  externalId?: string | null;
  /** In the place of all that there were. */
  assignedRoles?: string[];
  /** Key by key; a null takes a key away. */
  trustedMetadata?: Kept;
  untrustedMetadata?: Kept;
  signInSettings?: Kept;
}

const COMPARED = ["name", "email", "role", "externalId"] as const satisfies (keyof MemberChange)[];
const MERGED = ["trustedMetadata", "untrustedMetadata", "signInSettings"] as const satisfies (keyof MemberChange)[];

/** @throws {LatchkeyError} credential_not_live, role_insufficient */
export function requireManager(actor: Actor | null): void {
  if (actor === null) return;
  if (actor.role === null) throw new LatchkeyError("credential_not_live");
  if (!isManager(actor.role)) throw new LatchkeyError("role_insufficient");
}

/**
 * Nobody is added as an owner: there is one already.
 * @throws {LatchkeyError} second_owner
 */
export function requireAddable(role: MemberRole): void {
  if (role === "owner") throw refusal("second_owner", role);
}

/**
 * Whether anything of this change remains to be done. A name or role that the member has already breaks no rule.
 * @throws {LatchkeyError} credential_not_live, role_insufficient, own_role_fixed, ownership_not_held,
 * only_owner_demoted, owner_email_fixed
 */
export function allowsChange({ member, customerType, actor }: MemberFacts, change: MemberChange): boolean {
  requireManager(actor);
  const differs = (field: (typeof COMPARED)[number]) => change[field] !== undefined && change[field] !== member[field];
  if (differs("role")) {
    if (actor?.id === member.id) throw refusal("own_role_fixed", member.id);
    if (change.role === "owner" && actor !== null && actor.role !== "owner") {
      throw refusal("ownership_not_held", change.role);
    }
    if (member.role === "owner") throw refusal("only_owner_demoted", change.role);
  }
  if (differs("email") && member.role === "owner" && customerType === "individual") {
    throw refusal("owner_email_fixed", change.email);
  }
  return (
    COMPARED.some(differs) ||
    MERGED.some((field) => Object.keys(change[field] ?? {}).length > 0) ||
    change.assignedRoles !== undefined ||
    change.releasedEmail !== undefined
  );
}

/** @throws {LatchkeyError} credential_not_live, role_insufficient, own_removal, only_owner_removed */
export function requireRemovable({ member, actor }: MemberFacts): void {
  requireManager(actor);
  if (actor?.id === member.id) throw refusal("own_removal", member.id);
  if (member.role === "owner") throw refusal("only_owner_removed", member.id);
}

const refusal = (code: ErrorCode, requested: string | undefined) => new LatchkeyError(code, { facts: { requested } });
