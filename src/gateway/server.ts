import { BufferPool } from "../net/buffer_pool.ts";
import { ByteReader, LongLineBudget } from "../net/byte_reader.ts";
import type { PeerPool } from "../net/peer_pool.ts";
import type { Connection, Listener, Transport } from "../net/transport.ts";
import type { GuardedConnection, Watchdog } from "../net/watchdog.ts";
import { writeText } from "../net/write_all.ts";
import { lingeringClose } from "../net/lingering_close.ts";
import { looksLikeHttp } from "../protocol/browser.ts";
import { errors } from "../protocol/errors.ts";
import { connectionsMax, idleMs, lineBytesMax } from "../protocol/limits.ts";
import { decodeLine, lineBytesCap } from "../protocol/parse.ts";
import { errorReply } from "../protocol/replies.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import type { Balancer } from "./balancer.ts";
import type { HttpDoor } from "./http_door.ts";
import { beginsRequest, refuseHttp } from "./http_refusal.ts";
import type { NodePicker } from "./node_picker.ts";
import type { MeteredConnection, Traffic } from "./observe/traffic.ts";
import { isOwnLine, type OwnVerbs, serveOwnVerbs } from "../net/own_verbs.ts";
import { LinePatience } from "./patience.ts";
import { passPull, pulledName } from "./pulled_line.ts";
import {
  splice,
  type SpliceEnd,
  spliceIdleMs,
  type SplicePools,
  spliceRestBytes,
} from "./splice.ts";
import { isRepeatable, openUpstream, type UpstreamOptions } from "./upstream.ts";

/** What the server works with. */
export interface GatewayDependencies {
  readonly transport: Transport;
  readonly watchdog: Watchdog;
  readonly clock: Clock;
  readonly log: Logger;
  readonly pool: BufferPool;
  readonly peers: PeerPool;
  readonly picker: NodePicker;
  readonly balancer: Balancer;
  readonly verbs: OwnVerbs;
  /** Where connections that speak HTTP go. */
  readonly http: HttpDoor;
  /** Counts what passes. */
  readonly traffic: Traffic;
}

/** The pause after a failed accept, in ms: with no descriptor left, the next one fails as well. */
const acceptPauseMs = 50;

/**
 * Takes the gateway's connections. The first line of each decides what it is: HTTP, a word to the
 * gateway itself, or the line protocol, which is passed on to a node byte for byte.
 *
 * 1. Nothing is consumed before it is decided: each of the three gets the connection from its first
 *    byte on.
 * 2. A connection that is not decided within {@linkcode idleMs} is closed.
 * 3. At most {@linkcode connectionsMax} connections; the next ones are answered `ERR busy`, or 503.
 */
export class GatewayServer {
  readonly #dependencies: GatewayDependencies;
  readonly #pools: SplicePools;
  readonly #longLines = new LongLineBudget();
  readonly #open = new Map<GuardedConnection, Promise<void>>();

  constructor(dependencies: GatewayDependencies) {
    this.#dependencies = dependencies;
    const restPool = new BufferPool(dependencies.clock, {
      bufferBytes: spliceRestBytes,
      totalBytes: spliceRestBytes * 2 * connectionsMax,
    });
    this.#pools = { pool: dependencies.pool, restPool };
  }

  /** Connections that are served now. */
  get connections(): number {
    return this.#open.size;
  }

