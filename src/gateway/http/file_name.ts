import { normalizeName } from "../../protocol/names.ts";
import { Problem } from "./problem.ts";

/**
 * The file that a path names. A name that the line protocol would rewrite is refused here: a client
 * that puts one name and later gets another has lost a file.
 *
 * @param encoded what follows the last slash of the route, percent-encoded.
 * @throws {Problem} 400
 */
export function fileName(encoded: string): string {
  let raw: string;
  try {
    raw = decodeURIComponent(encoded);
  } catch {
    throw new Problem(400, "The name is not percent-encoded UTF-8");
  }
  return checkedName(raw);
}

/** The name that a client has given, if it can be kept as it is. @throws {Problem} 400 */
export function checkedName(raw: string): string {
  const normalized = normalizeName(raw);
  if (!normalized.ok) throw new Problem(400, capitalized(normalized.error));
  if (normalized.name === raw) return raw;
  throw new Problem(400, "A name may not hold any of / \\ : | ; NUL and line ends");
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
