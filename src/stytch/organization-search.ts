/**
 * Searching among a project's organizations.
 */

import { Hono } from "hono/quick";
import * as z from "zod/mini";
import type { CustomerSearchFilter } from "../core/customers.ts";
import type { AppEnv } from "../http/env.ts";
import { project } from "./authenticate.ts";
import { answer } from "./envelope.ts";
import { uuidOf } from "./ids.ts";
import type { Setting } from "./organization-settings.ts";
import { presentOrganization } from "./present.ts";
import { type FilterReader, flag, fuzzy, resultsMetadata, searchFields, searchOf, text, texts } from "./search.ts";
import { jsonBody } from "./validate.ts";

/** Domains are kept in lower case. */
const hasDomain = (setting: Setting): FilterReader<CustomerSearchFilter> =>
  texts((domains) => ({ by: { setting }, among: domains.map((domain) => domain.toLowerCase()) }));

/** No organization has an SSO connection here. */
const FILTERS: Record<string, FilterReader<CustomerSearchFilter>> = {
  organization_ids: texts((ids) => ({ by: "id", among: ids.flatMap((id) => uuidOf("organization", id) ?? []) })),
  organization_slugs: texts((among) => ({ by: "slug", among })),
  organization_name_fuzzy: fuzzy("organization_search_organization_name_fuzzy_too_short", (part) => ({
    by: "name",
    part,
  })),
  organization_slug_fuzzy: fuzzy("organization_search_organization_slug_fuzzy_too_short", (part) => ({
    by: "slug",
    part,
  })),
  member_emails: texts((among) => ({ by: "memberEmail", among })),
  member_email_fuzzy: fuzzy("organization_search_member_email_fuzzy_too_short", (part) => ({
    by: "memberEmail",
    part,
  })),
  allowed_domains: hasDomain("email_allowed_domains"),
  allowed_domain_fuzzy: fuzzy("organization_search_allowed_domain_fuzzy_too_short", (part) => ({
    by: { setting: "email_allowed_domains" satisfies Setting },
    part,
  })),
  claimed_email_domains: hasDomain("claimed_email_domains"),
  has_active_sso_connection: flag((has) => ({ everybody: !has })),
  sso_connection_id: text(() => ({ everybody: false })),
};

export const organizationSearch = new Hono<AppEnv>().post(
  "/v1/b2b/organizations/search",
  project("customers:read", "customers:write"),
  jsonBody(z.object(searchFields)),
  async (c) => {
    const search = searchOf(c.req.valid("json"), "organization", FILTERS);
    const found = await c.var.services.customers.search(c.var.project.id, search);
    return answer(c, {
      organizations: found.items.map(presentOrganization),
      results_metadata: resultsMetadata(found),
    });
  },
);