  /** Accepts until the signal aborts, then closes everything. */
  async run(listener: Listener, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#dependencies;
    const close = () => listener.close();
    signal.addEventListener("abort", close, { once: true });
    if (signal.aborted) close();
    for (;;) {
      try {
        const conn = await listener.accept();
        if (conn === undefined) break;
        this.#take(conn, signal);
      } catch (error) {
        log.warn("cannot accept a connection", { error });
        await clock.sleep(acceptPauseMs, signal).catch(() => {/* stopped: accept tells */});
      }
    }
    for (const conn of this.#open.keys()) conn.close();
    await Promise.all(this.#open.values());
  }

  #take(accepted: Connection, signal: AbortSignal): void {
    const { traffic, watchdog } = this.#dependencies;
    const metered = traffic.meter(accepted);
    const conn = watchdog.guard(metered, idleMs);
    const refused = this.#open.size >= connectionsMax;
    if (refused) traffic.refused++;
    // Those that are told to go count too, so that a flood of them is dropped without a word.
    if (this.#open.size >= connectionsMax * 2) return conn.close();
    const client: SpliceEnd = { conn, reader: new ByteReader(conn, this.#longLines) };
    const serving = refused ? refuseBusy(client) : this.#serve(client, metered, signal);
    const served = serving.catch((error: unknown) => {
      this.#dependencies.log.debug("connection ended", { from: conn.remote.port, error });
    }).finally(() => {
      client.reader[Symbol.dispose]();
      conn.close();
      this.#open.delete(conn);
    });
    this.#open.set(conn, served);
  }

  async #serve(
    client: SpliceEnd,
    metered: MeteredConnection,
    signal: AbortSignal,
  ): Promise<void> {
    client.conn.setDeadline(idleMs);
    let isRequest = false;
    const bytes = await client.reader.peekLine(lineBytesMax, (prefix) => {
      isRequest = beginsRequest(prefix);
      return lineBytesCap(prefix);
    });
    client.conn.setDeadline(undefined);
    if (bytes === "eof") return;
    if (bytes === "too-long") {
      return await (isRequest ? refuseHttp(client, 414) : refuse(client, errors.lineTooLong));
    }
    // A line that is not UTF-8 is the node's to refuse.
    const line = decodeLine(bytes) ?? "";
    const { http, verbs } = this.#dependencies;
    const isHttp = looksLikeHttp(line);
    const isOwn = !isHttp && isOwnLine(line, verbs.noun);
    metered.speaks(isHttp ? "http" : isOwn ? "own" : "line");
    if (isHttp) return await http.serve(client, this.#pools);
    if (isOwn) return await serveOwnVerbs(client, verbs);
    if (!isRepeatable(line)) return await this.#pass(client, { signal });
    await client.reader.readLine(lineBytesMax);
    const name = pulledName(line);
    const dependencies = { ...this.#dependencies, pools: this.#pools };
    // What a client sends behind `FILE PULL` nobody answers.
    if (name !== undefined && await passPull(dependencies, client, { name, signal })) {
      return await finish(client);
    }
    await this.#pass(client, { signal, firstLine: `${line}\n` });
  }

  /** The line protocol: everything goes to a node, and back. */
  async #pass(client: SpliceEnd, options: UpstreamOptions): Promise<void> {
    const { signal } = options;
    const upstream = await openUpstream(this.#dependencies, options);
    if ("error" in upstream) return await refuse(client, upstream.error);
    const { balancer, log } = this.#dependencies;
    const ended = balancer.begin(upstream.address);
    const abort = () => upstream.conn.close();
    signal.addEventListener("abort", abort, { once: true });
    try {
      const failure = await splice(client, upstream, {
        ...this.#pools,
        patience: new LinePatience(spliceIdleMs),
      });
      if (failure !== undefined) {
        log.debug("connection broke", { node: upstream.address, error: failure });
      }
    } finally {
      signal.removeEventListener("abort", abort);
      upstream.conn.close();
      ended();
    }
  }
}

/** Ends a connection that has got its answer. */
async function finish({ conn, reader }: SpliceEnd): Promise<void> {
  // A client that has sent more than it was answered has to be heard out, or it may not get the answer.
  if (reader.bufferedBytes > 0) await lingeringClose(conn, reader);
}

/** How long somebody may take to say in which protocol they want to hear that all is busy, in ms. */
const busyLineMs = 1_000;

/** Says that there are enough connections, in the client's own protocol. */
async function refuseBusy(client: SpliceEnd): Promise<void> {
  client.conn.setDeadline(busyLineMs);
  const bytes = await client.reader.peekLine(lineBytesMax);
  const line = typeof bytes === "string" ? "" : decodeLine(bytes) ?? "";
  await (looksLikeHttp(line) ? refuseHttp(client, 503) : refuse(client, errors.busy));
}

/** Says why nothing will be done, and closes so that the client gets to read it. */
async function refuse(client: SpliceEnd, error: string): Promise<void> {
  await writeText(client.conn, errorReply(error));
  await lingeringClose(client.conn, client.reader);
}
