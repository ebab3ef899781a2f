import type { PeerConnection } from "../net/peer_connection.ts";
import { PeerError, PeerUnreachable } from "../net/peer_errors.ts";
import type { PeerPool } from "../net/peer_pool.ts";
import { BusyError } from "../net/busy_error.ts";
import { writeText } from "../net/write_all.ts";
import { errors } from "../protocol/errors.ts";
import { parseFileHeader } from "../protocol/file_replies.ts";
import { parseCommand } from "../protocol/parse.ts";
import { errorReply } from "../protocol/replies.ts";
import type { Balancer } from "./balancer.ts";
import { constantPatience } from "./patience.ts";
import {
  copy,
  type SpliceEnd,
  spliceIdleMs,
  type SplicePools,
  type SpliceSource,
} from "./splice.ts";

/** What {@linkcode passPull} works with. */
export interface PullDependencies {
  readonly peers: PeerPool;
  readonly balancer: Balancer;
  readonly pools: SplicePools;
}

/** What a client asks for. */
export interface PullRequest {
  /** Normalized. */
  readonly name: string;
  /** Ends it early. */
  readonly signal: AbortSignal;
}

/** How long the node may take to be reached and to begin its answer, in ms: it has most at hand. */
const answerMs = 2_000;

/** The name that a line asks to be pulled; nothing if it is another command, or one to be refused. */
export function pulledName(line: string): string | undefined {
  const parsed = parseCommand(line);
  return parsed.ok && parsed.command.kind === "file-pull" ? parsed.command.name : undefined;
}

/**
 * Answers `FILE PULL` from a connection to a node that is kept: it is asked by `FILE GET`, whose answer
 * has a length, and the client gets what follows the header. That spares a connection a pull.
 *
 * Only the first node in the balancer's order is asked, and not for long. Where it does not say at once
 * what it has, this gives up before the client has got a byte, and the line goes the way of all others.
 *
 * @returns false if the client was not answered.
 */
export async function passPull(
  { peers, balancer, pools }: PullDependencies,
  client: SpliceEnd,
  { name, signal }: PullRequest,
): Promise<boolean> {
  const [address] = balancer.order();
  if (address === undefined) return false;
  let peer: PeerConnection;
  try {
    peer = await peers.borrow(address, { timeoutMs: answerMs, onEnd: balancer.begin(address) });
  } catch (error) {
    if (error instanceof PeerUnreachable || error instanceof BusyError) return false;
    throw error;
  }
  const leave = () => peer.close();
  signal.addEventListener("abort", leave, { once: true });
  try {
    const answer = await askFor(peer, name);
    if (answer === undefined) return false;
    if ("error" in answer) {
      peer.release();
      await writeText(client.conn, errorReply(answer.error));
      return true;
    }
    const rest = new Rest(peer, answer.size);
    using lease = await pools.restPool.acquire(1);
    const broken = await copy({
      from: { conn: peer.conn, reader: rest },
      to: client,
      buffer: lease.buffers[0],
      patience: constantPatience(spliceIdleMs),
      onBroken: () => {/* there is no other direction */},
    }, pools.pool);
    if (broken === undefined && rest.bytes === 0) peer.release();
    return true;
  } finally {
    signal.removeEventListener("abort", leave);
    peer.close();
  }
}

/** The size of the file that the node is about to send, or why it does not; nothing if it does not say. */
async function askFor(
  peer: PeerConnection,
  name: string,
): Promise<{ readonly size: number } | { readonly error: string } | undefined> {
  try {
    if (await peer.ensureProgram(answerMs) === "original") return undefined;
    const command = { kind: "file-get", name } as const;
    const header = parseFileHeader(await peer.request(command, { deadlineMs: answerMs }));
    peer.setStall(spliceIdleMs);
    return header;
  } catch (error) {
    if (error instanceof PeerUnreachable) return undefined;
    if (!(error instanceof PeerError)) throw error;
    // Another node may have room.
    return error.message === errors.busy ? undefined : { error: error.message };
  }
}

/** What is left of an answer, as something that ends. */
class Rest implements SpliceSource {
  readonly #peer: PeerConnection;
  #bytes: number;

  constructor(peer: PeerConnection, bytes: number) {
    this.#peer = peer;
    this.#bytes = bytes;
  }

  /** Bytes that have not come yet. */
  get bytes(): number {
    return this.#bytes;
  }

  async readInto(buffer: Uint8Array): Promise<number | null> {
    if (this.#bytes === 0) return null;
    const room = buffer.length > this.#bytes ? buffer.subarray(0, this.#bytes) : buffer;
    const count = await this.#peer.readInto(room);
    if (count !== null) this.#bytes -= count;
    return count;
  }
}
