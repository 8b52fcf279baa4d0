/**
 * zod's verdicts in pydantic's words. Schemas say what is wrong by naming the wire type as their error (fields.ts);
 * this file adds the place, the message and the offending input.
 */

import { zValidator } from "@hono/zod-validator";
import type { Context } from "hono";
import type * as z from "zod/mini";
import { invalidRequest, type WireIssue } from "./errors.ts";

/** Messages of the wire types whose text is always the same. */
const MESSAGES: Record<string, string> = {
  missing: "Field required",
  string_type: "Input should be a valid string",
  uuid_type: "UUID input should be a string, bytes or UUID object",
  int_type: "Input should be a valid integer",
  bool_type: "Input should be a valid boolean",
  dict_type: "Input should be a valid dictionary",
  url_type: "URL input should be a string or URL",
  model_attributes_type: "Input should be a valid dictionary or object to extract fields from",
};

type Issue = z.core.$ZodIssue;

/** Validates a JSON body that readJson has already parsed. `variant` names the union arm, as Polar's `loc` does. */
export function jsonBody<Schema extends z.ZodMiniType>(schema: Schema, variant?: string) {
  return zValidator("json", schema, (result) => {
    if (!result.success) {
      throw invalidRequest(toWireIssues(result.error.issues, result.data, ["body", ...(variant ? [variant] : [])]));
    }
  });
}

export function pathParameters<Schema extends z.ZodMiniType>(schema: Schema) {
  return zValidator("param", schema, (result) => {
    if (!result.success) throw invalidRequest(toWireIssues(result.error.issues, result.data, ["path"]));
  });
}

export function queryParameters<Schema extends z.ZodMiniType>(schema: Schema) {
  return zValidator("query", schema, (result) => {
    if (!result.success) throw invalidRequest(toWireIssues(result.error.issues, result.data, ["query"]));
  });
}

export function toWireIssues(issues: readonly Issue[], data: unknown, prefix: string[]): WireIssue[] {
  return issues.map((issue) => {
    const path = issue.path as (string | number)[];
    const input = valueAt(data, path);
    const loc = [...prefix, ...path];
    if (input === undefined)
      return { type: "missing", loc, msg: MESSAGES["missing"] as string, input: valueAt(data, path.slice(0, -1)) };
    if (issue.code === "custom") {
      const { type, ctx, at } = issue.params as FieldFault;
      return { type, loc: [...loc, ...(at ?? [])], msg: issue.message, input, ...(ctx && { ctx }) };
    }
    if (issue.code === "too_big" && issue.origin === "string") {
      const max_length = Number(issue.maximum);
      return {
        type: "string_too_long",
        loc,
        msg: `String should have at most ${max_length} characters`,
        input,
        ctx: { max_length },
      };
    }
    // The body itself: pydantic has its own word for "not an object".
    const type = path.length === 0 ? "model_attributes_type" : issue.message;
    return { type, loc, msg: MESSAGES[type] ?? issue.message, input };
  });
}

/** What a check of fields.ts pushes: the wire type, its ctx, and further steps of `loc`. */
export interface FieldFault {
  type: string;
  ctx?: Record<string, unknown>;
  at?: (string | number)[];
}

function valueAt(data: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, key)
        ? (value as Record<string | number, unknown>)[key]
        : undefined,
    data,
  );
}

/**
 * Parses the JSON body before anyone asks who is calling, as Polar does: malformed JSON without a credential is 422.
 * Reads at most 64 KiB, counted as they arrive.
 * @throws {PolarError} 413, 422
 */
export async function readJson(c: Context): Promise<void> {
  const text = await c.req.text();
  if (text === "") throw invalidRequest([{ type: "missing", loc: ["body"], msg: "Field required", input: null }]);
  const mediaType = (c.req.header("Content-Type") ?? "").split(";")[0]?.trim() ?? "";
  if (!/^application\/([\w.-]+\+)?json$/i.test(mediaType)) {
    const type = "model_attributes_type";
    throw invalidRequest([{ type, loc: ["body"], msg: MESSAGES[type] as string, input: text }]);
  }
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    const at = Number(/position (\d+)/.exec(String(error))?.[1] ?? text.length);
    const ctx = { error: "Invalid JSON" };
    throw invalidRequest([
      { type: "json_invalid", loc: ["body", at as unknown as string], msg: "JSON decode error", input: {}, ctx },
    ]);
  }
  if (body === null) throw invalidRequest([{ type: "missing", loc: ["body"], msg: "Field required", input: null }]);
}
