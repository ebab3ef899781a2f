import type { Command } from "../protocol/command.ts";
import { looksLikeHttp } from "../protocol/browser.ts";
import { errors } from "../protocol/errors.ts";
import { drainBytesMax, idleMs, lineBytesMax, stallMs } from "../protocol/limits.ts";
import { decodeLine, lineBytesCap, parseCommand } from "../protocol/parse.ts";
import { errorReply } from "../protocol/replies.ts";
import { continueReply } from "../protocol/transfer_replies.ts";
import { ByteReader, type LongLineBudget } from "../net/byte_reader.ts";
import { lingeringClose } from "../net/lingering_close.ts";
import type { GuardedConnection } from "../net/watchdog.ts";
import { writeAll } from "../net/write_all.ts";
import { type Body, ConnectionBody, drain } from "./body.ts";
import type { ServedChunk } from "./chunk_service.ts";
import type { NodeContext } from "./context.ts";
import { serveCommand } from "./serve_command.ts";

/** An answer that the peer's system takes at once. */
const shortAnswerBytesMax = 64 * 1024;

/** Bytes read at a time when a body is thrown away. */
const drainBufferBytes = 16 * 1024;

/**
 * One connection to this node: reads commands, has each one served, and keeps the stream in step.
 *
 * 1. A body is never parsed as commands: after a failed command what is left of its body is drained
 *    when it is short, else the connection ends.
 * 2. Replies go out in the order of the commands, each one whole before the next begins.
 * 3. Once bytes of an answer without a length have gone out, an error can only end the connection.
 */
export class Session {
  /** True once a gateway has said that this connection comes from outside. */
  restricted = false;
  /** The chunk that `FILE OPEN` has opened on this connection. */
  chunk: ServedChunk | undefined;
  readonly #context: NodeContext;
  readonly #conn: GuardedConnection;
  readonly #reader: ByteReader;
  #ended = false;
  #isOver = false;
  #awaitsCommand = false;
  #answerBegun = false;
  /** The body of the command under way. */
  #body: ConnectionBody | undefined;
  /** Bytes of the answer to the command under way. */
  #sentBytes = 0;

  constructor(context: NodeContext, conn: GuardedConnection, longLines: LongLineBudget) {
    this.#context = context;
    this.#conn = conn;
    this.#reader = new ByteReader(conn, longLines);
  }

  /** Serves the connection until either side ends it. */
  async run(): Promise<void> {
    try {
      while (!this.#ended && await this.#serveNext()) { /* until it ends */ }
      // Who has sent more than it was answered has to be heard out, or it may not get the answer.
      if (this.#isOver && this.#reader.bufferedBytes === 0) return;
      await lingeringClose(this.#conn, this.#reader);
    } finally {
      this.closeChunk();
      this.#reader[Symbol.dispose]();
      this.#conn.close();
    }
  }

  /** Sends a reply; text ends with its line end. */
  async reply(text: string): Promise<void> {
    const bytes = encoder.encode(text);
    this.#sentBytes += bytes.length;
    await writeAll(this.#conn, bytes);
  }

  /** Sends bytes of an answer. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#answerBegun = true;
    this.#sentBytes += bytes.length;
    await writeAll(this.#conn, bytes);
  }

  /** Ends the connection after this command: its answer has no length. */
  end(): void {
    this.#ended = true;
  }

  /**
   * Ends the connection after this command, whose answer has been sent: if that is short, without waiting
   * for the peer's end. Who sends anything after such a command would lose what is still on its way.
   */
  endNow(): void {
    this.#ended = true;
    this.#isOver = this.#sentBytes <= shortAnswerBytesMax;
  }

  /** Ends the connection as soon as no command is under way, which may be now. */
  retire(): void {
    this.#ended = true;
    if (this.#awaitsCommand) this.close();
  }

  /** Ends the connection now, whatever is under way on it. */
  close(): void {
    this.#conn.close();
  }

  /** Aborts when the peer ends the connection, or sends anything more. */
  peerGone(): AbortSignal {
    const gone = new AbortController();
    this.#reader.prefetch(() => gone.abort());
    return gone.signal;
  }

  /** Closes the chunk that is open on this connection, and with it the lease on its file. */
  closeChunk(): void {
    this.chunk?.[Symbol.dispose]();
    this.chunk = undefined;
  }

  /**
   * Tells the peer that the bytes of its command may come, and gives them. For commands that say
   * before their bytes whether they are welcome.
   */
  async expectBody(bytes: number): Promise<Body> {
    this.#body = new ConnectionBody(this.#reader, bytes);
    await this.reply(continueReply);
    return this.#body;
  }

  /** Says that the answer is a stream from here on, so that a failure can only cut it. */
  beginAnswer(): void {
    this.#answerBegun = true;
  }

  /** Reads the next command and serves it; false when the peer has ended or must not go on. */
  async #serveNext(): Promise<boolean> {
    // A connection at rest has until the deadline; what is under way has to get on.
    this.#conn.set(0);
    this.#conn.setDeadline(idleMs);
    this.#awaitsCommand = true;
    const line = await this.#reader.readLine(lineBytesMax, lineBytesCap);
    this.#awaitsCommand = false;
    this.#conn.set(stallMs);
    this.#conn.setDeadline(undefined);
    if (line === "eof") return false;
    if (line === "too-long") {
      await this.reply(errorReply(errors.lineTooLong));
      return false;
    }
    const text = decodeLine(line);
    if (text === undefined) {
      await this.reply(errorReply(errors.notUtf8));
      return true;
    }
    if (looksLikeHttp(text)) return false;
    const parsed = parseCommand(text, { hostname: this.#context.hostname });
    if (!parsed.ok) {
      this.#context.counters.refused();
      await this.reply(errorReply(parsed.error));
      if (parsed.bodyBytes === undefined) return false;
      return await this.#drain(new ConnectionBody(this.#reader, parsed.bodyBytes));
    }
    return await this.#serve(parsed.command);
  }

  async #serve(command: Command): Promise<boolean> {
    const body = new ConnectionBody(this.#reader, "bodyBytes" in command ? command.bodyBytes : 0);
    this.#body = body;
    const { clock, counters } = this.#context;
    const startMs = clock.nowMs();
    let isFailed = false;
    this.#answerBegun = false;
    this.#sentBytes = 0;
    try {
      await serveCommand(this.#context, this, command, body);
    } catch (error) {
      isFailed = true;
      const reason = error instanceof Error ? error.message : String(error);
      this.#context.log.info("command failed", { command: command.kind, reason });
      if (this.#answerBegun) return false;
      await this.reply(errorReply(reason));
    } finally {
      counters.served({
        kind: command.kind,
        ms: clock.nowMs() - startMs,
        isFailed,
        receivedBytes: this.#body.receivedBytes,
        sentBytes: this.#sentBytes,
      });
    }
    return await this.#drain(this.#body);
  }

  /** Throws away what is left of a body; false when that is too much. */
  async #drain(body: Body | undefined): Promise<boolean> {
    if (body === undefined || body.remaining === 0) return true;
    if (body.remaining > drainBytesMax) return false;
    await drain(body, new Uint8Array(drainBufferBytes));
    return true;
  }
}

const encoder = new TextEncoder();
