// @ts-check
/**
 * What happens in the ring, as `/events` tells it, in sentences.
 *
 * @module
 */
import { formatBytes, formatCount, formatDuration, plural } from "./format.js";

/**
 * @typedef {object} RingEvent
 * @property {string} id Names it among all events.
 * @property {number} timeMs When it was seen, since the epoch.
 * @property {string} kind
 * @property {string} node The address of the node that it is about.
 * @property {string} by The address of the node that tells it.
 * @property {string} [name] Of a file.
 * @property {number} [size] Of a file, in bytes.
 * @property {number} [count]
 * @property {number} [attempt] From 1.
 * @property {number} [part]
 * @property {number} [seconds]
 * @property {string} [reason]
 * @property {number} [checked]
 * @property {number} [repaired]
 * @property {number} [lost]
 */

/**
 * @typedef {"good" | "bad" | "busy" | "plain"} Tone
 */

/**
 * @typedef {object} LogEntry A line of the log.
 * @property {string} id
 * @property {number} timeMs
 * @property {Tone} tone
 * @property {string} text
 */

/**
 * Reads the data of a message of `/events`.
 *
 * @param {string} text
 * @returns {RingEvent | undefined} None for what is no event.
 */
export function parseRingEvent(text) {
  try {
    const value = JSON.parse(text);
    const isEvent = typeof value?.kind === "string" && typeof value.node === "string" &&
      typeof value.timeMs === "number" && typeof value.id === "string";
    return isEvent ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The line of the log that tells an event.
 *
 * @param {RingEvent} event
 * @returns {LogEntry | undefined} None for what is of no interest to people.
 */
export function toLogEntry(event) {
  const told = tell(event);
  return told && { id: `${event.by} ${event.id}`, timeMs: event.timeMs, ...told };
}

/**
 * @param {RingEvent} event
 * @returns {{ tone: Tone, text: string } | undefined}
 */
function tell(event) {
  const node = nodeLabel(event.node);
  const name = `“${event.name ?? ""}”`;
  switch (event.kind) {
    case "node-died":
      return { tone: "bad", text: `Node ${node} died${because(event.reason)}` };
    case "node-joining":
      return { tone: "busy", text: `Node ${node} is back and catches up` };
    case "node-alive":
      return { tone: "good", text: `Node ${node} is alive` };
    case "node-respawned":
      return { tone: "busy", text: `Node ${node} was started again` };
    case "heal-started":
      return (event.attempt ?? 1) > 1
        ? undefined
        : { tone: "busy", text: `Node ${nodeLabel(event.by)} begins to bring ${node} back` };
    case "heal-finished":
      return {
        tone: "good",
        text: `Node ${node} is whole again, ${
          formatSeconds(event.seconds)
        } after its death was noticed`,
      };
    case "heal-failed":
      return {
        tone: "bad",
        text: `Node ${node} could not be brought back yet${because(event.reason)}`,
      };
    case "ring-checked":
      return {
        tone: "good",
        text: `The whole ring was checked in ${formatSeconds(event.seconds)}`,
      };
    default:
      return tellOfFiles(event, { node, name });
  }
}

/**
 * @param {RingEvent} event
 * @param {{ node: string, name: string }} words
 * @returns {{ tone: Tone, text: string } | undefined}
 */
function tellOfFiles(event, { node, name }) {
  switch (event.kind) {
    case "file-stored":
      return { tone: "plain", text: `${name} was stored, ${formatBytes(event.size ?? 0)}` };
    case "file-deleted":
      return { tone: "plain", text: `${name} was deleted` };
    case "files-changed":
      return { tone: "plain", text: `${plural(event.count ?? 0, "further change")} of files` };
    case "chunk-damaged":
      return {
        tone: "bad",
        text: `Part ${event.part} of ${name} on node ${node} is damaged${because(event.reason)}`,
      };
    case "chunk-repaired":
      return {
        tone: "good",
        text: `Node ${node} repaired ${plural(event.count ?? 1, "part")} of ${name}`,
      };
    case "repair-failed":
      return {
        tone: "bad",
        text: `Node ${node} could not repair ${name} yet${because(event.reason)}`,
      };
    case "scrub-started":
      return { tone: "busy", text: `Node ${node} verifies all that it stores` };
    case "scrub-finished":
      return {
        tone: event.lost ? "bad" : "good",
        text: `Node ${node} verified ${scrubResult(event)}`,
      };
    default:
      return undefined;
  }
}

/**
 * What a scrub came to.
 *
 * @param {{ checked?: number, repaired?: number, lost?: number }} counts
 */
export function scrubResult({ checked = 0, repaired = 0, lost = 0 }) {
  const copies = checked === 1 ? "1 copy" : `${formatCount(checked)} copies`;
  const damage = repaired + lost === 0 ? "all good" : [
    repaired > 0 ? `${formatCount(repaired)} repaired` : "",
    lost > 0 ? `${formatCount(lost)} lost` : "",
  ]
    .filter((each) => each !== "").join(", ");
  return `${copies}: ${damage}`;
}

/**
 * What a node is called on the page: its port, as all nodes of most rings share a host.
 *
 * @param {string} address
 */
export function nodeLabel(address) {
  return address.slice(address.lastIndexOf(":") + 1);
}

/** @param {number | undefined} seconds */
function formatSeconds(seconds = 0) {
  return seconds < 10 ? `${Number(seconds.toFixed(1))} s` : formatDuration(seconds);
}

/** @param {string | undefined} reason */
function because(reason) {
  return reason === undefined || reason === "" ? "" : `: ${reason}`;
}
