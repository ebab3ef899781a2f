// @ts-check
import { html } from "htm/preact";
import { stateWords } from "../model/nodes.js";
import { markRadius, nodeOutline, nodeRadius, placeMark } from "../model/ring_geometry.js";

/** @import { NodeView } from "../model/nodes.js" */
/** @import { Mark } from "../model/placement.js" */
/** @import { NodePlace } from "../model/ring_geometry.js" */

/** Marks that are drawn at one node; further ones are told by the panel below. */
const marksMax = 3;

/**
 * A node of the ring.
 *
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
export function RingNode({ node, place, count, marks, isDimmed, isSelected, isCurrent, onPress }) {
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
    </g>
  `;
}

/**
 * What a node has of the selected file. It is no part of the node, whose label says the same.
 *
 * @param {{ marks: Mark[], angle: number, count: number }} props
 */
export function PartMarks({ marks, angle, count }) {
  return marks.slice(0, marksMax).map((mark, position) =>
    html`
      <${PartMark} key=${`${mark.part} ${mark.isBackup}`} mark=${mark} count=${count}
        at=${placeMark(angle, { count, position })} />
    `
  );
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
