// @ts-check
import { html } from "htm/preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { filePath } from "../model/file_list.js";
import { formatAge, formatBytes } from "../model/format.js";
import { rowAfterKey, rowsInView, scrollToShow } from "../model/row_window.js";

/** @import { FileRow, Sort, SortKey } from "../model/file_list.js" */

/** The height of a row until it was measured, in pixels. */
const rowHeightGuess = 44;

/**
 * @typedef {object} FileTableProps
 * @property {FileRow[]} rows
 * @property {Sort} sort
 * @property {number} nowMs
 * @property {string | undefined} selected
 * @property {(name: string) => void} onSelect
 * @property {(name: string) => void} onDelete
 * @property {(key: SortKey) => void} onSort
 */

/**
 * The table of files, of which only the rows in view are in the document. One row is in the tab order:
 * the arrow keys move on from it, Enter selects it, Delete deletes it.
 *
 * @param {FileTableProps} props
 */
export function FileTable({ rows, sort, nowMs, selected, onSelect, onDelete, onSort }) {
  const body = useRef(/** @type {HTMLDivElement | null} */ (null));
  const view = useView(body);
  const [currentName, setCurrentName] = useState("");
  const wantsFocus = useRef(false);
  const found = rows.findIndex(({ name }) => name === currentName);
  const current = Math.max(0, found);
  const { first, end } = rowsInView({ ...view, count: rows.length });
  // The current row stays in the document, as it may have the focus.
  const shown = [current, ...range(first, end).filter((row) => row !== current)].sort((a, b) =>
    a - b
  );
  useLayoutEffect(() => {
    if (!wantsFocus.current) return;
    wantsFocus.current = false;
    /** @type {HTMLElement | null | undefined} */ (body.current?.querySelector(
      ".row[tabindex='0']",
    ))?.focus();
  });
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    const row = rows[current];
    const isOnRow = event.target instanceof Element && event.target.classList.contains("row");
    const pageRows = Math.floor(view.height / view.rowHeight);
    const target = rowAfterKey(event.key, { row: current, count: rows.length, pageRows });
    if (target !== undefined) {
      event.preventDefault();
      wantsFocus.current = true;
      setCurrentName(rows[target]?.name ?? "");
      if (body.current !== null) body.current.scrollTop = scrollToShow(target, view);
    } else if (row !== undefined && isOnRow && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      onSelect(row.name);
    } else if (row !== undefined && event.key === "Delete") {
      onDelete(row.name);
    }
  };
  return html`
    <div class="table" role="grid" aria-label="Files" aria-rowcount=${rows.length + 1}>
      <${TableHead} sort=${sort} onSort=${onSort} />
      <div class="table-body" role="rowgroup" ref=${body} onKeyDown=${onKeyDown}>
        <div class="table-length" role="presentation" style=${{
          height: `${rows.length * view.rowHeight}px`,
        }}>
          ${shown.map((index) => {
            const row = rows[index];
            return row && html`
              <${TableRow} key=${row.name} row=${row} index=${index} nowMs=${nowMs}
                top=${index * view.rowHeight} isCurrent=${index === current}
                isSelected=${row.name === selected}
                onPress=${() => {
                  setCurrentName(row.name);
                  onSelect(row.name);
                }}
                onDelete=${() => {
                  setCurrentName(row.name);
                  onDelete(row.name);
                }} />
            `;
          })}
        </div>
      </div>
    </div>
  `;
}

/** @param {{ sort: Sort, onSort: (key: SortKey) => void }} props */
function TableHead({ sort, onSort }) {
  /** @type {[SortKey, string][]} */
  const columns = [["name", "Name"], ["size", "Size"], ["timeMs", "Stored"]];
  const order = sort.descending ? "descending" : "ascending";
  return html`
    <div class="table-head" role="rowgroup">
      <div class="row-head" role="row" aria-rowindex="1">
        ${columns.map(([key, title]) =>
          html`
            <div key=${key} role="columnheader" class="cell-${key}" aria-sort=${sort.key === key
              ? order
              : "none"}>
              <button type="button" class="sort" onClick=${() => onSort(key)}>
                ${title}<span class="sort-arrow" aria-hidden="true">${sort.key === key
                  ? (sort.descending ? "↓" : "↑")
                  : ""}</span>
              </button>
            </div>
          `
        )}
        <div role="columnheader" class="cell-actions"><span class="for-readers">Actions</span></div>
      </div>
    </div>
  `;
}

/**
 * @param {object} props
 * @param {FileRow} props.row
 * @param {number} props.index
 * @param {number} props.nowMs
 * @param {number} props.top
 * @param {boolean} props.isCurrent
 * @param {boolean} props.isSelected
 * @param {() => void} props.onPress
 * @param {() => void} props.onDelete
 */
function TableRow({ row, index, nowMs, top, isCurrent, isSelected, onPress, onDelete }) {
  const { name, size, timeMs } = row;
  const tabindex = isCurrent ? 0 : -1;
  const stored = Number.isFinite(timeMs) ? new Date(timeMs).toLocaleString() : "";
  /** @param {Event} event */
  const keep = (event) => event.stopPropagation();
  return html`
    <div class="row ${isSelected ? "is-selected" : ""}" role="row" aria-rowindex=${index + 2}
      aria-selected=${isSelected} tabindex=${tabindex} style=${{
        transform: `translateY(${top}px)`,
      }}
      onClick=${onPress}>
      <div role="gridcell" class="cell-name" title=${name}>${name}</div>
      <div role="gridcell" class="cell-size">${formatBytes(size)}</div>
      <div role="gridcell" class="cell-timeMs" title=${stored}>${formatAge(timeMs, nowMs)}</div>
      <div role="gridcell" class="cell-actions">
        <a class="icon-button" href=${filePath(name)} download=${name} tabindex=${tabindex}
          title="Download" aria-label=${`Download ${name}`} onClick=${keep}>
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M8 2v8M4.5 7L8 10.5L11.5 7M3 13.5h10" />
          </svg>
        </a>
        <button type="button" class="icon-button danger" tabindex=${tabindex} title="Delete"
          aria-label=${`Delete ${name}`} onClick=${(/** @type {Event} */ event) => {
            keep(event);
            onDelete();
          }}>
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9M6.7 7v4M9.3 7v4" />
          </svg>
        </button>
      </div>
    </div>
  `;
}

/**
 * What of a list is in view, as it is scrolled and resized.
 *
 * @param {{ current: HTMLElement | null }} body
 */
function useView(body) {
  const [view, setView] = useState({ scrollTop: 0, height: 600, rowHeight: rowHeightGuess });
  useLayoutEffect(() => {
    const element = body.current;
    if (element === null) return;
    const measure = () => {
      const rowHeight = parseFloat(getComputedStyle(element).getPropertyValue("--row-height"));
      setView({
        scrollTop: element.scrollTop,
        height: element.clientHeight,
        rowHeight: rowHeight || rowHeightGuess,
      });
    };
    const sizes = new ResizeObserver(measure);
    sizes.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    measure();
    return () => {
      sizes.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, []);
  return view;
}

/**
 * @param {number} first
 * @param {number} end
 */
function range(first, end) {
  return Array.from({ length: Math.max(0, end - first) }, (_, index) => first + index);
}
