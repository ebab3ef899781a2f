/**
 * A node of the bare ring that the pushes of small files are measured by: what is left of a node when
 * everything is taken away but the work that a push is made of. The first one takes files from clients
 * (`FILE PUSH`), sends their bytes to the others (`STAGE`), writes its own, and when all have answered
 * the record (`COMMIT`). Each writes the copies of parts that a node keeps, a file each, and renames them to
 * where they stay; and a record, with a row for each copy, in a transaction. Commits that come together
 * share a transaction and a message.
 *
 * It has no checksums, no versions, no earlier file that is kept until the next one is there, no deadlines, no
 * limits, and believes whatever it is told: what is stored with fewer messages, files or transactions than
 * these is not what the ring promises.
 *
 * Arguments: the directory, and how many copies it keeps of parts of a file. It writes its port on standard
 * output when it listens; the first one is told on its standard input, on one line, the ports of the others,
 * and to how many of them it sends the bytes. It ends with its standard input.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers";
import { readLines } from "./line_reader.ts";

/** Bytes of a record, about what those of a ring of five have. */
const recordBytes = 1100;

/** Bytes of a buffer: many small messages. */
const bufferBytes = 256 * 1024;

/** A message: a line with a verb, the number of bytes that follow it, and a name. */
interface Message {
  readonly verb: string;
  readonly name: string;
  readonly body: Uint8Array;
}

/** Files and catalog. */
class BareStore {
  readonly #directory: string;
  readonly #copies: number;
  readonly #database: DatabaseSync;
  readonly #putRecord;
  readonly #putChunk;
  #pushes = 0;

  constructor(directory: string, copies: number) {
    this.#directory = directory;
    this.#copies = copies;
    for (const name of ["staging", "content"]) Deno.mkdirSync(`${directory}/${name}`);
    this.#database = new DatabaseSync(`${directory}/catalog.db`);
    this.#database.exec(`
      PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
      CREATE TABLE records (id INTEGER PRIMARY KEY, name TEXT UNIQUE, body TEXT);
      CREATE TABLE chunks (push INTEGER, part INTEGER, name TEXT, PRIMARY KEY (push, part)) WITHOUT ROWID;
    `);
    this.#putRecord = this.#database.prepare(
      "INSERT INTO records (name, body) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body",
    );
    this.#putChunk = this.#database.prepare("INSERT INTO chunks VALUES (?, ?, ?)");
  }

  /** Writes the copies that this node keeps; the bytes of all of them are there. */
  stage({ name, body }: Message): void {
    const length = body.length / this.#copies;
    for (let copy = 0; copy < this.#copies; copy++) {
      using file = Deno.openSync(this.#path("staging", name, copy), {
        write: true,
        create: true,
        truncate: true,
      });
      file.writeSync(body.subarray(copy * length, (copy + 1) * length));
    }
  }

  /** Writes records and rows in one transaction, and then renames the files. */
  commit(names: readonly string[], body: string): void {
    this.#database.exec("BEGIN");
    for (const name of names) {
      this.#putRecord.run(name, body);
      const push = ++this.#pushes;
      for (let copy = 0; copy < this.#copies; copy++) this.#putChunk.run(push, copy, name);
    }
    this.#database.exec("COMMIT");
    for (const name of names) {
      for (let copy = 0; copy < this.#copies; copy++) {
        Deno.renameSync(this.#path("staging", name, copy), this.#path("content", name, copy));
      }
    }
  }

  #path(place: string, name: string, copy: number): string {
    return `${this.#directory}/${place}/${name}.${copy}`;
  }
}

/** Another node, as the first one sees it: its answers come in the order of its messages. */
class BarePeer {
  readonly #connection: Deno.TcpConn;
  readonly #waiting: (() => void)[] = [];

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    connection.setNoDelay(true);
  }

  static async connect(port: number): Promise<BarePeer> {
    const peer = new BarePeer(await Deno.connect({ hostname: "127.0.0.1", port }));
    void peer.#hear();
    return peer;
  }

  /** Sends a message and resolves with its answer. */
  async ask(message: Message): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    await send(this.#connection, messageBytes(message));
    await promise;
  }

  async #hear(): Promise<void> {
    const buffer = new Uint8Array(bufferBytes);
    for (let count = await this.#connection.read(buffer); count !== null;) {
      for (const byte of buffer.subarray(0, count)) if (byte === 0x0a) this.#waiting.shift()?.();
      count = await this.#connection.read(buffer);
    }
  }
}

/** Takes pushes. */
class BareCoordinator {
  readonly #store: BareStore;
  readonly #peers: readonly BarePeer[];
  readonly #holders: number;
  readonly #record = "r".repeat(recordBytes);
  #committing: { readonly name: string; readonly done: () => void }[] = [];

