// @ts-check
import { html } from "htm/preact";
import { filePath } from "../model/file_list.js";
import { formatBytes, formatCount, formatDuration, plural } from "../model/format.js";
import { stateWords } from "../model/nodes.js";
import { summarizeCopies } from "../model/placement.js";
import { nodeOutline } from "../model/ring_geometry.js";
import { nodeLabel } from "../model/ring_events.js";

/** @import { Figures, NodeView } from "../model/nodes.js" */
/** @import { Copy, Detail, Part } from "../model/placement.js" */
/** @import { Problem } from "../model/problem.js" */
/** @import { ViewProps } from "./app.js" */

/** Parts whose places are listed; the ring shows the others. */
const partsMax = 64;

/**
 * What is selected: a node, a file, or nothing, when it says what the ring is.
 *
 * @param {ViewProps} props
 */
export function DetailPanel({ state: { nodes, selection }, actions }) {
  if (selection === undefined) {
    return html`
      <div class="detail">
        <p class="hint">A file is split over all nodes, and every part is kept on two of them. A node that
              dies is started again and gets back what it missed.</p>
        <p class="hint">Choose a node or a file to see what lies where.</p>
        <ul class="states" aria-label="What the shapes mean">
        ${(/** @type {const} */ (["alive", "waiting", "dead"])).map((state) =>
          html`
            <li key=${state} class="is-${state}">
              <svg viewBox="-11 -11 22 22" aria-hidden="true"><path class="node-body" d=${nodeOutline(
                state,
                8,
              )} /></svg>
              ${stateWords[state]}
            </li>
          `
        )}
        </ul>
      </div>
    `;
  }
  const close = () => actions.deselect();
  if (selection.kind === "file") {
    const { name, detail, problem } = selection;
    return html`<${FileDetail} name=${name} detail=${detail} problem=${problem} onClose=${close} />`;
  }
  const node = nodes.find(({ address }) => address === selection.address);
  return html`
    <${NodeDetail} node=${node} address=${selection.address} figures=${selection.figures}
      problem=${selection.problem} onClose=${close} />
  `;
}

/**
 * @param {object} props
 * @param {NodeView | undefined} props.node
 * @param {string} props.address
 * @param {Figures | undefined} props.figures
 * @param {Problem | undefined} props.problem
 * @param {() => void} props.onClose
 */
function NodeDetail({ node, address, figures, problem, onClose }) {
  return html`
    <div class="detail">
      <${DetailHead} title=${`Node ${nodeLabel(address)}`} onClose=${onClose}
        note=${node === undefined ? "gone" : stateWords[node.state]} />
      ${figures !== undefined && html`<${NodeFigures} figures=${figures} />`}
      ${figures === undefined && node?.state === "dead" && html`
        <p class="hint">It does not answer. The node before it on the ring starts it again, and until
          then its parts are read from their backups.</p>
      `}
      ${figures === undefined && node?.state !== "dead" && html`
        <p class="hint">${problem === undefined
          ? "Asking it …"
          : problem.detail || problem.title}</p>
      `}
    </div>
  `;
}

/** @param {{ figures: Figures }} props */
function NodeFigures({ figures }) {
  const { parts, partBytes, backups, backupBytes, freeBytes, diskBytes } = figures;
  return html`
    <dl class="figures">
      <${Figure} name="Parts" value=${amount(parts, partBytes)} />
      <${Figure} name="Backups" value=${amount(backups, backupBytes)} />
      <${Figure} name="Disk" value=${`${formatBytes(freeBytes)} free of ${
        formatBytes(diskBytes)
      }`} />
      <${Figure} name="Up for" value=${formatDuration(figures.uptimeSeconds)} />
      <${Figure} name="Memory" value=${formatBytes(figures.memoryBytes)} />
      <${Figure} name="Connections" value=${formatCount(figures.connections)} />
      <${Figure} name="Passes on to" value=${nodeLabel(figures.next)} />
      <${Figure} name="Repaired" value=${plural(figures.repaired, "part")} />
    </dl>
  `;
}

