import type { Outcome } from "./file_client.ts";
import type { FaultKind } from "./plan.ts";

/** What clients do. */
export const operations = ["push", "cut push", "get", "pull", "delete", "list", "stat"] as const;

/** One kind of what clients do. */
export type Operation = typeof operations[number];

/** How often an operation went which way. */
export interface OperationCount {
  tried: number;
  /** A write that was confirmed, or a read that gave a right answer. */
  acknowledged: number;
  /** Said no. */
  refused: number;
  /** The connection broke, or nothing came. */
  broken: number;
}

/** How often a kind of fault was injected, and how long the ring took to heal, in ms. */
export interface FaultCount {
  injected: number;
  worstHealMs: number;
  sumHealMs: number;
  healed: number;
}

/** Counts what happens in a run. */
export class Tally {
  readonly operations = new Map<Operation, OperationCount>();
  readonly faults = new Map<FaultKind, FaultCount>();
  /** Why operations failed, without names and numbers, and how often. */
  readonly reasons = new Map<string, number>();
  /** Reads that were compared while all was quiet. */
  compared = 0;
  /** Times at which everything was compared. */
  checks = 0;
  lost = 0;
  wrong = 0;

  /** Counts one operation. */
  count(operation: Operation, outcome: Outcome<unknown>): void {
    const count = this.operations.get(operation) ??
      { tried: 0, acknowledged: 0, refused: 0, broken: 0 };
    this.operations.set(operation, count);
    count.tried++;
    if (outcome.kind === "ok") count.acknowledged++;
    else count[outcome.kind]++;
    if (outcome.kind === "ok" || operation === "cut push") return;
    const reason = outcome.kind === "refused" ? `ERR ${outcome.error}` : outcome.reason;
    const general = reason.replace(/'[^']*'/g, "'…'").replace(/[0-9]+/g, "n").slice(0, 110);
    this.reasons.set(general, (this.reasons.get(general) ?? 0) + 1);
  }

  /** Counts one fault. */
  injected(kind: FaultKind): void {
    this.#fault(kind).injected++;
  }

  /** Notes how long the ring took to heal after a fault. */
  healed(kind: FaultKind, ms: number): void {
    const count = this.#fault(kind);
    count.healed++;
    count.sumHealMs += ms;
    count.worstHealMs = Math.max(count.worstHealMs, ms);
  }

  #fault(kind: FaultKind): FaultCount {
    const none = { injected: 0, worstHealMs: 0, sumHealMs: 0, healed: 0 };
    const count = this.faults.get(kind) ?? none;
    this.faults.set(kind, count);
    return count;
  }
}
