// @ts-check
import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";

/**
 * Takes files that are dropped anywhere on the page.
 *
 * @param {{ onFiles: (files: File[]) => void }} props
 */
export function DropTarget({ onFiles }) {
  const [isOver, setIsOver] = useState(false);
  useEffect(() => {
    const ended = new AbortController();
    const { signal } = ended;
    // Enter and leave come for every element under the pointer.
    let depth = 0;
    const set = (/** @type {number} */ value) => {
      depth = Math.max(0, value);
      setIsOver(depth > 0);
    };
    addEventListener("dragenter", (event) => {
      if (hasFiles(event)) set(depth + 1);
    }, { signal });
    addEventListener("dragleave", (event) => {
      if (hasFiles(event)) set(depth - 1);
    }, { signal });
    addEventListener("dragover", (event) => {
      // Without this the browser would open the file.
      if (hasFiles(event)) event.preventDefault();
    }, { signal });
    addEventListener("drop", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      set(0);
      onFiles(filesOf(event));
    }, { signal });
    return () => ended.abort();
  }, []);
  return isOver && html`
    <div class="drop" aria-hidden="true">
      <p>Drop the files to store them in the ring</p>
    </div>
  `;
}

/** @param {DragEvent} event */
function hasFiles({ dataTransfer }) {
  return dataTransfer?.types.includes("Files") ?? false;
}

/**
 * The files that were dropped. A directory looks like a file, and cannot be read like one.
 *
 * @param {DragEvent} event
 */
function filesOf({ dataTransfer }) {
  return [...dataTransfer?.items ?? []]
    .filter((item) => item.kind === "file" && !item.webkitGetAsEntry()?.isDirectory)
    .map((item) => item.getAsFile())
    .filter((file) => file !== null);
}
