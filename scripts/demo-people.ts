/**
 * Who is in the demo organization: one customer who buys for themselves, and one team with every role.
 */

import { randomUUID } from "node:crypto";
import { emailKey } from "../src/core/directory.ts";
import { sqlInsert } from "./sql.ts";

export const DEMO_SLUG = "demo";
/** A newcomer may look around before following the link: longer than the usual five minutes, within the session. */
const PORTAL_CODE_TTL_SECONDS = 3600;

const CUSTOMERS = [
  {
    external_id: "user_ada",
    type: "individual",
    name: "Ada Keller",
    email: "ada@keller.example.com",
    members: [{ external_id: "user_ada_owner", name: "Ada Keller", email: "ada@keller.example.com", role: "owner" }],
  },
  {
    external_id: "team_northwind",
    type: "team",
    name: "Northwind Trading",
    email: "accounts@northwind.example.com",
    members: [
      { external_id: "user_olga", name: "Olga Brandt", email: "olga@northwind.example.com", role: "owner" },
      { external_id: "user_bruno", name: "Bruno Sala", email: "bruno@northwind.example.com", role: "billing_manager" },
      { external_id: "user_mia", name: "Mia Lindqvist", email: "mia@northwind.example.com", role: "member" },
    ],
  },
] as const;

export const DEMO_CUSTOMER_IDS = CUSTOMERS.map((customer) => customer.external_id);

/** @returns the statements that make the organization and its people, under new ids. */
export function demoInserts(organizationId: string, now: number): string[] {
  const organization = sqlInsert("organizations", {
    id: organizationId,
    slug: DEMO_SLUG,
    name: "Acme Analytics",
    created_at: now,
    portal_code_ttl_seconds: PORTAL_CODE_TTL_SECONDS,
  });
  const people = CUSTOMERS.flatMap(({ members, ...customer }, customerIndex) => {
    const customerId = randomUUID();
    const common = { organization_id: organizationId, created_at: now + customerIndex };
    return [
      sqlInsert("customers", { id: customerId, ...common, ...customer, email_key: emailKey(customer.email) }),
      ...members.map((member, index) =>
        sqlInsert("members", {
          id: randomUUID(),
          ...common,
          customer_id: customerId,
          ...member,
          email_key: emailKey(member.email),
          // Lists are ordered by time: owner, billing manager, member.
          created_at: common.created_at + index,
        }),
      ),
    ];
  });
  return [organization, ...people];
}
