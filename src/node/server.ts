import { connectionsMax } from "../protocol/limits.ts";
import { LongLineBudget } from "../net/byte_reader.ts";
import type { Connection, Listener } from "../net/transport.ts";
import type { GuardedConnection } from "../net/watchdog.ts";
import { writeText } from "../net/write_all.ts";
import type { NodeContext } from "./context.ts";
import { Session } from "./session.ts";

/** Pause after an accept that failed for want of descriptors, in ms. */
const acceptPauseMs = 50;

/** How long a connection over the limit may take to read its refusal, in ms. */
const refusalMs = 1_000;

/** Connections over the limit that are being refused at the same time; more are just closed. */
const refusalsMax = 64;

/** How long commands may go on after the node was told to stop, in ms. */
const drainMs = 2_000;

/**
 * Accepts connections and runs a session for each, at most {@linkcode connectionsMax} at a time;
 * one more is answered `ERR busy`.
 */
export class Server {
  readonly #context: NodeContext;
  readonly #listener: Listener;
  readonly #longLines = new LongLineBudget();
  readonly #sessions = new Map<Session, Promise<void>>();
  readonly #refusals = new Set<Promise<void>>();
  #accepting: Promise<void> | undefined;

  constructor(context: NodeContext, listener: Listener) {
    this.#context = context;
    this.#listener = listener;
  }

  /** Connections that are being served. */
  get connections(): number {
    return this.#sessions.size;
  }

  /** Starts to accept. */
  start(): void {
    this.#accepting = this.#accept();
  }

  /** Stops accepting, lets commands under way finish for a moment, then closes every connection. */
  async stop(): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    for (const session of this.#sessions.keys()) session.retire();
    const waiting = new AbortController();
    await Promise.race([
      Promise.allSettled(this.#sessions.values()),
      this.#context.clock.sleep(drainMs, waiting.signal).catch(() => undefined),
    ]);
    waiting.abort();
    for (const session of this.#sessions.keys()) session.close();
    await Promise.allSettled([...this.#sessions.values(), ...this.#refusals]);
  }

  async #accept(): Promise<void> {
    for (;;) {
      try {
        const conn = await this.#listener.accept();
        if (conn === undefined) return;
        this.#context.counters.connections.accepted++;
        if (this.#sessions.size >= connectionsMax) this.#refuse(conn);
        else this.#serve(conn);
      } catch (error) {
        this.#context.log.warn("cannot accept", { reason: String(error) });
        await this.#context.clock.sleep(acceptPauseMs);
      }
    }
  }

  #serve(conn: Connection): void {
    const guarded = this.#context.watchdog.guard(conn, 0);
    const session = new Session(this.#context, guarded, this.#longLines);
    this.#sessions.set(session, this.#run(session, guarded));
  }

  async #run(session: Session, conn: GuardedConnection): Promise<void> {
    try {
      await session.run();
    } catch (error) {
      // Its peer went away or stalled: nobody is left to be told.
      this.#context.log.debug("connection ended", { reason: String(error) });
    } finally {
      conn.done();
      this.#sessions.delete(session);
    }
  }

  #refuse(conn: Connection): void {
    this.#context.counters.connections.refused++;
    if (this.#refusals.size >= refusalsMax) return conn.close();
    const guarded = this.#context.watchdog.guard(conn, 0);
    guarded.setDeadline(refusalMs);
    const refusal: Promise<void> = writeText(guarded, "ERR busy\n")
      .catch(() => {
        // A peer that is gone needs no refusal.
      })
      .finally(() => {
        guarded.done();
        conn.close();
        this.#refusals.delete(refusal);
      });
    this.#refusals.add(refusal);
  }
}
