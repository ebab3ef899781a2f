import type { NodeAddress } from "../protocol/address.ts";
import type { Command } from "../protocol/command.ts";
import type { PeerConnection } from "../net/peer_connection.ts";
import { isNodeLost, nodeLost } from "../protocol/errors.ts";
import { PeerError, PeerUnreachable } from "../net/peer_errors.ts";
import type { NodeContext } from "./context.ts";
import type { Sink } from "./pump.ts";

/** How long a node of a placement may take to be reached, in ms. */
const dialMs = 2_000;

/** How long a node may take to make what it got durable, with every node behind it, in ms. */
const acknowledgeMs = 30_000;

/** Thrown when a node that a push was sending to is gone; the push may start again without it. */
export class PeerLostError extends Error {
  override readonly name = "PeerLostError";
}

/**
 * A streamed command on its way to another node: the header is sent, the body follows by
 * {@linkcode PeerSink.write}, and the answer says that it is durable.
 */
export class PeerSink implements Sink {
  readonly #context: NodeContext;
  readonly #peer: PeerConnection;

  constructor(context: NodeContext, peer: PeerConnection) {
    this.#context = context;
    this.#peer = peer;
  }

  /** Sends a run of the body's bytes. */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      await this.#peer.writeBytes(bytes);
    } catch (error) {
      throw await lost(this.#context, this.#peer.address, await this.#peer.failure(error));
    }
  }

  /** Waits for the answer to the whole command; the connection is free again afterwards. */
  async acknowledged(): Promise<void> {
    try {
      this.#peer.setDeadline(acknowledgeMs);
      await this.#peer.readReply();
      this.#peer.setDeadline(undefined);
      this.#peer.release();
    } catch (error) {
      throw await lost(this.#context, this.#peer.address, error);
    }
  }

  /** Ends the connection unless its command was answered. */
  cut(): void {
    this.#peer.close();
  }
}

/** Looks whether a node is there, and leaves a connection to it at hand. @throws {PeerLostError} */
export async function reachPeer(context: NodeContext, address: NodeAddress): Promise<void> {
  try {
    using peer = await context.peers.borrow(address, { timeoutMs: dialMs });
    await peer.ensureProgram();
    peer.release();
  } catch (error) {
    throw await lost(context, address, error);
  }
}

/** What {@linkcode openPeerSink} begins with. */
export interface PeerMessage {
  readonly command: Command;
  /** The whole body in pieces, if it is at hand; else it follows by {@linkcode PeerSink.write}. */
  readonly body?: readonly Uint8Array[];
  /** Gives the node up as soon as the ring calls it Dead: for what can begin again without it. */
  readonly untilDead?: boolean;
}

/** Reaches a node and sends a command; the answer is still to come. @throws {PeerLostError} */
export async function openPeerSink(
  context: NodeContext,
  address: NodeAddress,
  { command, body = [], untilDead = false }: PeerMessage,
): Promise<PeerSink> {
  try {
    const peer = await context.peers.borrow(address, {
      timeoutMs: dialMs,
      untilForgotten: untilDead,
    });
    try {
      await peer.ensureProgram();
      await peer.send(command, ...body);
      return new PeerSink(context, peer);
    } catch (error) {
      peer.close();
      throw error;
    }
  } catch (error) {
    throw await lost(context, address, error);
  }
}

/**
 * Tells the ring of a node that refused or broke a connection; slowness alone says nothing. A relay
 * that has lost the node behind it says so in its answer.
 */
async function lost(
  context: NodeContext,
  address: NodeAddress,
  error: unknown,
): Promise<unknown> {
  if (error instanceof PeerError && isNodeLost(error.message)) {
    return new PeerLostError(error.message, { cause: error });
  }
  if (!(error instanceof PeerUnreachable)) return error;
  if (error.kind === "refused" || error.kind === "broken") {
    await context.ring.markDead(address, error.message);
  }
  return new PeerLostError(nodeLost(error.message), { cause: error });
}
