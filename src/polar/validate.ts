/**
 * zod's verdicts in pydantic's words. Schemas say what is wrong by naming the wire type as their error (fields.ts);
 * this file adds the place, the message and the offending input.
 */

import { zValidator } from "@hono/zod-validator";
import type { Context, Env, HonoRequest } from "hono";
import { createMiddleware } from "hono/factory";
import * as z from "zod/mini";
import { parseExactly } from "../core/exact-json.ts";
import { decodeUtf8, parseShallowJson } from "../http/json-body.ts";
import { invalidRequest, type WireIssue } from "./errors.ts";

/** Messages of the wire types whose text is always the same. */
const MESSAGES: Record<string, string> = {
  missing: "Field required",
  string_type: "Input should be a valid string",
  uuid_type: "UUID input should be a string, bytes or UUID object",
  int_type: "Input should be a valid integer",
  bool_type: "Input should be a valid boolean",
  dict_type: "Input should be a valid dictionary",
  list_type: "Input should be a valid list",
  url_type: "URL input should be a string or URL",
  model_attributes_type: "Input should be a valid dictionary or object to extract fields from",
};

type Issue = z.core.$ZodIssue;

/** What a validated body is to a handler: `c.req.valid("json")`. */
interface JsonInput<Schema extends z.ZodMiniType> {
  in: { json: z.input<Schema> };
  out: { json: z.output<Schema> };
}

export function jsonBody<Schema extends z.ZodMiniType>(schema: Schema) {
  return createMiddleware<Env, string, JsonInput<Schema>>(async (c, next) => {
    const body = await readJson(c);
    const parsed = z.safeParse(schema, body);
    if (!parsed.success) throw invalidRequest(toWireIssues(parsed.error.issues, body, ["body"]));
    c.req.addValidatedData("json", parsed.data as object);
    await next();
  });
}

export function pathParameters<Schema extends z.ZodMiniType>(schema: Schema) {
  return zValidator("param", schema, (result) => {
    if (!result.success) throw invalidRequest(toWireIssues(result.error.issues, result.data, ["path"]));
  });
}

/**
 * A parameter given twice counts by its last value, as in Polar's framework.
 * @param repeatable names of those that are lists: all their values count.
 */
export function queryParameters<Schema extends z.ZodMiniType<unknown, Record<string, unknown>>>(
  schema: Schema,
  ...repeatable: (keyof z.input<Schema> & string)[]
) {
  const parse = (values: unknown): Record<string, unknown> => {
    const entries = Object.entries(values as Record<string, string | string[]>);
    return Object.fromEntries(
      entries.map(([name, value]) => [name, repeatable.includes(name) ? [value].flat() : [value].flat().at(-1)]),
    );
  };
  return zValidator("query", z.pipe(z.transform(parse), schema), (result) => {
    if (result.success) return;
    throw invalidRequest(toWireIssues(result.error.issues as Issue[], parse(result.data), ["query"]));
  });
}

export function toWireIssues(issues: readonly Issue[], data: unknown, prefix: string[]): WireIssue[] {
  return issues.map((issue) => {
    const path = issue.path as (string | number)[];
    const input = valueAt(data, path);
    const loc = [...prefix, ...path];
    if (input === undefined) {
      // Of a body, pydantic shows the object that lacks it; a parameter stands in none.
      const around = prefix[0] === "body" ? valueAt(data, path.slice(0, -1)) : null;
      return { type: "missing", loc, msg: MESSAGES["missing"] as string, input: around };
    }
    if (issue.code === "custom") {
      const { type, ctx, inside } = issue.params as Omit<Fault, "msg">;
      const place = inside ? { loc: [...loc, ...inside.loc], input: inside.input } : { loc, input };
      return { type, ...place, msg: issue.message, ...(ctx && { ctx }) };
    }
    // A body that should be an object: pydantic has its own word for "not an object".
    const type = path.length === 0 && issue.message !== "list_type" ? "model_attributes_type" : issue.message;
    return { type, loc, msg: MESSAGES[type] ?? issue.message, input };
  });
}

/** What a check of fields.ts finds: the wire type, the message, its ctx, and where inside the field the fault lies. */
export interface Fault {
  type: string;
  msg: string;
  ctx?: Record<string, unknown>;
  inside?: { loc: string[]; input: unknown };
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

const bodies = new WeakMap<HonoRequest, Promise<unknown>>();

/**
 * The JSON body, parsed when it is first asked for: before anyone asks who is calling, as Polar does, so that malformed
 * JSON without a credential is 422. Its schema is asked later, of what was parsed then.
 * @throws {PolarError} 422
 */
export function readJson({ req }: Pick<Context, "req">): Promise<unknown> {
  const body = bodies.get(req) ?? parseBody(req);
  bodies.set(req, body);
  return body;
}

async function parseBody(req: HonoRequest): Promise<unknown> {
  const bytes = await req.arrayBuffer();
  if (bytes.byteLength === 0) throw missingBody();
  const mediaType = (req.header("Content-Type") ?? "").split(";")[0]?.trim() ?? "";
  const isJson = /^application\/([\w.-]+\+)?json$/i.test(mediaType);
  const body = isJson ? parseJson(bytes) : undefined;
  if (body === null) throw missingBody();
  if (body === undefined) {
    const type = "model_attributes_type";
    const input = new TextDecoder().decode(bytes);
    throw invalidRequest([{ type, loc: ["body"], msg: MESSAGES[type] as string, input }]);
  }
  return body;
}

const missingBody = () => invalidRequest([{ type: "missing", loc: ["body"], msg: "Field required", input: null }]);

function parseJson(bytes: ArrayBuffer): unknown {
  let text = "";
  try {
    text = decodeUtf8(bytes);
    return withExactMetadata(parseShallowJson(text), text);
  } catch {
    const loc = ["body", placeOfBreak(text)];
    const ctx = { error: "Invalid JSON" };
    throw invalidRequest([{ type: "json_invalid", loc, msg: "JSON decode error", input: {}, ctx }]);
  }
}

/** How much of a text could still become JSON. The engine says so of some faults only, and never of a wrong token. */
function placeOfBreak(text: string): number {
  let [sound, broken] = [0, text.length + 1];
  while (broken - sound > 1) {
    const middle = (sound + broken) >> 1;
    if (canGoOn(text.slice(0, middle))) sound = middle;
    else broken = middle;
  }
  return sound;
}

function canGoOn(beginning: string): boolean {
  try {
    JSON.parse(beginning);
    return true;
  } catch (error) {
    const place = /end of JSON|position (\d+)/.exec(String(error));
    return place !== null && Number(place[1] ?? beginning.length) >= beginning.length;
  }
}

/** The one field in which callers keep numbers of their own. */
function withExactMetadata(body: unknown, text: string): unknown {
  if (typeof valueAt(body, ["metadata"]) !== "object") return body;
  return { ...(body as object), metadata: valueAt(parseExactly(text), ["metadata"]) };
}
