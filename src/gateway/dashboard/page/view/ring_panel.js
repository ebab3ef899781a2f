// @ts-check
import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { countAlive } from "../model/nodes.js";
import { marksByNode } from "../model/placement.js";
import { arrowPath, linkPath, placeNodes, ringBox } from "../model/ring_geometry.js";
import { PartMarks, RingNode } from "./ring_node.js";

/** @import { NodeView } from "../model/nodes.js" */
/** @import { Part } from "../model/placement.js" */
/** @import { ViewProps } from "./app.js" */

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
      <g aria-hidden="true">
        ${nodes.map((node, index) =>
          html`
            <${PartMarks} key=${node.address} marks=${marks.get(node.address) ?? []}
              angle=${places[index]?.angle} count=${nodes.length} />
          `
        )}
      </g>
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
