import { pause } from "./pause.ts";

/** What a {@linkcode Proxy} does with the bytes that come. */
export type ProxyMode =
  | { readonly kind: "pass" }
  /** Every piece goes on so many milliseconds late. */
  | { readonly kind: "delay"; readonly delayMs: number }
  /** Nothing goes on, and nothing is lost. */
  | { readonly kind: "stall" }
  /** Nobody listens. */
  | { readonly kind: "refuse" };

/** How often it looks whether whoever is behind it is back, in ms. */
const lookMs = 20;

/** Bytes that are passed on at a time. */
const pieceBytes = 64 * 1024;

/** Looks for the port to be free again; another socket of the port may still be closing. */
const listenAttemptsMax = 250;

/**
 * Stands before a node: listens on the port that others know, and passes everything on to the port where
 * the node is. While nobody is there it does not listen either, as a dead node's port does not.
 */
export class Proxy implements AsyncDisposable {
  readonly #port: number;
  readonly #behind: number;
  readonly #links = new Set<Link>();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #listener: Deno.TcpListener | undefined;
  #mode: ProxyMode = { kind: "pass" };
  #changed = Promise.withResolvers<void>();

  constructor(port: number, behind: number) {
    this.#port = port;
    this.#behind = behind;
    this.#running = this.#run();
  }

  /** Does so from now on, with the connections that are open as well. */
  set(mode: ProxyMode): void {
    this.#mode = mode;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    if (mode.kind === "refuse") {
      this.cut();
      this.#hangUp();
    }
  }

  /** Ends every connection at once; how many. */
  cut(): number {
    const count = this.#links.size;
    for (const link of this.#links) link.close();
    return count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("The proxy ends"));
    this.set({ kind: "refuse" });
    await this.#running;
    await Promise.all([...this.#links].map((link) => link.done));
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        if (this.#mode.kind === "refuse") {
          await Promise.race([this.#changed.promise, pause(lookMs, signal)]);
          continue;
        }
        // Whoever is behind it is not there yet.
        (await Deno.connect({ hostname: "127.0.0.1", port: this.#behind })).close();
        this.#listener = await this.#listen();
        for await (const client of this.#listener) this.#take(client);
      } catch (error) {
        if (!isNetworkError(error) && !signal.aborted) throw error;
        await pause(lookMs, signal).catch(() => {/* the loop looks at the signal */});
      } finally {
        this.#hangUp();
      }
    }
  }

  async #listen(): Promise<Deno.TcpListener> {
    for (let attempt = 1;; attempt++) {
      try {
        return Deno.listen({ hostname: "127.0.0.1", port: this.#port });
      } catch (error) {
        const isInUse = error instanceof Deno.errors.AddrInUse;
        if (!isInUse || attempt === listenAttemptsMax) throw error;
        await pause(lookMs, this.#stop.signal);
      }
    }
  }

  #hangUp(): void {
    try {
      this.#listener?.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
    this.#listener = undefined;
  }

  #take(client: Deno.TcpConn): void {
    const link = new Link(client);
    this.#links.add(link);
    link.done = this.#serve(link).catch((error: unknown) => {
      if (!isNetworkError(error) && !link.isClosed) throw error;
    }).finally(() => {
      link.close();
      this.#links.delete(link);
    });
  }

  async #serve(link: Link): Promise<void> {
    await this.#pass(link);
    try {
      link.behind = await Deno.connect({ hostname: "127.0.0.1", port: this.#behind });
    } catch (error) {
      // Whoever dials next is refused, as by the node itself.
      this.#hangUp();
      throw error;
    }
    if (link.isClosed) return link.behind.close();
    link.client.setNoDelay();
    link.behind.setNoDelay();
    await Promise.all([
      this.#pump(link, link.client, link.behind),
      this.#pump(link, link.behind, link.client),
    ]);
  }

  async #pump(link: Link, from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(pieceBytes);
    try {
      for (;;) {
        const count = await from.read(buffer);
        await this.#pass(link);
        if (count === null) return await to.closeWrite();
        for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
      }
    } catch (error) {
      // The other direction ends too: half a connection helps nobody.
      link.close();
      if (!isNetworkError(error)) throw error;
    }
  }

  /** Resolves when what has come may go on. */
  async #pass(link: Link): Promise<void> {
    while (!link.isClosed) {
      const mode = this.#mode;
      if (mode.kind === "stall") await Promise.race([this.#changed.promise, link.closed]);
      else if (mode.kind === "delay") return await pause(mode.delayMs, this.#stop.signal);
      else return;
    }
  }
}

/** A client's connection and the one that it is passed on to. */
class Link {
  readonly client: Deno.TcpConn;
  behind: Deno.TcpConn | undefined;
  done: Promise<void> = Promise.resolve();
  isClosed = false;
  readonly #closed = Promise.withResolvers<void>();

  constructor(client: Deno.TcpConn) {
    this.client = client;
  }

  /** Resolves when it is closed. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#closed.resolve();
    this.client.close();
    this.behind?.close();
  }
}

function isNetworkError(error: unknown): boolean {
  const { errors } = Deno;
  return [
    errors.ConnectionRefused,
    errors.ConnectionReset,
    errors.ConnectionAborted,
    errors.BrokenPipe,
    errors.NotConnected,
    errors.BadResource,
    errors.Interrupted,
    errors.UnexpectedEof,
  ].some((kind) => error instanceof kind);
}
