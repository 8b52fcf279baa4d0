/**
 * The settings that stand in wrangler.toml.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "./dev-directory.ts";

/** The value, or null if the setting is absent or blank. */
export function configuredVariable(name: string): string | null {
  const settings = readFileSync(join(PROJECT_ROOT, "wrangler.toml"), "utf8");
  return new RegExp(`^${name}\\s*=\\s*"([^"]*)"`, "m").exec(settings)?.[1] || null;
}
