// @ts-check
/**
 * Which rows of a long list are drawn: those in view and a few on either side.
 *
 * @module
 */

/** Rows drawn beyond either edge, so that quick scrolling does not show bare ground. */
const spareRows = 8;

/**
 * The rows to draw.
 *
 * @param {object} view
 * @param {number} view.scrollTop In pixels.
 * @param {number} view.height Of what is in view, in pixels.
 * @param {number} view.rowHeight In pixels.
 * @param {number} view.count Rows in all.
 * @returns {{ first: number, end: number }} From `first` to `end`, without `end`.
 */
export function rowsInView({ scrollTop, height, rowHeight, count }) {
  const top = Math.floor(Math.max(0, scrollTop) / rowHeight);
  const bottom = Math.ceil((Math.max(0, scrollTop) + Math.max(0, height)) / rowHeight);
  const end = Math.min(count, bottom + spareRows);
  return { first: Math.max(0, Math.min(top - spareRows, end)), end };
}

/**
 * How far the list has to be scrolled so that a row is in full view.
 *
 * @param {number} row
 * @param {{ scrollTop: number, height: number, rowHeight: number }} view In pixels.
 */
export function scrollToShow(row, { scrollTop, height, rowHeight }) {
  const top = row * rowHeight;
  if (top < scrollTop) return top;
  return Math.max(scrollTop, top + rowHeight - height);
}

/**
 * The row that a key moves to.
 *
 * @param {string} key As a keyboard event names it.
 * @param {{ row: number, count: number, pageRows: number }} list The row now; rows in all, and in view.
 * @returns {number | undefined} None for a key that does not move, and in an empty list.
 */
export function rowAfterKey(key, { row, count, pageRows }) {
  if (count === 0) return undefined;
  const target = {
    ArrowDown: row + 1,
    ArrowUp: row - 1,
    PageDown: row + Math.max(1, pageRows - 1),
    PageUp: row - Math.max(1, pageRows - 1),
    Home: 0,
    End: count - 1,
  }[key];
  return target === undefined ? undefined : Math.max(0, Math.min(count - 1, target));
}
