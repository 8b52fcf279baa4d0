/**
 * One JSON line per event, for whoever reads the log at night. Lines hold ids, reasons and error messages of the
 * platform; they never hold a request's URL query, headers or body.
 */

import type { Log } from "../core/ports.ts";

export const log: Log = {
  info: (event, fields) => write("info", event, fields),
  warn: (event, fields) => write("warn", event, fields),
  error: (event, fields) => write("error", event, fields),
};

function write(level: keyof Log, event: string, fields: Record<string, unknown>): void {
  const line = JSON.stringify({ level, event, ...fields }, (_, value: unknown) =>
    value instanceof Error ? describe(value) : value,
  );
  console[level](withoutCredentials(line));
}

function describe(error: Error): Record<string, unknown> {
  return {
    name: error.name,
    message: error.message,
    stack: error.stack?.split("\n").slice(1, 6).join(" <- "),
    ...(error.cause === undefined ? {} : { cause: error.cause }),
  };
}

/** Second line of defence: whatever looks like one of our credentials is cut down to its kind. */
function withoutCredentials(line: string): string {
  return line.replace(/_(mst|cst|oat|code|cev|login|imp)_[A-Za-z0-9_-]{20,}/g, "_$1_[removed]");
}
