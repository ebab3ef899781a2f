// @ts-check
import { html } from "htm/preact";
import { formatClock } from "../model/format.js";
import { StateMark } from "./state_mark.js";

/** @import { LogEntry } from "../model/ring_events.js" */

/**
 * What happened, the newest first.
 *
 * @param {{ log: LogEntry[] }} props
 */
export function ActivityPanel({ log }) {
  return html`
    <section class="card activity" aria-label="Activity">
      <div class="card-head"><h2>Activity</h2></div>
      ${log.length === 0 &&
        html`<p class="hint">Nothing has happened since this page was opened.</p>`}
      <div class="log" role="log" tabindex="0" aria-label="What happened, the newest first">
        <ol>
          ${log.map(({ id, timeMs, tone, text }) =>
            html`
              <li key=${id} class="tone-${tone}">
                <time datetime=${new Date(timeMs).toISOString()}>${formatClock(timeMs)}</time>
                <${StateMark} tone=${tone} />
                <span>${text}</span>
              </li>
            `
          )}
        </ol>
      </div>
    </section>
  `;
}
