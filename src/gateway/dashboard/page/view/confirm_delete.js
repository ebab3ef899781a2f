// @ts-check
import { html } from "htm/preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/**
 * Asks whether a file is really to be deleted.
 *
 * @param {object} props
 * @param {string | undefined} props.name Of the file; none while there is nothing to ask.
 * @param {(isSure: boolean) => void} props.onClose
 */
export function ConfirmDelete({ name, onClose }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  // At once, so that no key that is pressed next goes to what lies below.
  useLayoutEffect(() => {
    if (name !== undefined) dialog.current?.showModal();
    else dialog.current?.close();
  }, [name]);
  return html`
    <dialog ref=${dialog} class="dialog" aria-labelledby="delete-title" onCancel=${(
      /** @type {Event} */ event,
    ) => {
      event.preventDefault();
      onClose(false);
    }}>
      <h2 id="delete-title">Delete this file?</h2>
      <p class="dialog-name">${name}</p>
      <p
        class="hint">Every part and every backup of it is removed from all nodes. There is no way back.</p>
      <div class="dialog-actions">
        <button type="button" class="button" autofocus onClick=${() =>
          onClose(false)}>Keep it</button>
        <button type="button" class="button danger" onClick=${() => onClose(true)}>Delete</button>
      </div>
    </dialog>
  `;
}
