/**
 * Writes any well-formed text as one word of a command: percent-encoded, and `-` for the empty one.
 *
 * @example
 * ```ts
 * import { decodeText, encodeText } from "./encoded_text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(encodeText("a b"), "a%20b");
 * assertEquals([encodeText(""), encodeText("-")], ["-", "%2D"]);
 * assertEquals([decodeText("-"), decodeText("%2D"), decodeText("%")], ["", "-", undefined]);
 * ```
 */
export function encodeText(text: string): string {
  if (text === "") return "-";
  return text === "-" ? "%2D" : encodeURIComponent(text.toWellFormed());
}

/** Reads a word of {@linkcode encodeText}; `undefined` when it is none. */
export function decodeText(word: string): string | undefined {
  if (word === "-") return "";
  try {
    const text = decodeURIComponent(word);
    return text.isWellFormed() ? text : undefined;
  } catch {
    return undefined;
  }
}
