// @ts-check
/**
 * Where everything of the drawn ring stands, in units of its square view box. The first node stands at
 * the top, and the order runs clockwise, as the ring passes things on.
 *
 * @module
 */

/** The side of the view box. */
export const ringBox = 400;

const centre = ringBox / 2;
const nodeRadiusMax = 26;
/** Nodes of this size hold their label; the labels of smaller ones stand outside. */
const labelledInside = 20;
/** The radius of the ring where the labels stand inside the nodes, and where they need room outside. */
const radiusMax = 146;
const radiusMin = 130;
/** Above this many nodes the labels outside point away from the centre, to find room. */
const uprightLabelsMax = 20;
/** What a label needs along the ring. */
const labelRoom = 14;

/**
 * @typedef {object} NodePlace
 * @property {number} x
 * @property {number} y
 * @property {number} angle In radians, from the top, clockwise.
 * @property {LabelPlace | undefined} label None where many nodes leave no room for one.
 */

/**
 * @typedef {object} LabelPlace
 * @property {number} x
 * @property {number} y
 * @property {"start" | "middle" | "end"} anchor
 * @property {number} turn In degrees, around (x, y).
 */

/**
 * How large the nodes are.
 *
 * @param {number} count
 * @returns {number} The radius of one.
 */
export function nodeRadius(count) {
  if (count < 2) return nodeRadiusMax;
  const room = 2 * radiusMax * Math.sin(Math.PI / count);
  return Math.max(1.5, Math.min(nodeRadiusMax, room * 0.32));
}

/** @param {number} count */
function ringRadius(count) {
  return nodeRadius(count) >= labelledInside ? radiusMax : radiusMin;
}

/**
 * Where the nodes of a ring stand.
 *
 * @param {number} count
 * @returns {NodePlace[]}
 */
export function placeNodes(count) {
  const size = nodeRadius(count);
  const radius = ringRadius(count);
  const labelEvery = Math.ceil(labelRoom / ((2 * Math.PI * (radius + size)) / count));
  return Array.from({ length: count }, (_, index) => {
    const angle = (2 * Math.PI * index) / count;
    const label = index % labelEvery === 0 ? placeLabel(angle, { count, size }) : undefined;
    return { ...pointAt(angle, radius), angle, label };
  });
}

/**
 * A point on a circle around the centre.
 *
 * @param {number} angle
 * @param {number} distance From the centre.
 */
export function pointAt(angle, distance) {
  return {
    x: round(centre + distance * Math.sin(angle)),
    y: round(centre - distance * Math.cos(angle)),
  };
}

/**
 * @param {number} angle
 * @param {{ count: number, size: number }} ring
 * @returns {LabelPlace}
 */
function placeLabel(angle, { count, size }) {
  const radius = ringRadius(count);
  if (size >= labelledInside) return { ...pointAt(angle, radius), anchor: "middle", turn: 0 };
  const place = pointAt(angle, radius + size + 8);
  const isLeft = angle > Math.PI;
  if (count > uprightLabelsMax) {
    const degrees = (angle * 180) / Math.PI;
    return {
      ...place,
      anchor: isLeft ? "end" : "start",
      turn: round(isLeft ? degrees - 270 : degrees - 90),
    };
  }
  const sideways = Math.sin(angle);
  return {
    ...place,
    anchor: Math.abs(sideways) < 0.2 ? "middle" : sideways < 0 ? "end" : "start",
    turn: 0,
  };
}

/**
 * The way from one node to the next along the ring, without what the two nodes cover.
 *
 * @param {number} index Of the node that it begins at.
 * @param {number} count
 * @returns {string} The data of an SVG path; empty where the nodes leave no room.
 */
export function linkPath(index, count) {
  const { from, to } = linkAngles(index, count);
  if (to <= from) return "";
  const radius = ringRadius(count);
  const start = pointAt(from, radius);
  const end = pointAt(to, radius);
  const large = to - from > Math.PI ? 1 : 0;
  return `M${start.x} ${start.y}A${radius} ${radius} 0 ${large} 1 ${end.x} ${end.y}`;
}

/**
 * The arrow head in the middle of a link.
 *
 * @param {number} index Of the node that the link begins at.
 * @param {number} count
 */
export function arrowPath(index, count) {
  const { from, to } = linkAngles(index, count);
  const radius = ringRadius(count);
  const size = Math.min(6, (to - from) * radius * 0.25);
  if (size < 2) return "";
  const middle = (from + to) / 2;
  const back = size / radius;
  const outer = pointAt(middle - back / 2, radius + size);
  const tip = pointAt(middle + back / 2, radius);
  const inner = pointAt(middle - back / 2, radius - size);
  return `M${outer.x} ${outer.y}L${tip.x} ${tip.y}L${inner.x} ${inner.y}`;
}

/**
 * @param {number} index
 * @param {number} count
 */
function linkAngles(index, count) {
  const step = (2 * Math.PI) / count;
  const gap = (nodeRadius(count) + 5) / ringRadius(count);
  return { from: index * step + gap, to: (index + 1) * step - gap };
}

/**
 * Where the marks stand that tell which parts a node has: one behind the other towards the centre.
 *
 * @param {number} angle Of the node.
 * @param {{ count: number, position: number }} mark How many nodes there are, and its place from 0.
 */
export function placeMark(angle, { count, position }) {
  const size = markRadius(count);
  const first = ringRadius(count) - nodeRadius(count) - size - 5;
  return pointAt(angle, first - position * (2 * size + 3));
}

/**
 * How large these marks are.
 *
 * @param {number} count
 */
export function markRadius(count) {
  return Math.max(3, Math.min(10, nodeRadius(count) * 0.5));
}

/**
 * The outline of a node, around (0, 0): what state it is in shows without colours as well.
 *
 * @param {"alive" | "dead" | "waiting"} state
 * @param {number} size
 */
export function nodeOutline(state, size) {
  if (state === "alive") {
    return `M${-size} 0a${size} ${size} 0 1 1 ${2 * size} 0a${size} ${size} 0 1 1 ${-2 * size} 0Z`;
  }
  // A square on its edge, and a hexagon, of about the area of the circle.
  const corners = state === "dead" ? 4 : 6;
  const reach = size * (state === "dead" ? 1.22 : 1.08);
  const points = Array.from({ length: corners }, (_, corner) => {
    const angle = (2 * Math.PI * corner) / corners;
    return `${round(reach * Math.sin(angle))} ${round(-reach * Math.cos(angle))}`;
  });
  return `M${points.join("L")}Z`;
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 100) / 100;
}
