// @ts-check
import { filePath } from "../model/file_list.js";
import { parseProblem, unanswered } from "../model/problem.js";

/** @import { Problem } from "../model/problem.js" */

/** The status that says: there is a file of that name, and it was not to be replaced. */
const existsStatus = 412;

/**
 * How long an upload may stand still, in ms. The node that takes it gives up sooner; this is for a
 * gateway that says nothing.
 */
const stallMs = 120_000;

/**
 * @typedef {object} UploadEvents
 * @property {(sent: number) => void} onProgress Told of the bytes that have gone so far.
 * @property {() => void} onSent Told when all have gone.
 * @property {() => void} onStored
 * @property {() => void} onExists
 * @property {(problem: Problem) => void} onFailed
 */

/**
 * Sends a file to the ring. Of all that a browser has, only XMLHttpRequest tells how far an upload is.
 *
 * @param {File} file
 * @param {{ replace: boolean }} options Whether a file of that name may be replaced.
 * @param {UploadEvents} events Exactly one of the last three is called, unless it was cancelled.
 * @returns {() => void} Cancels it.
 */
export function startUpload(file, { replace }, events) {
  const request = new XMLHttpRequest();
  let isLate = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let late;
  const restartDeadline = () => {
    clearTimeout(late);
    late = setTimeout(() => {
      isLate = true;
      request.abort();
    }, stallMs);
  };
  /** @param {Problem} problem */
  const fail = (problem) => {
    clearTimeout(late);
    events.onFailed(problem);
  };
  request.upload.addEventListener("progress", ({ loaded }) => {
    restartDeadline();
    events.onProgress(loaded);
  });
  request.upload.addEventListener("load", () => {
    restartDeadline();
    events.onSent();
  });
  request.addEventListener("load", () => {
    clearTimeout(late);
    if (request.status >= 200 && request.status < 300) return events.onStored();
    if (request.status === existsStatus && !replace) return events.onExists();
    events.onFailed(parseProblem(request.status, request.responseText));
  });
  request.addEventListener("error", () => fail(unanswered(undefined)));
  request.addEventListener("abort", () => {
    clearTimeout(late);
    if (isLate) fail(unanswered(new DOMException("", "TimeoutError")));
  });
  request.open("PUT", filePath(file.name));
  if (!replace) request.setRequestHeader("If-None-Match", "*");
  restartDeadline();
  request.send(file);
  return () => request.abort();
}
