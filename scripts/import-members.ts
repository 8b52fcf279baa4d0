/**
 * Which members an import makes: those of the file that are not there yet and break no rule of their customer, and an
 * owner for every customer of the file that would have none.
 */

import { randomUUID } from "node:crypto";
import { emailKey, type NewMember, ownerFor } from "../src/core/directory.ts";
import { createClaims, SPENT_ID } from "./import-claims.ts";
import type { CustomerPlan, PlannedCustomer } from "./import-customers.ts";
import type { Existing } from "./import-existing.ts";
import type { Sheet } from "./import-files.ts";
import type { MemberRow } from "./import-member-row.ts";

export interface MemberPlan {
  /** All but the owners that are made along with their customers. */
  toAdd: NewMember[];
  /** New members that stand in the file. */
  named: number;
  /** Owners that no row names. */
  ownersMade: number;
  alreadyThere: number;
}

/** A row is bad, or somebody is there already, or somebody is to be added. */
type Verdict = { faults: string[] } | "there" | { customer: PlannedCustomer };

const uniqueOf = ({ email, externalId }: Pick<NewMember, "email" | "externalId">) => ({
  emailKey: emailKey(email),
  externalId,
});

export function planMembers(sheet: Sheet<MemberRow>, customers: CustomerPlan, existing: Existing): MemberPlan {
  const plan: MemberPlan = { toAdd: [], named: 0, ownersMade: 0, alreadyThere: 0 };
  const customerOf = new Map<string, string>();
  const lines = new Map<string, number>();
  const claims = createClaims({
    email: "A member with this email already exists for this customer",
    externalId: "A member with this external ID already exists for this customer",
  });

  function isThere(row: MemberRow, customer: PlannedCustomer): boolean {
    if (row.id !== null) return customerOf.get(row.id) === customer.id;
    const { email, externalId } = claims.holders(customer.id, uniqueOf(row));
    return (externalId ?? email)?.isThere === true;
  }

  function judge(row: MemberRow): Verdict {
    const customer = customers.find(row.customer);
    if (customer === undefined) return { faults: [missingCustomer(row, customers)] };
    const earlier = row.id === null ? undefined : lines.get(row.id);
    if (earlier !== undefined) return { faults: [`id: The same ID stands on line ${earlier}`] };
    if (row.id !== null) lines.set(row.id, row.line);
    if (isThere(row, customer)) return "there";
    const faults = [
      ...(row.id !== null && existing.spent.has(row.id) ? [SPENT_ID] : []),
      ...(row.id !== null && customerOf.has(row.id) ? ["id: A member of another customer has this ID"] : []),
      ...claims.faults(customer.id, uniqueOf(row)),
      ...placeFaults(row, customer),
    ];
    return faults.length > 0 ? { faults } : { customer };
  }

  function add(row: MemberRow): void {
    const verdict = judge(row);
    if (verdict === "there") {
      plan.alreadyThere++;
    } else if ("faults" in verdict) {
      sheet.bad.push({ line: row.line, faults: verdict.faults });
    } else {
      const { line, customer: _, ...member } = row;
      take(
        { ...member, id: row.id ?? randomUUID(), customerId: verdict.customer.id },
        verdict.customer,
        `line ${line}`,
      );
      plan.named++;
    }
  }

  function take(member: NewMember, customer: PlannedCustomer, who: string): void {
    claims.claim(customer.id, uniqueOf(member), { id: member.id, who, isThere: false });
    customer.memberCount++;
    if (member.role === "owner") customer.owner = who;
    if (member.role === "owner" && customer.isNew) customer.newOwner = member;
    else plan.toAdd.push(member);
  }

  /** As `POST /v1/customers/` does, for a customer of the file that has no owner, there or here. */
  function giveOwner(customer: PlannedCustomer): void {
    if (customer.owner !== null || customer.row === null) return;
    const owner = ownerFor(customer.row.details);
    if (owner === null) {
      if (customer.isNew) customers.refuse(customer.row, [OWNER_NEEDED]);
      return;
    }
    const hasRoom = customer.memberCount === 0 || customer.type === "team";
    const { hasMembers } = existing.organization;
    if (!hasMembers || !hasRoom || claims.faults(customer.id, uniqueOf(owner)).length > 0) return;
    take(owner, customer, "its owner, since no row has that role");
    plan.ownersMade++;
  }

  for (const { id, customer_id, external_id, email_key, role } of existing.members) {
    customerOf.set(id, customer_id);
    const customer = customers.all.get(customer_id);
    if (customer === undefined) continue;
    const who = `member ${id}`;
    claims.claim(customer_id, { emailKey: email_key, externalId: external_id }, { id, who, isThere: true });
    customer.memberCount++;
    if (role === "owner") customer.owner = who;
  }
  const [owners, others] = [sheet.rows.filter(isOwner), sheet.rows.filter((row) => !isOwner(row))];
  for (const row of others) {
    const customer = customers.find(row.customer);
    if (customer !== undefined) customer.type ??= "team";
  }
  owners.forEach(add);
  for (const customer of customers.all.values()) giveOwner(customer);
  others.forEach(add);
  return plan;
}

const OWNER_NEEDED = "email: An owner with an email address is required when a team customer has no email address";
const ONE_MEMBER_ONLY =
  "role: Individual customers can only have one member (the owner). Upgrade to a team customer to add more members";

function missingCustomer(row: MemberRow, customers: CustomerPlan): string {
  const field = "id" in row.customer ? "customer_id" : "customer_external_id";
  const bad = customers.badRow(row.customer);
  return `${field}: ${bad === undefined ? "Customer does not exist" : `Its customer's row is bad: ${bad}`}`;
}

function placeFaults({ role }: MemberRow, { type, memberCount, owner }: PlannedCustomer): string[] {
  if (role === "owner" && owner !== null) return [`role: This customer has an owner: ${owner}`];
  return type === "individual" && memberCount > 0 ? [ONE_MEMBER_ONLY] : [];
}

const isOwner = ({ role }: MemberRow) => role === "owner";
