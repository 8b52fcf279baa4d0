/**
 * Which member a token of a trusted issuer speaks of, within the customer that it is for. The issuer's own id of a
 * person goes before an address, which may be another's tomorrow; where the two name different members, nobody is meant.
 */

import { EVERYBODYS_ROLE } from "./default-policy.ts";
import { type Customer, emailKey, type Member, type NewMember } from "./directory.ts";
import { LatchkeyError } from "./errors.ts";
import type { MemberDirectory, RolePolicies } from "./identity-ports.ts";
import type { Clock } from "./ports.ts";
import { undefinedRoles } from "./rbac.ts";
import type { Testimony } from "./session.ts";
import type { ForeignIdentity } from "./trusted-issuers.ts";

export interface ForeignMembersDependencies {
  members: MemberDirectory;
  policies: RolePolicies;
  clock: Clock;
}

/** Of a member, or of one to be. */
export type MemberId = Pick<Member, "id" | "customerId">;

/**
 * Writes nothing: who is to become a member does so when the token is used up.
 * @param canMakeMembers whether somebody who is not known becomes a member.
 * @returns the member, and what is to be noted of it when the token is used up.
 * @throws {LatchkeyError} role_unknown, foreign_member_ambiguous, member_not_found, single_member_only, unavailable
 */
export async function recogniseMember(
  { members, policies, clock }: ForeignMembersDependencies,
  customer: Customer,
  identity: ForeignIdentity,
  canMakeMembers: boolean,
): Promise<{ member: MemberId; testimony: Testimony }> {
  const { email, externalMemberId: externalId } = identity;
  const { organizationId, id: customerId } = customer;
  const roles = identity.roles.filter((role) => role !== EVERYBODYS_ROLE);
  if (roles.length > 0) requireDefined(undefinedRoles(await policies.find(organizationId), customer.ownRoles, roles));
  const [known, addressed] = await Promise.all([
    externalId === null ? null : members.find(organizationId, { externalId, of: { id: customerId } }),
    members.findByEmail(organizationId, customerId, email),
  ]);
  if (isContrary(known, addressed, externalId)) throw new LatchkeyError("foreign_member_ambiguous");
  const found = known ?? addressed;
  if (found === null && !canMakeMembers) throw new LatchkeyError("member_not_found", { facts: { requested: email } });
  const testimony = { emailKey: emailKey(email), externalId, roles };
  if (found !== null) return { member: found, testimony };
  if (customer.type === "individual") throw new LatchkeyError("single_member_only");
  const fresh = { id: crypto.randomUUID(), customerId, email, name: null, externalId, createdAt: clock.now() };
  const newMember: NewMember = { ...fresh, role: "member" };
  return { member: newMember, testimony: { ...testimony, newMember } };
}

function requireDefined(unknown: string[]): void {
  const [requested] = unknown;
  if (requested === undefined) return;
  throw new LatchkeyError("role_unknown", { reason: JSON.stringify(requested), facts: { requested } });
}

/** Whoever has the address is another than the one who has the id, or is known by another id. */
function isContrary(known: Member | null, addressed: Member | null, externalId: string | null): boolean {
  if (externalId === null || addressed === null) return false;
  return known === null ? addressed.externalId !== null : known.id !== addressed.id;
}
