import { isUlid } from "./ulid.ts";

/**
 * What a client asks of the version that its push or delete would replace.
 *
 * - `any`: nothing.
 * - `absent`: there is no file of the name; `present`: there is one.
 * - `is`: the file's version is one of these; `not`: it is none of these, or there is no file.
 */
export type WriteCondition =
  | { readonly kind: "any" | "absent" | "present" }
  | { readonly kind: "is" | "not"; readonly versions: readonly string[] };

/** Asks nothing. */
export const anyVersion: WriteCondition = { kind: "any" };

/**
 * Whether a condition holds.
 *
 * @param current the version of the name's file; `undefined` when there is none.
 *
 * @example
 * ```ts
 * import { holds } from "./condition.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(holds({ kind: "absent" }, undefined), true);
 * assertEquals(holds({ kind: "is", versions: ["01HF7YAT000000000000000000"] }, undefined), false);
 * ```
 */
export function holds(condition: WriteCondition, current: string | undefined): boolean {
  switch (condition.kind) {
    case "any":
      return true;
    case "absent":
      return current === undefined;
    case "present":
      return current !== undefined;
    case "is":
      return current !== undefined && condition.versions.includes(current);
    case "not":
      return current === undefined || !condition.versions.includes(current);
  }
}

/** Writes a condition as one word of a command. */
export function formatCondition(condition: WriteCondition): string {
  if (condition.kind === "any") return "-";
  if (!("versions" in condition)) return condition.kind;
  return `${condition.kind}:${condition.versions.join(",")}`;
}

/**
 * Reads a condition, the inverse of {@linkcode formatCondition}; `undefined` when it is none.
 *
 * @example
 * ```ts
 * import { formatCondition, parseCondition } from "./condition.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseCondition("-"), { kind: "any" });
 * const condition = { kind: "not", versions: ["01HF7YAT000000000000000000"] } as const;
 * assertEquals(formatCondition(condition), "not:01HF7YAT000000000000000000");
 * assertEquals(parseCondition(formatCondition(condition)), condition);
 * assertEquals(parseCondition("is:"), undefined);
 * ```
 */
export function parseCondition(text: string): WriteCondition | undefined {
  if (text === "-") return anyVersion;
  if (text === "absent" || text === "present") return { kind: text };
  const [kind, list = ""] = text.split(":", 2);
  if (kind !== "is" && kind !== "not") return undefined;
  const versions = list.split(",", conditionVersionsMax + 1);
  if (versions.length > conditionVersionsMax || !versions.every(isUlid)) return undefined;
  return { kind, versions };
}

/** Versions that a condition may name; a client has a handful of copies at most. */
export const conditionVersionsMax = 64;
