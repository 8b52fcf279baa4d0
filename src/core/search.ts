/**
 * Searches: filters that all must hold, or any of them, and pages that a cursor continues. Rows come oldest first, so
 * that whoever walks through the pages meets every row once, whatever is added meanwhile.
 */

import { fromBase64Url, toBase64Url, utf8Bytes } from "../crypto/bytes.ts";

/** Where a row stands in the order of every search. */
export interface Place {
  createdAt: number;
  id: string;
}

export interface Search<Filter> {
  /** Without filters, either lets everything through. */
  match: "all" | "any";
  filters: Filter[];
  /** The page begins after it; null for the first. */
  after: Place | null;
  limit: number;
}

/** One page, the number of all rows of the search, and where the next page begins: after its last row; null: nowhere. */
export interface Found<Item> {
  items: Item[];
  total: number;
  next: Place | null;
}

/** Opaque to callers; it tells nothing that the page did not. */
export function cursorOf({ createdAt, id }: Place): string {
  return toBase64Url(utf8Bytes(JSON.stringify([createdAt, id])));
}

/** @returns null: no search gave it. */
export function placeOf(cursor: string): Place | null {
  const text = new TextDecoder().decode(fromBase64Url(cursor) ?? new Uint8Array());
  const [, createdAt, id] = /^\[(\d{1,15}),"([0-9a-f-]{36})"\]$/.exec(text) ?? [];
  if (createdAt === undefined || id === undefined) return null;
  const place = { createdAt: Number(createdAt), id };
  return cursorOf(place) === cursor ? place : null;
}
