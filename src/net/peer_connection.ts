import type { NodeAddress } from "../protocol/address.ts";
import type { Command } from "../protocol/command.ts";
import { formatCommand } from "../protocol/format.ts";
import { lineBytesMax, stallMs } from "../protocol/limits.ts";
import { parseErrorReply, parseNodeInfo } from "../protocol/replies.ts";
import type { ByteReader } from "./byte_reader.ts";
import { isUnknownToPeer, PeerError, PeerUnreachable, transferFailure } from "./peer_errors.ts";
import { type PeerDependencies, PeerLink, type Program } from "./peer_link.ts";
import type { DialOptions } from "./transport.ts";
import type { GuardedConnection } from "./watchdog.ts";
import { joinBytes, writeAll } from "./write_all.ts";

export type { PeerDependencies, Program };

/** One request with one answer. */
export interface RequestOptions {
  /** Milliseconds from now until the first line of the answer must be there. */
  readonly deadlineMs: number;
  /** The counted bytes that the command announces. */
  readonly body?: Uint8Array;
}

/** What a borrower does not see of its connection. */
export interface PeerConnectionOptions {
  /** False when the connection had served others before, and may have died since. */
  readonly fresh: boolean;
  /** Takes a link back: `clean` when its exchange is complete, so that it can serve again. */
  readonly giveBack: (link: PeerLink, clean: boolean) => void;
}

/**
 * A connection to another node, for one exchange or several, until `release` or `close`.
 *
 * 1. Writes leave in the order of their calls, also when a caller does not wait for one before it
 *    starts the next (pipelining). Reads are the caller's to order, one at a time.
 * 2. Everything that fails is a {@linkcode PeerUnreachable}, except an answer `ERR …`, which is a
 *    {@linkcode PeerError} and leaves the connection usable.
 * 3. While a read or write is pending, 30 s without a byte moving end it (`setStall` changes that);
 *    `setDeadline` and a request's deadline end it in any case.
 */
export class PeerConnection implements Disposable {
  /** True when the connection was made for this borrower. */
  readonly fresh: boolean;
  readonly #link: PeerLink;
  readonly #giveBack: (link: PeerLink, clean: boolean) => void;
  #stallMs = stallMs;
  #owedReplies = 0;
  #writing: Promise<void> | undefined;
  #failed = false;
  #over = false;

  /** Made by {@linkcode PeerConnection.dial} or by the pool. */
  constructor(link: PeerLink, { fresh, giveBack }: PeerConnectionOptions) {
    this.fresh = fresh;
    this.#link = link;
    this.#giveBack = giveBack;
    this.setStall(stallMs);
  }

  /**
   * Connects, without a pool: `release` then closes.
   *
   * @throws {PeerUnreachable} when the peer cannot be reached by the deadline.
   */
  static async dial(
    dependencies: PeerDependencies,
    address: NodeAddress,
    options: DialOptions,
  ): Promise<PeerConnection> {
    const link = await PeerLink.dial(dependencies, address, options);
    return new PeerConnection(link, { fresh: true, giveBack: (link) => link.close() });
  }

  get address(): NodeAddress {
    return this.#link.address;
  }

  get conn(): GuardedConnection {
    return this.#link.conn;
  }

  get reader(): ByteReader {
    return this.#link.reader;
  }

  /** Which program is at the other end, as far as this connection has asked. */
  get program(): Program {
    return this.#link.program;
  }

  /** What it answered to `NODE INFO`; empty before that and from an original. */
  get info(): ReadonlyMap<string, string> {
    return this.#link.info;
  }

  /** See {@linkcode GuardedConnection.set}. */
  setStall(ms: number): void {
    this.#stallMs = ms;
    this.conn.set(ms);
  }

  /** See {@linkcode GuardedConnection.setDeadline}. */
  setDeadline(ms: number | undefined): void {
    this.conn.setDeadline(ms);
  }

  /**
   * Asks, once a connection, which program is at the other end.
   *
   * @throws {PeerError} when it answers another error than that it does not know the question.
   */
  async ensureProgram(deadlineMs: number = programMs): Promise<"ouroboros" | "original"> {
    if (this.program !== "unknown") return this.program;
    this.setDeadline(deadlineMs);
    try {
      await this.send({ kind: "node-info" });
      this.#link.told(await this.#readInfo());
      return "ouroboros";
    } catch (error) {
      if (!isUnknownToPeer(error)) throw error;
      this.#link.told(undefined);
      return "original";
    } finally {
      this.setDeadline(undefined);
    }
  }

  /**
   * Sends a command and its body and gives the first line of the answer, without its line end.
   * A peer that refuses the command before it took the body is a {@linkcode PeerError} as well.
   */
  async request(command: Command, { deadlineMs, body }: RequestOptions): Promise<string> {
    const stallMs = this.#stallMs;
    this.setStall(0);
    this.setDeadline(deadlineMs);
    try {
      await this.send(command, ...(body === undefined ? [] : [body])).catch(async (error) => {
        throw await this.failure(error);
      });
      return await this.readReply();
    } finally {
      this.setDeadline(undefined);
      this.setStall(stallMs);
    }
  }

