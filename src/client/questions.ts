import type { PeerConnection } from "../net/peer_connection.ts";
import { PeerError, PeerUnreachable } from "../net/peer_errors.ts";
import type { Command } from "../protocol/command.ts";
import { anyVersion, type WriteCondition } from "../protocol/condition.ts";
import { splitAddress } from "../protocol/address.ts";
import { ringNodesMax } from "../protocol/limits.ts";
import type { NetmapEntry } from "../protocol/lists.ts";
import { okReply, parseNetmapReply, parseNodeInfo } from "../protocol/replies.ts";
import { answerMs, commitMs, healMs, scrubMs } from "./deadlines.ts";

/** How {@linkcode askNetmap} and {@linkcode askInfo} wait. */
export interface AskOptions {
  /** Until the whole answer is there, in milliseconds. Default: {@linkcode answerMs}. */
  readonly deadlineMs?: number;
}

/**
 * Asks for the netmap, sorted as the node sorts it; empty before the ring is wired. Bare ports mean
 * the host that was connected to.
 */
export async function askNetmap(
  peer: PeerConnection,
  options: AskOptions = {},
): Promise<NetmapEntry[]> {
  const { hostname } = splitAddress(peer.address);
  const text = await ask(peer, "netmap-get", options);
  return parseNetmapReply(text, { hostname }) ?? unexpected(peer, "NETMAP GET", text);
}

/**
 * Asks one of our nodes about itself: the keys and values of `NODE INFO`.
 *
 * @throws {PeerError} From an original node, which does not know the question.
 */
export async function askInfo(
  peer: PeerConnection,
  options: AskOptions = {},
): Promise<ReadonlyMap<string, string>> {
  const text = await ask(peer, "node-info", options);
  return parseNodeInfo(text) ?? unexpected(peer, "NODE INFO", text);
}

/** Makes sure that somebody answers, before something is sent that could be done twice. */
export async function askPing(peer: PeerConnection): Promise<void> {
  const answer = await peer.request({ kind: "node-ping" }, { deadlineMs: answerMs });
  if (answer !== "PONG") unexpected(peer, "NODE PING", answer);
}

/** Has the whole ring checked and healed; resolves with the ring's answer when that is done. */
export async function healRing(peer: PeerConnection): Promise<string> {
  peer.setStall(healMs);
  return await peer.request({ kind: "node-heal" }, { deadlineMs: healMs });
}

/**
 * Has a node kill itself, as a crash would end it; resolves when its connection has broken.
 *
 * @param incarnation of the node, so that nobody else is killed.
 */
export async function killAt(peer: PeerConnection, incarnation: string): Promise<void> {
  try {
    await peer.request({ kind: "node-kill", incarnation }, { deadlineMs: answerMs });
  } catch (error) {
    if (!(error instanceof PeerUnreachable) || error.kind !== "broken") throw error;
  }
}

/** What the ring knows of a file and the state of every copy, as `key: value` lines. */
export async function askStat(peer: PeerConnection, name: string): Promise<string> {
  return await askLines(peer, { kind: "file-stat", name }, answerMs);
}

/**
 * Deletes a file; resolves when the delete is durable.
 *
 * @param condition what may be deleted; anything by default.
 */
export async function deleteStoredFile(
  peer: PeerConnection,
  name: string,
  condition: WriteCondition = anyVersion,
): Promise<void> {
  peer.setStall(commitMs);
  const command: Command = condition.kind === "any"
    ? { kind: "file-delete", name }
    : { kind: "file-delete-if", name, condition };
  await peer.request(command, { deadlineMs: commitMs });
}

/** Has every stored byte verified; resolves with the counts, as `key: value` lines. */
export async function scrubRing(peer: PeerConnection): Promise<string> {
  peer.setStall(scrubMs);
  return await askLines(peer, { kind: "node-scrub" }, scrubMs);
}

/** Reads an answer's lines from `first` up to its `OK`, all with their line ends. */
export async function readAnswer(peer: PeerConnection, first: string): Promise<string> {
  let text = `${first}\n`;
  let line = first;
  for (let lines = 1; line !== "OK"; lines++) {
    if (lines > ringNodesMax) throw new PeerError(peer.address, "the answer does not end");
    line = await peer.readLine();
    text += `${line}\n`;
  }
  return text;
}

async function ask(
  peer: PeerConnection,
  kind: "netmap-get" | "node-info",
  options: AskOptions,
): Promise<string> {
  return `${await askLines(peer, { kind }, options.deadlineMs ?? answerMs)}${okReply}`;
}

/** The lines of an answer, without its `OK`. */
async function askLines(
  peer: PeerConnection,
  command: Command,
  deadlineMs: number,
): Promise<string> {
  peer.setDeadline(deadlineMs);
  await peer.send(command);
  const text = await readAnswer(peer, await peer.readReply());
  peer.setDeadline(undefined);
  return text.slice(0, -okReply.length);
}

function unexpected(peer: PeerConnection, question: string, answer: string): never {
  const [line = ""] = answer.split("\n");
  throw new PeerError(peer.address, `unexpected answer to ${question}: '${line.slice(0, 80)}'`);
}
