// @ts-check
import { html } from "htm/preact";

/**
 * A mark that tells good from bad without colours: a tick, a cross, three dots, a dash.
 *
 * @param {{ tone: string }} props
 */
export function StateMark({ tone }) {
  return html`
    <svg class="mark" viewBox="0 0 16 16" aria-hidden="true">
      <path d=${paths[tone] ?? paths["plain"]} />
    </svg>
  `;
}

/** @type {Record<string, string>} */
const paths = {
  good: "M3 8.5l3.2 3.2L13 4.8",
  bad: "M4 4l8 8M12 4l-8 8",
  busy: "M2.5 8h.01M8 8h.01M13.5 8h.01",
  plain: "M4 8h8",
};