  /** @param holders how many of the peers keep parts of a file. */
  constructor(store: BareStore, peers: readonly BarePeer[], holders: number) {
    this.#store = store;
    this.#peers = peers;
    this.#holders = holders;
  }

  async push({ name, body }: Message): Promise<void> {
    const message = { verb: "STAGE", name, body: shareOf(body, this.#holders) };
    const staged = this.#peers.slice(0, this.#holders).map((peer) => peer.ask(message));
    this.#store.stage(message);
    await Promise.all(staged);
    await new Promise<void>((resolve) => {
      this.#committing.push({ name, done: resolve });
      if (this.#committing.length === 1) setImmediate(() => this.#commit());
    });
  }

  async #commit(): Promise<void> {
    const commits = this.#committing.splice(0);
    const names = commits.map(({ name }) => name);
    this.#store.commit(names, this.#record);
    const body = new TextEncoder().encode(names.map(() => this.#record).join("\n"));
    const message = { verb: "COMMIT", name: names.join("/"), body };
    await Promise.all(this.#peers.map((peer) => peer.ask(message)));
    for (const { done } of commits) done();
  }
}

/** Of a file so many bytes as a node keeps: two parts, or all of it where only one other has it. */
function shareOf(body: Uint8Array, holders: number): Uint8Array {
  return holders === 1 ? body : body.subarray(0, 2 * Math.floor(body.length / (holders + 1)));
}

/** Serves a connection until it ends. */
async function serve(
  connection: Deno.TcpConn,
  handle: (message: Message) => void | Promise<void>,
): Promise<void> {
  const buffer = Buffer.alloc(bufferBytes);
  let end = 0;
  connection.setNoDelay(true);
  try {
    for (let count = await connection.read(buffer); count !== null;) {
      end += count;
      let start = 0;
      let answers = "";
      for (let message; (message = readMessage(buffer.subarray(start, end))) !== undefined;) {
        start += message.bytes;
        await handle(message);
        answers += "OK\n";
      }
      if (answers !== "") await send(connection, new TextEncoder().encode(answers));
      buffer.copyWithin(0, start, end);
      end -= start;
      count = await connection.read(buffer.subarray(end));
    }
  } finally {
    connection.close();
  }
}

/** The first message, if all of it is there, and how many bytes it takes. */
function readMessage(buffer: Buffer): (Message & { readonly bytes: number }) | undefined {
  const lineEnd = buffer.indexOf(0x0a);
  if (lineEnd === -1) return undefined;
  const line = buffer.toString("utf8", 0, lineEnd);
  const [, verb = "", count, name = ""] = /^(FILE PUSH|STAGE|COMMIT) ([0-9]+) (.+)$/.exec(line) ??
    [];
  if (count === undefined) throw new Error(`cannot serve '${line}'`);
  const bytes = lineEnd + 1 + Number(count);
  if (bytes > buffer.length) return undefined;
  return { verb, name, body: buffer.subarray(lineEnd + 1, bytes), bytes };
}

function messageBytes({ verb, name, body }: Message): Uint8Array {
  return Buffer.concat([Buffer.from(`${verb} ${body.length} ${name}\n`), body]);
}

async function send(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

async function main([directory = ".", copies = "2"]: readonly string[]): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await Deno.stdout.write(new TextEncoder().encode(`${listener.addr.port}\n`));
  const store = new BareStore(directory, Number(copies));
  let coordinator: BareCoordinator | undefined;
  const handle = (message: Message): void | Promise<void> => {
    switch (message.verb) {
      case "STAGE":
        return store.stage(message);
      case "COMMIT":
        return store.commit(message.name.split("/"), new TextDecoder().decode(message.body));
      default:
        return coordinator?.push(message);
    }
  };
  void acceptAll(listener, handle);
  const told = readLines(Deno.stdin.readable);
  for (let line = await told.next(); line !== undefined; line = await told.next()) {
    const [holders = 0, ...ports] = line.split(" ").map(Number);
    const peers = await Promise.all(ports.map((port) => BarePeer.connect(port)));
    coordinator = new BareCoordinator(store, peers, holders);
    await Deno.stdout.write(new TextEncoder().encode("ready\n"));
  }
  Deno.exit(0);
}

async function acceptAll(
  listener: Deno.TcpListener,
  handle: (message: Message) => void | Promise<void>,
): Promise<void> {
  for await (const connection of listener) {
    serve(connection, handle).catch((error) => console.error(`bare node: ${error}`));
  }
}

if (import.meta.main) await main(Deno.args);
