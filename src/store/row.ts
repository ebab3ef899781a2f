import type { Row } from "./database.ts";
import { CatalogDamagedError } from "./errors.ts";

/** A text of a row. @throws {CatalogDamagedError} if it is none. */
export function textOf(row: Row, column: string): string {
  const value = row[column];
  return typeof value === "string" ? value : refuse(column);
}

/** A text of a row, `undefined` for NULL. @throws {CatalogDamagedError} if it is neither. */
export function optionalTextOf(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : textOf(row, column);
}

/** A whole number of a row. @throws {CatalogDamagedError} if it is none. */
export function countOf(row: Row, column: string): number {
  const value = row[column];
  return typeof value === "number" && Number.isSafeInteger(value) ? value : refuse(column);
}

function refuse(column: string): never {
  throw new CatalogDamagedError(`The catalog is damaged: '${column}' holds something else`);
}
