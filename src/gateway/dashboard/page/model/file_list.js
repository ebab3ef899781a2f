// @ts-check
/**
 * The list of files as the page knows it, and how it changes.
 *
 * @module
 */

/** How many files the page keeps; what is beyond is found by its name. */
export const filesMax = 20_000;

/**
 * @typedef {object} FileRow
 * @property {string} name
 * @property {number} size In bytes.
 * @property {number} timeMs When it was stored, since the epoch.
 */

/**
 * @typedef {"name" | "size" | "timeMs"} SortKey
 */

/**
 * @typedef {object} Sort
 * @property {SortKey} key
 * @property {boolean} descending
 */

/**
 * The rows in another order; those that are alike keep theirs.
 *
 * @param {FileRow[]} rows
 * @param {Sort} sort
 * @returns {FileRow[]}
 */
export function sortRows(rows, { key, descending }) {
  const sign = descending ? -1 : 1;
  return rows.toSorted((a, b) => {
    return sign * compare(a[key], b[key]) || compare(a.name, b.name);
  });
}

/**
 * The rows with one put in, instead of the one of that name if there is one.
 *
 * @param {FileRow[]} rows
 * @param {FileRow} row
 */
export function putRow(rows, row) {
  const others = rows.filter(({ name }) => name !== row.name);
  return others.length < filesMax ? [...others, row] : others;
}

/**
 * The rows without one.
 *
 * @param {FileRow[]} rows
 * @param {string} name
 */
export function withoutRow(rows, name) {
  const others = rows.filter((row) => row.name !== name);
  return others.length === rows.length ? rows : others;
}

/**
 * The order after a press on the head of a column: names ascend first, figures descend.
 *
 * @param {Sort} sort
 * @param {SortKey} key
 * @returns {Sort}
 */
export function nextSort(sort, key) {
  if (sort.key === key) return { key, descending: !sort.descending };
  return { key, descending: key !== "name" };
}

/**
 * The path of a file in the API.
 *
 * @param {string} name
 */
export function filePath(name) {
  return `/files/${encodeURIComponent(name)}`;
}

/**
 * @param {string | number} a
 * @param {string | number} b
 */
function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
