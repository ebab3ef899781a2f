// @ts-check
/**
 * All that the page knows, and how it changes: a function of what it knew and of what happened. The
 * views draw the state, the actions make things happen.
 *
 * 1. Nothing here reads a clock, asks the gateway or touches the document.
 * 2. Every list has a limit, however long the page stays open.
 *
 * @module
 */
import { filesMax, putRow, withoutRow } from "./file_list.js";
import { nodesAfterEvent } from "./nodes.js";
import { toLogEntry } from "./ring_events.js";
import { addTraffic, advance, emptyTraffic } from "./traffic.js";
import { changeUpload, isFinished } from "./uploads.js";

/** @import { FileRow, Sort } from "./file_list.js" */
/** @import { Figures, NodeView } from "./nodes.js" */
/** @import { Detail } from "./placement.js" */
/** @import { Problem } from "./problem.js" */
/** @import { LogEntry, RingEvent } from "./ring_events.js" */
/** @import { Traffic } from "./traffic.js" */
/** @import { Upload } from "./uploads.js" */

/** Lines of the log that are kept. */
export const logMax = 200;

/** How old an event may be to say how things are now, in ms: clocks of machines differ. */
const newsMs = 60_000;

/** Problems that are shown at once. */
export const noticesMax = 3;

/**
 * @typedef {"connecting" | "live" | "polling" | "away"} Link
 * How the page learns of changes: told at once, by asking now and then, or not at all.
 */

/**
 * @typedef {{ kind: "node", address: string, figures?: Figures, problem?: Problem }
 *   | { kind: "file", name: string, detail?: Detail, problem?: Problem }} Selection
 */

/**
 * @typedef {object} TaskState
 * @property {"idle" | "running" | "done" | "failed"} state
 * @property {string} text Its result; empty before there is one.
 */

/** @typedef {"heal" | "scrub"} Task */

/**
 * @typedef {object} Notice
 * @property {number} id
 * @property {string} doing What was not possible.
 * @property {Problem} problem
 */

/**
 * @typedef {object} PageState
 * @property {number} nowMs
 * @property {Link} link
 * @property {number} seenMs When the gateway last answered; 0 before.
 * @property {NodeView[]} nodes In the order of the ring.
 * @property {string} version Of the program; empty before a node has told it.
 * @property {FileRow[]} files
 * @property {number} filesInAll What a node says that there are; NaN before.
 * @property {boolean} filesLoaded Whether the list was loaded at least once.
 * @property {boolean} filesWhole Whether there are no more than those.
 * @property {string} prefix What the names of the files begin with.
 * @property {Sort} sort
 * @property {Selection | undefined} selection
 * @property {LogEntry[]} log The newest first.
 * @property {Traffic} traffic
 * @property {{ received: number, sent: number } | undefined} counters The last that the gateway told.
 * @property {Upload[]} uploads
 * @property {Record<Task, TaskState>} tasks
 * @property {Notice[]} notices
 */

/**
 * @typedef {{ kind: "tick", nowMs: number }
 *   | { kind: "link", link: Link }
 *   | { kind: "nodes", nodes: NodeView[] }
 *   | { kind: "figures", figures: Figures }
 *   | { kind: "event", event: RingEvent }
 *   | { kind: "counters", received: number, sent: number }
 *   | { kind: "files", rows: FileRow[], isWhole: boolean }
 *   | { kind: "file-gone", name: string }
 *   | { kind: "prefix", prefix: string }
 *   | { kind: "sort", sort: Sort }
 *   | { kind: "select", selection: Selection | undefined }
 *   | { kind: "detail", name: string, detail?: Detail, problem?: Problem }
 *   | { kind: "node-detail", address: string, figures?: Figures, problem?: Problem }
 *   | { kind: "task", task: Task, state: TaskState }
 *   | { kind: "uploads", uploads: Upload[] }
 *   | { kind: "upload", id: number, change: Partial<Upload> }
 *   | { kind: "uploads-cleared" }
 *   | { kind: "notice", notice: Notice }
 *   | { kind: "notice-closed", id: number }} Change
 */

/**
 * What the page knows at first: nothing.
 *
 * @param {number} nowMs
 * @returns {PageState}
 */
export function initialState(nowMs) {
  return {
    nowMs,
    link: "connecting",
    seenMs: 0,
    nodes: [],
    version: "",
    files: [],
    filesInAll: NaN,
    filesLoaded: false,
    filesWhole: true,
    prefix: "",
    sort: { key: "name", descending: false },
    selection: undefined,
    log: [],
    traffic: emptyTraffic(nowMs),
    counters: undefined,
    uploads: [],
    tasks: { heal: { state: "idle", text: "" }, scrub: { state: "idle", text: "" } },
    notices: [],
  };
}

/**
 * What the page knows after a change.
 *
 * @param {PageState} state
 * @param {Change} change
 * @returns {PageState}
 */
