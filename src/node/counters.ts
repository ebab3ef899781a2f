import type { CommandKind } from "../protocol/command.ts";
import { DurationCounter } from "../protocol/duration_counter.ts";
import type { NodeMetrics, Operation, OperationCounts } from "../protocol/node_metrics.ts";

/** A command that is done. */
export interface ServedCommand {
  readonly kind: CommandKind;
  readonly ms: number;
  readonly isFailed: boolean;
  /** Bytes of its body that were read. */
  readonly receivedBytes: number;
  /** Bytes of its answer. */
  readonly sentBytes: number;
}

/**
 * What a node counts. It costs some additions a command, none a block, and no memory that grows; the
 * node that nobody asks does nothing else for it.
 */
export class NodeCounters {
  /** Connections that were accepted, and that were answered `ERR busy`. */
  readonly connections = { accepted: 0, refused: 0 };
  /** See {@linkcode NodeMetrics.healing}. */
  readonly healing = { deaths: 0, started: 0, failed: 0, durations: new DurationCounter() };
  /** See {@linkcode NodeMetrics.repair}; `lost` is that of the last scrub. */
  readonly repair = { checked: 0, damaged: 0, lost: 0 };
  readonly #operations = new Map<Operation, OperationCounter>();

  /** Counts a command that is done. */
  served({ kind, ms, isFailed, receivedBytes, sentBytes }: ServedCommand): void {
    // It lasts as long as its listener does.
    if (kind === "ring-events") return;
    const counter = this.#counterOf(operationOf[kind]);
    counter.durations.add(ms / 1000);
    if (isFailed) counter.errors++;
    counter.receivedBytes += receivedBytes;
    counter.sentBytes += sentBytes;
  }

  /** Counts a line that was no command. */
  refused(): void {
    const counter = this.#counterOf("invalid");
    counter.durations.add(0);
    counter.errors++;
  }

  /** What was counted of each operation that was asked for. */
  operations(): NodeMetrics["operations"] {
    return Object.fromEntries(
      [...this.#operations].map(([operation, counter]) => [operation, counter.counts()]),
    );
  }

  #counterOf(operation: Operation): OperationCounter {
    const known = this.#operations.get(operation);
    if (known !== undefined) return known;
    const counter = new OperationCounter();
    this.#operations.set(operation, counter);
    return counter;
  }
}

class OperationCounter {
  readonly durations = new DurationCounter();
  errors = 0;
  receivedBytes = 0;
  sentBytes = 0;

  counts(): OperationCounts {
    const { errors, receivedBytes, sentBytes } = this;
    return { durations: this.durations.snapshot(), errors, receivedBytes, sentBytes };
  }
}

/** What each command is counted as. */
const operationOf: Readonly<Record<CommandKind, Operation>> = {
  "node-ping": "info",
  "node-status": "info",
  "node-info": "info",
  "node-metrics": "info",
  "node-restrict": "info",
  "node-stop": "info",
  "node-kill": "info",
  "node-next": "ring",
  "node-heal": "heal",
  "node-heal-hop": "ring",
  "node-heal-done": "ring",
  "node-scrub": "scrub",
  "node-scrub-local": "scrub",
  "netmap-get": "ring",
  "netmap-discover": "ring",
  "netmap-hop": "ring",
  "netmap-done": "ring",
  "netmap-set": "ring",
  "topology-walk": "ring",
  "topology-hop": "ring",
  "topology-done": "ring",
  "topology-set": "ring",
  "ring-forward": "ring",
  "ring-ping": "ring",
  "ring-view": "ring",
  "ring-stopping": "ring",
  "ring-events": "info",
  "file-push": "push",
  "file-put": "push",
  "file-pull": "pull",
  "file-get": "get",
  "file-range": "range",
  "file-list": "list",
  "file-page": "list",
  "file-stat": "stat",
  "file-delete": "delete",
  "file-delete-if": "delete",
  "file-relay-stream": "relay",
  "file-relay-blob": "relay",
  "file-stage": "stage",
  "file-stage-all": "stage",
  "file-commit": "commit",
  "file-abort": "settle",
  "file-push-state": "settle",
  "file-open": "read",
  "file-fetch": "read",
  "file-read": "read",
  "file-get-chunk": "read",
  "file-get-backup-chunk": "read",
  "file-get-chunk-for-backup": "read",
  "file-notify-chunk-saved": "settle",
  "file-tags-set": "catalog",
  "catalog-pull": "catalog",
  "catalog-forget": "catalog",
};
