/**
 * `GET /v1/customers/export`: all customers as CSV (RFC 4180), with Polar's columns. Written while it is read, so that
 * their number does not matter.
 */

import { Hono } from "hono/quick";
import * as z from "zod/mini";
import type { Customer } from "../core/directory.ts";
import type { AppEnv } from "../http/env.ts";
import { merchant } from "./authenticate.ts";
import { uuid } from "./fields.ts";
import { timestamp } from "./timestamps.ts";
import { queryParameters } from "./validate.ts";

const COLUMNS: Record<string, (customer: Customer) => string | null | undefined> = {
  ID: ({ id }) => id,
  "External ID": ({ externalId }) => externalId,
  "Created At": ({ createdAt }) => timestamp(createdAt),
  Email: ({ email }) => email,
  Name: ({ name }) => name,
  "Tax ID": ({ taxId }) => taxId && `['${taxId[0]}', '${taxId[1]}']`,
  "Billing Address Line 1": ({ billingAddress }) => billingAddress?.line1,
  "Billing Address Line 2": ({ billingAddress }) => billingAddress?.line2,
  "Billing Address City": ({ billingAddress }) => billingAddress?.city,
  "Billing Address State": ({ billingAddress }) => billingAddress?.state,
  "Billing Address Zip": ({ billingAddress }) => billingAddress?.postal_code,
  "Billing Address Country": ({ billingAddress }) => billingAddress?.country,
  Metadata: ({ metadata }) => (Object.keys(metadata).length > 0 ? JSON.stringify(metadata) : null),
};

/** No cell is altered for the sake of a spreadsheet that would take it for a formula: what is exported can be imported. */
const row = (cells: (string | null | undefined)[]) => `${cells.map((text) => quoted(text ?? "")).join(",")}\r\n`;
const quoted = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

export const customerExport = new Hono<AppEnv>().get(
  "/v1/customers/export",
  merchant("customers:read", "customers:write"),
  queryParameters(z.object({ organization_id: z.optional(z.array(uuid(4))) }), "organization_id"),
  async (c) => {
    const { organization, services } = c.var;
    const leftOut = c.req.valid("query").organization_id?.includes(organization.id) === false;
    const csv = toCsv(leftOut ? [[]] : services.customers.inPieces(organization.id));
    // Before the status is sent: D1 may be away, and that is a 503.
    const { value } = await csv.next();
    const body = new ReadableStream<string>({
      start: (controller) => controller.enqueue(value ?? ""),
      async pull(controller) {
        try {
          const piece = await csv.next();
          if (piece.done) controller.close();
          else controller.enqueue(piece.value);
        } catch (error) {
          services.log.error("export_broken_off", { organizationId: organization.id, error });
          throw error;
        }
      },
    });
    return c.body(body.pipeThrough(new TextEncoderStream()), 200, {
      "Content-Type": "text/csv; charset=utf-8",
      "Content-Disposition": 'attachment; filename="customers.csv"',
    });
  },
);

async function* toCsv(pieces: Iterable<Customer[]> | AsyncIterable<Customer[]>): AsyncGenerator<string, void> {
  let text = row(Object.keys(COLUMNS));
  for await (const customers of pieces) {
    yield text + customers.map((customer) => row(Object.values(COLUMNS).map((cell) => cell(customer)))).join("");
    text = "";
  }
}
