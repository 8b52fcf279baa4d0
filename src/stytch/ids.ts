/**
 * How this dialect writes ids: a word, the environment, and the UUID that the core knows. There is one environment.
 */

import { StytchError } from "./errors.ts";

type Kind = "project" | "organization" | "member" | "session" | "email";

const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";

export const wireId = (kind: Kind, id: string) => `${kind}-live-${id}`;

/**
 * The UUID of an id, with or without what goes before it; null for any other text, which may be a slug or an id of the
 * caller's own.
 * @throws {StytchError} test_id_used_in_live_environment
 */
export function uuidOf(kind: Kind, text: string): string | null {
  const [, environment, id] = new RegExp(`^(?:${kind}-(live|test)-)?(${UUID})$`, "i").exec(text) ?? [];
  if (environment?.toLowerCase() === "test") throw new StytchError("test_id_used_in_live_environment");
  return id?.toLowerCase() ?? null;
}