export function changed(state, change) {
  switch (change.kind) {
    case "tick":
      return { ...state, nowMs: change.nowMs, traffic: advance(state.traffic, change.nowMs) };
    case "link":
      return { ...state, link: change.link };
    case "nodes":
      return { ...state, nodes: change.nodes, seenMs: state.nowMs };
    case "figures":
      return { ...state, version: change.figures.version, filesInAll: change.figures.files };
    case "event":
      return afterEvent(state, change.event);
    case "counters":
      return afterCounters(state, change);
    case "files":
      return { ...state, files: change.rows, filesLoaded: true, filesWhole: change.isWhole };
    case "file-gone":
      return withoutFile(state, change.name);
    case "prefix":
      return { ...state, prefix: change.prefix };
    case "sort":
      return { ...state, sort: change.sort };
    case "select":
      return { ...state, selection: change.selection };
    case "detail":
      return afterDetail(state, change);
    case "node-detail":
      return afterNodeDetail(state, change);
    case "task":
      return { ...state, tasks: { ...state.tasks, [change.task]: change.state } };
    case "uploads":
      return { ...state, uploads: change.uploads };
    case "upload":
      return { ...state, uploads: changeUpload(state.uploads, change.id, change.change) };
    case "uploads-cleared":
      return { ...state, uploads: state.uploads.filter((upload) => !isFinished(upload)) };
    case "notice":
      return { ...state, notices: [...state.notices, change.notice].slice(-noticesMax) };
    case "notice-closed":
      return { ...state, notices: state.notices.filter(({ id }) => id !== change.id) };
  }
}

/**
 * @param {PageState} state
 * @param {RingEvent} event
 * @returns {PageState}
 */
function afterEvent(state, event) {
  const entry = toLogEntry(event);
  const isTold = state.log.some(({ id }) => id === entry?.id);
  const log = isTold || entry === undefined ? state.log : insertEntry(state.log, entry);
  // What happened before the page was there, or is told again, says nothing of what is now.
  if (isTold || state.nowMs - event.timeMs > newsMs) return { ...state, log };
  const after = { ...state, log, nodes: nodesAfterEvent(state.nodes, event) };
  if (event.kind === "file-deleted" && event.name !== undefined) {
    return withoutFile(after, event.name);
  }
  if (event.kind !== "file-stored" || event.name === undefined) return after;
  if (!event.name.startsWith(state.prefix)) return after;
  const { name, size = NaN, timeMs } = event;
  return { ...after, files: putRow(after.files, { name, size, timeMs }) };
}

/**
 * @param {PageState} state
 * @param {string} name
 * @returns {PageState}
 */
function withoutFile(state, name) {
  const { selection } = state;
  const isSelected = selection?.kind === "file" && selection.name === name;
  return {
    ...state,
    files: withoutRow(state.files, name),
    selection: isSelected ? undefined : selection,
  };
}

/**
 * @param {LogEntry[]} log
 * @param {LogEntry} entry
 */
function insertEntry(log, entry) {
  // Nodes tell at different times what happened at one.
  const place = log.findIndex(({ timeMs }) => timeMs <= entry.timeMs);
  return log.toSpliced(place === -1 ? log.length : place, 0, entry).slice(0, logMax);
}

/**
 * @param {PageState} state
 * @param {{ received: number, sent: number }} counters
 * @returns {PageState}
 */
function afterCounters(state, { received, sent }) {
  const before = state.counters;
  const counters = { received, sent };
  if (before === undefined) return { ...state, counters };
  // A gateway that was started again counts from zero.
  const isNew = received < before.received || sent < before.sent;
  const since = isNew ? { received: 0, sent: 0 } : before;
  const { nowMs } = state;
  const sample = { nowMs, received: received - since.received, sent: sent - since.sent };
  return { ...state, counters, traffic: addTraffic(state.traffic, sample) };
}

/**
 * @param {PageState} state
 * @param {{ name: string, detail?: Detail, problem?: Problem }} answer
 * @returns {PageState}
 */
function afterDetail(state, { name, detail, problem }) {
  const { selection } = state;
  // Something else was selected meanwhile.
  if (selection?.kind !== "file" || selection.name !== name) return state;
  return {
    ...state,
    selection: { kind: "file", name, ...(detail && { detail }), ...(problem && { problem }) },
  };
}

/**
 * @param {PageState} state
 * @param {{ address: string, figures?: Figures, problem?: Problem }} answer
 * @returns {PageState}
 */
function afterNodeDetail(state, { address, figures, problem }) {
  const { selection } = state;
  if (selection?.kind !== "node" || selection.address !== address) return state;
  return {
    ...state,
    selection: { kind: "node", address, ...(figures && { figures }), ...(problem && { problem }) },
  };
}

/**
 * Whether the list may be longer than what the page keeps of it.
 *
 * @param {PageState} state
 */
export function isListCut({ files, filesWhole }) {
  return !filesWhole || files.length >= filesMax;
}
