// @ts-check
/**
 * What went wrong, as it is shown.
 *
 * @module
 */

/** The longest text that is shown of an answer that is no problem document, in characters. */
const textMax = 200;

/**
 * @typedef {object} Problem
 * @property {string} title What went wrong, in a few words.
 * @property {string} detail Why, if that is known; else empty.
 * @property {number} status Of HTTP; 0 when there was no answer.
 */

/**
 * Reads the answer to a request that failed: `application/problem+json` (RFC 9457), or whatever came.
 *
 * @param {number} status
 * @param {string} body
 * @returns {Problem}
 */
export function parseProblem(status, body) {
  try {
    const { title, detail } = JSON.parse(body);
    if (typeof title === "string") {
      return { title, detail: typeof detail === "string" ? detail : "", status };
    }
  } catch {
    // Not JSON: its text has to do.
  }
  return { title: `The gateway answered ${status}`, detail: body.trim().slice(0, textMax), status };
}

/**
 * A request that did not get through.
 *
 * @param {unknown} error
 * @returns {Problem}
 */
export function unanswered(error) {
  const isLate = error instanceof Error && error.name === "TimeoutError";
  return {
    title: isLate ? "The gateway took too long to answer" : "The gateway does not answer",
    detail: "",
    status: 0,
  };
}

/**
 * Whether this says that a request was given up by the page itself.
 *
 * @param {unknown} error
 */
export function isAbort(error) {
  return error instanceof Error && error.name === "AbortError";
}
