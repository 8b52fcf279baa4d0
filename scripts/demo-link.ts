/**
 * A portal link for a demo member, made as a user's backend makes it: over HTTP, with the API key.
 */

import { Refusal } from "./command.ts";
import type { DemoMember } from "./demo-file.ts";
import type { DemoOrganization } from "./demo-organization.ts";

/** A plain member of the team if there is one; else whoever is left; null when all were deleted. */
export function linkMember({ customers }: DemoOrganization): DemoMember | null {
  const members = customers.flatMap((customer) => customer.members);
  return members.find((member) => member.role === "member") ?? members[0] ?? null;
}

/** null: the organization was changed so that it allows no member sessions. */
export async function makePortalLink(baseUrl: string, apiKey: string, member: DemoMember): Promise<string | null> {
  const response = await fetch(`${baseUrl}/v1/member-sessions/`, {
    method: "POST",
    headers: { Authorization: `Bearer ${apiKey}`, "Content-Type": "application/json" },
    body: JSON.stringify({ member_id: member.id, return_url: "https://example.com/" }),
  });
  const body = await response.text();
  if (response.status === 403) return null;
  if (response.status !== 201) throw new Refusal(`POST /v1/member-sessions/ answered ${response.status}: ${body}`);
  return (JSON.parse(body) as { member_portal_url: string }).member_portal_url;
}

/** The same, for a shell. */
export function portalLinkCommand(baseUrl: string, apiKey: string, member: DemoMember): string {
  return `curl -s ${baseUrl}/v1/member-sessions/ \\
    -H 'Authorization: Bearer ${apiKey}' \\
    -H 'Content-Type: application/json' \\
    -d '{"member_id": "${member.id}"}'`;
}
