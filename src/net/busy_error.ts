/** Thrown when a bounded resource of this process stays taken until the deadline. */
export class BusyError extends Error {
  override readonly name = "BusyError";
}
