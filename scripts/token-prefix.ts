/**
 * The prefix of the API keys that scripts mint: the Worker understands those in its setting TOKEN_PREFIXES only.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "./command.ts";
import { PROJECT_ROOT } from "./dev-directory.ts";
import { readVariable } from "./vars-file.ts";

/** @param vars text of the vars file, whose setting wins over wrangler.toml's, as it does in wrangler. */
export function tokenPrefix(vars: string): string {
  const settings = readFileSync(join(PROJECT_ROOT, "wrangler.toml"), "utf8");
  const configured = /^TOKEN_PREFIXES\s*=\s*"([^"]*)"/m.exec(settings)?.[1];
  const prefix = (readVariable(vars, "TOKEN_PREFIXES") ?? configured ?? "").split(",")[0]?.trim() ?? "";
  if (!/^[a-z][a-z0-9]{0,15}$/.test(prefix)) throw new Refusal(`TOKEN_PREFIXES must begin with a lower-case word.`);
  return prefix;
}
