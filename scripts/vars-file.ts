/**
 * Vars files (`.dev.vars` and its like): one variable is read or set, and every other line stays as it is.
 */

import { isDeepStrictEqual, parseEnv } from "node:util";
import { Refusal } from "./command.ts";

/** The value, or null if the variable is absent or blank. */
export function readVariable(text: string, name: string): string | null {
  return parseEnv(text)[name] || null;
}

/** The text with the variable set: in its own line if it has one, else at the end. */
export function setVariable(text: string, name: string, value: string): string {
  const line = new RegExp(`^([ \\t]*(?:export[ \\t]+)?${name}[ \\t]*=)[^\\r\\n]*`, "gm");
  const found = text.match(line)?.length ?? 0;
  if (found > 1) throw new Refusal(`${name} stands in that file ${found} times. Leave one of the lines.`);
  const separator = text === "" || text.endsWith("\n") ? "" : "\n";
  // JSON is full of the usual quotes, and those of the other kind keep it as it is.
  const quoted = value.includes('"') ? `'${value}'` : `"${value}"`;
  const edited =
    found === 1
      ? text.replace(line, (_, start: string) => `${start}${quoted}`)
      : `${text}${separator}${name}=${quoted}\n`;
  // A value over several lines is beyond this editor; better to stop than to damage the file.
  const isOneLine = !parseEnv(text)[name]?.includes("\n");
  if (!isOneLine || !isDeepStrictEqual({ ...parseEnv(edited) }, { ...parseEnv(text), [name]: value })) {
    throw new Refusal(`${name} is written in a way that cannot be edited.`);
  }
  return edited;
}
