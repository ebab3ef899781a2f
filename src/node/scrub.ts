import type { NodeAddress } from "../protocol/address.ts";
import { parseScrubReply, type ScrubCounts } from "../protocol/peer_replies.ts";
import type { NodeContext } from "./context.ts";

/** Bytes in a MiB. */
const mebibyte = 1024 * 1024;

/** A background pass starts this long after the last one did, in ms: a day. */
const passEveryMs = 24 * 60 * 60 * 1000;

/** How often the node looks whether a pass is due, in ms. */
const lookMs = 60_000;

/** Chunks that are listed at a time. */
const pageChunks = 200;

/** How long the repairs that a scrub on demand waits for may get no further before it answers, in ms. */
const repairStallMs = 60_000;

/** How long it waits for them at most, in ms: somewhat less than who asked for it does. */
const repairWaitMs = 55 * 60_000;

/** How often a scrub on demand looks whether its repairs are done, in ms. */
const repairPollMs = 50;

/** How long another member may take for its own scrub, in ms. */
const memberDeadlineMs = 60 * 60 * 1000;

/** Where the start of the last background pass is kept in the catalog. */
const lastPassKey = "scrub_started_ms";

/** Which chunk was checked last. */
type Position = { readonly pushId: string; readonly part: number };

/**
 * Reads every chunk of this node and compares it with its checksums: all the time in the background,
 * slowly, and at full speed on demand. What is damaged is moved to quarantine and fetched again.
 */
export class Scrub {
  readonly #context: NodeContext;
  readonly #stopping = new AbortController();
  #timer: { stop(): void } | undefined;
  #pass: Promise<void> | undefined;

  constructor(context: NodeContext) {
    this.#context = context;
  }

  /** Starts background passes, unless the rate is 0. */
  start(): void {
    if (this.#context.options.scrubRateMiB === 0) return;
    this.#timer = this.#context.clock.every(lookMs, () => {
      this.#pass ??= this.#passIfDue().catch((error) => {
        if (this.#stopping.signal.aborted) return;
        this.#context.log.error("scrub failed", { reason: `${error}` });
      }).finally(() => {
        this.#pass = undefined;
      });
    });
  }

  async stop(): Promise<void> {
    this.#timer?.stop();
    this.#stopping.abort(new Error("the node stops"));
    await this.#pass;
  }

  /** Scrubs every member of the ring; one that does not answer is left out and logged. */
  async everywhere(): Promise<ScrubCounts> {
    const { log, ring, self } = this.#context;
    const others = ring.aliveMembers().filter((member) => member !== self);
    const counts = await Promise.all([
      this.here(),
      ...others.map(async (member) => {
        try {
          return await this.#at(member);
        } catch (error) {
          log.warn("no scrub at member", { member, reason: `${error}` });
          return { checked: 0, repaired: 0, lost: 0 };
        }
      }),
    ]);
    return counts.reduce((sum, count) => ({
      checked: sum.checked + count.checked,
      repaired: sum.repaired + count.repaired,
      lost: sum.lost + count.lost,
    }));
  }

  /**
   * Checks every chunk of this node at full speed, and waits for the repairs that it leads to as long as they
   * get on. What is still being fetched when it gives up waiting counts as nothing; the log says so.
   */
  async here(): Promise<ScrubCounts> {
    const { chunks, counters, events, log, repair, self: node } = this.#context;
    const { signal } = this.#stopping;
    const before = repair.counts.repaired;
    events.tell({ kind: "scrub-started", node });
    const checked = await this.#checkAll(0);
    repair.enqueueAll();
    await this.#repairsTried();
    let lost = 0;
    let pending = 0;
    for await (const { record: { name }, parts } of chunks.missingRecords(signal)) {
      if (repair.isPending(name)) pending += parts.length;
      else lost += parts.length;
    }
    if (pending > 0) log.warn("scrub does not wait for repairs any longer", { copies: pending });
    const repaired = repair.counts.repaired - before;
    counters.repair.lost = lost;
    events.tell({ kind: "scrub-finished", node, checked, repaired, lost });
    return { checked, repaired, lost };
  }

  /** Waits until every repair was tried, or none has got any further for a while. */
  async #repairsTried(): Promise<void> {
    const { clock, repair } = this.#context;
    const giveUpMs = clock.nowMs() + repairWaitMs;
    let progress = repair.progress;
    let movedMs = clock.nowMs();
    while (!repair.hasTriedAll) {
      await clock.sleep(repairPollMs, this.#stopping.signal);
      const nowMs = clock.nowMs();
      if (repair.progress !== progress) {
        progress = repair.progress;
        movedMs = nowMs;
      }
      if (nowMs - movedMs >= repairStallMs || nowMs >= giveUpMs) return;
    }
  }

  async #at(member: NodeAddress): Promise<ScrubCounts> {
    const answer = await this.#context.peers.request(member, { kind: "node-scrub-local" }, {
      deadlineMs: memberDeadlineMs,
      signal: this.#stopping.signal,
    });
    const counts = parseScrubReply(answer);
    if (counts === undefined) throw new Error(`${member} answered '${answer}' to a scrub`);
    return counts;
  }

  async #passIfDue(): Promise<void> {
    const { catalog, clock, log, options } = this.#context;
    const last = Number(catalog.meta(lastPassKey) ?? 0);
    const now = clock.wallMs();
    if (now - last < passEveryMs && now >= last) return;
    await catalog.setMeta(lastPassKey, String(now));
    const checked = await this.#checkAll(options.scrubRateMiB * mebibyte);
    this.#context.repair.enqueueAll();
    log.info("scrub is done", { checked });
  }

  /** Reads and verifies every chunk, at most `bytesPerSecond` (0: no limit); gives their number. */
  async #checkAll(bytesPerSecond: number): Promise<number> {
    const { chunks, clock } = this.#context;
    const { signal } = this.#stopping;
    let checked = 0;
    let after: Position | undefined;
    for (;;) {
      const page = chunks.chunks(after, pageChunks);
      for (const { pushId, part, place, length } of page) {
        signal.throwIfAborted();
        if (place === "staging" || place === "retired") continue;
        await chunks.checkChunk(pushId, part, signal);
        checked++;
        this.#context.counters.repair.checked++;
        if (bytesPerSecond > 0) await clock.sleep(length / bytesPerSecond * 1000, signal);
      }
      after = page.at(-1);
      if (after === undefined || page.length < pageChunks) return checked;
    }
  }
}
