/**
 * What may be asked of the customers that there are: which of them to list, and what to change of one.
 */

import type { Customer, CustomerType, Kept, TaxId } from "./directory.ts";
import { taxIdFor } from "./tax-ids.ts";

export interface CustomerFilter {
  /** The whole address, without regard to case. */
  email?: string;
  /** Part of an e-mail, a name or a billing name, or the beginning of an external id; without regard to case. */
  query?: string;
  /** By key, the values of which one must be there; numbers and booleans as they are written in JSON. */
  metadata?: Record<string, string[]>;
}

/** Addresses and parts of texts are compared without regard to case. */
export type CustomerSearchFilter = ValueFilter | PartFilter | { everybody: boolean };

/** A setting is one that is a list of texts. */
export interface ValueFilter {
  by: "id" | "slug" | "memberEmail" | { setting: string };
  among: string[];
}

export interface PartFilter {
  by: "name" | "slug" | "memberEmail" | { setting: string };
  part: string;
}

export type CustomerSortKey = "createdAt" | "email" | "name";

/** A field that is absent stays as it is. */
export type CustomerChange = Partial<
  Pick<Customer, "name" | "billingName" | "billingAddress" | "locale" | "metadata" | "externalId"> &
    Pick<Customer, "slug" | "logoUrl" | "domainRoles"> & {
      email: string;
      type: CustomerType;
      /** As typed. */
      taxNumber: string | null;
      /** In the place of whatever it has; `externalId` is given once. null: it has none any more. */
      newExternalId: string | null;
      /** Top-level keys with what they shall be; null takes one away. */
      trustedMetadata: Kept;
      /** The same. */
      signInSettings: Kept;
    }
>;

/** A change as it is stored. */
export type SettledChange = Omit<CustomerChange, "taxNumber" | "newExternalId"> & { taxId?: TaxId | null };

/**
 * A new address and a new tax id must fit each other, or what stays of the other.
 * @throws {LatchkeyError} tax_country_required, tax_id_invalid
 */
export function settle(customer: Customer, { taxNumber, newExternalId, ...rest }: CustomerChange): SettledChange {
  const change = newExternalId === undefined ? rest : { ...rest, externalId: newExternalId };
  const { billingAddress } = change;
  if (taxNumber === undefined && billingAddress === undefined) return change;
  const number = taxNumber === undefined ? (customer.taxId?.[0] ?? null) : taxNumber;
  return { ...change, taxId: taxIdFor(number, billingAddress ?? customer.billingAddress) };
}

/** Why a customer cannot be made or changed as asked. Each part names fields with the values that were asked for. */
export interface CustomerRefusal {
  /** Another customer of the organization has it. */
  taken?: { email?: string; externalId?: string; slug?: string };
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
