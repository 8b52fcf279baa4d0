/**
 * Objects that are kept as JSON, merged in SQL with what is there at that very moment: no update is lost to another.
 */

import { MAX_KEPT_BYTES, MAX_KEPT_KEYS } from "../core/kept.ts";

/**
 * The object in `column`, with each top-level key of the object `patch` in the place of its own; a null takes the key
 * away. Not json_patch: that merges all the way down, and drops every null on its way.
 */
export const merged = (column: string, patch: string) => `(
  SELECT json_group_object(e.key, json(side.value -> e.fullkey))
  FROM json_each(json_array(json(${column}), json(${patch}))) side, json_each(side.value) e
  WHERE iif(side.key = 0, e.key NOT IN (SELECT key FROM json_each(${patch})), e.type <> 'null'))`;

const keysOf = (object: string) => `(SELECT COUNT(*) FROM json_each(${object}))`;

/** Whether the object would not become too large; without a patch, it may be of any size. */
export function hasRoom(column: string, patch: string): string {
  const object = merged(column, patch);
  return `(${patch} IS NULL OR (octet_length(${object}) <= ${MAX_KEPT_BYTES} AND ${keysOf(object)} <= ${MAX_KEPT_KEYS}))`;
}

/** How large it would become, for `requireRoom`: to be read before the change, in its transaction. */
export interface Size {
  bytes: number;
  keys: number;
}

export function selectSize(column: string, patch: string): string {
  const object = merged(column, patch);
  return `SELECT octet_length(${object}) AS bytes, ${keysOf(object)} AS keys`;
}
