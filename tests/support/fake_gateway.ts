import { Hono } from "hono";
import type { HttpEnv } from "../../src/gateway/http/http_env.ts";
import { dashboardRoutes } from "../../src/gateway/dashboard/routes.ts";
import { Problem, problemResponse } from "../../src/gateway/http/problem.ts";
import { rawPath } from "../../src/gateway/http/raw_path.ts";

/** A node that is not there. */
export interface FakeNode {
  readonly port: number;
  status: "Alive" | "Dead";
}

/** A file that nobody stores. */
export interface FakeFile {
  readonly name: string;
  readonly size: number;
  readonly timeMs: number;
}

/**
 * The gateway's page over an API that makes everything up: rings and lists of any size, names of any
 * kind, and errors, without a ring. Dispose ends it.
 */
export class FakeGateway implements AsyncDisposable {
  readonly nodes: FakeNode[];
  readonly files = new Map<string, FakeFile>();
  /** Answered instead of anything else, to requests whose method and path are these. */
  readonly problems = new Map<string, Problem>();
  /** The methods and paths of all requests so far. */
  readonly requests: string[] = [];
  receivedBytes = 0;
  sentBytes = 0;
  readonly #listeners = new Set<ReadableStreamDefaultController<Uint8Array>>();
  readonly #startedMs = Date.now();
  #server: Deno.HttpServer<Deno.NetAddr>;
  #changes = 0;
  #events = 0;

  /** @param nodes How many there are. */
  constructor(nodes: number) {
    this.nodes = Array.from({ length: nodes }, (_, index) => ({
      port: 7000 + index,
      status: "Alive",
    }));
    this.#server = this.#listen(0);
  }

