import { padTo, textWidth } from "./text_width.ts";

/** A column of a {@linkcode table}. */
export interface Column {
  readonly title: string;
  /** Numbers stand to the right. Default: left. */
  readonly align?: "left" | "right";
}

/**
 * Lines of a table: titles, then rows, in columns two spaces apart. No line ends in spaces.
 *
 * @example
 * ```ts
 * import { table } from "./table.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const columns = [{ title: "NAME" }, { title: "SIZE", align: "right" }] as const;
 * assertEquals(table(columns, [["a.txt", "12"]]), ["NAME   SIZE", "a.txt    12"]);
 * ```
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string[] {
  const widths = columns.map(({ title }, index) =>
    rows.reduce((width, row) => Math.max(width, textWidth(row[index] ?? "")), textWidth(title))
  );
  const line = (cells: readonly string[]) =>
    columns.map(({ align }, index) => padTo(cells[index] ?? "", widths[index] ?? 0, align))
      .join("  ").trimEnd();
  return [line(columns.map(({ title }) => title)), ...rows.map(line)];
}
