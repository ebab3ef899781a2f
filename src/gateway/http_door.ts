import { ByteReader } from "../net/byte_reader.ts";
import type { Transport } from "../net/transport.ts";
import type { GuardedConnection, Watchdog } from "../net/watchdog.ts";
import { formatAddress, type NodeAddress } from "../protocol/address.ts";
import { idleMs } from "../protocol/limits.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import type { Handler } from "./http/http_env.ts";
import { constantPatience } from "./patience.ts";
import { splice, type SpliceEnd, type SplicePools } from "./splice.ts";

/** Takes connections that speak HTTP, nothing of them consumed yet. */
export interface HttpDoor {
  /** Serves one until it ends. */
  serve(client: SpliceEnd, pools: SplicePools): Promise<void>;
}

/** What a {@linkcode LoopbackDoor} works with. */
export interface LoopbackDoorDependencies {
  readonly transport: Transport;
  readonly watchdog: Watchdog;
  readonly clock: Clock;
  readonly log: Logger;
  /** Answers requests. */
  readonly handler: Handler;
  /** Hears of each answer once its last byte is sent, or the client has broken off. */
  readonly onAnswered: (asked: AskedRequest, response: Response, ms: number) => void;
}

/** What is known of a request once it is answered. */
export type AskedRequest = Pick<Request, "method" | "url">;

/** How long connecting to this process itself may take, in ms. */
const dialMs = 5_000;

/**
 * The runtime's own HTTP server, which cannot be given a connection that somebody else accepted: it
 * listens on a private port of the loopback, and each connection of a client is spliced to one of
 * its own there.
 *
 * 1. Any program of this machine can find that port. What comes from elsewhere than a splice is
 *    refused by the port it comes from: the system gives that to one connection at a time, and it is
 *    written down before the splice sends a byte. So nobody gets round the gateway's limits.
 * 2. A client that has no request under way is closed after {@linkcode idleMs}: before its first
 *    request, within its headers, and between two requests. While one is under way its handler and
 *    the splice's own limits decide.
 */
export class LoopbackDoor implements HttpDoor, AsyncDisposable {
  readonly #dependencies: LoopbackDoorDependencies;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #address: NodeAddress;
  /** The clients of the open splices, by the near port of the connection to the server. */
  readonly #clients = new Map<number, DoorClient>();

  constructor(dependencies: LoopbackDoorDependencies) {
    this.#dependencies = dependencies;
    this.#server = Deno.serve({
      hostname: loopback,
      port: 0,
      onListen() {/* the gateway has said where it listens */},
      onError: (error) => {
        dependencies.log.error("request failed", { error });
        return new Response(null, { status: 500 });
      },
    }, (request, info) => this.#answer(request, info));
    this.#address = formatAddress(loopback, this.port);
  }

  /** The private port. */
  get port(): number {
    return this.#server.addr.port;
  }

  async serve(client: SpliceEnd, pools: SplicePools): Promise<void> {
    const { log, transport, watchdog } = this.#dependencies;
    const dialled = await transport.dial(this.#address, { timeoutMs: dialMs });
    const { port } = dialled.local;
    const conn = watchdog.guard(dialled, idleMs);
    const gone = new AbortController();
    this.#clients.set(port, { conn: client.conn, gone: gone.signal });
    try {
      client.conn.setDeadline(idleMs);
      const failure = await splice(client, { conn, reader: new ByteReader(conn) }, {
        ...pools,
        patience: constantPatience(0),
        // Most programs send a whole body before they read why it was refused.
        drainBytesMax: Number.MAX_SAFE_INTEGER,
      });
      if (failure !== undefined) log.debug("connection broke", { error: failure });
    } finally {
      this.#clients.delete(port);
      conn.close();
      gone.abort();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #answer(request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>): Promise<Response> {
    const { hostname, port } = info.remoteAddr;
    const client = hostname === loopback ? this.#clients.get(port) : undefined;
    if (client === undefined) return new Response(null, { status: 403 });
    const { conn, gone } = client;
    conn.setDeadline(undefined);
    info.completed.catch(() => {/* who broke off is closed by the splice */}).finally(() =>
      conn.setDeadline(idleMs)
    );
    const { clock, handler, log, onAnswered } = this.#dependencies;
    const startMs = clock.nowMs();
    // Once it is answered a request tells nothing any more, but for what it was asked before.
    const asked = { method: request.method, url: request.url };
    const response = await handler(request, gone);
    keepAsItIs(response.headers);
    // What is left of a refused body would be read as the next request, so the server ends such a
    // connection, and this says so: a client that keeps it would lose its next request.
    const isRefused = response.status >= 400 && !bodiless.has(asked.method);
    if (isRefused) response.headers.set("connection", "close");
    const answered = () => onAnswered(asked, response, clock.nowMs() - startMs);
    info.completed.then(answered, answered).catch((error: unknown) => {
      log.error("answer not counted", { error });
    });
    return response;
  }
}

/**
 * Keeps the server of Deno before 2.8 from compressing an answer, which makes a strong ETag a weak one and
 * the length unknown, so that an answer that is cut short looks complete.
 */
function keepAsItIs(headers: Headers): void {
  const caching = headers.get("cache-control");
  if (caching === null) headers.set("cache-control", "no-transform");
  else if (!caching.includes("no-transform")) {
    headers.set("cache-control", `${caching}, no-transform`);
  }
}

/** A client whose connection is spliced to the server. */
interface DoorClient {
  readonly conn: GuardedConnection;
  /** Aborts when the splice has ended. */
  readonly gone: AbortSignal;
}

const loopback = "127.0.0.1";

/** Methods whose requests have no body. */
const bodiless: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);