  /** Where the page is. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  /** Adds a file, and tells it. */
  store(file: FakeFile): void {
    this.files.set(file.name, file);
    this.#changes++;
    const { name, size } = file;
    this.tell({ kind: "file-stored", node: this.#address(this.nodes[0]), name, size, version: "" });
  }

  /** Adds many files, and tells none of them. */
  storeQuietly(files: Iterable<FakeFile>): void {
    for (const file of files) this.files.set(file.name, file);
    this.#changes++;
  }

  /** Ends or brings back a node, and tells it. */
  setStatus(index: number, status: "Alive" | "Dead"): void {
    const node = this.nodes[index];
    if (node === undefined) throw new RangeError(`There is no node ${index}`);
    node.status = status;
    const about = { node: this.#address(node), epoch: 2 };
    this.tell(
      status === "Dead"
        ? { kind: "node-died", ...about, reason: "connection refused" }
        : { kind: "node-alive", ...about },
    );
  }

  /** Tells an event to all that listen. */
  tell(happening: Readonly<Record<string, unknown>>): void {
    const by = this.#address(this.nodes.at(-1));
    const event = { id: `fake-${++this.#events}`, timeMs: Date.now(), by, ...happening };
    const bytes = new TextEncoder().encode(`data: ${JSON.stringify(event)}\n\n`);
    for (const listener of this.#listeners) listener.enqueue(bytes);
  }

  /** Goes away as a process does that is killed. */
  async goAway(): Promise<void> {
    const closed = this.#server.shutdown();
    for (const listener of this.#listeners) listener.close();
    this.#listeners.clear();
    await closed;
  }

  /** Comes back on the same port. */
  comeBack(): void {
    this.#server = this.#listen(this.#server.addr.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.goAway();
  }

  #listen(port: number): Deno.HttpServer<Deno.NetAddr> {
    const app = this.#routes();
    const options = { hostname: "127.0.0.1", port, onListen: () => {} };
    return Deno.serve(options, (request) => {
      const key = `${request.method} ${new URL(request.url).pathname}`;
      this.requests.push(key);
      const problem = this.problems.get(key);
      return problem === undefined ? app.fetch(request) : problemResponse(problem);
    });
  }

  #routes(): Hono<HttpEnv> {
    const app = new Hono<HttpEnv>({ getPath: rawPath });
    dashboardRoutes(app);
    app.get("/events", () => this.#eventStream());
    app.get("/nodes", (context) =>
      context.json({
        nodes: this.nodes.map((node) => ({ ...node, address: this.#address(node) })),
      }));
    app.get("/nodes/:port", (context) => this.#info(Number(context.req.param("port"))));
    app.post("/heal", async (context) => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      return context.json({ message: "OK network healed" });
    });
    app.post("/scrub", (context) => context.json({ checked: 1290, repaired: 1, lost: 0 }));
    app.get("/metrics", (context) =>
      context.text(
        `ouroboros_gateway_received_bytes_total{protocol="http"} ${this.receivedBytes}\n` +
          `ouroboros_gateway_sent_bytes_total{protocol="http"} ${this.sentBytes}\n`,
      ));
    this.#fileRoutes(app);
    return app;
  }

  #fileRoutes(app: Hono<HttpEnv>): void {
    const nameIn = (request: Request) => decodeURIComponent(rawPath(request).slice(7));
    app.get("/files", (context) => {
      const { prefix = "", after = "", limit = "1000" } = context.req.query();
      const rest = [...this.files.values()]
        .filter(({ name }) => name.startsWith(prefix) && name > after)
        .toSorted((a, b) => a.name < b.name ? -1 : 1);
      const page = rest.slice(0, Number(limit));
      const files = page.map(({ timeMs, ...file }) => ({
        ...file,
        modified: new Date(timeMs).toISOString(),
        start: this.nodes[0]?.port,
      }));
      return context.json({ files, next: rest.length > page.length ? page.at(-1)?.name : null });
    });
    app.get("/files/:name{.+}", (context) => {
      const file = this.files.get(nameIn(context.req.raw));
      if (file === undefined) return problemResponse(new Problem(404, "file not found"));
      if (context.req.query("stat") === undefined) return new Response("x".repeat(file.size));
      return context.json(this.#stat(file));
    });
    app.put("/files/:name{.+}", async (context) => {
      const name = nameIn(context.req.raw);
      if (context.req.header("if-none-match") === "*" && this.files.has(name)) {
        return problemResponse(new Problem(412, "There is a file of this name"));
      }
      const { byteLength } = await context.req.arrayBuffer();
      this.receivedBytes += byteLength;
      this.store({ name, size: byteLength, timeMs: Date.now() });
      return context.json({ name, size: byteLength }, 201);
    });
    app.delete("/files/:name{.+}", (context) => {
      const name = nameIn(context.req.raw);
      if (!this.files.delete(name)) return problemResponse(new Problem(404, "file not found"));
      this.#changes++;
      this.tell({ kind: "file-deleted", node: this.#address(this.nodes[0]), name });
      return context.body(null, 204);
    });
  }

  #eventStream(): Response {
    let own: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        own = controller;
        this.#listeners.add(controller);
        controller.enqueue(new TextEncoder().encode(": welcome\n\n"));
      },
      cancel: () => void this.#listeners.delete(own),
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }

  #stat({ name, size }: FakeFile): unknown {
    const count = this.nodes.length;
    return {
      name,
      size,
      version: "01HF7YAT000000000000000000",
      sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      parts: this.nodes.map((node, index) =>
        [node, this.nodes[(index + count - 1) % count]].map((each) => ({
          node: this.#address(each),
          port: each?.port,
          state: each?.status === "Alive" ? "ok" : "unknown",
        }))
      ),
    };
  }

  #info(port: number): Response {
    const index = this.nodes.findIndex((node) => node.port === port);
    const node = this.nodes[index];
    if (node === undefined) {
      return problemResponse(new Problem(404, `The ring has no node at port ${port}`));
    }
    if (node.status === "Dead") {
      return problemResponse(new Problem(502, `Cannot reach ${this.#address(node)}`));
    }
    const stored = [...this.files.values()].reduce((sum, { size }) => sum + size, 0);
    const share = Math.round(stored / this.nodes.length);
    return Response.json({
      address: this.#address(node),
      state: "ready",
      version: "0.0.0",
      uptime: String(Math.floor((Date.now() - this.#startedMs) / 1000) + 11_520),
      next: this.#address(this.nodes[(index + 1) % this.nodes.length]),
      files: String(this.files.size),
      catalog: `${this.#changes}`,
      parts: String(this.files.size),
      part_bytes: String(share),
      backups: String(this.files.size),
      backup_bytes: String(share),
      free_bytes: String(412 * 1024 ** 3),
      disk_bytes: String(480 * 1024 ** 3),
      rss_bytes: String(61 * 1024 ** 2),
      connections: "7",
      repaired: "0",
    });
  }

  #address(node: FakeNode | undefined): string {
    return `127.0.0.1:${node?.port ?? 0}`;
  }
}
