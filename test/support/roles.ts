/** Who is what in a customer, read past the application. */

import { env } from "cloudflare:workers";
import { expect } from "vitest";

/** Role by member id, of the members who are not deleted. */
export async function rolesIn(customerId: string): Promise<Record<string, string>> {
  const { results } = await env.DB.prepare("SELECT id, role FROM members WHERE customer_id = ?1 AND deleted_at IS NULL")
    .bind(customerId)
    .all<{ id: string; role: string }>();
  return Object.fromEntries(results.map(({ id, role }) => [id, role]));
}

export async function ownerIn(customerId: string): Promise<string> {
  const owners = Object.entries(await rolesIn(customerId)).filter(([, role]) => role === "owner");
  expect(owners).toHaveLength(1);
  return (owners as [[string, string]])[0][0];
}
