/**
 * Reading what a request says. A schema may name an error type of this dialect as its error; where it names none, the
 * answer is `bad_request` and says which field is wrong. Null counts as absent, unknown fields are ignored.
 */

import type { Env, HonoRequest } from "hono";
import { createMiddleware } from "hono/factory";
import * as z from "zod/mini";
import { decodeUtf8, parseShallowJson } from "../http/json-body.ts";
import { isErrorType, StytchError } from "./errors.ts";

/** What a validated part of the request is to a handler: `c.req.valid("json")`, `c.req.valid("query")`. */
type Validated<Part extends "json" | "query", Schema extends z.ZodMiniType> = {
  in: { [part in Part]: z.input<Schema> };
  out: { [part in Part]: z.output<Schema> };
};

/** The body; one that is empty counts as an empty object, since some SDKs send none where all fields are optional. */
export function jsonBody<Schema extends z.ZodMiniType>(schema: Schema) {
  return createMiddleware<Env, string, Validated<"json", Schema>>(async (c, next) => {
    c.req.addValidatedData("json", parse(schema, await readJson(c.req)) as object);
    await next();
  });
}

/** A parameter given twice counts by its first value. */
export function query<Schema extends z.ZodMiniType>(schema: Schema) {
  return createMiddleware<Env, string, Validated<"query", Schema>>(async (c, next) => {
    const parameters = c.req.query();
    if (isUnstorable(parameters))
      throw new StytchError("bad_request", "A parameter holds characters that are no text.");
    c.req.addValidatedData("query", parse(schema, parameters) as object);
    await next();
  });
}

function parse<Schema extends z.ZodMiniType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = z.safeParse(schema, input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues as [z.core.$ZodIssue];
  if (isErrorType(issue.message)) throw new StytchError(issue.message);
  throw new StytchError("bad_request", `${issue.path.join(".") || "The body"} ${problemOf(issue)}.`);
}

function problemOf(issue: z.core.$ZodIssue): string {
  if (issue.message !== UNWORDED) return issue.message;
  if (issue.code === "too_small") return `is too small: it must be ${issue.minimum} at least`;
  if (issue.code === "too_big") return `is too large: it may be ${issue.maximum} at most`;
  return "is missing or of the wrong kind";
}

/** What zod/mini says of whatever a schema has no words for. */
const UNWORDED = "Invalid input";

async function readJson(req: HonoRequest): Promise<unknown> {
  const bytes = await req.arrayBuffer();
  if (bytes.byteLength === 0) return {};
  let body: unknown;
  try {
    body = parseShallowJson(decodeUtf8(bytes));
  } catch {
    throw new StytchError("bad_request", "The body is no JSON.");
  }
  if (isUnstorable(body)) {
    throw new StytchError("bad_request", "The body holds characters that are no text, or a number that is too large.");
  }
  return body;
}

/**
 * U+0000 ends strings in half of all software; an unpaired surrogate is not text and would be stored as U+FFFD; and a
 * number beyond all doubles would be stored as null, which in claims and metadata deletes.
 */
function isUnstorable(value: unknown): boolean {
  if (typeof value === "number") return !Number.isFinite(value);
  if (typeof value === "string") return value.includes("\0") || !value.isWellFormed();
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([name, inner]) => isUnstorable(name) || isUnstorable(inner));
}
