import { errors, outcomeUnknown, overtaken } from "../protocol/errors.ts";
import type { NodeContext } from "./context.ts";

/** How long a push waits for its node to catch up, in ms. */
const catchUpMs = 20_000;

/** How often it looks, in ms. */
const lookMs = 50;

/** Thrown when a commit may or may not last: fewer nodes have the record than it takes. */
export class OutcomeUnknownError extends Error {
  override readonly name = "OutcomeUnknownError";
}

/**
 * Keeps a push whose node was away in the middle of it, stopped or called Dead, from replacing what
 * was acknowledged meanwhile: it is the older one, however late it goes on.
 *
 * Two pushes at once may end in either order, and then the later version wins. That is no reason for a
 * push to come back after minutes: others have long been told what the file is.
 */
export class Continuity {
  readonly #context: NodeContext;
  readonly #fileName: string;
  readonly #condition: (() => void) | undefined;
  #catchUps: number;
  /** The highest version of the name that this push may replace. */
  #version: string | undefined;
  #isCommitted = false;

  /**
   * Begins with what this node knows now, while it is ready.
   *
   * @param condition throws when the client wants something else replaced than what is there.
   */
  constructor(context: NodeContext, fileName: string, condition?: () => void) {
    this.#context = context;
    this.#fileName = fileName;
    this.#condition = condition;
    this.#catchUps = context.catchUps();
    this.#version = context.catalog.highestVersion(fileName);
  }

  /** The highest version of the name that this push has seen; others may have come since. */
  get seenVersion(): string | undefined {
    return this.#version;
  }

  /** True once this push has made a version. */
  get isCommitted(): boolean {
    return this.#isCommitted;
  }

  /** This push has made a version, which is its own to replace. */
  committed(version: string): void {
    this.#version = version;
    this.#isCommitted = true;
  }

  /** True while a condition counts: nothing may come between it and the commit. */
  get isConditional(): boolean {
    return this.#condition !== undefined && !this.#isCommitted;
  }

  /**
   * Throws when this push may not replace what the node knows now. To be called in one step with the
   * commit, so that nothing comes between; once the push has made a version, that one is its own.
   */
  requireCondition(): void {
    if (!this.#isCommitted) this.#condition?.();
  }

  /**
   * Returns at once unless the node was away since the last time; then waits until it has caught up.
   *
   * @throws {Error} `overtaken: …` when the name has got another version meanwhile.
   * @throws {Error} `catching up` when it takes too long; {@linkcode OutcomeUnknownError} if this push
   * has made a version by then.
   */
  async check(): Promise<void> {
    const { catalog, catchUps, clock, ring } = this.#context;
    if (ring.state() === "ready" && catchUps() === this.#catchUps) return;
    const giveUpMs = clock.nowMs() + catchUpMs;
    while (ring.state() === "catching-up" && clock.nowMs() < giveUpMs) await clock.sleep(lookMs);
    if (ring.state() !== "ready") {
      if (this.#isCommitted) throw new OutcomeUnknownError(outcomeUnknown(errors.catchingUp));
      throw new Error(errors.catchingUp);
    }
    this.#catchUps = catchUps();
    if (catalog.highestVersion(this.#fileName) === this.#version) return;
    throw new Error(overtaken(this.#fileName));
  }
}
