/** A column of a table: its head, and whether its cells end at the same place (numbers do). */
export interface Column {
  readonly head: string;
  readonly align: "left" | "right";
}

/**
 * Lays out rows under heads, two spaces between columns.
 *
 * @example
 * ```ts
 * import { textTable } from "./text_table.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const columns = [{ head: "what", align: "left" }, { head: "ms", align: "right" }] as const;
 * assertEquals(textTable(columns, [["push", "1.5"], ["pull", "10"]]), [
 *   "what   ms",
 *   "push  1.5",
 *   "pull   10",
 * ]);
 * ```
 */
export function textTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string[] {
  const lines = [columns.map(({ head }) => head), ...rows];
  const widths = columns.map((_, index) =>
    Math.max(...lines.map((line) => [...(line[index] ?? "")].length))
  );
  return lines.map((line) =>
    columns.map(({ align }, index) => {
      const text = line[index] ?? "";
      const space = " ".repeat((widths[index] ?? 0) - [...text].length);
      return align === "left" ? text + space : space + text;
    }).join("  ").trimEnd()
  );
}
