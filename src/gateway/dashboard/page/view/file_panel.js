// @ts-check
import { html } from "htm/preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { sortRows } from "../model/file_list.js";
import { formatBytes, formatCount, plural } from "../model/format.js";
import { isListCut } from "../model/state.js";
import { ConfirmDelete } from "./confirm_delete.js";
import { FileTable } from "./file_table.js";
import { UploadList } from "./upload_list.js";

/** @import { PageState } from "../model/state.js" */
/** @import { ViewProps } from "./app.js" */

/** How long nobody types before the search begins, in ms. */
const searchPauseMs = 200;

/**
 * The files: to look for, store, read and delete.
 *
 * @param {ViewProps} props
 */
export function FilePanel({ state, actions }) {
  const { files, sort, selection, nowMs } = state;
  const rows = useMemo(() => sortRows(files, sort), [files, sort]);
  const [doomed, setDoomed] = useState(/** @type {string | undefined} */ (undefined));
  return html`
    <section class="card files" aria-label="Files">
      <div class="card-head">
        <h2>Files</h2>
        <p class="note" role="status">${describeList(state)}</p>
        <${SearchField} onSearch=${(/** @type {string} */ prefix) => actions.search(prefix)} />
        <${UploadButton} onFiles=${(/** @type {File[]} */ chosen) => actions.upload(chosen)} />
      </div>
      <${UploadList} uploads=${state.uploads} nowMs=${nowMs} actions=${actions} />
      ${rows.length > 0
        ? html`
          <${FileTable} rows=${rows} sort=${sort} nowMs=${nowMs}
            selected=${selection?.kind === "file" ? selection.name : undefined}
            onSelect=${(/** @type {string} */ name) => actions.selectFile(name)}
            onDelete=${setDoomed}
            onSort=${(/** @type {import("../model/file_list.js").SortKey} */ key) =>
              actions.sortBy(key)} />
        `
        : html`<${EmptyList} state=${state} />`}
      <${ConfirmDelete} name=${doomed} onClose=${(/** @type {boolean} */ isSure) => {
        setDoomed(undefined);
        if (isSure && doomed !== undefined) actions.delete(doomed);
      }} />
    </section>
  `;
}

/** @param {PageState} state */
function describeList(state) {
  const { files, filesInAll, filesLoaded, prefix } = state;
  if (!filesLoaded) return "";
  const bytes = formatBytes(files.reduce((sum, { size }) => sum + size, 0));
  if (prefix !== "") {
    return `${plural(files.length, "match").replace("matchs", "matches")} · ${bytes}`;
  }
  if (!isListCut(state)) return `${plural(files.length, "file")} · ${bytes}`;
  const all = Number.isFinite(filesInAll) ? ` of ${formatCount(filesInAll)}` : "";
  return `The first ${formatCount(files.length)}${all} files; search for others`;
}

/** @param {{ state: PageState }} props */
function EmptyList({ state: { filesLoaded, prefix } }) {
  if (!filesLoaded) return html`<p class="empty hint">Asking for the list …</p>`;
  if (prefix !== "") return html`<p class="empty hint">No name begins with “${prefix}”.</p>`;
  return html`
    <div class="empty">
      <p class="empty-title">No files yet</p>
      <p class="hint">Drop files anywhere on this page, or press Upload.</p>
    </div>
  `;
}

/** @param {{ onSearch: (prefix: string) => void }} props */
function SearchField({ onSearch }) {
  const timer = useRef(/** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined));
  /** @param {InputEvent & { currentTarget: HTMLInputElement }} event */
  const onInput = ({ currentTarget: { value } }) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onSearch(value), searchPauseMs);
  };
  return html`
    <input class="search" type="search" placeholder="Name begins with …" spellcheck=${false}
      autocomplete="off" aria-label="Show only files whose names begin with" onInput=${onInput} />
  `;
}

/** @param {{ onFiles: (files: File[]) => void }} props */
function UploadButton({ onFiles }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  /** @param {Event & { currentTarget: HTMLInputElement }} event */
  const onChange = ({ currentTarget }) => {
    onFiles([...currentTarget.files ?? []]);
    // The same file may be chosen again.
    currentTarget.value = "";
  };
  return html`
    <button type="button" class="button primary" onClick=${() =>
      input.current?.click()}>Upload</button>
    <input ref=${input} class="hidden-input" type="file" multiple tabindex="-1" aria-hidden="true"
      onChange=${onChange} />
  `;
}
