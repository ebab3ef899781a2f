// @ts-check
import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { ActivityPanel } from "./activity_panel.js";
import { DetailPanel } from "./detail_panel.js";
import { DropTarget } from "./drop_target.js";
import { FilePanel } from "./file_panel.js";
import { Notices } from "./notices.js";
import { PageHeader } from "./page_header.js";
import { RingPanel } from "./ring_panel.js";
import { TrafficPanel } from "./traffic_panel.js";

/** @import { Actions } from "../actions.js" */
/** @import { Store } from "../model/store.js" */

/**
 * What every view is given.
 *
 * @typedef {object} ViewProps
 * @property {import("../model/state.js").PageState} state
 * @property {Actions} actions
 */

/**
 * The whole page: the ring and what is selected of it on one side, the files on the other.
 *
 * @param {{ store: Store, actions: Actions }} props
 */
export function App({ store, actions }) {
  const [state, setState] = useState(store.state);
  useEffect(() => store.onChange(() => setState(store.state)), [store]);
  useEffect(() => {
    document.title = titleOf(state);
  });
  return html`
    <${PageHeader} state=${state} actions=${actions} />
    <${Notices} state=${state} actions=${actions} />
    <main class="columns">
      <div class="column column-ring">
        <section class="card ring-card" aria-label="Ring">
          <${RingPanel} state=${state} actions=${actions} />
          <${DetailPanel} state=${state} actions=${actions} />
        </section>
      </div>
      <div class="column column-files">
        <${FilePanel} state=${state} actions=${actions} />
        <div class="bottom">
          <${ActivityPanel} log=${state.log} />
          <${TrafficPanel} traffic=${state.traffic} />
        </div>
      </div>
    </main>
    <${DropTarget} onFiles=${(/** @type {File[]} */ files) => actions.upload(files)} />
  `;
}

/** @param {import("../model/state.js").PageState} state */
function titleOf({ nodes, link }) {
  const away = nodes.filter(({ state }) => state !== "alive").length;
  if (link === "away") return "No answer – OuroborosFS";
  return away > 0 ? `${nodes.length - away}/${nodes.length} alive – OuroborosFS` : "OuroborosFS";
}
