/**
 * A row of members.csv, a format of ours: a member as the API shows it, and its customer by either id.
 */

import * as z from "zod/mini";
import type { CustomerRef, MemberRole } from "../src/core/directory.ts";
import { email } from "../src/polar/email-field.ts";
import { oneOf, string, trimmedString, uuid } from "../src/polar/fields.ts";
import type { CsvRow } from "./import-csv.ts";
import { instant, judge } from "./import-fields.ts";

export const MEMBER_COLUMNS = {
  /** One of these tells the file from the other. */
  customer: ["customer_id", "customer_external_id"],
  needed: ["email"],
  taken: ["id", "external_id", "name", "role", "created_at"],
};

export interface MemberRow {
  line: number;
  customer: CustomerRef;
  id: string | null;
  externalId: string | null;
  email: string;
  name: string | null;
  role: MemberRole;
  createdAt: number;
}

const Fields = z.object({
  customer_id: z.optional(uuid(4)),
  customer_external_id: z.optional(string),
  id: z.optional(uuid(4)),
  external_id: z.nullish(trimmedString(1024)),
  email,
  name: z.nullish(trimmedString(256)),
  role: z._default(oneOf("owner", "billing_manager", "member"), "member"),
  created_at: z.optional(instant),
});

/** @param now for a member that comes without its time of creation. */
export function toMemberRow({ line, cell }: CsvRow, now: number): MemberRow | { faults: string[] } {
  const judged = judge(Fields, Object.fromEntries(Object.keys(Fields.shape).map((field) => [field, cell(field)])));
  if ("faults" in judged) return judged;
  const { customer_id, customer_external_id, created_at, ...member } = judged.values;
  const customer = toRef(customer_id, customer_external_id?.trim());
  if (customer === null) return { faults: ["customer_id: Field required, or customer_external_id"] };
  return {
    line,
    customer,
    id: member.id ?? null,
    externalId: member.external_id ?? null,
    email: member.email,
    name: member.name ?? null,
    role: member.role,
    createdAt: created_at ?? now,
  };
}

function toRef(id: string | undefined, externalId: string | undefined): CustomerRef | null {
  if (id !== undefined) return { id };
  return externalId ? { externalId } : null;
}
