/**
 * What a form sends. A body that is no form sends nothing, even where it says that it is one; nor does a file.
 */

import type { Context } from "hono";

export async function textFields(c: Context): Promise<Record<string, string>> {
  const fields: Record<string, unknown> = await c.req.parseBody().catch(() => ({}));
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, string] => typeof field[1] === "string"),
  );
}