/**
 * @param {object} props
 * @param {string} props.name
 * @param {Detail | undefined} props.detail
 * @param {Problem | undefined} props.problem
 * @param {() => void} props.onClose
 */
function FileDetail({ name, detail, problem, onClose }) {
  return html`
    <div class="detail">
      <${DetailHead} title=${name} onClose=${onClose} note="" />
      ${detail === undefined && html`
        <p class="hint">${problem === undefined
          ? "Asking where it lies …"
          : problem.detail || problem.title}</p>
      `}
      ${detail !== undefined && html`
        <p>${describeCopies(detail.parts)}</p>
        <${PartList} parts=${detail.parts} />
        <p class="hint copy-legend"><span class="copy is-part">node</span> holds the part,
          ${" "}<span class="copy is-backup">node</span> keeps its backup</p>
        <div class="detail-foot">
          <a class="button" href=${filePath(name)} download=${name}>Download</a>
          <p class="sum" title=${detail.sha256}>SHA-256 <code>${detail.sha256 ||
            "unknown"}</code></p>
        </div>
      `}
    </div>
  `;
}

/** @param {{ parts: Part[] }} props */
function PartList({ parts }) {
  return html`
    <ol class="parts" tabindex="0" aria-label="Where its parts lie">
      ${parts.slice(0, partsMax).map(({ number, copies }) =>
        html`
          <li key=${number}>
              <span class="part-number">Part ${number}</span>
              ${copies.map((copy, place) =>
                html`<${CopyChip} key=${copy.address} copy=${copy} place=${place} />`
              )}
          </li>
        `
      )}
      ${parts.length > partsMax && html`<li>and ${formatCount(parts.length - partsMax)} more</li>`}
    </ol>
  `;
}

/**
 * The node that has a copy, and whether it is there.
 *
 * @param {{ copy: Copy, place: number }} props
 */
function CopyChip({ copy: { address, state }, place }) {
  const isGood = state === "ok";
  const role = place === 0 ? "holds it" : "keeps the backup";
  const title = `Node ${nodeLabel(address)} ${role}${
    isGood ? "" : `: ${copyWords[state] ?? state}`
  }`;
  return html`
    <span class="copy ${place === 0 ? "is-part" : "is-backup"} ${isGood ? "" : "is-missing"}"
      role="img" aria-label=${title} title=${title}>${nodeLabel(address)}${isGood
        ? ""
        : " ×"}</span>
  `;
}

/** @type {Record<string, string>} */
const copyWords = { unknown: "does not answer" };

/** @param {Part[]} parts */
function describeCopies(parts) {
  const { wanted, short, lost } = summarizeCopies(parts);
  const what = `${plural(parts.length, "part")}, ${
    plural(wanted, wanted === 1 ? "copy" : "copie")
  } of each`;
  if (lost > 0) return `${what}; ${plural(lost, "part")} cannot be read now`;
  return short > 0 ? `${what}; ${plural(short, "part")} with fewer now` : `${what}, all in place`;
}

/** @param {{ title: string, note: string, onClose: () => void }} props */
function DetailHead({ title, note, onClose }) {
  return html`
    <div class="detail-head">
      <h2 title=${title}>${title}</h2>
      ${note !== "" && html`<span class="note">${note}</span>`}
      <button type="button" class="button quiet" aria-label="Close the details" onClick=${onClose}>Close</button>
    </div>
  `;
}

/**
 * @param {number} count
 * @param {number} bytes
 */
function amount(count, bytes) {
  return `${formatCount(count)} · ${formatBytes(bytes)}`;
}

/** @param {{ name: string, value: string }} props */
function Figure({ name, value }) {
  return html`
    <div class="figure">
      <dt>${name}</dt>
      <dd>${value}</dd>
    </div>
  `;
}
