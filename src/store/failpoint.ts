/**
 * The moments at which a crash would find the store in a state of its own. Tests look at, or copy, the
 * directory there; the order within one operation is the order here.
 */
export type StoreStep =
  | "stage: file created"
  | "stage: bytes written"
  | "stage: row written"
  | "stage: file named"
  | "stage: synced"
  | "commit: rows written"
  | "commit: rows durable"
  | "move: before"
  | "move: after"
  | "commit: done"
  | "abort: file removed"
  | "collect: file removed"
  | "quarantine: file moved";

/** Called at each {@linkcode StoreStep}. */
export type Failpoint = (step: StoreStep) => void;

/** Does nothing; what the program runs with. */
export function noFailpoint(_step: StoreStep): void {}
