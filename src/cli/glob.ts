/** One character's worth of a pattern. */
type Piece =
  | { readonly kind: "star" }
  | { readonly kind: "any" }
  | { readonly kind: "set"; readonly matches: (character: string) => boolean }
  | { readonly kind: "exact"; readonly character: string };

/** Whether a text has a sign of a pattern in it. */
export function isPattern(text: string): boolean {
  return /[*?[]/.test(text);
}

/**
 * Makes a test of names from a pattern: `*` is any run of characters, `?` any one, `[a-z]` and
 * `[!a-z]` one that is or is not in the set. Everything else is itself; a `[` that nothing closes as
 * well. It takes time in proportion to name and pattern, whatever the pattern.
 *
 * @example
 * ```ts
 * import { globMatcher } from "./glob.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(["a.txt", "b.txt", "ab.txt"].filter(globMatcher("[!b]*.t?t")), ["a.txt", "ab.txt"]);
 * ```
 */
export function globMatcher(pattern: string): (name: string) => boolean {
  const pieces = readPieces([...pattern]);
  return (name) => matchPieces(pieces, [...name]);
}

function readPieces(pattern: readonly string[]): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? "";
    const end = character === "[" ? setEnd(pattern, at) : -1;
    if (character === "*") pieces.push({ kind: "star" });
    else if (character === "?") pieces.push({ kind: "any" });
    else if (end > at) {
      pieces.push({ kind: "set", matches: setMatcher(pattern.slice(at + 1, end)) });
      at = end;
    } else pieces.push({ kind: "exact", character });
  }
  return pieces;
}

/** Where a set ends; -1 if it does not. A `]` that comes first is in the set. */
function setEnd(pattern: readonly string[], start: number): number {
  const first = pattern[start + 1] === "!" || pattern[start + 1] === "^" ? start + 2 : start + 1;
  return pattern.indexOf("]", first + 1);
}

function setMatcher(inside: readonly string[]): (character: string) => boolean {
  const negated = inside[0] === "!" || inside[0] === "^";
  const items = negated ? inside.slice(1) : inside;
  const ranges: (readonly [string, string])[] = [];
  for (let at = 0; at < items.length; at++) {
    const from = items[at] ?? "";
    const to = items[at + 1] === "-" ? items[at + 2] : undefined;
    ranges.push([from, to ?? from]);
    if (to !== undefined) at += 2;
  }
  return (character) =>
    ranges.some(([from, to]) => from <= character && character <= to) !== negated;
}

/** Goes back to the last star only: what an earlier one could take, that one can take as well. */
function matchPieces(pieces: readonly Piece[], name: readonly string[]): boolean {
  let [piece, at] = [0, 0];
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    const current = pieces[piece];
    if (current?.kind === "star") {
      star = piece++;
      starAt = at;
    } else if (current !== undefined && matchesOne(current, name[at] ?? "")) {
      piece++;
      at++;
    } else if (star >= 0) {
      piece = star + 1;
      at = ++starAt;
    } else return false;
  }
  return pieces.slice(piece).every(({ kind }) => kind === "star");
}

function matchesOne(piece: Piece, character: string): boolean {
  switch (piece.kind) {
    case "star":
    case "any":
      return true;
    case "set":
      return piece.matches(character);
    case "exact":
      return piece.character === character;
  }
}
