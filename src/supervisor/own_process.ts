import type { PeerConnection } from "../net/peer_connection.ts";
import { PeerError } from "../net/peer_errors.ts";
import { parseErrorReply, parseNodeInfo } from "../protocol/replies.ts";
import { readAnswer } from "../client/questions.ts";

/** A process of the program that is no node and answers `<NOUN> INFO` and `<NOUN> STOP <id>`. */
export type OwnNoun = "GATEWAY" | "SUPERVISOR";

/**
 * Asks such a process about itself. It must be the first line of the connection.
 *
 * @throws {PeerError} When the other end is something else.
 */
export async function askOwn(
  peer: PeerConnection,
  noun: OwnNoun,
  deadlineMs: number,
): Promise<ReadonlyMap<string, string>> {
  peer.setDeadline(deadlineMs);
  await peer.writeText(`${noun} INFO\n`);
  const text = await readAnswer(peer, await okOrThrow(peer));
  peer.setDeadline(undefined);
  const info = parseNodeInfo(text);
  if (info === undefined) throw new PeerError(peer.address, `unexpected answer to ${noun} INFO`);
  return info;
}

/** Asks such a process to stop; it has begun to when this resolves with what it told of itself. */
export async function stopOwn(
  peer: PeerConnection,
  noun: OwnNoun,
  deadlineMs: number,
): Promise<ReadonlyMap<string, string>> {
  const info = await askOwn(peer, noun, deadlineMs);
  peer.setDeadline(deadlineMs);
  await peer.writeText(`${noun} STOP ${info.get("id")}\n`);
  await okOrThrow(peer);
  return info;
}

async function okOrThrow(peer: PeerConnection): Promise<string> {
  const line = await peer.readLine();
  const error = parseErrorReply(line);
  if (error !== undefined) throw new PeerError(peer.address, error);
  return line;
}
