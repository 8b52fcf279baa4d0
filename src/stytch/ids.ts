/**
 * How this dialect writes ids: a word, the environment, and the UUID that the core knows. There is one environment.
 */

import { StytchError } from "./errors.ts";

type Kind = "project" | "organization" | "member" | "session" | "email" | "ttp";

const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";

/** With or without what goes before it. */
const idOf = (kind: Kind) => new RegExp(`^(?:${kind}-(live|test)-)?(${UUID})$`, "i");

export const isId = (kind: Kind, text: string) => idOf(kind).test(text);

export const wireId = (kind: Kind, id: string) => `${kind}-live-${id}`;

/**
 * The UUID of an id; null for any other text, which may be a slug or an id of the caller's own.
 * @throws {StytchError} test_id_used_in_live_environment
 */
export function uuidOf(kind: Kind, text: string): string | null {
  const [, environment, id] = idOf(kind).exec(text) ?? [];
  if (environment?.toLowerCase() === "test") throw new StytchError("test_id_used_in_live_environment");
  return id?.toLowerCase() ?? null;
}
