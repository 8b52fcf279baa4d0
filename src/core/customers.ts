/**
 * What a merchant may ask of the customers that it has: which of them to list, and what to change of one.
 */

import type { Customer, CustomerType } from "./directory.ts";

export interface CustomerFilter {
  /** The whole address, without regard to case. */
  email?: string;
  /** Part of an e-mail, a name or a billing name, or the beginning of an external id; without regard to case. */
  query?: string;
  /** By key, the values of which one must be there; numbers and booleans as they are written in JSON. */
  metadata?: Record<string, string[]>;
}

export type CustomerSortKey = "createdAt" | "email" | "name";

/** A field that is absent stays as it is. */
export type CustomerChange = Partial<
  Pick<Customer, "name" | "billingAddress" | "taxId" | "locale" | "metadata" | "externalId"> & {
    email: string;
    type: CustomerType;
  }
>;

/** Why a customer cannot be made or changed as asked. Each part names fields with the values that were asked for. */
export interface CustomerRefusal {
  /** Another customer of the organization has it. */
  taken?: { email?: string; externalId?: string };
  fixed?: Pick<CustomerChange, "billingAddress" | "externalId" | "type">;
}

/** An address can be replaced but not taken away, an external id is given once, and a team stays one. */
export function fixedFields(customer: Customer, change: CustomerChange): NonNullable<CustomerRefusal["fixed"]> {
  const { billingAddress, externalId, type } = change;
  const hasExternalId = externalId !== undefined && customer.externalId !== null;
  return {
    ...(billingAddress === null && { billingAddress }),
    ...(hasExternalId && customer.externalId !== externalId && { externalId }),
    ...(type === "individual" && customer.type === "team" && { type }),
  };
}
