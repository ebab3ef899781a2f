// @ts-check
/**
 * The files that wait to be stored, are being stored, or were, in this page. Everything here is pure.
 *
 * @module
 */
import { formatBytes, formatRate } from "./format.js";

/** How many may wait at once; further ones are refused. */
export const uploadsMax = 500;

/**
 * @typedef {"waiting" | "sending" | "storing" | "stored" | "exists" | "failed" | "cancelled"} UploadState
 * `sending`: bytes are on their way. `storing`: all have gone, the ring has not answered yet.
 * `exists`: there is a file of that name, and nobody has said yet whether it is to be replaced.
 */

/**
 * @typedef {object} Upload
 * @property {number} id
 * @property {string} name
 * @property {number} size In bytes.
 * @property {UploadState} state
 * @property {number} sent In bytes.
 * @property {number} startedMs When it began to be sent; 0 before.
 * @property {boolean} replace Whether a file of that name may be replaced.
 * @property {string} [reason] Why it failed.
 */

/**
 * The first upload that waits, unless one is on its way already.
 *
 * @param {Upload[]} uploads
 * @returns {Upload | undefined}
 */
export function nextUpload(uploads) {
  if (uploads.some(({ state }) => state === "sending" || state === "storing")) return undefined;
  return uploads.find(({ state }) => state === "waiting");
}

/**
 * Whether nothing more will happen to an upload by itself.
 *
 * @param {Upload} upload
 */
export function isFinished({ state }) {
  return state === "stored" || state === "failed" || state === "cancelled";
}

/**
 * Changes one upload of a list.
 *
 * @param {Upload[]} uploads
 * @param {number} id
 * @param {Partial<Upload>} change
 */
export function changeUpload(uploads, id, change) {
  return uploads.map((upload) => upload.id === id ? { ...upload, ...change } : upload);
}

/**
 * How fast an upload goes.
 *
 * @param {Upload} upload
 * @param {number} nowMs
 * @returns {number} Bytes a second; 0 while that is not known yet.
 */
export function uploadRate({ sent, startedMs }, nowMs) {
  const seconds = (nowMs - startedMs) / 1000;
  return startedMs === 0 || seconds < 0.5 ? 0 : sent / seconds;
}

/**
 * What the list says of an upload.
 *
 * @param {Upload} upload
 * @param {number} nowMs
 */
export function describeUpload(upload, nowMs) {
  const { size, sent, reason } = upload;
  switch (upload.state) {
    case "waiting":
      return `${formatBytes(size)}, waits`;
    case "sending": {
      const rate = uploadRate(upload, nowMs);
      const percent = `${Math.floor(sentShare(upload) * 100)} %`;
      return `${percent} of ${formatBytes(size)}${rate > 0 ? `, ${formatRate(rate)}` : ""}`;
    }
    case "storing":
      return "the ring makes it durable";
    case "stored":
      return `${formatBytes(size)} stored`;
    case "exists":
      return "there is a file of this name";
    case "failed":
      return reason ?? "failed";
    case "cancelled":
      return sent > 0 ? "cancelled, nothing was stored" : "cancelled";
  }
}

/**
 * How much of an upload has gone, from 0 to 1.
 *
 * @param {Upload} upload
 */
export function sentShare({ size, sent }) {
  return size === 0 ? 1 : sent / size;
}
