/**
 * Planned people as rows of the database. The Worker's own inserts are in src/storage.
 */

import { emailKey, type NewMember } from "../src/core/directory.ts";
import type { CustomerDetails } from "./import-customer-row.ts";
import type { PlannedCustomer } from "./import-customers.ts";
import type { SqlRow } from "./sql.ts";

export function customerColumns(
  organizationId: string,
  type: PlannedCustomer["type"],
  details: CustomerDetails,
): SqlRow {
  const { id, externalId, email, name, billingAddress, taxId, metadata, createdAt } = details;
  return {
    id,
    organization_id: organizationId,
    type: type ?? "individual",
    external_id: externalId,
    email,
    email_key: email && emailKey(email),
    name,
    billing_address: billingAddress && JSON.stringify(billingAddress),
    tax_id: taxId && JSON.stringify(taxId),
    metadata: JSON.stringify(metadata),
    created_at: createdAt,
  };
}

export function memberColumns(organizationId: string, member: NewMember): SqlRow {
  const { id, customerId, email, name, externalId, role, createdAt } = member;
  return {
    id,
    organization_id: organizationId,
    customer_id: customerId,
    email,
    email_key: emailKey(email),
    name,
    external_id: externalId,
    role,
    created_at: createdAt,
  };
}
