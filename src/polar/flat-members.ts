/**
 * Members without their customer in the path: the list of all, and Polar's deprecated routes, which its older SDKs call.
 */

import { Hono } from "hono/quick";
import * as z from "zod/mini";
import type { CustomerRef, MemberRef } from "../core/directory.ts";
import type { AppEnv } from "../http/env.ts";
import { resourceNotFound, ruleBroken } from "./errors.ts";
import { string, uuid } from "./fields.ts";
import {
  addMember,
  listMembers,
  MemberUpdate,
  memberCreate,
  memberList,
  readMember,
  readsMembers,
  removeMember,
  updateMember,
  writesMembers,
} from "./member-requests.ts";
import { jsonBody, pathParameters, queryParameters } from "./validate.ts";

const MemberList = z.object({
  ...memberList,
  customer_id: z.optional(string),
  external_customer_id: z.optional(string),
});

const member = pathParameters(z.object({ id: uuid("any") }));
const externalMember = pathParameters(z.object({ external_id: string }));
const ofCustomer = queryParameters(
  z.object({ customer_id: z.optional(uuid("any")), external_customer_id: z.optional(string) }),
);

export const flatMembers = new Hono<AppEnv>()
  .get("/v1/members/", readsMembers, queryParameters(MemberList, "sorting"), async (c) => {
    const query = c.req.valid("query");
    const { customer_id, external_customer_id } = query;
    const of: CustomerRef[] = [];
    if (customer_id !== undefined) {
      const id = z.safeParse(uuid("any"), customer_id);
      if (!id.success) throw resourceNotFound("Invalid customer ID format");
      of.push({ id: id.data });
    }
    if (external_customer_id !== undefined) of.push({ externalId: external_customer_id });
    return c.json(await listMembers(c, of, query));
  })

  .post("/v1/members/", writesMembers, jsonBody(z.object({ customer_id: uuid(4), ...memberCreate })), (c) => {
    const body = c.req.valid("json");
    return addMember(c, { id: body.customer_id }, body);
  })

  .get("/v1/members/external/:external_id{.+}", readsMembers, externalMember, ofCustomer, (c) =>
    readMember(c, named(c.req.valid("param"), c.req.valid("query"))),
  )
  .patch(
    "/v1/members/external/:external_id{.+}",
    writesMembers,
    externalMember,
    ofCustomer,
    jsonBody(MemberUpdate),
    (c) => updateMember(c, named(c.req.valid("param"), c.req.valid("query")), c.req.valid("json")),
  )
  .delete("/v1/members/external/:external_id{.+}", writesMembers, externalMember, ofCustomer, (c) =>
    removeMember(c, named(c.req.valid("param"), c.req.valid("query"))),
  )

  .get("/v1/members/:id", readsMembers, member, (c) => readMember(c, c.req.valid("param")))
  .patch("/v1/members/:id", writesMembers, member, jsonBody(MemberUpdate), (c) =>
    updateMember(c, c.req.valid("param"), c.req.valid("json")),
  )
  .delete("/v1/members/:id", writesMembers, member, (c) => removeMember(c, c.req.valid("param")));

/** A member's external id means something within one customer only, and the query says which. */
function named(
  { external_id: externalId }: { external_id: string },
  query: { customer_id?: string | undefined; external_customer_id?: string | undefined },
): MemberRef {
  const { customer_id, external_customer_id } = query;
  const refuse = (type: string, msg: string) => ruleBroken({ type, loc: ["query"], msg, input: null });
  if (customer_id !== undefined) {
    if (external_customer_id === undefined) return { externalId, of: { id: customer_id } };
    throw refuse("value_error", "Only one of customer_id or external_customer_id may be provided.");
  }
  if (external_customer_id !== undefined) return { externalId, of: { externalId: external_customer_id } };
  throw refuse("missing", "One of customer_id or external_customer_id must be provided.");
}
