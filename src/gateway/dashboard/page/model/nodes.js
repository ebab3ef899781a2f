// @ts-check
/**
 * The nodes as the page knows them.
 *
 * @module
 */
import { nodeLabel } from "./ring_events.js";

/**
 * @typedef {"alive" | "dead" | "waiting"} NodeState
 * `waiting`: it is back, and does not serve yet.
 */

/**
 * @typedef {object} NodeView
 * @property {string} address
 * @property {string} label
 * @property {NodeState} state
 */

/**
 * @typedef {object} Figures What a node tells of itself; a number is NaN where it does not tell it.
 * @property {string} address
 * @property {number} uptimeSeconds
 * @property {number} files
 * @property {number} parts Chunks that it is the holder of.
 * @property {number} partBytes
 * @property {number} backups Chunks of other holders.
 * @property {number} backupBytes
 * @property {number} freeBytes On its disk.
 * @property {number} diskBytes
 * @property {number} memoryBytes
 * @property {number} connections
 * @property {number} repaired Chunks since it was started.
 * @property {string} state `ready`, or what keeps it from serving.
 * @property {string} next The address of the node that it passes things on to.
 * @property {string} version Of the program.
 * @property {string} catalog Changes whenever a file does.
 */

/**
 * Reads the answer to `/nodes`.
 *
 * @param {{ nodes: { address: string, status: string }[] }} answer
 * @returns {NodeView[]}
 */
export function parseNodes({ nodes }) {
  return nodes.map(({ address, status }) => ({
    address,
    label: nodeLabel(address),
    state: status === "Alive" ? "alive" : "dead",
  }));
}

/**
 * Reads the answer to `/nodes/<port>`.
 *
 * @param {Record<string, unknown>} info
 * @returns {Figures}
 */
export function parseFigures(info) {
  /** @param {string} key */
  const number = (key) => Number(info[key] ?? NaN);
  /** @param {string} key */
  const text = (key) => String(info[key] ?? "");
  return {
    address: text("address"),
    uptimeSeconds: number("uptime"),
    files: number("files"),
    parts: number("parts"),
    partBytes: number("part_bytes"),
    backups: number("backups"),
    backupBytes: number("backup_bytes"),
    freeBytes: number("free_bytes"),
    diskBytes: number("disk_bytes"),
    memoryBytes: number("rss_bytes"),
    connections: number("connections"),
    repaired: number("repaired"),
    state: text("state"),
    next: text("next"),
    version: text("version"),
    catalog: text("catalog"),
  };
}

/** The words for the states. */
export const stateWords = /** @type {const} */ ({
  alive: "alive",
  dead: "dead",
  waiting: "coming back",
});

/**
 * How many nodes are alive.
 *
 * @param {NodeView[]} nodes
 */
export function countAlive(nodes) {
  return nodes.filter(({ state }) => state === "alive").length;
}

/**
 * The nodes after an event, which tells sooner than the next look at all of them.
 *
 * @param {NodeView[]} nodes
 * @param {{ kind: string, node: string }} event
 * @returns {NodeView[]}
 */
export function nodesAfterEvent(nodes, { kind, node }) {
  /** @type {NodeState | undefined} */
  const state = {
    "node-died": /** @type {const} */ ("dead"),
    "node-joining": /** @type {const} */ ("waiting"),
    "node-respawned": /** @type {const} */ ("waiting"),
    "node-alive": /** @type {const} */ ("alive"),
    "heal-finished": /** @type {const} */ ("alive"),
  }[kind];
  if (state === undefined) return nodes;
  return nodes.map((each) =>
    each.address === node && each.state !== state ? { ...each, state } : each
  );
}

/**
 * One sentence on how the ring is.
 *
 * @param {NodeView[]} nodes
 * @returns {{ tone: "good" | "bad" | "busy" | "plain", text: string }}
 */
export function describeRing(nodes) {
  const alive = countAlive(nodes);
  const dead = nodes.filter(({ state }) => state === "dead");
  const waiting = nodes.filter(({ state }) => state === "waiting");
  if (nodes.length === 0) return { tone: "plain", text: "Looking for nodes" };
  if (alive === nodes.length) {
    return {
      tone: "good",
      text: alive === 1 ? "The node is alive" : `All ${alive} nodes are alive`,
    };
  }
  if (dead.length === 0) return { tone: "busy", text: `${listLabels(waiting)} coming back` };
  return { tone: "bad", text: `${listLabels(dead)} dead` };
}

/** @param {NodeView[]} nodes */
function listLabels(nodes) {
  if (nodes.length > 2) return `${nodes.length} nodes are`;
  const labels = nodes.map(({ address }) => nodeLabel(address));
  return labels.length === 1 ? `Node ${labels[0]} is` : `Nodes ${labels.join(" and ")} are`;
}
