// @ts-check
import { html } from "htm/preact";

/** @import { ViewProps } from "./app.js" */

/**
 * What was not possible, until it is closed.
 *
 * @param {ViewProps} props
 */
export function Notices({ state, actions }) {
  return html`
    <div class="notices" role="alert">
      ${state.notices.map(({ id, doing, problem }) =>
        html`
          <div class="notice" key=${id}>
            <p><strong>${doing}.</strong> ${problem.detail || problem.title}</p>
            <button type="button" class="button quiet" aria-label="Close this message"
              onClick=${() => actions.closeNotice(id)}>Close</button>
          </div>
        `
      )}
    </div>
  `;
}
