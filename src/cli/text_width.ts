/** Marks that stand on the character before them, and signs that are not shown at all. */
const zeroWidth = /[\p{Mn}\p{Me}\p{Cf}]/u;

/**
 * Characters that take two columns of a terminal: East Asian ones (UAX #11, wide and full-width) and
 * emoji that are shown as pictures.
 */
const doubleWidth =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/**
 * How many columns of a terminal a text without control characters takes.
 *
 * @example
 * ```ts
 * import { textWidth } from "./text_width.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(["abc", "e\u0301", "日本"].map(textWidth), [3, 1, 4]);
 * ```
 */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** Fills a text with spaces up to a width; a text that is wider stays as it is. */
export function padTo(text: string, width: number, align: "left" | "right" = "left"): string {
  const spaces = " ".repeat(Math.max(0, width - textWidth(text)));
  return align === "left" ? text + spaces : spaces + text;
}

/**
 * Shortens a text in its middle, so that both what it begins with and its ending can be read.
 *
 * @example
 * ```ts
 * import { shorten } from "./text_width.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(shorten("a-very-long-name.txt", 11), "a-ver…e.txt");
 * assertEquals(shorten("a.txt", 11), "a.txt");
 * ```
 */
export function shorten(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  const room = Math.max(0, width - 1);
  const characters = [...text];
  const head = take(characters, Math.ceil(room / 2));
  const tail = take(characters.slice(head.length).reverse(), room - textWidth(head.join("")));
  return `${head.join("")}…${tail.reverse().join("")}`;
}

/** The first characters that fit. */
function take(characters: readonly string[], width: number): string[] {
  const taken: string[] = [];
  let used = 0;
  for (const character of characters) {
    used += characterWidth(character);
    if (used > width) break;
    taken.push(character);
  }
  return taken;
}

function characterWidth(character: string): number {
  if (character < "\u0300") return 1;
  if (zeroWidth.test(character)) return 0;
  return doubleWidth.test(character) ? 2 : 1;
}