  /** Sends a command, and the pieces of its body if that is at hand; the answer is left to `readReply`. */
  send(command: Command, ...body: readonly Uint8Array[]): Promise<void> {
    const line = this.#lineOf(command);
    this.#owedReplies += 1;
    if (body.length === 0) return this.writeBytes(line);
    const pieces = [line, ...body];
    const count = pieces.reduce((sum, { length }) => sum + length, 0);
    if (count <= joinedBytesMax) return this.writeBytes(joinBytes(...pieces));
    return this.#inOrder(async () => {
      for (const piece of pieces) await writeAll(this.conn, piece);
    });
  }

  /** Sends commands without bodies in one write, as each one would wake the peer; see `send`. */
  sendTogether(commands: readonly Command[]): Promise<void> {
    this.#owedReplies += commands.length;
    return this.writeBytes(joinBytes(...commands.map((command) => this.#lineOf(command))));
  }

  /** The first line of the answer to the oldest command sent. */
  async readReply(): Promise<string> {
    const line = await this.readLine();
    this.#owedReplies -= 1;
    const error = parseErrorReply(line);
    if (error !== undefined) throw new PeerError(this.address, error);
    return line;
  }

  /** Sends a text as it is; line ends are the caller's. */
  writeText(text: string): Promise<void> {
    return this.writeBytes(encoder.encode(text));
  }

  /** Sends all of `bytes`; the array is the caller's again when the promise settles. */
  writeBytes(bytes: Uint8Array): Promise<void> {
    return this.#inOrder(() => writeAll(this.conn, bytes));
  }

  /** The next line without its end. A line that the end of the connection cuts is a failure. */
  async readLine(capBytes: number = lineBytesMax): Promise<string> {
    const line = await this.#guarded(() => this.reader.readLine(capBytes));
    if (line === "too-long") throw this.#broken(`sent a line of more than ${capBytes} bytes`);
    if (line === "eof" || this.reader.ended) throw this.#broken("ended the connection");
    try {
      return decoder.decode(line);
    } catch (cause) {
      throw this.#broken("sent a line that is not UTF-8", cause);
    }
  }

  /** Reads what is there, at least a byte; `null` when the peer has ended. */
  readInto(buffer: Uint8Array): Promise<number | null> {
    return this.#guarded(() => this.reader.readInto(buffer));
  }

  /** Fills the buffer; an earlier end is a failure. */
  async readExactly(buffer: Uint8Array): Promise<void> {
    const count = await this.#guarded(() => this.reader.readFull(buffer));
    if (count < buffer.length) {
      throw this.#broken(`ended the connection after ${count} of ${buffer.length} bytes`);
    }
  }

  /**
   * Says why a streamed body could not be written: the {@linkcode PeerError} that the peer had left
   * as an early answer, else `error` itself. The connection is closed afterwards.
   */
  async failure(error: unknown): Promise<unknown> {
    if (!(error instanceof PeerUnreachable) || error.kind !== "broken" || this.#over) return error;
    this.setDeadline(earlyReplyMs);
    try {
      await this.readReply();
      return error;
    } catch (answer) {
      return answer instanceof PeerError ? answer : error;
    } finally {
      this.close();
    }
  }

  /**
   * Gives the connection up after a complete exchange. It serves others again unless it failed, an
   * answer is owed, or bytes have come that nobody read.
   */
  release(): void {
    this.#end(!this.#failed && this.#owedReplies === 0 && this.#writing === undefined);
  }

  /** Closes the connection, whatever is under way; without effect after `release`. */
  close(): void {
    this.#end(false);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #end(clean: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#giveBack(this.#link, clean && this.#link.atRest);
  }

  #lineOf(command: Command): Uint8Array<ArrayBuffer> {
    return encoder.encode(`${formatCommand(command, { hostname: this.#link.hostname })}\n`);
  }

  async #readInfo(): Promise<ReadonlyMap<string, string>> {
    let line = await this.readReply();
    let text = `${line}\n`;
    for (let lines = 1; line !== "OK" && lines < infoLinesMax; lines++) {
      line = await this.readLine();
      text += `${line}\n`;
    }
    const info = parseNodeInfo(text);
    if (info === undefined) throw this.#broken("answered NODE INFO with nonsense");
    return info;
  }

  /** Runs a write behind all earlier ones. */
  async #inOrder(write: () => Promise<void>): Promise<void> {
    const before = this.#writing;
    const turn = before === undefined
      ? this.#guarded(write)
      : before.then(() => this.#guarded(write));
    this.#writing = turn;
    try {
      await turn;
    } finally {
      if (this.#writing === turn) this.#writing = undefined;
    }
  }

  async #guarded<T>(action: () => Promise<T>): Promise<T> {
    try {
      if (this.#over) throw new Error("the connection was given up");
      return await action();
    } catch (error) {
      this.#failed = true;
      throw this.#over ? this.#left(error) : transferFailure(this.address, error);
    }
  }

  #left(cause: unknown): PeerUnreachable {
    const reason = "was left: this side closed the connection";
    return new PeerUnreachable(this.address, "local", { reason, cause });
  }

  #broken(reason: string, cause?: unknown): PeerUnreachable {
    this.#failed = true;
    // An end that this side made itself, while a read was pending, is no news of the peer.
    if (this.#over) return this.#left(cause);
    return new PeerUnreachable(this.address, "broken", { reason, cause });
  }
}

/** A command and a body up to this size together are copied into one array, so that they leave in one packet. */
const joinedBytesMax = 64 * 1024;

/** How long a peer may take to say which program it is. */
const programMs = 5_000;

/** How long the answer of a peer that broke off is waited for: it is here already or never comes. */
const earlyReplyMs = 1_000;

/** Lines of one `NODE INFO`. */
const infoLinesMax = 256;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
