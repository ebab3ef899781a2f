// @ts-check
import { html } from "htm/preact";
import { describeUpload, isFinished, sentShare } from "../model/uploads.js";
import { StateMark } from "./state_mark.js";

/** @import { Actions } from "../actions.js" */
/** @import { Upload, UploadState } from "../model/uploads.js" */

/** @type {Record<UploadState, string>} */
const tones = {
  waiting: "plain",
  sending: "busy",
  storing: "busy",
  stored: "good",
  exists: "busy",
  failed: "bad",
  cancelled: "plain",
};

/**
 * The files that are being stored, how far they are, and what became of them.
 *
 * @param {{ uploads: Upload[], nowMs: number, actions: Actions }} props
 */
export function UploadList({ uploads, nowMs, actions }) {
  if (uploads.length === 0) return null;
  const done = uploads.filter(isFinished).length;
  return html`
    <section class="uploads" aria-label="Uploads">
      <div class="uploads-head">
        <p role="status">${done === uploads.length
          ? `Uploads: all ${done} done`
          : `Uploads: ${done} of ${uploads.length} done`}</p>
        ${done < uploads.length && html`
          <button type="button" class="button quiet" onClick=${() =>
            actions.cancelUploads()}>Cancel all</button>
        `}
        ${done > 0 && html`
          <button type="button" class="button quiet" onClick=${() =>
            actions.clearUploads()}>Clear finished</button>
        `}
      </div>
      <ul class="upload-rows" tabindex="0" aria-label="Uploads, in their order">
        ${uploads.map((upload) =>
          html`
            <${UploadRow} key=${upload.id} upload=${upload} nowMs=${nowMs} actions=${actions} />
          `
        )}
      </ul>
    </section>
  `;
}

/** @param {{ upload: Upload, nowMs: number, actions: Actions }} props */
function UploadRow({ upload, nowMs, actions }) {
  const { id, name, state } = upload;
  return html`
    <li class="upload tone-${tones[state]}">
      <${StateMark} tone=${tones[state]} />
      <span class="upload-name" title=${name}>${name}</span>
      <span class="upload-note">${describeUpload(upload, nowMs)}</span>
      ${state === "exists" && html`
        <button type="button" class="button quiet" aria-label=${`Replace ${name}`}
          onClick=${() => actions.replaceByUpload(id)}>Replace</button>
      `}
      ${!isFinished(upload) && html`
        <button type="button" class="button quiet" aria-label=${state === "exists"
          ? `Skip ${name}`
          : `Cancel the upload of ${name}`}
          onClick=${() => actions.cancelUpload(id)}>${state === "exists"
            ? "Skip"
            : "Cancel"}</button>
      `}
      ${(state === "sending" || state === "storing") && html`
        <progress max="1" value=${sentShare(upload)} aria-label=${`Upload of ${name}`}></progress>
      `}
    </li>
  `;
}
