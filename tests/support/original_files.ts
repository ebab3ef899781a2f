import type { ByteReader } from "../../src/net/byte_reader.ts";
import { writeAll, writeText } from "../../src/net/write_all.ts";
import { bytesOf } from "./line_client.ts";
import type { LineCall } from "./line_node.ts";
import type { OriginalPeer, PeerCall } from "./original_peer.ts";
import type { OriginalRing } from "./original_ring.ts";

/** What {@linkcode OriginalFiles} are made of. */
export interface OriginalFilesOptions {
  readonly port: number;
  /** Where `content/` and `backup/` are, or will be. */
  readonly directory: string;
  readonly ring: OriginalRing;
  readonly peer: OriginalPeer;
  readonly later: (task: () => Promise<void>) => void;
}

/** What its map says of a name. */
interface FileTag {
  readonly start: number;
  readonly size: number;
  readonly parts: number;
}

/** A relay under way: the part that a node takes off it, and what it is told to pass on. */
interface Relay extends FileTag {
  readonly token: string;
  readonly index: number;
  readonly name: string;
}

/** The files of a stand-in of the original: its map of them, and the chunks on its disk. */
export class OriginalFiles {
  readonly takenForDead: number[] = [];
  readonly #options: OriginalFilesOptions;
  readonly #tags = new Map<string, FileTag>();

  constructor(options: OriginalFilesOptions) {
    this.#options = options;
    Deno.mkdirSync(`${options.directory}/content`, { recursive: true });
    Deno.mkdirSync(`${options.directory}/backup`, { recursive: true });
  }

  /** `FILE …` */
  async file(
    verb: string,
    parameters: readonly string[],
    { conn, reader }: LineCall,
  ): Promise<string | undefined | "close"> {
    const rest = parameters.join(" ");
    switch (verb) {
      case "PUSH": {
        const [size = ""] = parameters;
        return await this.#push(parameters.slice(1).join(" "), Number(size), reader);
      }
      case "PULL":
        await this.#pull(rest, (bytes) => writeAll(conn, bytes));
        return "close";
      case "LIST":
        await writeText(conn, this.#list());
        return "close";
      case "RELAY-STREAM":
        return await this.#relay(parameters, reader);
      case "GET-CHUNK":
      case "GET-BACKUP-CHUNK": {
        const bytes = await this.#read(verb === "GET-CHUNK" ? "content" : "backup", rest);
        const next = this.#options.ring.next ?? this.#options.port;
        await writeText(conn, `FILE RESP-CHUNK 127.0.0.1:${next} ${bytes?.length ?? 0} ${rest}\n`);
        await writeAll(conn, bytes ?? new Uint8Array());
        return undefined;
      }
      case "GET-CHUNK-FOR-BACKUP": {
        const bytes = await this.#read("content", rest) ?? new Uint8Array();
        const length = new Uint8Array(8);
        new DataView(length.buffer).setBigUint64(0, BigInt(bytes.length));
        await writeAll(conn, length);
        await writeAll(conn, bytes);
        return undefined;
      }
      case "NOTIFY-CHUNK-SAVED":
        this.#options.later(() => this.#copyBackup(rest));
        return "OK\n";
      case "TAGS-SET":
        this.#setTags(rest);
        return "OK\n";
      default:
        return "ERR unknown FILE command\n";
    }
  }

  async #push(name: string, size: number, reader: ByteReader): Promise<string> {
    const { port, ring } = this.#options;
    const parts = ring.orderFrom(port).length;
    const token = `relay-${port}-${Math.random()}`;
    await this.#take({ token, start: port, size, parts, index: 0, name }, reader);
    return parts === 1
      ? `FILE ${size} bytes '${name}' stored locally`
      : `FILE ${size} bytes split into ${parts} chunks and distributed\nOK\n`;
  }

