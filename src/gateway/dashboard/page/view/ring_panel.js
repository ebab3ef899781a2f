// @ts-check
import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { countAlive, stateWords } from "../model/nodes.js";
import { marksByNode } from "../model/placement.js";
import {
  arrowPath,
  linkPath,
  markRadius,
  nodeOutline,
  nodeRadius,
  placeMark,
  placeNodes,
  ringBox,
} from "../model/ring_geometry.js";

/** @import { NodeView } from "../model/nodes.js" */
/** @import { Mark, Part } from "../model/placement.js" */
/** @import { NodePlace } from "../model/ring_geometry.js" */
/** @import { ViewProps } from "./app.js" */

/** Marks that are drawn at one node; further ones are told by the panel below. */
const marksMax = 3;

/**
 * The ring, drawn as one. The arrow keys go round it.
 *
 * @param {ViewProps} props
 */
export function RingPanel({ state: { nodes, selection }, actions }) {
  const [focused, setFocused] = useState(0);
  const current = Math.min(focused, Math.max(0, nodes.length - 1));
  const places = placeNodes(nodes.length);
  const detail = selection?.kind === "file" ? selection.detail : undefined;
  const marks = marksByNode(detail?.parts ?? []);
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    const step = steps[event.key];
    const node = nodes[current];
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (node !== undefined) actions.selectNode(node.address);
    } else if (event.key === "Escape") {
      actions.deselect();
    } else if (step !== undefined && nodes.length > 0) {
      event.preventDefault();
      const next = (current + step + nodes.length) % nodes.length;
      setFocused(next);
      const svg = /** @type {SVGElement} */ (event.currentTarget);
      /** @type {SVGElement | undefined} */ (svg.querySelectorAll(".node")[next])?.focus();
    }
  };
  return html`
    <svg class="ring" viewBox="0 0 ${ringBox} ${ringBox}" role="group"
      aria-label="The ring: ${nodes.length} nodes, arrow keys go round" onKeyDown=${onKeyDown}>
      ${nodes.map((node, index) =>
        html`<${Link} key=${node.address} nodes=${nodes} index=${index} />`
      )}
      <${Centre} nodes=${nodes} parts=${detail?.parts} />
      ${nodes.map((node, index) =>
        html`
          <${RingNode} key=${node.address} node=${node} place=${places[index]} count=${nodes.length}
            marks=${marks.get(node.address) ?? []} isDimmed=${detail !== undefined &&
              !marks.has(node.address)}
            isSelected=${selection?.kind === "node" && selection.address === node.address}
            isCurrent=${index === current}
            onPress=${() => {
              setFocused(index);
              actions.selectNode(node.address);
            }} />
        `
      )}
    </svg>
  `;
}

/** @type {Record<string, number>} */
const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/**
 * What passes from one node to the next.
 *
 * @param {{ nodes: NodeView[], index: number }} props
 */
function Link({ nodes, index }) {
  const next = nodes[(index + 1) % nodes.length];
  const isBroken = nodes[index]?.state === "dead" || next?.state === "dead";
  return html`
    <g class="ring-link ${isBroken ? "is-broken" : ""}">
      <path d=${linkPath(index, nodes.length)} />
      ${!isBroken && html`<path d=${arrowPath(index, nodes.length)} />`}
    </g>
  `;
}

/**
 * What the ring is, in a number: how many nodes are alive, or how many parts the selected file has.
 *
 * @param {{ nodes: NodeView[], parts: Part[] | undefined }} props
 */
function Centre({ nodes, parts }) {
  if (nodes.length === 0) return null;
  const [count, all, caption] = parts === undefined
    ? [countAlive(nodes), ` / ${nodes.length}`, nodes.length === 1 ? "node alive" : "nodes alive"]
    : [parts.length, "", parts.length === 1 ? "part" : "parts"];
  return html`
    <g class="ring-centre" aria-hidden="true">
      <text class="ring-count" x=${ringBox / 2} y=${ringBox / 2 + 6}>${count}<tspan
        class="ring-count-all">${all}</tspan></text>
      <text class="ring-caption" x=${ringBox / 2} y=${ringBox / 2 + 30}>${caption}</text>
    </g>
  `;
}

/**
 * @param {object} props
 * @param {NodeView} props.node
 * @param {NodePlace} props.place
 * @param {number} props.count
 * @param {Mark[]} props.marks
 * @param {boolean} props.isDimmed
 * @param {boolean} props.isSelected
 * @param {boolean} props.isCurrent
 * @param {() => void} props.onPress
 */
function RingNode({ node, place, count, marks, isDimmed, isSelected, isCurrent, onPress }) {
  const size = nodeRadius(count);
  const { label } = place;
  const classes = [
    ...["node", `is-${node.state}`],
    ...(isSelected ? ["is-selected"] : []),
    ...(isDimmed ? ["is-dimmed"] : []),
  ];
  return html`
    <g class=${classes.join(" ")} role="button" tabindex=${isCurrent ? 0 : -1}
      aria-pressed=${isSelected} aria-label=${describeNode(node, marks)} onClick=${onPress}>
      <title>${describeNode(node, marks)}</title>
      <g transform="translate(${place.x} ${place.y})">
        <circle class="node-reach" r=${Math.max(size + 4, 12)} />
        <circle class="node-halo" r=${size + 6} />
        <path class="node-body" d=${nodeOutline(
          node.state,
          node.state === "alive" ? size : Math.max(size, 6),
        )} />
        ${size >= 12 && node.state !== "alive" && html`
          <path class="node-sign" d=${signPath(node.state, size)} />
        `}
      </g>
      ${label && html`
        <text class="node-label" x=${label.x} y=${label.y} text-anchor=${label.anchor}
          transform=${label.turn === 0 ? undefined : `rotate(${label.turn} ${label.x} ${label.y})`}>
          ${node.label}
        </text>
      `}
      ${marks.slice(0, marksMax).map((mark, position) =>
        html`
          <${PartMark} key=${`${mark.part} ${mark.isBackup}`} mark=${mark} count=${count}
            at=${placeMark(place.angle, { count, position })} />
        `
      )}
    </g>
  `;
}

/**
 * A part that a node has: solid where it is the holder, a ring where it keeps the backup.
 *
 * @param {{ mark: Mark, count: number, at: { x: number, y: number } }} props
 */
function PartMark({ mark, count, at }) {
  const size = markRadius(count);
  const kind = `${mark.isBackup ? "is-backup" : "is-part"} ${mark.isGood ? "" : "is-missing"}`;
  return html`
    <g class="part-mark ${kind}" transform="translate(${at.x} ${at.y})">
      <circle r=${size - 1} />
      ${size >= 7 && html`<text>${mark.part}</text>`}
    </g>
  `;
}

/**
 * @param {NodeView} node
 * @param {Mark[]} marks
 */
function describeNode({ label, state }, marks) {
  const has = marks.map(({ part, isBackup, isGood }) =>
    `${isBackup ? "backup of part" : "part"} ${part}${isGood ? "" : " (missing)"}`
  );
  return [`Node ${label}, ${stateWords[state]}`, ...has].join(", ");
}

/**
 * The sign above the label of a node that is not alive.
 *
 * @param {string} state
 * @param {number} size
 */
function signPath(state, size) {
  const y = size >= 20 ? -13 : 0;
  const arm = size >= 20 ? 4 : 5;
  if (state === "dead") {
    return `M${-arm} ${y - arm}L${arm} ${y + arm}M${arm} ${y - arm}L${-arm} ${y + arm}`;
  }
  return `M${-arm} ${y}h.01M0 ${y}h.01M${arm} ${y}h.01`;
}
