import { LineProcess } from "./line_process.ts";

/** The plain server and the plain proxy before it; see `plain_server.ts`. */
export class PlainServers implements AsyncDisposable {
  readonly #processes: readonly LineProcess[];
  /** `host:port` of the server. */
  readonly direct: string;
  /** `host:port` of the proxy. */
  readonly proxied: string;

  private constructor(processes: readonly LineProcess[], direct: string, proxied: string) {
    this.#processes = processes;
    this.direct = direct;
    this.proxied = proxied;
  }

  /** Starts both. */
  static async start(signal: AbortSignal): Promise<PlainServers> {
    await using started = new AsyncDisposableStack();
    const server = started.use(new LineProcess({ script: "./plain_server.ts", args: ["server"] }));
    const port = await server.hear(signal);
    const args = ["proxy", port];
    const proxy = started.use(new LineProcess({ script: "./plain_server.ts", args }));
    const proxyPort = await proxy.hear(signal);
    started.move();
    return new PlainServers([server, proxy], `127.0.0.1:${port}`, `127.0.0.1:${proxyPort}`);
  }

  /** Ends both. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((process) => process[Symbol.asyncDispose]()));
  }
}
