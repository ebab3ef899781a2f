// @ts-check
/**
 * What the page asks the gateway. Every wait has a deadline, and what goes wrong is a
 * {@linkcode GatewayError} that can be shown.
 *
 * @module
 */
import { filePath, filesMax } from "../model/file_list.js";
import { sumOfMetric } from "../model/metrics_text.js";
import { parseFigures, parseNodes } from "../model/nodes.js";
import { parseDetail } from "../model/placement.js";
import { parseProblem, unanswered } from "../model/problem.js";

/** @import { FileRow } from "../model/file_list.js" */
/** @import { Detail } from "../model/placement.js" */
/** @import { Problem } from "../model/problem.js" */

/** How long a question may take, in ms. */
const askMs = 8_000;

/** How long a heal may take, in ms: the ring itself gives up after a minute. */
const healMs = 70_000;

/** How long a scrub may take, in ms: every stored byte is read. */
const scrubMs = 3_600_000;

/** Files that are asked for at a time. */
const pageFiles = 1_000;

/** A request that failed, in words for people. */
export class GatewayError extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.detail || problem.title);
    this.name = "GatewayError";
    this.problem = problem;
  }
}

/**
 * What to show of any failure.
 *
 * @param {unknown} error
 * @returns {Problem}
 */
export function problemOf(error) {
  return error instanceof GatewayError ? error.problem : unanswered(error);
}

/** All nodes of the ring, in its order. */
export async function askNodes() {
  return parseNodes(await askJson("/nodes"));
}

/**
 * What one node tells of itself.
 *
 * @param {string} label Its port.
 */
export async function askNode(label) {
  return parseFigures(await askJson(`/nodes/${encodeURIComponent(label)}`));
}

/** How many bytes have passed through the gateway since it was started. */
export async function askTraffic() {
  const text = await (await ask("/metrics?scope=gateway")).text();
  return {
    received: sumOfMetric(text, "ouroboros_gateway_received_bytes_total"),
    sent: sumOfMetric(text, "ouroboros_gateway_sent_bytes_total"),
  };
}

/**
 * The files whose names begin with a prefix, as many as the page keeps.
 *
 * @param {string} prefix
 * @param {AbortSignal} signal Gives up.
 * @param {(rows: FileRow[], isWhole: boolean) => void} onRows Is told of what is there so far.
 */
export async function askFiles(prefix, signal, onRows) {
  /** @type {FileRow[]} */
  const rows = [];
  let after = "";
  for (;;) {
    const query = new URLSearchParams({ prefix, limit: String(pageFiles), after });
    const { files, next } = await askJson(`/files?${query}`, { signal });
    for (const { name, size, modified } of files) {
      rows.push({ name, size, timeMs: Date.parse(modified) });
    }
    if (typeof next !== "string" || rows.length >= filesMax) {
      return onRows(rows.slice(0, filesMax), typeof next !== "string");
    }
    after = next;
  }
}

/**
 * Where the copies of a file lie.
 *
 * @param {string} name
 * @returns {Promise<Detail>}
 */
export async function askFile(name) {
  return parseDetail(await askJson(`${filePath(name)}?stat`));
}

/** @param {string} name */
export async function deleteFile(name) {
  await ask(filePath(name), { method: "DELETE" });
}

/** Has the whole ring checked; what it says at the end. */
export async function healRing() {
  const { message } = await askJson("/heal", { method: "POST", deadlineMs: healMs });
  return String(message);
}

/**
 * Has every stored byte verified.
 *
 * @returns {Promise<{ checked: number, repaired: number, lost: number }>}
 */
export async function scrubRing() {
  return await askJson("/scrub", { method: "POST", deadlineMs: scrubMs });
}

/**
 * @param {string} path
 * @param {AskOptions} [options]
 */
async function askJson(path, options) {
  const answer = await ask(path, options);
  return await answer.json();
}

/**
 * @typedef {object} AskOptions
 * @property {string} [method]
 * @property {number} [deadlineMs]
 * @property {AbortSignal} [signal]
 */

/**
 * @param {string} path
 * @param {AskOptions} [options]
 */
async function ask(path, { method = "GET", deadlineMs = askMs, signal } = {}) {
  const late = AbortSignal.timeout(deadlineMs);
  const answer = await fetch(path, {
    method,
    cache: "no-store",
    signal: signal === undefined ? late : AbortSignal.any([late, signal]),
  });
  if (answer.ok) return answer;
  throw new GatewayError(parseProblem(answer.status, await answer.text()));
}
