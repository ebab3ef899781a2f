import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";

/** Where a test can hold a push, in the order in which a push gets there. */
export type PushStage =
  /** At the coordinator: the push has its placement, and nobody else has heard of it. */
  | "ticket-issued"
  /** At any node of the placement: its own part has passed, later ones are still to come. */
  | "streaming"
  /** At the coordinator: every copy is staged, and there is no record. */
  | "staged"
  /** At the coordinator: its own catalog has the record, and nobody else's: the commit point. */
  | "committed"
  /** At another member: the record has come, and is not stored yet. */
  | "record-received"
  /** At the coordinator: everybody has the record, and the client has no answer. */
  | "before-ok";

/** What the hooks file may say; all of it is optional. */
export interface TestHookValues {
  /** Pushes wait there until the file says something else. */
  readonly pauseAt?: PushStage;
  /** How far the calendar of this node is off, in ms. This and what follows is read at its start. */
  readonly clockSkewMs?: number;
  /** How often the node looks after its directory, in ms. */
  readonly upkeepMs?: number;
  /** The age at which staged pushes are asked after, in ms. */
  readonly stagedAgeMs?: number;
  /** The age at which tombstones are dropped, in ms. */
  readonly tombstoneAgeMs?: number;
}

/** In a node's own directory: what a test wants of this node, {@linkcode TestHookValues} in JSON. */
export const hooksFile = "test_hooks.json";

/** Beside it while a push waits: the name of its stage. */
export const pausedFile = "test_paused";

/** How often a waiting push looks whether it may go on, in ms. */
const lookMs = 5;

/** How long a push waits at most, in ms: a test that forgot it must not leave it behind for ever. */
const pauseMaxMs = 300_000;

/** What {@linkcode TestHooks} work with. */
export interface TestHooksDependencies {
  /** The node's own directory. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends every wait. */
  readonly stopped: AbortSignal;
}

/**
 * Lets a test hold the pushes of one node at a stage, so that it can break something just there.
 *
 * A node has hooks only when it was started with the hidden flag `--test-hooks`, and then does what the
 * file `test_hooks.json` in its own directory says, which is read anew at every stage. Without the flag
 * a stage costs the look at a field.
 */
export class TestHooks {
  /** What the hooks file said at the node's start. */
  readonly values: TestHookValues;
  readonly #deps: TestHooksDependencies;

  constructor(values: TestHookValues, deps: TestHooksDependencies) {
    this.values = values;
    this.#deps = deps;
  }

  /** A push is at this stage: goes on at once, or when the hooks file no longer holds it there. */
  async reach(stage: PushStage): Promise<void> {
    const { clock, directory, log, stopped } = this.#deps;
    if ((await readHooks(directory)).pauseAt !== stage) return;
    const endMs = clock.nowMs() + pauseMaxMs;
    log.info("push held by a test", { stage });
    await Deno.writeTextFile(`${directory}/${pausedFile}`, stage);
    while ((await readHooks(directory)).pauseAt === stage) {
      if (stopped.aborted || clock.nowMs() > endMs) break;
      await clock.sleep(lookMs);
    }
    await Deno.remove(`${directory}/${pausedFile}`).catch(() => {
      // The directory was wiped, or another push that waited here was faster.
    });
  }
}

/** What the hooks file of a node's directory says; nothing when there is none. */
export async function readHooks(directory: string): Promise<TestHookValues> {
  try {
    return JSON.parse(await Deno.readTextFile(`${directory}/${hooksFile}`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}
