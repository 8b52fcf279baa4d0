/** The rows of organizations' members in the Stytch dialect. */

import { cursorOf } from "../../src/core/search.ts";
import { type Json, memberId, organizationId } from "../stytch/support.ts";
import { newAddress } from "../support/email-change.ts";
import { update } from "../support/portal.ts";
import type { Route } from "./routes.ts";

const ORGANIZATIONS = "/v1/b2b/organizations";
const MEMBERS = `${ORGANIZATIONS}/:organization_id/members`;
const MEMBER = `${MEMBERS}/:member_id`;
const members: Route["path"] = ({ tenant }) => `${ORGANIZATIONS}/${organizationId(tenant.team.id)}/members`;
const member: Route["path"] = (world) => `${members(world)}/${memberId(world.tenant.team.member.id)}`;
const showsMember: Route["shows"] = ({ member }: Json) => member;

const kept = () => ({
  email_address: newAddress(),
  name: "New",
  external_id: crypto.randomUUID(),
  trusted_metadata: { key: "value" },
  untrusted_metadata: { key: "value" },
  is_breakglass: true,
  mfa_phone_number: "+15005550006",
  mfa_enrolled: true,
  roles: ["stytch_admin"],
});

const RETIRED = { id: crypto.randomUUID(), email: "former@example.com", key: "former@example.com" };

const keepsMembers = {
  guard: "api key",
  scopes: ["members:write"],
  inMembersName: true,
  ok: 200,
  foreign: 404,
} satisfies Partial<Route>;
const readsMembers = {
  guard: "api key",
  scopes: ["members:read", "members:write"],
  ok: 200,
  foreign: 404,
} satisfies Partial<Route>;

export const MEMBER_ROUTES: Route[] = [
  {
    route: `POST ${MEMBERS}`,
    ...keepsMembers,
    path: members,
    body: () => ({ ...kept(), create_member_as_pending: true }),
    shows: showsMember,
  },
  {
    route: `POST ${ORGANIZATIONS}/members/search`,
    ...readsMembers,
    inMembersName: true,
    // In an order that can be told.
    async prepare({ team }) {
      await update("members", team.billingManager.id, { created_at: 1 });
      await update("members", team.member.id, { created_at: 2 });
    },
    path: () => `${ORGANIZATIONS}/members/search`,
    body: ({ tenant: { team } }) => ({
      organization_ids: [organizationId(team.id)],
      limit: 10,
      cursor: cursorOf({ createdAt: 0, id: team.id }),
      query: {
        operator: "AND",
        operands: [
          { filter_name: "member_email_fuzzy", filter_value: "member" },
          { filter_name: "member_ids", filter_value: [memberId(team.member.id)] },
          { filter_name: "member_phone_number_fuzzy", filter_value: "5550" },
        ],
      },
    }),
  },
  {
    route: `GET ${ORGANIZATIONS}/members/dangerously_get/:member_id`,
    ...readsMembers,
    path: ({ tenant }) =>
      `${ORGANIZATIONS}/members/dangerously_get/${memberId(tenant.team.member.id)}?include_deleted=true`,
  },
  {
    route: `GET ${ORGANIZATIONS}/:organization_id/member`,
    ...readsMembers,
    path: ({ tenant: { team } }) =>
      `${ORGANIZATIONS}/${organizationId(team.id)}/member?member_id=${memberId(team.member.id)}`,
  },
  {
    route: `PUT ${MEMBER}`,
    ...keepsMembers,
    path: member,
    body: () => ({ ...kept(), default_mfa_method: "totp", unlink_email: true, preserve_existing_sessions: true }),
    wordFields: ["default_mfa_method"],
    mayBeEmpty: true,
    shows: showsMember,
  },
  { route: `DELETE ${MEMBER}`, ...keepsMembers, path: member },
  {
    route: `PUT ${MEMBER}/reactivate`,
    ...keepsMembers,
    prepare: ({ team }) => update("members", team.billingManager.id, { deleted_at: 1 }),
    path: (world) => `${members(world)}/${memberId(world.tenant.team.billingManager.id)}/reactivate`,
  },
  {
    route: `DELETE ${MEMBERS}/mfa_phone_numbers/:member_id`,
    ...keepsMembers,
    path: (world) => `${members(world)}/mfa_phone_numbers/${memberId(world.tenant.team.member.id)}`,
  },
  { route: `DELETE ${MEMBER}/totp`, ...keepsMembers, path: (world) => `${member(world)}/totp` },
  {
    route: `DELETE ${MEMBERS}/passwords/:member_password_id`,
    ...keepsMembers,
    path: (world) => `${members(world)}/passwords/member-password-live-1`,
    ok: 404,
  },
  {
    route: `POST ${MEMBER}/unlink_retired_email`,
    ...keepsMembers,
    prepare: ({ team }) => update("members", team.member.id, { retired_emails: JSON.stringify([RETIRED]) }),
    path: (world) => `${member(world)}/unlink_retired_email`,
    body: () => ({ email_id: `email-live-${RETIRED.id}`, email_address: RETIRED.email }),
  },
  { route: `DELETE ${MEMBER}/external_id`, ...keepsMembers, path: (world) => `${member(world)}/external_id` },
];
