/**
 * Searching the members of some organizations.
 */

import type { Context } from "hono";
import { Hono } from "hono/quick";
import * as z from "zod/mini";
import type { Customer } from "../core/directory.ts";
import type { MemberCriterion } from "../core/member-search.ts";
import type { AppEnv } from "../http/env.ts";
import { permit } from "./acting-member.ts";
import type { ProjectEnv } from "./authenticate.ts";
import { namedOrganizations } from "./directory.ts";
import { answer } from "./envelope.ts";
import { StytchError } from "./errors.ts";
import { uuidOf, wireId } from "./ids.ts";
import { readsMembers } from "./membership.ts";
import { presentMember, presentOrganization } from "./present.ts";
import { type FilterReader, flag, fuzzy, resultsMetadata, searchFields, searchOf, texts } from "./search.ts";
import { jsonBody } from "./validate.ts";

const Search = z.object({ ...searchFields, organization_ids: z.nullish(z.array(z.string())) });

const STATUSES = ["active", "pending", "invited", "deleted"] as const;
type Status = (typeof STATUSES)[number];

const isStatus = (text: string): text is Status => STATUSES.some((status) => status === text);

const PHONE = "mfa_phone_number";
const phoneNumbers = texts<MemberCriterion>((values) => ({ kind: "setting", setting: PHONE, values }));
const phoneNumberPart = fuzzy<MemberCriterion>("member_search_member_mfa_phone_number_fuzzy_too_short", (part) => ({
  kind: "setting_part",
  setting: PHONE,
  part,
}));

const FILTERS: Record<string, FilterReader<MemberCriterion>> = {
  member_ids: texts((ids) => ({ kind: "named", names: ids.map((name) => ({ id: uuidOf("member", name), name })) })),
  member_emails: texts((emails) => ({ kind: "email", emails })),
  member_email_fuzzy: fuzzy("member_search_member_email_fuzzy_too_short", (part) => ({ kind: "email_part", part })),
  member_is_breakglass: flag((isOn) => ({ kind: "switch", setting: "is_breakglass", isOn })),
  statuses: texts((statuses) => {
    if (!statuses.every(isStatus)) throw new StytchError("search_invalid_status_filter");
    return { kind: "status", statuses };
  }),
  // Stytch's SDKs for servers have the one name of each, those for browsers the other.
  member_phone_numbers: phoneNumbers,
  member_mfa_phone_numbers: phoneNumbers,
  member_phone_number_fuzzy: phoneNumberPart,
  member_mfa_phone_number_fuzzy: phoneNumberPart,
};

export const memberSearch = new Hono<AppEnv>().post(
  "/v1/b2b/organizations/members/search",
  readsMembers,
  jsonBody(Search),
  async (c) => {
    const body = c.req.valid("json");
    const search = searchOf(body, "member", FILTERS);
    const customers = await searchedOrganizations(c, body.organization_ids ?? []);
    const found = await c.var.services.members.search(c.var.project.id, [...customers.keys()], search);
    const organizationOf = (customerId: string) => customers.get(customerId) as Customer;
    const owners = [...new Set(found.items.map(({ customerId }) => customerId))].map(organizationOf);
    return answer(c, {
      members: found.items.map((member) => presentMember(member, organizationOf(member.customerId))),
      organizations: Object.fromEntries(
        owners.map((customer) => [wireId("organization", customer.id), presentOrganization(customer)]),
      ),
      results_metadata: resultsMetadata(found),
    });
  },
);

/** By id. */
async function searchedOrganizations(c: Context<ProjectEnv>, names: string[]): Promise<Map<string, Customer>> {
  if (names.length === 0) throw new StytchError("member_search_organization_ids_empty");
  const customers = new Map((await namedOrganizations(c, names)).map((customer) => [customer.id, customer]));
  for (const id of customers.keys()) await permit(c, id, "stytch.member", ["search"]);
  return customers;
}
