/**
 * A row of customers.csv: the columns of Polar's `GET /v1/customers/export`, and `Type`, which that export lacks.
 */

import * as z from "zod/mini";
import type { Customer, CustomerType, TaxId } from "../src/core/directory.ts";
import { parseExactly } from "../src/core/exact-json.ts";
import { billingAddress, metadata } from "../src/polar/customer-fields.ts";
import { email } from "../src/polar/email-field.ts";
import { oneOf, trimmedString, uuid } from "../src/polar/fields.ts";
import type { CsvRow } from "./import-csv.ts";
import { instant, judge, structured } from "./import-fields.ts";

export const CUSTOMER_COLUMNS = {
  needed: ["id", "email"],
  taken: [
    "external_id",
    "created_at",
    "name",
    "tax_id",
    "billing_address_line_1",
    "billing_address_line_2",
    "billing_address_city",
    "billing_address_state",
    "billing_address_zip",
    "billing_address_country",
    "metadata",
    "type",
  ],
};

export type CustomerDetails = Pick<
  Customer,
  "id" | "externalId" | "email" | "name" | "billingAddress" | "taxId" | "metadata" | "createdAt"
>;

export interface CustomerRow {
  line: number;
  /** null where the file does not say: then the members show it. */
  type: CustomerType | null;
  details: CustomerDetails;
}

/** Polar writes the pair as Python shows a list: `['DE136695976', 'eu_vat']`. */
const TAX_ID = /^\[(['"])([\p{L}\p{N}&+./ -]+)\1, ?(['"])([a-z]{2}_[a-z_]+)\3\]$/u;

function readTaxId(text: string): TaxId {
  const [, , number, , format] = TAX_ID.exec(text) ?? [];
  if (number === undefined || format === undefined) throw new SyntaxError("not a pair");
  return [number, format];
}

const Fields = z.object({
  id: uuid(4),
  external_id: z.nullish(trimmedString(1024)),
  created_at: z.optional(instant),
  email: z.optional(email),
  name: z.nullish(trimmedString(256)),
  // Polar has checked the number against the country; that is not done again.
  tax_id: z.optional(structured(readTaxId, "Input should be a pair such as ['DE136695976', 'eu_vat']")),
  billing_address: z.optional(billingAddress),
  metadata: z.optional(z.pipe(structured(parseExactly, "Input should be valid JSON"), metadata)),
  type: z.optional(oneOf("individual", "team")),
});

/** @param now for a customer that comes without its time of creation. */
export function toCustomerRow({ line, cell }: CsvRow, now: number): CustomerRow | { faults: string[] } {
  const judged = judge(Fields, {
    id: cell("id"),
    external_id: cell("external_id"),
    created_at: cell("created_at"),
    email: cell("email"),
    name: cell("name"),
    tax_id: cell("tax_id"),
    billing_address: addressOf(cell),
    metadata: cell("metadata"),
    type: cell("type"),
  });
  if ("faults" in judged) return judged;
  const { values } = judged;
  if (values.type === "individual" && values.email === undefined) return { faults: ["email: Field required"] };
  return {
    line,
    type: values.type ?? (values.email === undefined ? "team" : null),
    details: {
      id: values.id,
      externalId: values.external_id ?? null,
      email: values.email ?? null,
      name: values.name ?? null,
      billingAddress: values.billing_address ?? null,
      taxId: values.tax_id ?? null,
      metadata: values.metadata ?? {},
      createdAt: values.created_at ?? now,
    },
  };
}

function addressOf(cell: CsvRow["cell"]): Record<string, string | undefined> | undefined {
  const address = {
    line1: cell("billing_address_line_1"),
    line2: cell("billing_address_line_2"),
    city: cell("billing_address_city"),
    state: cell("billing_address_state"),
    postal_code: cell("billing_address_zip"),
    country: cell("billing_address_country"),
  };
  return Object.values(address).some((part) => part !== undefined) ? address : undefined;
}
