/**
 * The members of one customer, by our ids or by the organization's own. Polar's 409, for an external id that customers
 * of several organizations share, has no place here: an API key speaks for one organization.
 */

import { Hono } from "hono/quick";
import * as z from "zod/mini";
import type { MemberRef } from "../core/directory.ts";
import type { AppEnv } from "../http/env.ts";
import { BY_EXTERNAL_ID, BY_ID, customerExternalId, customerId } from "./customer-paths.ts";
import { string, uuid } from "./fields.ts";
import {
  addMember,
  listOfCustomer,
  MemberCreate,
  MemberUpdate,
  memberList,
  readMember,
  readsMembers,
  removeMember,
  updateMember,
  writesMembers,
} from "./member-requests.ts";
import { jsonBody, pathParameters, queryParameters } from "./validate.ts";

const customer = pathParameters(customerId);
const externalCustomer = pathParameters(customerExternalId);
const member = pathParameters(
  z.pipe(
    z.object({ id: uuid(4), member_id: uuid("any") }),
    z.transform(({ id, member_id }): MemberRef => ({ id: member_id, of: { id } })),
  ),
);
const externalMember = pathParameters(
  z.pipe(
    z.object({ external_id: string, member_external_id: string }),
    z.transform(
      ({ external_id, member_external_id }): MemberRef => ({
        externalId: member_external_id,
        of: { externalId: external_id },
      }),
    ),
  ),
);
const list = queryParameters(z.object(memberList), "sorting");

const EXTERNAL = `${BY_EXTERNAL_ID}/members` as const;
const EXTERNAL_MEMBER = `${EXTERNAL}/:member_external_id{.+}` as const;
const NESTED = `${BY_ID}/members` as const;
const NESTED_MEMBER = `${NESTED}/:member_id` as const;

export const members = new Hono<AppEnv>()
  .get(EXTERNAL, readsMembers, externalCustomer, list, (c) =>
    listOfCustomer(c, c.req.valid("param"), c.req.valid("query")),
  )
  .post(EXTERNAL, writesMembers, externalCustomer, jsonBody(MemberCreate), (c) =>
    addMember(c, c.req.valid("param"), c.req.valid("json")),
  )
  .get(EXTERNAL_MEMBER, readsMembers, externalMember, (c) => readMember(c, c.req.valid("param")))
  .patch(EXTERNAL_MEMBER, writesMembers, externalMember, jsonBody(MemberUpdate), (c) =>
    updateMember(c, c.req.valid("param"), c.req.valid("json")),
  )
  .delete(EXTERNAL_MEMBER, writesMembers, externalMember, (c) => removeMember(c, c.req.valid("param")))

  .get(NESTED, readsMembers, customer, list, (c) => listOfCustomer(c, c.req.valid("param"), c.req.valid("query")))
  .post(NESTED, writesMembers, customer, jsonBody(MemberCreate), (c) =>
    addMember(c, c.req.valid("param"), c.req.valid("json")),
  )
  .get(NESTED_MEMBER, readsMembers, member, (c) => readMember(c, c.req.valid("param")))
  .patch(NESTED_MEMBER, writesMembers, member, jsonBody(MemberUpdate), (c) =>
    updateMember(c, c.req.valid("param"), c.req.valid("json")),
  )
  .delete(NESTED_MEMBER, writesMembers, member, (c) => removeMember(c, c.req.valid("param")));
