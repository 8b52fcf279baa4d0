/**
 * The prefix of the API keys that scripts mint: the Worker understands those in its setting TOKEN_PREFIXES only.
 */

import { parsePrefixes } from "../src/config.ts";
import { Refusal } from "./command.ts";
import { readVariable } from "./vars-file.ts";
import { configuredVariable } from "./wrangler-toml.ts";

/** @param vars text of the vars file, whose setting wins over wrangler.toml's, as it does in wrangler. */
export function tokenPrefix(vars: string): string {
  try {
    return parsePrefixes(readVariable(vars, "TOKEN_PREFIXES") ?? configuredVariable("TOKEN_PREFIXES") ?? "")[0];
  } catch (error) {
    throw new Refusal(`TOKEN_PREFIXES ${(error as Error).message}.`);
  }
}