  async #relay(parameters: readonly string[], reader: ByteReader): Promise<string> {
    const [token = "", start = "", size = "", parts = "", index = ""] = parameters;
    if (!(Number(index) < Number(parts))) return "ERR bad FILE RELAY-STREAM index\n";
    await this.#take({
      token,
      start: Number(start.slice(start.lastIndexOf(":") + 1)),
      size: Number(size),
      parts: Number(parts),
      index: Number(index),
      name: parameters.slice(5).join(" "),
    }, reader);
    return "OK\n";
  }

  /** Takes one part off a stream, passes on what follows, and says that it has the part. */
  async #take(relay: Relay, reader: ByteReader): Promise<void> {
    const { later, peer, ring } = this.#options;
    const { start, size, parts, index, name } = relay;
    const own = new Uint8Array(lengthOf(relay, index));
    if (await reader.readFull(own) < own.length) throw new Error("the stream ended early");
    await Deno.writeFile(`${this.#options.directory}/content/${chunkOf(relay, index)}`, own);
    if (index + 1 < parts && ring.next !== undefined) await this.#passOn(relay, reader);
    this.#tags.set(name, { start, size, parts });
    const before = ring.before(this.#options.port);
    if (before === undefined) return;
    const notice = `FILE NOTIFY-CHUNK-SAVED ${chunkOf(relay, index)}`;
    later(async () => void await peer.ask(before, notice));
  }

  /** Resolves when the bytes have passed; only the first node waits for the answer to them. */
  async #passOn(relay: Relay, reader: ByteReader): Promise<void> {
    const { later, peer, ring } = this.#options;
    const { token, start, size, parts, index, name } = relay;
    const head = `FILE RELAY-STREAM ${token} 127.0.0.1:${start} ${size} ${parts} ${index + 1}`;
    const passed = Promise.withResolvers<void>();
    const answered = peer.call(ring.next ?? 0, `${head} ${name}`, async (call) => {
      for (let part = index + 1; part < parts; part++) {
        await copy(reader, call, lengthOf(relay, part));
      }
      passed.resolve();
      const answer = await call.line();
      if (answer !== "OK") throw new Error(`the next node answered '${answer}'`);
    });
    if (index === 0) return await answered;
    answered.catch(passed.reject);
    later(() => answered);
    await passed.promise;
  }

  /** Sends the parts of a file, the i-th from the i-th node after its start, all of them at once. */
  async #pull(name: string, write: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    const tag = this.#tags.get(name);
    if (tag === undefined) return await write(new TextEncoder().encode("ERR file not found\n"));
    const parts: Uint8Array[] = [];
    let holder: number | undefined = tag.start;
    for (let part = 0; part < tag.parts && holder !== undefined; part++) {
      parts.push(await this.#fetch(holder, chunkOf({ ...tag, name }, part)));
      holder = this.#options.ring.after(holder);
    }
    await write(bytesOf(...parts));
  }

  /** A part of a file; nothing, if neither copy is given. */
  async #fetch(holder: number, chunk: string): Promise<Uint8Array> {
    const { ring } = this.#options;
    try {
      return await this.#ask(holder, "GET-CHUNK", chunk);
    } catch {
      // Whoever does not give a chunk is dead to it, and the one before has the backup.
      this.takenForDead.push(holder);
      ring.found(holder, "Dead");
      const before = ring.before(holder);
      if (before === undefined) return new Uint8Array();
      return await this.#ask(before, "GET-BACKUP-CHUNK", chunk).catch(() => new Uint8Array());
    }
  }

  /** Asks a node for a chunk, itself as well; the next hop that the answer names is not heeded. */
  #ask(port: number, verb: string, chunk: string): Promise<Uint8Array> {
    return this.#options.peer.call(port, `FILE ${verb} ${chunk}`, async (call) => {
      const answer = await call.line();
      const [, size] = /^FILE RESP-CHUNK 127\.0\.0\.1:[0-9]+ ([0-9]+) /.exec(answer) ?? [];
      if (size === undefined) throw new Error(`${port} answered '${answer}'`);
      const bytes = new Uint8Array(Number(size));
      if (await call.reader.readFull(bytes) < bytes.length) throw new Error("a short chunk");
      return bytes;
    });
  }

  async #copyBackup(chunk: string): Promise<void> {
    const { directory, peer, ring } = this.#options;
    if (ring.next === undefined) return;
    await peer.call(ring.next, `FILE GET-CHUNK-FOR-BACKUP ${chunk}`, async ({ reader }) => {
      const header = new Uint8Array(8);
      await reader.readFull(header);
      const bytes = new Uint8Array(Number(new DataView(header.buffer).getBigUint64(0)));
      if (bytes.length === 0 || await reader.readFull(bytes) < bytes.length) return;
      await Deno.writeFile(`${directory}/backup/${chunk}`, bytes);
    });
  }

  #list(): string {
    const names = [...this.#tags].sort(([a], [b]) => a < b ? -1 : 1);
    const rows = names.map(([name, { start, size }]) =>
      `${/[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name},${start},${size}\n`
    );
    return `name,start,size\n${rows.join("")}`;
  }

  #setTags(list: string): void {
    this.#tags.clear();
    for (const tag of list.split(";").filter((tag) => tag !== "")) {
      const [name = "", start, size, parts] = tag.split(":");
      this.#tags.set(name, { start: Number(start), size: Number(size), parts: Number(parts) });
    }
  }

  async #read(place: "content" | "backup", chunk: string): Promise<Uint8Array | undefined> {
    try {
      return await Deno.readFile(`${this.#options.directory}/${place}/${chunk}`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }
}

function lengthOf({ size, parts }: FileTag, part: number): number {
  return Math.floor(size / parts) + (part < size % parts ? 1 : 0);
}

function chunkOf({ name, parts }: FileTag & { readonly name: string }, part: number): string {
  const digits = (count: number) => String(count).padStart(3, "0");
  return `${name}.part-${digits(part + 1)}-of-${digits(parts)}`;
}

async function copy(reader: ByteReader, call: PeerCall, bytes: number): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  for (let left = bytes; left > 0;) {
    const count = await reader.readInto(buffer.subarray(0, Math.min(left, buffer.length)));
    if (count === null) throw new Error("the stream ended early");
    await call.write(buffer.subarray(0, count));
    left -= count;
  }
}
