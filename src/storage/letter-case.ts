/**
 * Looking for a text without regard to case, in every script: SQLite's lower() folds ASCII only.
 */

import type { Bind } from "./searching.ts";

/** Each takes a level of an expression; a text with more of these in it is rather a sentence. */
const MAX_FOLDED_LETTERS = 20;

interface Folding {
  /** What is looked for, folded. */
  wanted: string;
  folded(column: string): string;
}

/**
 * Of the letters beyond ASCII, those that are looked for must be folded too, and only those: the rest does not match
 * either way. With instr, in which nothing has a meaning of its own: D1 refuses LIKE patterns of more than 50 bytes.
 * It costs one parameter.
 */
export function foldFor(text: string, bind: Bind): Folding {
  const wanted = text.toLowerCase();
  const letters = [...new Set(wanted)]
    .filter((letter) => letter > "\u{7f}" && letter.toUpperCase().toLowerCase() === letter)
    .filter((letter) => letter.toUpperCase() !== letter)
    .slice(0, MAX_FOLDED_LETTERS);
  const parameter = bind(JSON.stringify([wanted, ...letters.flatMap((letter) => [letter.toUpperCase(), letter])]));
  const nth = (index: number) => `${parameter} ->> ${index}`;
  return {
    wanted: nth(0),
    folded: (column) =>
      letters.reduce((sql, _, i) => `replace(${sql}, ${nth(2 * i + 1)}, ${nth(2 * i + 2)})`, `lower(${column})`),
  };
}
