// @ts-check
/**
 * How much passed through the gateway over the last minutes, in slots of a few seconds.
 *
 * @module
 */

/** The length of a slot, in ms. */
export const slotMs = 5_000;

/** How many slots are kept and shown: five minutes. */
export const slotsMax = 60;

/**
 * @typedef {object} Traffic
 * @property {number} slot The number of the last slot: its time through {@linkcode slotMs}.
 * @property {number[]} received Bytes from clients, a slot each, the last one being `slot`.
 * @property {number[]} sent Bytes to clients, likewise.
 */

/**
 * No traffic so far.
 *
 * @param {number} nowMs
 * @returns {Traffic}
 */
export function emptyTraffic(nowMs) {
  const none = new Array(slotsMax).fill(0);
  return { slot: Math.floor(nowMs / slotMs), received: none, sent: none };
}

/**
 * The traffic with some bytes more.
 *
 * @param {Traffic} traffic
 * @param {{ nowMs: number, received: number, sent: number }} sample
 * @returns {Traffic}
 */
export function addTraffic(traffic, { nowMs, received, sent }) {
  const { slot, ...series } = advance(traffic, nowMs);
  return {
    slot,
    received: addToLast(series.received, received),
    sent: addToLast(series.sent, sent),
  };
}

/**
 * The traffic as of now: what is too old is gone, and the slots since then are empty.
 *
 * @param {Traffic} traffic
 * @param {number} nowMs
 * @returns {Traffic}
 */
export function advance(traffic, nowMs) {
  const slot = Math.floor(nowMs / slotMs);
  const passed = Math.min(slotsMax, slot - traffic.slot);
  if (passed <= 0) return traffic;
  const none = new Array(passed).fill(0);
  return {
    slot,
    received: [...traffic.received.slice(passed), ...none],
    sent: [...traffic.sent.slice(passed), ...none],
  };
}

/**
 * The rate of the last slot that is over, as that of the last one is not known yet.
 *
 * @param {number[]} bytes
 * @returns {number} Bytes a second.
 */
export function lastRate(bytes) {
  return (bytes.at(-2) ?? 0) / (slotMs / 1000);
}

/**
 * The highest rate of a slot.
 *
 * @param {number[]} bytes
 * @returns {number} Bytes a second.
 */
export function peakRate(bytes) {
  return Math.max(0, ...bytes) / (slotMs / 1000);
}

/**
 * The outline of a plot of one series.
 *
 * @param {number[]} bytes A slot each.
 * @param {{ width: number, height: number, peak: number }} box `peak` is the rate at full height.
 * @returns {{ line: string, area: string }} The data of two SVG paths.
 */
export function plotPaths(bytes, { width, height, peak }) {
  const step = width / Math.max(1, bytes.length - 1);
  const points = bytes.map((each, index) => {
    const share = peak === 0 ? 0 : Math.min(1, each / (slotMs / 1000) / peak);
    return `${(index * step).toFixed(1)} ${(height - share * (height - 2)).toFixed(1)}`;
  });
  const line = `M${points.join("L")}`;
  return { line, area: `${line}L${width} ${height}L0 ${height}Z` };
}

/**
 * @param {number[]} bytes
 * @param {number} more
 */
function addToLast(bytes, more) {
  return [...bytes.slice(0, -1), (bytes.at(-1) ?? 0) + more];
}
